"""Parts: their sizes at the edges, what may never be cut, and which of several ways a text takes."""

import re

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.gsm import alphabet, ucs2
from protocols.gsm.coding import encode
from protocols.gsm.cutting import room
from protocols.gsm.errors import GsmError, TooManyParts, Unencodable
from protocols.gsm.languages import Language
from protocols.gsm.national import LOCKING, SINGLE, UNASSIGNED
from protocols.gsm.segmentation import Alphabet, Rules, Segments, plan
from protocols.gsm.udh import body_of, text_of_parts
from tests.protocols.gsm.carriers import ASCII, GSM, HINDI, INDIA, LATIN, PACKED, QUOTES, UCS2, UTF8

CHARACTERS = alphabet.BASIC.replace("\x1b", "") + "".join(alphabet.EXTENSION.values())
NATIONAL = "".join(
    sorted({*"".join(LOCKING.values()), *"".join(c for t in SINGLE.values() for c in t.values())})
)
NATIONAL = NATIONAL.replace("\x1b", "").replace(UNASSIGNED, "")
FAMILY = "👩‍👩‍👧‍👦"
FORMS = ("udh8", "udh16", "sar", "payload")
CODECS = ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2")
SEPTETS = ("gsm7", "gsm7_packed")


gsm_texts = st.lists(st.sampled_from([*CHARACTERS, "\r\n", "€€€", "a" * 151, "b" * 152]), max_size=60).map(
    "".join
)
clusters = [
    "😀",
    FAMILY,
    "क्षि",
    "e\u0301",
    "\r\n",
    "\r",
    "中",
    "🇩🇪",
    "ab€",
    "漢" * 60,
    "\u200d",
    "한",
    "’",
    "ç",
    "@",
]
rich_texts = st.lists(st.sampled_from(clusters) | st.text(max_size=5), max_size=60).map("".join)
any_texts = (
    gsm_texts
    | rich_texts
    | st.text(NATIONAL, max_size=400)
    | st.lists(st.sampled_from([HINDI, "’", "ığüş", "€", "\r", "a" * 70, "வணக்கம் "]), max_size=8).map("".join)
)
languages = st.lists(st.sampled_from(Language), unique=True, max_size=3).map(tuple)
all_rules = st.builds(
    Rules,
    alphabets=st.lists(st.sampled_from(CODECS), min_size=1, max_size=4, unique=True).map(
        lambda codecs: tuple(Alphabet(CODECS.index(codec), codec) for codec in codecs)
    ),
    locking=languages,
    single=languages,
    long_message=st.sampled_from(FORMS),
    max_parts=st.sampled_from([1, 2, 3, 10, 255]),
    substitutions=st.dictionaries(
        st.sampled_from([*QUOTES, "😀", "中", "ab"]), st.sampled_from(["'", "", "x’", "zz"])
    ),
)


