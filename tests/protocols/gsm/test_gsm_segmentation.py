"""Parts: their sizes at the edges, and what may never be cut."""

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import TooManyParts, Unencodable
from protocols.gsm.segmentation import plan, septets_per_part, units_per_part

CHARACTERS = alphabet.BASIC.replace("\x1b", "") + "".join(alphabet.EXTENSION.values())
FAMILY = "👩‍👩‍👧‍👦"
BITS = st.sampled_from([8, 16])

gsm_texts = st.lists(st.sampled_from([*CHARACTERS, "\r\n", "€€€", "a" * 151, "b" * 152]), max_size=60).map(
    "".join
)
rich_texts = st.lists(
    st.sampled_from([FAMILY, "😀", "क्षि", "e\u0301", "\r\n", "中", "🇩🇪", "ab€", "漢" * 60, "\u200d", "한"])
    | st.text(max_size=5),
    max_size=60,
).map("".join)


def sizes(text: str, bits: int = 8) -> list[int]:
    segments = plan(text, reference_bits=bits)
    unit = 1 if segments.encoding == "gsm7" else 2
    return [len(part) // unit for part in segments.parts]


@pytest.mark.parametrize(("bits", "septets", "units"), [(8, 153, 67), (16, 152, 66)])
def test_room_per_part(bits, septets, units):
    assert septets_per_part(bits) == septets
    assert units_per_part(bits) == units


@pytest.mark.parametrize(
    ("text", "bits", "expected"),
    [
        ("", 8, [0]),
        ("a" * 160, 8, [160]),
        ("a" * 161, 8, [153, 8]),
        ("a" * 161, 16, [152, 9]),
        ("a" * 306, 8, [153, 153]),
        ("a" * 307, 8, [153, 153, 1]),
        ("a" * 304, 16, [152, 152]),
        ("{" * 80, 8, [160]),
        ("{" * 81, 8, [152, 10]),
        ("a" + "{" * 80, 8, [153, 8]),
        ("中" * 70, 8, [70]),
        ("中" * 71, 8, [67, 4]),
        ("中" * 71, 16, [66, 5]),
        ("中" * 134, 8, [67, 67]),
        ("😀" * 35, 8, [70]),
        ("😀" * 36, 8, [66, 6]),
        ("a" * 152 + "\r\n" + "b" * 10, 8, [152, 12]),
        ("a" * 151 + "\r\n" + "b" * 10, 8, [153, 10]),
        ("a" * 152 + "\r\f" + "b" * 10, 8, [153, 12]),
        ("中" * 66 + "e\u0301" + "中" * 9, 8, [66, 11]),
    ],
)
def test_sizes_of_parts(text, bits, expected):
    assert sizes(text, bits) == expected


def test_encoding_and_units():
    assert plan("5 €").encoding == "gsm7"
    assert (plan("5 €").data_coding, plan("5 €").units) == (0, 4)
    assert plan("ç").encoding == "ucs2"
    assert (plan("😀!").data_coding, plan("😀!").units) == (8, 3)
    assert plan("5 €").parts == (b"5 \x1be",)
    assert plan("ç!").parts == (b"\x00\xe7\x00!",)


@given(gsm_texts, BITS)
def test_gsm_parts_join_fit_and_split_no_escape_and_no_line_end(text, bits):
    segments = plan(text, reference_bits=bits)
    assert segments.encoding == "gsm7"
    assert b"".join(segments.parts) == alphabet.encode(text)
    assert "".join(map(alphabet.decode, segments.parts)) == text
    assert segments.units == sum(map(len, segments.parts))
    assert_cut_between_clusters(text, [alphabet.decode(part) for part in segments.parts])
    room = 160 if len(segments.parts) == 1 else septets_per_part(bits)
    assert all(len(part) <= room for part in segments.parts)
    # No part is emptier than one cluster forces it to be.
    assert all(len(part) >= room - 1 for part in segments.parts[:-1])


@given(rich_texts, BITS)
@example(FAMILY * 20, 8)
@example("중" * 66 + FAMILY, 8)
def test_ucs2_parts_join_fit_and_split_no_cluster(text, bits):
    text += "ñ中"
    segments = plan(text, reference_bits=bits)
    assert segments.encoding == "ucs2"
    assert b"".join(segments.parts) == ucs2.encode(text)
    assert segments.units == len(ucs2.encode(text)) // 2
    shown = [part.decode("utf-16-be", "strict") for part in segments.parts]  # strict: no half of a pair
    assert "".join(shown) == text
    room = 70 if len(segments.parts) == 1 else units_per_part(bits)
    assert all(0 < len(part) <= 2 * room for part in segments.parts)
    if all(len(cluster.encode("utf-16-be")) <= 2 * room for cluster in regex.findall(r"\X", text)):
        assert_cut_between_clusters(text, shown)


def assert_cut_between_clusters(text: str, parts: list[str]) -> None:
    boundaries = {match.end() for match in regex.finditer(r"\X", text)} | {0}
    end = 0
    for part in parts:
        end += len(part)
        assert end in boundaries


def test_a_cluster_larger_than_a_part_is_cut_between_code_points():
    text = "x" * 10 + "e" + "\u0301" * 100 + "😀"
    segments = plan(text)
    assert [len(part) // 2 for part in segments.parts] == [67, 46]
    assert "".join(part.decode("utf-16-be") for part in segments.parts) == text


def test_a_cluster_that_just_fills_a_part_stays_whole():
    text = "x" * 5 + "e" + "\u0301" * 66 + "y" * 5
    assert sizes(text) == [5, 67, 5]


def test_too_many_parts():
    with pytest.raises(TooManyParts) as refusal:
        plan("a" * 1000, max_parts=6)
    assert (refusal.value.parts, refusal.value.max_parts) == (7, 6)
    assert len(plan("a" * 1000, max_parts=7).parts) == 7
    assert len(plan("a" * 153 * 255).parts) == 255
    with pytest.raises(TooManyParts):
        plan("a" * (153 * 255 + 1))
    with pytest.raises(TooManyParts):
        plan("中" * (67 * 255 + 1))


def test_a_lone_surrogate_is_refused():
    with pytest.raises(Unencodable):
        plan("a\udc00")


@pytest.mark.parametrize("arguments", [{"reference_bits": 7}, {"max_parts": 0}, {"max_parts": 256}])
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match=r"reference|max_parts"):
        plan("a", **arguments)
