"""What the wording of a job may be: the content gate, where the lane wants one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from connector.config import Config, Parameter, Spoken, Template
from connector.config.document import read_document
from connector.config.message import Branches, Message, Variable, filled, message
from connector.config.problem import ConfigError, Problem
from connector.errors import ConnectorError
from connector.metrics import Metrics
from connector.templates import Rendered, Wording
from connector.templates.content import ContentGate, Finding, shape_of
from connector.templates.refusal import Value
from connector.templates.spoken import said

__all__ = ["ContentCheck", "require_templates", "template_problems"]

_JUDGED: Final = frozenset({"text", "name"})
"""Kinds of parameters that may hold any words; of the others the kind says what they hold."""

_COUNTING: Final = frozenset({"number", "amount", "digits", "code"})

_MOST_SHAPES: Final = 4_096

_STANDS_FOR: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""For what is not judged: the characters beside it keep their places."""

_WHY: Final = {
    "lexicon": "is marketing",
    "price": "offers a price",
    "opt_out": "is how advertisements end",
    "url": "is an address that no template permits",
    "hidden": "hides what it says",
}


_gate: Final = lru_cache(maxsize=1)(ContentGate)
"""Judges templates at the start, and jobs from then on: megabytes that are made once."""


class ContentCheck:
    """Of one configuration. In a lane that permits marketing it finds nothing."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        refuses = config.content.refuses(config.lane)
        self._gate = _gate(config.content.allow) if refuses else None
        self._metrics = metrics
        # Most texts are one of a few with another code in it. Only hashes: no text outlives its job here.
        self._passing: set[int] = set()

    def template(
        self, wording: Wording, params: Mapping[str, Value], rendered: Rendered, *, called: bool = False
    ) -> None:
        """Judge the values of a template's variables, each for itself and in their text.

        The fixed text was judged when it was read. `called`: it is said in a call too. Raises ConnectorError.
        """
        gate = self._gate
        judged = () if gate is None else _may_hold_words(wording)
        if gate is None or not judged:
            return
        for name in judged:
            if found := gate.judge(str(params[name]), wording.lang):
                self._refuse(found, f"params.{name}", (found.start, found.end))
        self._whole(gate, wording, rendered, written=True)
        for words in said(wording, params) if called else ():
            self._whole(gate, wording, words, written=False)

    def _whole(self, gate: ContentGate, wording: Wording, rendered: Rendered, *, written: bool) -> None:
        """Judge what values and the words around them come to. `written`: an error may point into it."""
        text, judged = rendered.text, []
        for name, start, end in rendered.spans:
            kind = wording.params[name].kind
            if kind in _JUDGED:
                judged.append((start, end))
            elif kind == "url":
                text = text[:start] + _STANDS_FOR * (end - start) + text[end:]
        while judged and (found := gate.judge(text, wording.lang)):
            if any(start < found.end and found.start < end for start, end in judged):
                self._refuse(found, "template", (found.start, found.end) if written else None)
            # No variable has a part in it: it is the template's, whose author has answered for it.
            text = _without(text, found)

    def text(self, text: str, lang: str | None) -> None:
        """Judge a free text. Raises ConnectorError."""
        gate = self._gate
        if gate is None:
            return
        shape = shape_of(text)
        place = hash((shape, lang))
        if place in self._passing:
            return
        if gate.passes(shape, lang):
            if len(self._passing) >= _MOST_SHAPES:
                self._passing.clear()
            self._passing.add(place)
        elif found := gate.judge(text, lang):
            self._refuse(found, "text", (found.start, found.end))

    def _refuse(self, found: Finding, field: str, position: tuple[int, int] | None) -> None:
        self._metrics.content_refused[found.rule] += 1
        raise _refusal(found, field, position)


def _may_hold_words(wording: Wording) -> list[str]:
    return [name for name, parameter in wording.params.items() if parameter.kind in _JUDGED]


def template_problems(config: Config) -> list[Problem]:
    """Templates of the lane whose fixed text it would not take from anybody."""
    if not config.content.refuses(config.lane):
        return []
    gate = _gate(config.content.allow)
    own = [template for template in config.templates if template.lane == config.lane]
    return [problem for template in own for problem in _problems(config, template, gate)]


def require_templates(config: Config) -> None:
    """Raises ConfigError with all `template_problems`."""
    if problems := template_problems(config):
        raise ConfigError(problems)


def _problems(config: Config, template: Template, gate: ContentGate) -> Iterator[Problem]:
    as_written = template.syntax == "plain" and not template.values
    told: dict[tuple[tuple[str, ...], str], None] = {}
    for key, text in _fixed(template, as_written):
        for found in _findings(text, key[-1], gate):
            placed = as_written and key[0] == "text"
            where = f"characters {found.start + 1} to {found.end}: " if placed else ""
            told[key, f"{where}{_what(found)}"] = None
    if not told:
        return
    path = Path(config.folder) / "templates" / f"{template.name}.toml"
    document = read_document(path)
    if isinstance(document, Problem):
        raise ConfigError([document])
    for key, what in told:
        yield document.problem(key, f"{what}, expected none in this lane, or the phrase in [content] allow")


def _fixed(template: Template, as_written: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is always said, by its key in the file: texts and calls, with constants, in every branch.

    as_written  it has neither constants nor branches
    """
    params = template.params
    for lang, text in template.text.items():
        for reading in _readings(filled(message(text, template.syntax), template.values), params):
            yield ("text", lang), reading
    for lang, pieces in template.voice.say.items() if template.voice is not None else ():
        read: Message = ()
        for piece in pieces:
            if isinstance(piece, Spoken):
                read += (f" {_STANDS_FOR} ",)
            elif as_written:  # a brace is a brace
                read += (f" {piece} ",)
            else:
                read += (" ", *filled(message(piece, template.syntax), template.values), " ")
        for reading in _readings(read, params):
            yield ("voice", "say", lang), reading


def _readings(read: Message, params: Mapping[str, Parameter]) -> Iterator[str]:
    """The words with all branches `other`, and then with each other branch once.

    Variables take as many characters as they do in the file.
    """
    usual = [_usual(piece, params) for piece in read]
    yield "".join(usual)
    for index, piece in enumerate(read):
        if isinstance(piece, Branches):
            for branch in piece.of.values():
                for reading in _readings(branch, params):
                    yield "".join((*usual[:index], reading, *usual[index + 1 :]))


def _usual(piece: str | Variable | Branches, params: Mapping[str, Parameter]) -> str:
    if isinstance(piece, str):
        return piece.replace("{", "{{").replace("}", "}}")
    if isinstance(piece, Branches):
        return "".join(_usual(each, params) for each in piece.of["other"])
    counts = params[piece.name].kind in _COUNTING
    return ("0" if counts else _STANDS_FOR) * (len(piece.name) + 2)


def _findings(text: str, lang: str, gate: ContentGate) -> Iterator[Finding]:
    """All in a fixed text but addresses: who writes a template may put in his own."""
    while found := gate.judge(text, lang):
        if found.rule != "url":
            yield found
        text = _without(text, found)


def _without(text: str, found: Finding) -> str:
    end = max(found.end, found.start + 1)
    return text[: found.start] + _STANDS_FOR * (end - found.start) + text[end:]


def _what(found: Finding) -> str:
    return f'"{found.entry}" {_WHY[found.rule]}'


def _refusal(found: Finding, field: str, position: tuple[int, int] | None) -> ConnectorError:
    return ConnectorError(
        "content", f"{_what(found)}, which this lane does not send", field=field, position=position,
        hint="marketing goes by a lane of its own",
    )  # fmt: skip