def sizes(text: str, form: str = "udh8", **rules: object) -> list[int]:
    segments = plan(text, Rules(long_message=form, **rules))
    unit = 2 if segments.encoding == "ucs2" else 1
    return [len(part) // unit for part in segments.parts]


def octets_of(codec: str, header: int, text: int) -> int:
    """User data in octets as the air interface counts them (TS 23.040 §9.2.3.24)."""
    if codec not in SEPTETS:
        return header + text
    bits = 8 * header
    bits += -bits % 7
    return -(-(bits + 7 * text) // 8)


def shown(segments: Segments, user_data: tuple[bytes, ...]) -> str:
    """What a handset shows that has nothing but the octets of the PDUs, UDHI and data_coding's meaning."""
    bodies = [body_of(octets, segments.encoding, segments.has_header) for octets in user_data]
    if segments.form in ("udh8", "udh16"):
        places = [body.header.concatenation for body in bodies]
        assert [(place.index, place.total) for place in places] == [
            (index, len(bodies)) for index in range(1, len(bodies) + 1)
        ]
        assert len({(place.reference, place.bits) for place in places}) == 1
        assert places[0].bits == int(segments.form[3:])
    else:
        assert all(body.header.concatenation is None for body in bodies)
    return text_of_parts(bodies, segments.encoding)


def after_substitutions(text: str, segments: Segments) -> str:
    made = {key: replacement for key, replacement, _ in segments.substituted}
    if not made:
        return text
    pattern = "|".join(map(re.escape, sorted(made, key=len, reverse=True)))
    found = re.findall(pattern, text)
    assert {key: found.count(key) for key in made} == {key: count for key, _, count in segments.substituted}
    return re.sub(pattern, lambda match: made[match[0]], text)


def assert_cut_between_clusters(text: str, parts: list[str]) -> None:
    boundaries = {match.end() for match in regex.finditer(r"\X", text)} | {0}
    end = 0
    for part in parts:
        end += len(part)
        assert end in boundaries


@pytest.mark.parametrize("form", [None, *FORMS])
@pytest.mark.parametrize("tables", [0, 1, 2])
@pytest.mark.parametrize("codec", CODECS)
def test_room_is_all_that_140_octets_leave(codec, tables, form):
    concatenation = {None: 0, "udh8": 5, "udh16": 6, "sar": 6, "payload": 5}[form]
    header = 3 * tables + concatenation
    header += header > 0
    unit = 2 if codec == "ucs2" else 1
    assert octets_of(codec, header, room(codec, tables, form)) <= 140
    assert octets_of(codec, header, room(codec, tables, form) + unit) > 140


@pytest.mark.rule("text.room-gsm", "text.room-national", "text.room-ucs2")
@pytest.mark.parametrize(
    ("codec", "tables", "form", "expected"),
    [
        ("gsm7", 0, None, 160), ("gsm7", 0, "udh8", 153), ("gsm7", 0, "udh16", 152), ("gsm7", 0, "sar", 152),
        ("gsm7", 1, None, 155), ("gsm7", 2, None, 152), ("gsm7", 1, "udh8", 149), ("gsm7", 2, "udh8", 146),
        ("gsm7", 1, "udh16", 148), ("gsm7", 2, "udh16", 145), ("gsm7_packed", 2, "udh8", 146),
        ("latin1", 0, None, 140), ("latin1", 0, "udh8", 134), ("utf8", 0, "udh16", 133),
        ("ucs2", 0, None, 140), ("ucs2", 0, "udh8", 134), ("ucs2", 0, "udh16", 132),
    ],
)  # fmt: skip
def test_room_in_figures(codec, tables, form, expected):
    assert room(codec, tables, form) == expected


@pytest.mark.rule("text.room-gsm", "text.room-ucs2")
@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("", "udh8", [0]),
        ("a" * 160, "udh8", [160]),
        ("a" * 161, "udh8", [153, 8]),
        ("a" * 161, "udh16", [152, 9]),
        ("a" * 161, "sar", [152, 9]),
        ("a" * 161, "payload", [161]),
        ("a" * 306, "udh8", [153, 153]),
        ("a" * 307, "udh8", [153, 153, 1]),
        ("a" * 304, "udh16", [152, 152]),
        ("{" * 80, "udh8", [160]),
        ("{" * 81, "udh8", [152, 10]),
        ("a" + "{" * 80, "udh8", [153, 8]),
        ("中" * 70, "udh8", [70]),
        ("中" * 71, "udh8", [67, 4]),
        ("中" * 71, "udh16", [66, 5]),
        ("中" * 71, "payload", [71]),
        ("中" * 134, "udh8", [67, 67]),
        ("😀" * 35, "udh8", [70]),
        ("😀" * 36, "udh8", [66, 6]),
        ("a" * 152 + "\r\n" + "b" * 10, "udh8", [152, 12]),
        ("a" * 151 + "\r\n" + "b" * 10, "udh8", [153, 10]),
        ("a" * 152 + "\r\f" + "b" * 10, "udh8", [153, 12]),
        ("中" * 66 + "e\u0301" + "中" * 9, "udh8", [66, 11]),
    ],
)
def test_sizes_of_parts(text, form, expected):
    assert sizes(text, form) == expected


