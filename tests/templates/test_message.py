"""Texts in ICU's syntax: read as ICU reads them, and put together again."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icu4py.messageformat import MessageFormat

from connector.config import Parameter
from connector.config.message import Branches, Message, Variable, filled, message, variables
from connector.templates import render
from tests.templates.wordings import put_together, wording

PARAMS = {
    "who": Parameter(max_length=30),
    "n": Parameter(kind="number"),
    "g": Parameter(kind="choice", of=("female", "male")),
}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("it's {who}", ("it's ", Variable("who"))),
        ("it''s '{who}' { who }", ("it's {who} ", Variable("who"))),
        ("# '#'", ("# '#'",)),
        ("a'}'b", ("a}b",)),
        ("a'{it''s}'b", ("a{it's}b",)),
        (
            "{n, plural, =0 {none} one{# '#' day}other {{n} days}}",
            (Branches("n", "plural", {
                "=0": ("none",), "one": (Variable("n"), " # day"), "other": (Variable("n"), " days"),
            }),),
        ),
        (
            "{n,plural,other{{g, select, female{# her} other{}}}}",
            (Branches("n", "plural", {
                "other": (Branches("g", "select", {"female": ("# her",), "other": ()}),),
            }),),
        ),
    ],
)  # fmt: skip
def test_what_is_read(body: str, read: Message) -> None:
    assert message(body, "icu") == read


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("a {who", "at character 3: is no variable"),
        ("a {}", "at character 3: is no variable"),
        ("a {Who}", 'at character 3: "{Who}" is no variable'),
        ("a {0}", "at character 3:"),
        ("a } b", "at character 3: a brace closes what none has opened"),
        ("a '{ b", "at character 3: an apostrophe quotes to the end"),
        ("{n, number}", '"number" is not allowed, expected plural, selectordinal or select'),
        ("{n, date, short}", '"date" is not allowed'),
        ("{n, choice, 0#a}", '"choice" is not allowed'),
        ("{n, number, ::currency/EUR}", '"number" is not allowed'),
        ("{n, plural}", "plural has no branches"),
        ("{n, plural, one{x}}", "has no branch for all else, expected other{...}"),
        ("{n, plural, other{x} other{y}}", '"other" is there twice'),
        ("{n, plural, offset:1 other{x}}", "is no branch"),
        ("{n, plural, lots{x} other{y}}", '"lots" is no category'),
        ("{g, select, =1{x} other{y}}", '"=1" is no word'),
        ("{n, plural, other{x}", "is no branch"),
        ("{n, plural, other{x", "the text ends within a branch"),
        ("{n, plural, other{" * 6 + "}}" * 6, "more than 5 branches within each other"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: str, says: str) -> None:
    with pytest.raises(ValueError, match="at character") as caught:
        message(body, "icu")
    assert says in str(caught.value)


@settings(max_examples=300)
@given(st.text("{}'#,=anwho plural other0 select", max_size=40))
def test_any_text_is_read_or_refused(body: str) -> None:
    try:
        read = message(body, "icu")
    except ValueError as error:
        assert str(error).startswith("at character ")
        return
    # What we take, ICU takes.
    MessageFormat(body, "en")
    assert all(use.name for use in variables(read))


WORDS = st.text(st.sampled_from("ab '{}#|é😀<\n"), min_size=1, max_size=6)
SHOWN = st.sampled_from([Variable("who"), Variable("n")])


def within(messages: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plural = st.fixed_dictionaries(
        {"other": messages}, optional={"=0": messages, "one": messages, "=7": messages}
    )
    ordinal = st.fixed_dictionaries({"other": messages}, optional={"two": messages, "few": messages})
    select = st.fixed_dictionaries({"other": messages}, optional={"female": messages, "male": messages})
    branches = st.one_of(
        st.builds(lambda of: Branches("n", "plural", of), plural),
        st.builds(lambda of: Branches("n", "selectordinal", of), ordinal),
        st.builds(lambda of: Branches("g", "select", of), select),
    )
    return st.lists(WORDS | SHOWN | branches, max_size=4).map(tuple)


MESSAGES = st.recursive(st.lists(WORDS | SHOWN, max_size=4).map(tuple), within, max_leaves=6)


def depth(read: Message) -> int:
    inner = [branch for piece in read if isinstance(piece, Branches) for branch in piece.of.values()]
    return 1 + max(map(depth, inner)) if inner else 0


def spelled(read: Message, counted: str | None, choose: Any) -> str:
    """In ICU's syntax, as one author or another would write it."""
    text = ""
    for piece in read:
        if isinstance(piece, Branches):
            inner = piece.name if piece.how != "select" else None
            space = choose(["", " ", "\n  "])
            of = space.join(f"{word}{space}{{{spelled(m, inner, choose)}}}" for word, m in piece.of.items())
            text += f"{{{piece.name},{space}{piece.how}, {of}}}"
        elif isinstance(piece, Variable):
            text += choose(["#", "{n}"]) if piece.name == counted else f"{{{piece.name}}}"
        else:
            special = "[{}#]" if counted is not None else "[{}]"
            found = re.search(special, piece)
            start = found.start() if found else len(piece)
            text += piece[:start].replace("'", "''")
            if found:
                # One quotation to the end: two that touch would be one with an apostrophe in it.
                text += "'" + piece[start:].replace("'", "''") + "'"
    return text


