"""User data headers, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gsm import alphabet
from protocols.gsm.errors import UdhError
from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Alphabet, Rules, plan
from protocols.gsm.udh import (
    Concatenation,
    UserDataHeader,
    body_of,
    concatenation,
    header,
    join,
    parse_udh,
    place,
    shifts,
    text_of_parts,
)

VECTORS = [
    (b"\x05\x00\x03\xa7\x03\x02", Concatenation(0xA7, 3, 2, 8)),
    (b"\x06\x08\x04\xbe\xef\xff\x01", Concatenation(0xBEEF, 255, 1, 16)),
]


@pytest.mark.parametrize(("octets", "meaning"), VECTORS)
def test_octets_both_ways(octets, meaning):
    assert concatenation(meaning.reference, meaning.total, meaning.index, meaning.bits) == octets
    header, rest = parse_udh(octets + b"text")
    assert header.concatenation == meaning
    assert rest == b"text"


@pytest.mark.parametrize(
    ("reference", "total", "index", "bits"),
    [
        (0, 2, 0, 8),
        (0, 2, 3, 8),
        (0, 256, 1, 8),
        (256, 2, 1, 8),
        (-1, 2, 1, 8),
        (65536, 2, 1, 16),
        (0, 2, 1, 12),
    ],
)
def test_impossible_headers_are_not_written(reference, total, index, bits):
    with pytest.raises(ValueError, match=r"expected|bits"):
        concatenation(reference, total, index, bits)


def test_other_elements_are_kept():
    header, rest = parse_udh(b"\x0b\x24\x01\x06\x00\x03\x01\x02\x01\x70\x01\xff" + b"x")
    assert header.elements == ((0x24, b"\x06"), (0x00, b"\x01\x02\x01"), (0x70, b"\xff"))
    assert header.concatenation == Concatenation(1, 2, 1, 8)
    assert rest == b"x"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x05\x00\x03\x01\x00\x00",  # total 0
        b"\x05\x00\x03\x01\x02\x00",  # index 0
        b"\x05\x00\x03\x01\x02\x03",  # index over total
        b"\x04\x00\x02\x01\x02",  # too short
        b"\x00",
    ],
)
def test_an_invalid_concatenation_is_ignored(octets):
    assert parse_udh(octets)[0].concatenation is None


def test_the_last_of_repeated_elements_counts():
    header, _ = parse_udh(b"\x0a\x00\x03\x01\x02\x01\x00\x03\x09\x03\x02")
    assert header.concatenation == Concatenation(9, 3, 2, 8)


@pytest.mark.parametrize(
    "octets", [b"", b"\x05\x00\x03\x01", b"\x03\x00\x03\x01", b"\x01\x00", b"\x04\x00\x00\x00\x01"]
)
def test_lengths_that_contradict_each_other(octets):
    with pytest.raises(UdhError):
        parse_udh(octets)


@given(st.binary(max_size=150))
def test_any_octets_are_a_header_or_an_error(octets):
    try:
        header, rest = parse_udh(octets)
    except UdhError:
        return
    rebuilt = b"".join(bytes((identifier, len(data))) + data for identifier, data in header.elements)
    assert bytes((len(rebuilt),)) + rebuilt + rest == octets


@pytest.mark.parametrize(
    ("elements", "octets"),
    [
        ([], ""),
        (shifts(None, Language.TURKISH), "03240101"),
        (shifts(Language.HINDI, None), "03250106"),
        (shifts(Language.HINDI, Language.HINDI), "06240106250106"),
        ([place(0xA7, 3, 2), *shifts(Language.URDU, Language.URDU)], "0b0003a7030224010d25010d"),
        ([place(0xBEEF, 3, 2, 16), *shifts(None, Language.SPANISH)], "090804beef0302240102"),
    ],
)
def test_one_header_of_all_elements(elements, octets):
    assert header(elements).hex() == octets
    if elements:
        found, rest = parse_udh(header(elements) + b"x")
        assert (list(found.elements), rest) == (elements, b"x")


@pytest.mark.rule("text.national-header")
def test_national_languages_are_read():
    found = parse_udh(header([*shifts(Language.HINDI, Language.TAMIL), place(1, 2, 2)]))[0]
    assert (found.locking, found.single) == (Language.HINDI, Language.TAMIL)
    assert found.concatenation == Concatenation(1, 2, 2, 8)


@pytest.mark.parametrize(
    "octets",
    [
        "03250100",
        "0325010e",
        "032501ff",
        "03240100",
        "0324010e",
        "022500",
        "0425020606",
        "03250102",
        "03700106",
    ],
)
def test_what_names_no_table_is_the_default_alphabet(octets):
    """TS 23.038 §6.2.1.2.4: reserved values; and Spanish has no locking shift table."""
    found = parse_udh(bytes.fromhex(octets))[0]
    assert (found.locking, found.single) == (None, None)


def test_the_last_language_counts():
    assert parse_udh(bytes.fromhex("06250101250106"))[0].locking is Language.HINDI


@given(
    st.text(min_size=1, max_size=400)
    | st.text(alphabet.BASIC.replace("\x1b", "") + "€{", min_size=1, max_size=600)
    | st.text("ığüşabc", min_size=1, max_size=400),
    st.sampled_from(["udh8", "udh16"]),
    st.sampled_from(["gsm7", "gsm7_packed"]),
    st.randoms(),
)
def test_what_is_cut_is_joined_in_any_order(text, form, gsm, random):
    rules = Rules(
        alphabets=(Alphabet(0, gsm), Alphabet(8, "ucs2")), locking=(Language.TURKISH,), long_message=form
    )
    segments = plan(text + "!", rules)
    if len(segments.parts) == 1:
        return
    sent = list(segments.user_data(7))
    random.shuffle(sent)
    assert join([*sent, sent[0]], segments.encoding) == text + "!"


def test_what_does_not_belong_together_is_not_joined():
    first, second = concatenation(7, 2, 1) + b"a", concatenation(7, 2, 2) + b"b"
    assert join([first, second], "gsm7") == "ab"
    assert join([first], "gsm7") is None
    assert join([], "gsm7") is None
    assert join([first, concatenation(8, 2, 2) + b"b"], "gsm7") is None
    assert join([first, concatenation(7, 2, 2, 16) + b"b"], "gsm7") is None
    assert join([first, b"\x00b"], "gsm7") is None


@pytest.mark.parametrize(
    ("codec", "first", "second", "text"),
    [
        ("gsm7", b"5 \x1b", b"e", "5 €"),
        ("ucs2", b"\x00a\xd8\x3d", b"\xde\x00\x00b", "a😀b"),
        ("utf8", b"a\xe4\xb8", b"\xad", "a中"),
        ("latin1", b"\xe7", b"\x1b", "ç\x1b"),
        ("ascii", b"a", b"\xe7", "a\ufffd"),
    ],
)
def test_what_a_careless_sender_cut_is_joined(codec, first, second, text):
    assert join([concatenation(7, 2, 1) + first, concatenation(7, 2, 2) + second], codec) == text


def test_each_part_is_read_with_its_own_tables():
    parts = [
        header([place(1, 3, 1), *shifts(Language.TURKISH, None)]) + b"\x0c",
        header([place(1, 3, 2), *shifts(None, Language.TURKISH)]) + b"\x1bs",
        header([place(1, 3, 3)]) + b"\x0c",
    ]
    assert join(parts, "gsm7") == "ğşø"


def test_tables_are_of_the_gsm_alphabets_only():
    part = header(shifts(Language.HINDI, None)) + "A".encode("utf-16-be")
    assert text_of_parts([body_of(part, "ucs2", has_header=True)], "ucs2") == "A"


def test_a_body_without_a_header():
    assert body_of(b"\x05abc", "gsm7", has_header=False).header == UserDataHeader((), None)
    assert body_of(bytes.fromhex("e8329bfd06"), "gsm7_packed", has_header=False).octets == b"hello"
    with pytest.raises(UdhError):
        body_of(b"\x05abc", "gsm7", has_header=True)


@given(st.binary(max_size=150), st.sampled_from(["gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2"]))
def test_any_user_data_is_a_text_or_an_error(octets, codec):
    for has_header in (False, True):
        try:
            body = body_of(octets, codec, has_header)
        except UdhError:
            continue
        assert isinstance(text_of_parts([body, body], codec), str)