@pytest.mark.parametrize(
    ("choice", "text", "expected"),
    [
        (LATIN, "ç" * 140, [140]),
        (LATIN, "ç" * 141, [134, 7]),
        (LATIN, "ç" * 133 + "\r\nabcdef", [133, 8]),
        (LATIN, "a" * 133 + "\x1bbcdefgh", [134, 7]),  # no escape here
        (ASCII, "{" * 141, [134, 7]),
        (UTF8, "é" * 70, [140]),
        (UTF8, "中" * 47, [132, 9]),
        (UTF8, "a" * 133 + "é" + "bcdefg", [133, 8]),
        (PACKED, "a" * 160, [160]),
        (PACKED, "a" * 159 + "\r", [153, 7]),
        (PACKED, "a" * 152 + "\r" + "b" * 20, [151, 22]),
        (PACKED, "a" * 154 + "é" * 5 + "\r", [153, 7]),
    ],
)
def test_sizes_of_parts_in_other_alphabets(choice, text, expected):
    assert sizes(text, alphabets=(choice,)) == expected


def test_encoding_and_units():
    assert plan("5 €") == Segments("gsm7", 0, (b"5 \x1be",), 4)
    assert plan("ç!") == Segments("ucs2", 8, (b"\x00\xe7\x00!",), 2)
    assert plan("😀!").units == 3
    assert plan("ç!", Rules(alphabets=(ASCII, LATIN, UCS2))) == Segments("latin1", 3, (b"\xe7!",), 2)
    assert plan("ab", Rules(alphabets=(UCS2, GSM))) == Segments("ucs2", 8, (b"\0a\0b",), 2)
    assert plan("é", Rules(alphabets=(UTF8,))) == Segments("utf8", 4, (b"\xc3\xa9",), 2)


def test_user_data():
    assert plan("5 €").user_data(7) == (b"5 \x1be",)
    assert not plan("5 €").has_header
    long = plan("a" * 161)
    assert long.has_header
    assert [octets[:7] for octets in long.user_data(0x1234)] == [b"\5\0\3\x34\2\1a", b"\5\0\3\x34\2\2a"]
    long = plan("中" * 71, Rules(long_message="udh16"))
    assert long.user_data(0x11234)[1][:9] == b"\6\x08\4\x12\x34\2\2" + "中".encode("utf-16-be")
    for form in ("sar", "payload"):
        segments = plan("a" * 161, Rules(long_message=form))
        assert (segments.user_data(1), segments.has_header, segments.form) == (segments.parts, False, form)
        assert segments.segments == 2
    packed = plan("hellohello", Rules(alphabets=(PACKED,)))
    assert packed.user_data() == (bytes.fromhex("e8329bfd4697d9ec37"),)


@pytest.mark.rule("text.packed-fill")
def test_packed_text_after_a_header_begins_at_a_septet():
    """TS 23.040 §9.2.3.24: one fill bit after six octets."""
    first, _ = plan("hello" * 40, Rules(alphabets=(PACKED,))).user_data(1)
    assert len(first) == 140
    assert first[:6] == b"\5\0\3\1\2\1"
    assert int.from_bytes(first[6:], "little") & 1 == 0
    assert first[6] >> 1 == ord("h")


def test_no_full_packed_part_ends_in_a_carriage_return_under_national_tables():
    rules = Rules(alphabets=(PACKED,), locking=(Language.TURKISH,))
    segments = plan("ş" * 148 + "\r" + "ş" * 20, rules)
    assert [len(part) for part in segments.parts] == [147, 22]
    assert shown(segments, segments.user_data(1)) == "ş" * 148 + "\r" + "ş" * 20


@pytest.mark.rule("text.no-split", "text.lossless", "text.unpacked")
@given(gsm_texts, st.sampled_from(["udh8", "udh16"]))
def test_gsm_parts_join_fit_and_split_no_escape_and_no_line_end(text, form):
    segments = plan(text, Rules(long_message=form))
    assert segments.encoding == "gsm7"
    assert b"".join(segments.parts) == alphabet.encode(text)
    assert "".join(map(alphabet.decode, segments.parts)) == text
    assert segments.units == sum(map(len, segments.parts))
    assert_cut_between_clusters(text, [alphabet.decode(part) for part in segments.parts])
    limit = 160 if len(segments.parts) == 1 else room("gsm7", several=form)
    assert all(len(part) <= limit for part in segments.parts)
    # No part is emptier than one cluster forces it to be.
    assert all(len(part) >= limit - 1 for part in segments.parts[:-1])