def joined(read: Message) -> Message:
    return filled(read, {})


def plain_of(read: Message, n: int, g: str) -> list[Any]:
    """By a reading of our own: English plurals of whole numbers."""
    made: list[Any] = []
    for piece in read:
        if not isinstance(piece, Branches):
            made.append(piece)
            continue
        if piece.how == "select":
            word = g
        elif f"={n}" in piece.of:
            word = f"={n}"
        elif piece.how == "plural":
            word = "one" if n == 1 else "other"
        else:
            last = {1: "one", 2: "two", 3: "few"}
            word = "other" if n % 100 in (11, 12, 13) else last.get(n % 10, "other")
        made += plain_of(piece.of.get(word, piece.of["other"]), n, g)
    return made


@settings(max_examples=300)
@given(
    MESSAGES.filter(lambda read: depth(read) <= 5), st.sampled_from([0, 1, 2, 3, 7, 11, 12, 22, 1234]),
    st.sampled_from(["female", "male"]), st.sampled_from(["{n}", "it's #", "x", "'{'", "\U000f0000"]),
    st.data(),
)  # fmt: skip
def test_rendering_is_what_icu_says(read: Message, n: int, g: str, who: str, data: st.DataObject) -> None:
    body = spelled(joined(read), None, lambda options: data.draw(st.sampled_from(options)))
    uses = {use.name for use in variables(read)}
    params = {name: parameter for name, parameter in PARAMS.items() if name in uses}
    assert joined(message(body, "icu")) == joined(read)
    given_values: dict[str, Any] = {"n": n, "g": g, "who": who}
    made = render(wording(body, params, syntax="icu"), {name: given_values[name] for name in params})
    assert made.text == MessageFormat(body, "en").format(given_values)
    chosen = plain_of(read, n, g)
    shown = [piece for piece in chosen if isinstance(piece, Variable)]
    assert [name for name, _, _ in made.spans] == [piece.name for piece in shown]
    fixed = [""]
    for piece in chosen:
        if isinstance(piece, Variable):
            fixed.append("")
        else:
            fixed[-1] += piece
    assert put_together(made, fixed) == made.text
    for name, start, end in made.spans:
        assert made.text[start:end] == (who if name == "who" else f"{n:,}")


def test_constants_are_filled_in_everywhere() -> None:
    body = "{brand}: {n, plural, one{# {brand} day} other{# days}}"
    made = wording(body, {"n": PARAMS["n"]}, syntax="icu", values={"brand": "Ac'me {n} #"})
    assert render(made, {"n": 1}) == ("Ac'me {n} #: 1 Ac'me {n} # day", (("n", 13, 14),))
    plain = wording("{brand}{who}{{", {"who": PARAMS["who"]}, values={"brand": "{who}"})
    assert render(plain, {"who": "x"}) == ("{who}x{", (("who", 5, 6),))
