"""Values to try templates with, and the direction of what comes out."""

import unicodedata
from typing import Any

import pytest
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from connector.cli.template.direction import Value, direction_faults
from connector.cli.template.fit import fit
from connector.cli.template.samples import longest, usual
from connector.config import Parameter, Template
from connector.templates import Registry, render
from protocols.gsm.segmentation import Alphabet, Rules

LENGTHS = st.integers(1, 60)
CLASSES = st.sets(st.sampled_from(["letters", "digits", "space", "punctuation", "symbols"]))


def parameters() -> st.SearchStrategy[Parameter]:
    def one(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Parameter]:
        return st.builds(Parameter, kind=st.just(kind), **fields)

    words = st.lists(st.from_regex("[a-z]{1,8}", fullmatch=True), min_size=1, max_size=4, unique=True)
    return st.one_of(
        one("digits", max_length=LENGTHS),
        one("code", max_length=LENGTHS),
        one("name", max_length=LENGTHS),
        one("text", max_length=LENGTHS, characters=CLASSES.map(sorted).map(tuple)),
        one("number"),
        one("amount", currency=st.sampled_from(["EUR", "JPY", "KWD"])),
        one("date", style=st.sampled_from(["short", "medium", "long"])),
        one("time"),
        one("url", allow=st.just(("https://t.acme.example/",)), max_length=st.integers(24, 200)),
        one("choice", of=words.map(tuple)),
    )


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), parameters(), max_size=3))
def test_whatever_a_template_declares_the_samples_are_accepted(params: dict[str, Parameter]) -> None:
    body = " ".join(f"{{{name}}}" for name, parameter in params.items() if parameter.kind != "choice")
    template = Template(
        name="x",
        lane="x",
        purpose="x",
        syntax="icu",
        default_lang="en",
        text={"en": f"x {body}"},
        params=params,
    )
    found = Registry("x", [template]).wording("x", None, 0.0)
    for values in (*usual(template), *longest(template)):
        assert render(found, values).text
    assert usual(template) and longest(template)


def test_the_longest_values_are_as_long_as_allowed() -> None:
    params = {
        "code": Parameter(kind="code"),
        "text": Parameter(kind="text", max_length=33),
        "link": Parameter(kind="url", allow=("https://t.acme.example/",), max_length=50),
    }
    template = Template(name="x", lane="x", purpose="x", text={"en": "x"}, params=params)
    assert {len(str(value)) for value in longest(template)[0].values()} == {10, 33, 50}


def test_every_choice_and_count_is_tried() -> None:
    params = {"g": Parameter(kind="choice", of=("a", "b")), "n": Parameter(kind="number")}
    template = Template(name="x", lane="x", purpose="x", text={"en": "x"}, params=params)
    tried = {(values["g"], values["n"]) for values in usual(template)}
    assert {(g, n) for g in "ab" for n in (0, 1, 2, 5, 11, 21, "1.5")} <= tried
    many = {name: Parameter(kind="choice", of=tuple("abcdefgh")) for name in "abcdef"}
    assert len(usual(Template(name="x", lane="x", purpose="x", text={"en": "x"}, params=many))) == 1000


def test_a_fit_counts_the_first_text_and_the_longest() -> None:
    found = fit("north", Rules(), ["a" * 160, "a" * 161], ["a" * 400, "ж" * 400])
    assert (found.encoding, found.parts, found.most) == ("gsm7", 1, 6)
    ascii_only = Rules(alphabets=(Alphabet(1, "ascii"),))
    assert "U+0436" in str(fit("north", ascii_only, ["ok", "ж"], []).refused)
    assert "no value" in str(fit("north", Rules(), [], []).refused)
    # Another value of the same length would leave.
    assert fit("north", ascii_only, ["ok"], ["ж"]).refused is None


ARABIC = "طلبك في الطريق"
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cf", "Cs"]))


@given(PLAIN)
def test_a_text_without_marks_needs_at_most_a_first_word(text: str) -> None:
    faults = list(direction_faults(text))
    strong = [unicodedata.bidirectional(each) for each in text]
    if not {"R", "AL"} & set(strong):
        assert faults == []
    assert len(faults) <= 1
    assert all("begins with" in fault for fault in faults)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert all(
        isinstance(fault, str)
        for fault in direction_faults(text, [Value("x", 0, True), Value("y", len(text), False)])
    )


@given(PLAIN, st.sampled_from([("\u2066", "\u2069"), ("\u2067", "\u2069"), ("\u202b", "\u202c")]))
def test_what_is_opened_is_closed(value: str, pair: tuple[str, str]) -> None:
    opening, closing = pair
    balanced = f"{ARABIC} {opening}{value}{closing}."
    assert not [fault for fault in direction_faults(balanced) if "open" in fault]
    for broken in (balanced.replace(closing, ""), balanced.replace(opening, ""), balanced + closing):
        assert [fault for fault in direction_faults(broken) if "open" in fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Acme " + ARABIC, "begins with what runs from left to right"),
        ("\u200e482917 " + ARABIC, "begins with what runs from left to right"),
        ("\u200fAcme " + ARABIC, None),
        ("482917 " + ARABIC, None),
        (ARABIC + " Acme", None),
        ("The Arabic for code is رمز", None),
        (f"{ARABIC} \u202aA\u202c \u2066B\u2069", "mixes embeddings"),
        (f"{ARABIC} \u202eA\u202c", "has a direction override"),
        ("Code \u200e482917\u200e", "has a direction mark and no letter"),
        ("Code \u2066482917\u2069", "has a direction mark and no letter"),
        ("הקוד הוא 482917", None),
    ],
)
def test_directions(text: str, fault: str | None) -> None:
    found = list(direction_faults(text))
    assert (len(found) == 1 and fault in found[0]) if fault else found == []


def test_values_that_fall_apart_need_a_mark_among_letters_from_right_to_left() -> None:
    at = len(ARABIC) + 1
    (fault,) = direction_faults(f"{ARABIC} 123 456", [Value("{code}", at, True)])
    assert fault.startswith("{code} may be shown")
    for mark in "\u200e\u2066\u2068":
        closing = "\u200e" if mark == "\u200e" else "\u2069"
        assert not [*direction_faults(f"{ARABIC} {mark}123 456{closing}", [Value("{code}", at + 1, True)])]
    assert not [*direction_faults("Code 123 456", [Value("{code}", 5, True)])]


@pytest.mark.parametrize(
    ("before", "value", "joins"),
    [
        ("من Acme، ", "14:30 م", True),
        ("من \u200eAcme\u200e، ", "14:30 م", True),
        ("من Acme\u200f، ", "14:30 م", False),
        ("من Acme الساعة ", "14:30 م", False),
        ("من Acme، ", "Main Street 5", False),
    ],
)
def test_figures_join_what_runs_from_left_to_right_before_them(before: str, value: str, joins: bool) -> None:
    text = f"{ARABIC} {before}{value}"
    faults = list(direction_faults(text, [Value("{at}", text.index(value), False)]))
    assert bool(faults) == joins
    # Another implementation of the Unicode algorithm sees the same: the value as it looks by itself, or not.
    assert (seen(value) not in seen(text)) == joins


def seen(text: str) -> str:
    """From left to right, as a handset sets it in a line that runs from right to left."""
    return get_display(text, base_dir="R").translate(dict.fromkeys(map(ord, "\u200e\u200f")))