@pytest.mark.rule("text.no-split", "text.lossless")
@given(rich_texts, st.sampled_from(["udh8", "udh16"]))
@example(FAMILY * 20, "udh8")
@example("중" * 66 + FAMILY, "udh8")
def test_ucs2_parts_join_fit_and_split_no_cluster(text, form):
    text += "ñ中"
    segments = plan(text, Rules(long_message=form))
    assert segments.encoding == "ucs2"
    assert b"".join(segments.parts) == ucs2.encode(text)
    assert segments.units == len(ucs2.encode(text)) // 2
    texts = [part.decode("utf-16-be", "strict") for part in segments.parts]  # strict: no half of a pair
    assert "".join(texts) == text
    limit = 140 if len(segments.parts) == 1 else room("ucs2", several=form)
    assert all(0 < len(part) <= limit for part in segments.parts)
    if all(len(cluster.encode("utf-16-be")) <= limit for cluster in regex.findall(r"\X", text)):
        assert_cut_between_clusters(text, texts)


@pytest.mark.rule("text.lossless")
@given(any_texts, all_rules, st.integers(0, 1 << 20))
@example("a" * 159 + "\r", Rules(alphabets=(PACKED,)), 1)
@example("a" * 160 + "\r", Rules(alphabets=(PACKED,)), 1)
@example("\r" * 400, Rules(alphabets=(PACKED,), long_message="sar"), 1)
@example(
    HINDI * 12 + "\r", Rules(alphabets=(PACKED,), locking=(Language.HINDI,), single=(Language.HINDI,)), 1
)
def test_what_the_handset_shows_is_the_text_or_it_was_refused(text, rules, reference):
    try:
        segments = plan(text, rules)
    except Unencodable as refusal:
        assert text[refusal.position] == refusal.character
        if not rules.substitutions:
            assert all(not is_encodable(text, choice.codec) for choice in rules.alphabets)
        return
    except TooManyParts as refusal:
        assert refusal.parts > refusal.max_parts == rules.max_parts
        return
    user_data = segments.user_data(reference)
    expected = after_substitutions(text, segments)
    # In packed text CR CR is the same as CR, by definition (TS 23.038 §6.1.2.3.1).
    doubled = expected + "\r" if segments.encoding == "gsm7_packed" and expected.endswith("\r") else expected
    assert shown(segments, user_data) in (expected, doubled)
    assert Alphabet(segments.data_coding, segments.encoding) in rules.alphabets
    assert segments.form == (rules.long_message if segments.segments > 1 else "single")
    assert len(user_data) == (1 if segments.form == "payload" else segments.segments) <= rules.max_parts
    if segments.form != "payload":
        assert_fits(segments, user_data)
    assert {segments.locking} <= {None, *rules.locking}
    assert {segments.single} <= {None, *rules.single}


def is_encodable(text: str, codec: str) -> bool:
    try:
        encode(text, codec)
    except Unencodable:
        return False
    return True


def assert_fits(segments: Segments, user_data: tuple[bytes, ...]) -> None:
    headers = [1 + octets[0] if segments.has_header else 0 for octets in user_data]
    if segments.form == "sar":
        headers = [7] * len(user_data)  # the carrier's network will put it there
    for header, part, octets in zip(headers, segments.parts, user_data, strict=True):
        assert octets_of(segments.encoding, header, len(part)) <= 140
        if segments.encoding == "gsm7":
            assert len(octets) <= 160
        else:
            assert len(octets) + (7 if segments.form == "sar" else 0) <= 140


