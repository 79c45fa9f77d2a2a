"""What is known of a text whatever its numbers are."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.templates.content import ContentGate, shape_of

GATE = ContentGate(("Free Mobile", "call 0800 free"))

# What numbers stand beside in the lexicons, and what hides words.
PIECES = (
    "code", "your", "off", "for", "stop", "to", "gratis", "free", "Angebot", "Rabatt", "promo", "sale", "buy",
    "get", "reply", "au", "por", "halen", "leve", "pague", "%", "€", "$", "EUR", "f r e e", "saaale", "s4le",
    "b001", "www.acme.example", "a/b", "\n", "1", "2", "3", "8", "9", "0", "!", ".", "-", "é", "セール", "双",
    "大促", "10倍", "ขวัญ", "а", "\u200b", "１", "١", "stop to", "2 for 1", "3 für 2", "2x1", "kaufe",
)  # fmt: skip


def with_numbers(shape: str, rng: Random) -> str:
    """A text of this shape."""
    numbers = (str(rng.randrange(10, 10 ** rng.choice((2, 3, 4, 6, 9)))) for _ in iter(int, 1))
    parts = shape.split("00")
    return "".join(part + number for part, number in zip(parts[:-1], numbers, strict=False)) + parts[-1]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Your code is 123456.", "Your code is 00."),
        ("4 for 12, 5 for 123", "4 for 00, 5 for 00"),
        ("no number", "no number"),
    ],
)
def test_the_shape_is_the_text_without_its_longer_numbers(text: str, shape: str) -> None:
    assert shape_of(text) == shape


@pytest.mark.parametrize(
    "text", ["Your code is 00.", "T=00 Your code is 00.", "Ihr Bestätigungscode lautet 00"]
)
def test_a_code_never_matters(text: str) -> None:
    assert GATE.passes(text)


@pytest.mark.parametrize(
    "text",
    ["Stop to 8055", "Send stop au 36111", "gratis al 900", "s4le 12", "Get 20 % off today", "Free entry 12"],
)
def test_where_numbers_may_matter_or_words_sell_nothing_is_known(text: str) -> None:
    assert not GATE.passes(shape_of(text))


@settings(max_examples=1_500, deadline=None)
@given(
    st.lists(st.sampled_from((*PIECES, *("00",) * 15)), max_size=9), st.sampled_from(("", " ", "  ")),
    st.sampled_from((None, "en", "de", "fr", "ja")), st.integers(0, 1 << 30),
)  # fmt: skip
def test_what_passes_by_its_shape_passes_with_any_numbers(
    pieces: list[str], between: str, lang: str | None, seed: int
) -> None:
    shape = shape_of(between.join(pieces))
    if GATE.passes(shape, lang):
        text = with_numbers(shape, Random(seed))
        assert shape_of(text) == shape
        assert GATE.judge(text, lang) is None, text
