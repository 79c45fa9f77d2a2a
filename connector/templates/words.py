"""A text of a template, ready to be filled: what is fixed, what stands where, what ICU chooses. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from connector.config.message import Branches, Message, Variable, variables

from . import icu
from .refusal import Value

__all__ = ["Chosen", "Plain", "Rendered", "words_of"]

Span = tuple[str, int, int]

# Stand for values while ICU chooses the words, so that no value ever passes through its syntax.
_FIRST_MARK: Final = 0xF0000
_MARK: Final = re.compile("([\U000f0000-\U000ffffd])")
_SPECIAL: Final = re.compile(r"['{}#]+")


class Rendered(NamedTuple):
    """A text. `spans`: (parameter, start, end) in characters of each value in it, in order."""

    text: str
    spans: tuple[Span, ...]


class Plain(NamedTuple):
    """A text without branches. `steps`: (literal, its length, the parameter whose value follows it)."""

    steps: tuple[tuple[str, int, str], ...]
    tail: str

    def fill(self, values: Mapping[str, str], params: Mapping[str, Value]) -> Rendered:
        """The text with `values`, which are those that the parameters' kinds have made."""
        parts: list[str] = []
        spans: list[Span] = []
        at = 0
        for literal, length, name in self.steps:
            value = values[name]
            start = at + length
            at = start + len(value)
            parts.append(literal)
            parts.append(value)
            spans.append((name, start, at))
        parts.append(self.tail)
        return Rendered("".join(parts), tuple(spans))


class Chosen(NamedTuple):
    """A text with branches.

    choose  makes its words, with a mark for each value
    by      the parameters that it is chosen by, and whether each is a number
    marks   whose value each mark is
    """

    choose: Callable[[Mapping[str, Decimal | str]], str]
    by: tuple[tuple[str, bool], ...]
    marks: tuple[str, ...]

    def fill(self, values: Mapping[str, str], params: Mapping[str, Value]) -> Rendered:
        """As of Plain."""
        chosen = {name: Decimal(str(params[name])) if number else values[name] for name, number in self.by}
        parts: list[str] = []
        spans: list[Span] = []
        at = 0
        for index, part in enumerate(_MARK.split(self.choose(chosen))):
            if index % 2:
                name = self.marks[ord(part) - _FIRST_MARK]
                part = values[name]
                spans.append((name, at, at + len(part)))
            parts.append(part)
            at += len(part)
        return Rendered("".join(parts), tuple(spans))


def words_of(read: Message, lang: str) -> Plain | Chosen:
    """A message ready to be filled; ICU is loaded only when it has branches."""
    if any(isinstance(piece, Branches) for piece in read):
        return _chosen(read, lang)
    steps: list[tuple[str, int, str]] = []
    literal = ""
    for piece in read:
        if isinstance(piece, Variable):
            steps.append((literal, len(literal), piece.name))
            literal = ""
        else:
            assert isinstance(piece, str)
            literal += piece
    return Plain(tuple(steps), literal)


def _chosen(read: Message, lang: str) -> Chosen:
    uses = list(variables(read))
    shown = tuple(dict.fromkeys(use.name for use in uses if isinstance(use, Variable)))
    by = dict.fromkeys((use.name, use.how != "select") for use in uses if isinstance(use, Branches))
    marks = {name: chr(_FIRST_MARK + index) for index, name in enumerate(shown)}
    return Chosen(icu.choosing(_pattern(read, marks), lang), tuple(by), shown)


def _pattern(read: Message, marks: Mapping[str, str], *, counted: bool = False) -> str:
    """The message in ICU's syntax again. `counted`: # is special there."""
    made: list[str] = []
    for piece in read:
        if isinstance(piece, Variable):
            made.append(marks[piece.name])
        elif isinstance(piece, Branches):
            within = piece.how != "select"
            branches = "".join(
                f" {selector}{{{_pattern(branch, marks, counted=within)}}}"
                for selector, branch in piece.of.items()
            )
            made.append(f"{{{piece.name}, {piece.how},{branches}}}")
        else:
            made.append(_SPECIAL.sub(lambda found: _quoted(found[0], counted=counted), piece))
    return "".join(made)


def _quoted(run: str, *, counted: bool) -> str:
    """An apostrophe begins a quotation only right before what is special."""
    special = "{}#" if counted else "{}"
    start = next((at for at, character in enumerate(run) if character in special), len(run))
    before, within = run[:start].replace("'", "''"), run[start:].replace("'", "''")
    return f"{before}'{within}'" if within else before