@pytest.mark.rule("text.no-split")
@given(any_texts, all_rules)
def test_no_part_ends_within_a_cluster_that_a_part_can_hold(text, rules):
    try:
        segments = plan(text, rules)
    except GsmError:
        return
    if segments.form in ("single", "payload"):
        return
    tables = (segments.locking, segments.single)
    text = after_substitutions(text, segments)
    limit = room(segments.encoding, 2 - tables.count(None), rules.long_message)
    if all(len(encode(c, segments.encoding, *tables)) < limit for c in regex.findall(r"\X", text)):
        bodies = [body_of(part, "gsm7", has_header=False) for part in segments.parts]
        codec = "gsm7" if segments.encoding == "gsm7_packed" else segments.encoding
        parts = [
            alphabet.decode(body.octets, *tables) if codec == "gsm7" else text_of_parts([body], codec)
            for body in bodies
        ]
        assert "".join(parts) == text
        assert_cut_between_clusters(text, parts)


@given(any_texts, all_rules)
def test_no_single_alphabet_would_need_fewer_parts(text, rules):
    try:
        chosen = plan(text, rules).segments
    except Unencodable:
        chosen = 256
    except TooManyParts:
        chosen = rules.max_parts + 1
    for choice in rules.alphabets:
        try:
            assert chosen <= plan(text, Rules(alphabets=(choice,), long_message=rules.long_message)).segments
        except GsmError:
            continue


@pytest.mark.parametrize("rules", [Rules(), INDIA])
def test_a_cluster_larger_than_a_part_is_cut_between_code_points(rules):
    text = "x" * 10 + "e" + "\u0301" * 100 + "😀"
    segments = plan(text, rules)
    assert [len(part) // 2 for part in segments.parts] == [67, 46]
    assert "".join(part.decode("utf-16-be") for part in segments.parts) == text


def test_a_cluster_that_just_fills_a_part_stays_whole():
    text = "x" * 5 + "e" + "\u0301" * 66 + "y" * 5
    assert sizes(text) == [5, 67, 5]


def test_national_parts_split_no_cluster():
    text = "क्षि" * 60
    segments = plan(text, Rules(locking=(Language.HINDI,)))
    assert [len(part) for part in segments.parts] == [148, 92]  # of 149: a cluster has four septets
    assert b"".join(segments.parts) == alphabet.encode(text, Language.HINDI)


def test_too_many_parts():
    with pytest.raises(TooManyParts) as refusal:
        plan("a" * 1000, Rules(max_parts=6))
    assert (refusal.value.parts, refusal.value.max_parts) == (7, 6)
    assert len(plan("a" * 1000, Rules(max_parts=7)).parts) == 7
    assert len(plan("a" * 153 * 255).parts) == 255
    with pytest.raises(TooManyParts):
        plan("a" * (153 * 255 + 1))
    with pytest.raises(TooManyParts):
        plan("中" * (67 * 255 + 1))
    with pytest.raises(TooManyParts):
        plan("a" * 1000, Rules(max_parts=6, long_message="payload"))


def test_clusters_may_need_a_part_more_than_their_octets_do():
    text = ("e" + "\u0301" * 39) * 5  # 200 units, of which a part holds one cluster
    with pytest.raises(TooManyParts) as refusal:
        plan(text, Rules(max_parts=3))
    assert refusal.value.parts == 5


@pytest.mark.parametrize(
    "arguments", [{"alphabets": ()}, {"max_parts": 0}, {"max_parts": 256}, {"substitutions": {"": "x"}}]
)
def test_impossible_rules(arguments):
    with pytest.raises(ValueError, match=r"alphabet|max_parts|substitution"):
        Rules(**arguments)


@pytest.mark.parametrize("character", ["a", "\u0939", "\u2019", "\U0001f600"])
def test_a_megabyte_is_refused_without_being_tried(character: str) -> None:
    languages = tuple(Language)
    rules = Rules(locking=languages, single=languages, max_parts=255, substitutions={"\u2019": "'"})
    with pytest.raises(TooManyParts):
        plan(character * 1_000_000, rules)
    # What may be dropped does not count.
    dropping = Rules(max_parts=1, substitutions={"\u200d": ""})
    assert plan("a" + "\u200d" * 100_000, dropping).parts == (b"a",)


def test_nothing_is_left_of_a_text() -> None:
    dropping = Rules(alphabets=(Alphabet(0, "gsm7"),), substitutions={"\u200d": ""})
    with pytest.raises(Unencodable):
        plan("\u200d\u200d", dropping)
