"""The text as it was filed, character for character."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import Parameter, Registration
from connector.templates import Mismatch, mismatch, render
from tests.templates.wordings import wording

HINDI = "आपका Acme कोड {#var#} है। किसी को न बताएं।"
INDIA = Registration(
    country="IN", carriers=("north",), sender="ACMEIN", pattern={"hi": HINDI, "en": "Don't share {#var#}."},
)  # fmt: skip


def filed(pattern: str, longest: int = 30) -> Registration:
    return Registration(country="IN", pattern={"en": pattern}, max_variable=longest)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("Your code is {#var#}.", "Your code is 482917."),
        ("Your code is {#var#}.", "Your code is " + "9" * 30 + "."),
        ("{#var#}{#var#}", "x" * 60),
        ("{#var#} and {#var#}", "a and b and c"),
        ("no variable", "no variable"),
        ("{#numeric#} is your code", "482917 is your code"),
        ("{x} {# var #}", "{x} {# var #}"),
        ("a.*{#var#}", "a.*b"),
    ],
)
def test_texts_that_are_the_registered_one(pattern: str, text: str) -> None:
    assert mismatch(filed(pattern), "en", text) is None


@pytest.mark.rule("regulation.registered-text", "regulation.registered-variable")
@pytest.mark.parametrize(
    ("pattern", "text", "position", "says"),
    [
        ("Don't share {#var#}.", "Don’t share 1.", (3, 4), 'which has "\'" (U+0027)'),
        ("Your code is {#var#}.", "Your  code is 1.", (5, 6), 'which has "c" (U+0063)'),
        ("Your code is {#var#}.", "your code is 1.", (0, 1), 'which has "Y" (U+0059)'),
        ("Your code is {#var#}.", "Your code is 1", (14, 14), "ends before the registered text"),
        ("Your code is {#var#}.", "Your code is 1. ", (15, 16), "goes on where the registered text ends"),
        ("Your code is {#var#}.", "Your code is " + "9" * 31 + ".", (43, 44), "more than the 30 characters"),
        ("Code {#var#}", "Code " + "9" * 31, (35, 36), "more than the 30 characters"),
        ("Code {#var#}", "Code ", (5, 5), "ends where a variable is registered"),
        ("Code {#var#} for {#var#}.", "Code 1 fur Ada.", (8, 9), 'which has "o" (U+006F)'),
        ("Caf\u00e9 {#var#}", "Cafe\u0301 x", (3, 4), "(U+00E9)"),
        ("a\u00a0b", "a b", (1, 2), "which has U+00A0"),
    ],
)  # fmt: skip
def test_the_first_difference_is_told(pattern: str, text: str, position: tuple[int, int], says: str) -> None:
    found = mismatch(filed(pattern), "en", text)
    assert found is not None
    assert found.position == position
    assert says in found.message


def test_a_language_that_was_not_filed() -> None:
    assert mismatch(INDIA, "HI", HINDI.replace("{#var#}", "482917")) is None
    assert mismatch(INDIA, "mr", "x") == Mismatch((0, 1), 'no text is registered in IN for the language "mr"')
    assert mismatch(Registration(country="IN", ids={"pe_id": "1"}), "mr", "anything") is None


def test_a_difference_in_a_value_has_the_place_of_its_span() -> None:
    made = wording(
        "Code {code} for {who}.", {"code": Parameter(kind="code"), "who": Parameter(max_length=60)}
    )
    text, spans = render(made, {"code": "1", "who": "x" * 31})
    found = mismatch(filed("Code {#var#} for {#var#}."), "en", text)
    assert found is not None
    assert spans[1][1] <= found.position[0] <= spans[1][2]


def by_expression(pattern: str, longest: int, text: str) -> bool:
    """An independent reading: a regular expression."""
    parts = re.split(r"\{#var#\}", pattern)
    return re.fullmatch(f".{{1,{longest}}}".join(map(re.escape, parts)), text, re.DOTALL) is not None


PIECES = st.lists(st.sampled_from(["a", "b", "ab", "{#var#}", "é", "."]), max_size=6).map("".join)
TEXTS = st.text(st.sampled_from("abé."), max_size=12)


@pytest.mark.rule("regulation.registered-text")
@settings(max_examples=500)
@given(PIECES.filter(bool), st.integers(1, 4), TEXTS, st.data())
def test_it_agrees_with_an_independent_reading(
    pattern: str, longest: int, text: str, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):  # one that fits, or nearly
        text = re.sub(r"\{#var#\}", lambda _: data.draw(st.text("abé.", max_size=5)), pattern)
    found = mismatch(filed(pattern, longest), "en", text)
    assert (found is None) == by_expression(pattern, longest, text)
    if found is None:
        return
    start, end = found.position
    assert 0 <= start <= end <= len(text)
    # What stands before the place can still become a text that fits.
    assert can_go_on(pattern, longest, text[:start])
    if "{#var#}" not in pattern and end > start:
        assert not can_go_on(pattern, longest, text[: start + 1])


def can_go_on(pattern: str, longest: int, begun: str) -> bool:
    """Whether some text that fits begins so: by the set of places in the pattern, character for character."""
    parts = re.split(r"(\{#var#\})", pattern)
    units = [unit for part in parts for unit in ([part] if part == "{#var#}" else list(part))]
    states = {(0, 0)}  # (unit, characters that its variable has taken)
    for character in begun:
        after = set()
        for unit, taken in states:
            if taken and taken < longest:
                after.add((unit, taken + 1))
            following = unit + 1 if taken else unit
            if following < len(units):
                if units[following] == "{#var#}":
                    after.add((following, 1))
                elif units[following] == character:
                    after.add((following + 1, 0))
        states = after
    return bool(states)


def test_many_variables_take_no_longer_than_their_square() -> None:
    assert mismatch(filed("{#var#}" * 60 + "!", 1000), "en", "x" * 2000) is not None
