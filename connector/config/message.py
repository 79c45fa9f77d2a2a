"""The texts of templates, read: words, variables, and the branches of ICU's plural and select."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from .parameter import IS_PARAMETER_NAME

__all__ = ["Branches", "Message", "Variable", "filled", "message", "pieces", "variables"]

_MAX_DEPTH: Final = 5
_SELECTOR: Final = re.compile(r"\s*(=[0-9]{1,9}|[A-Za-z][A-Za-z0-9_]{0,31})\s*\{")
_ARGUMENT: Final = re.compile(r"\s*([A-Za-z0-9_]+)\s*(?:(\})|,\s*([a-zA-Z]+)\s*(?:(\})|,))")
_CATEGORIES: Final = frozenset(["zero", "one", "two", "few", "many", "other"])

Choosing = Literal["plural", "selectordinal", "select"]
_CHOOSING: Final[tuple[Choosing, ...]] = ("plural", "selectordinal", "select")


class Variable(NamedTuple):
    """Where the value of a parameter stands."""

    name: str


class Branches(NamedTuple):
    """One of several messages, by the value of a parameter. `of`: by selector, "other" among them."""

    name: str
    how: Choosing
    of: Mapping[str, Message]


Message = tuple[str | Variable | Branches, ...]
"""A text as its words, variables and branches, in order."""


def message(body: str, syntax: str) -> Message:
    """A text in a template's `syntax`. Raises ValueError, whose message tells what is wrong, and where."""
    if syntax == "icu":
        return _Reader(body).read()
    read: list[str | Variable | Branches] = []
    for literal, name in pieces(body):
        if literal:
            read.append(literal)
        if name is not None:
            read.append(Variable(name))
    return tuple(read)


def filled(read: Message, values: Mapping[str, str]) -> Message:
    """The message with constants in place of the variables of their names."""
    made: list[str | Variable | Branches] = []
    for piece in read:
        if isinstance(piece, Branches):
            branches = {selector: filled(branch, values) for selector, branch in piece.of.items()}
            made.append(piece._replace(of=branches))
            continue
        if isinstance(piece, Variable):
            piece = values.get(piece.name, piece)
        if isinstance(piece, str) and made and isinstance(made[-1], str):
            made[-1] += piece
        else:
            made.append(piece)
    return tuple(made)


def variables(read: Message) -> Iterator[Variable | Branches]:
    """Every place where a parameter counts, in order; those within branches too."""
    for piece in read:
        if isinstance(piece, str):
            continue
        yield piece
        if isinstance(piece, Branches):
            for branch in piece.of.values():
                yield from variables(branch)


def pieces(body: str) -> tuple[tuple[str, str | None], ...]:
    """A plain text as (literal, name of the variable that follows it or None); `{{` and `}}` are braces.

    Raises ValueError, whose message tells what is wrong, for anything else in braces.
    """
    found: list[tuple[str, str | None]] = []
    for literal, name, form, conversion in string.Formatter().parse(body):
        if name is not None and (form or conversion or not IS_PARAMETER_NAME.match(name)):
            shown = json.dumps(f"{{{name}}}", ensure_ascii=False)
            raise ValueError(
                f"{shown} is no variable, expected {{name}} in lower case; {{{{ and }}}} are braces"
            )
        found.append((literal, name))
    return tuple(found)


class _Reader:
    """ICU MessageFormat, of its pattern syntax what `syntax = "icu"` permits.

    An apostrophe quotes what follows it when that is { or }, or # within plural; two are one
    (MessagePattern.ApostropheMode DOUBLE_OPTIONAL).
    """

    def __init__(self, body: str) -> None:
        self._body = body
        self._at = 0

    def read(self) -> Message:
        found = self._message(None, 0)
        if self._at < len(self._body):
            raise self._fault("a brace closes what none has opened, expected '}' in apostrophes")
        return found

    def _fault(self, message: str) -> ValueError:
        return ValueError(f"at character {self._at + 1}: {message}")

    def _message(self, counted: str | None, depth: int) -> Message:
        """Up to the brace that closes it, which stays. `counted`: the parameter that # stands for."""
        if depth > _MAX_DEPTH:
            raise self._fault(f"more than {_MAX_DEPTH} branches within each other, expected fewer")
        body = self._body
        made: list[str | Variable | Branches] = []
        words: list[str] = []
        while self._at < len(body) and (character := body[self._at]) != "}":
            if character == "'":
                words.append(self._quoted("{}" if counted is None else "{}#"))
                continue
            if character != "{" and (character != "#" or counted is None):
                words.append(character)
                self._at += 1
                continue
            if words:
                made.append("".join(words))
                words = []
            if character == "#":
                assert counted is not None
                made.append(Variable(counted))
                self._at += 1
            else:
                made.append(self._argument(counted, depth))
        if words:
            made.append("".join(words))
        return tuple(made)

    def _quoted(self, special: str) -> str:
        body, at = self._body, self._at + 1
        following = body[at : at + 1]
        if following == "'":
            self._at = at + 1
            return "'"
        if not following or following not in special:
            self._at = at
            return "'"
        words: list[str] = []
        while at < len(body):
            if body[at] != "'":
                words.append(body[at])
            elif body[at + 1 : at + 2] == "'":
                words.append("'")
                at += 1
            else:
                self._at = at + 1
                return "".join(words)
            at += 1
        raise self._fault("an apostrophe quotes to the end, expected a second one, or two for one")

    def _argument(self, counted: str | None, depth: int) -> Variable | Branches:
        found = _ARGUMENT.match(self._body, self._at + 1)
        if found is None:
            raise self._fault("is no variable, expected {name}, or {name, plural, other{...}}")
        name = found[1]
        if not IS_PARAMETER_NAME.match(name):
            shown = json.dumps(f"{{{name}}}", ensure_ascii=False)
            raise self._fault(f"{shown} is no variable, expected {{name}} in lower case")
        if found[2]:
            self._at = found.end()
            return Variable(name)
        how = next((known for known in _CHOOSING if known == found[3]), None)
        if how is None:
            raise self._fault(
                f'"{found[3]}" is not allowed, expected plural, selectordinal or select; the kind of the '
                "parameter formats it"
            )
        if found[4]:
            raise self._fault(f"{how} has no branches, expected other{{...}} at least")
        self._at = found.end()
        # Within select # is a character again, as ICU has it.
        return Branches(name, how, self._branches(name if how != "select" else None, how, depth))

    def _branches(self, counted: str | None, how: Choosing, depth: int) -> dict[str, Message]:
        found: dict[str, Message] = {}
        while (selector := _SELECTOR.match(self._body, self._at)) is not None:
            word = selector[1]
            if how == "select" and word.startswith("="):
                raise self._fault(f'"{word}" is no word, expected one of the parameter\'s `of`')
            if how != "select" and not word.startswith("=") and word not in _CATEGORIES:
                raise self._fault(f'"{word}" is no category, expected zero, one, two, few, many, other or =1')
            if word in found:
                raise self._fault(f'"{word}" is there twice, expected it once')
            self._at = selector.end()
            found[word] = self._message(counted, depth + 1)
            if self._body[self._at : self._at + 1] != "}":
                raise self._fault("the text ends within a branch, expected a closing brace")
            self._at += 1
        rest = re.compile(r"\s*\}").match(self._body, self._at)
        if rest is None:
            raise self._fault("is no branch, expected such as other{...}")
        if "other" not in found:
            raise self._fault(f"{how} has no branch for all else, expected other{{...}}")
        self._at = rest.end()
        return found
