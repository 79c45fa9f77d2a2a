"""What is found when a template is tried in each of its languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from connector.config import Template, content_hash
from connector.config.problem import Path, Problem
from connector.segments import Text
from connector.templates import Registry, TemplateError, Wording, render, speak, uncovered
from connector.templates.content import ContentGate, Finding
from connector.templates.registration import mismatch
from connector.templates.words import Rendered
from protocols.gsm.segmentation import Rules

from .direction import Value, direction_faults
from .fit import Fit, fit
from .reading import Found, Source
from .samples import longest, usual

__all__ = ["Report", "place", "report", "timeless"]

_TELEPHONE: Final = re.compile(r"\+[0-9]")
_STANDS_FOR: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
_FALLS: Final = frozenset({"code", "url"})
"""Kinds whose values fall apart among letters from right to left."""


class Report(NamedTuple):
    """One template. `languages`: how each leaves, by each carrier.

    problems  what must not stay so
    notes     what may be meant
    """

    found: Found
    languages: dict[str, tuple[Fit, ...]]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        template = self.found.template
        return {
            "name": template.name,
            "file": self.found.document.file,
            "lane": template.lane,
            "version": template.version,
            "hash": content_hash(template),
            "languages": {lang: [one.as_json() for one in fits] for lang, fits in self.languages.items()},
        }


def report(found: Found, source: Source) -> Report:
    """Everything about one template whose file is right by itself."""
    template = timeless(found.template)
    registry = Registry(template.lane, [template])
    gate = _gate(template, source)
    languages: dict[str, tuple[Fit, ...]] = {}
    problems: list[Problem] = []
    notes: list[Problem] = []
    for lang in template.text:
        wording = registry.wording(template.name, lang, 0.0)
        tried = _Tried(
            found,
            wording,
            _texts(wording, usual(template)),
            _texts(wording, longest(template)),
            _words(wording, usual(template)),
        )
        languages[lang] = tried.fits(source.carriers)
        problems += tried.problems(languages[lang], source, gate)
        notes += tried.notes(languages[lang], source)
    return Report(found, languages, tuple(problems), tuple(notes))


def timeless(template: Template) -> Template:
    """The same for any instant: what it says is looked at, not whether it may be used today."""
    return msgspec.structs.replace(template, valid_from=None, valid_until=None)


def _gate(template: Template, source: Source) -> ContentGate | None:
    if not source.content.refuses(template.lane):
        return None
    return _gate_that_allows(source.content.allow)


@cache
def _gate_that_allows(phrases: tuple[str, ...]) -> ContentGate:
    """A gate takes a sixth of a second to build."""
    return ContentGate(phrases)


def place(start: int, end: int) -> str:
    """Characters of a text as people count them, from 1; `end` is the one after."""
    return f"characters {start + 1} to {end}" if end > start + 1 else f"character {start + 1}"


def _texts(wording: Wording, values: list[dict[str, str | int]]) -> list[Rendered]:
    """One for each text that comes out, in order; values that a currency cannot express are left out."""
    texts: dict[str, Rendered] = {}
    for params in values:
        try:
            rendered = render(wording, params)
        except TemplateError:
            continue
        texts.setdefault(rendered.text, rendered)
    return list(texts.values())


def _words(wording: Wording, values: list[dict[str, str | int]]) -> list[Rendered]:
    """The same for what a call says, as one text each."""
    if not wording.say:
        return []
    texts: dict[str, None] = {}
    for params in values:
        try:
            _, message = speak(wording, params)
        except TemplateError:
            continue
        texts[" ".join(piece.text for piece in message if isinstance(piece, Text))] = None
    return [Rendered(text, ()) for text in texts]


def _findings(rendered: Rendered, lang: str, gate: ContentGate) -> Iterator[Finding]:
    """All that the fixed words have a part in; addresses are for the author to choose."""
    text = rendered.text
    while (finding := gate.judge(text, lang)) is not None:
        start, end = finding.start, max(finding.end, finding.start + 1)
        text = text[:start] + _STANDS_FOR * (end - start) + text[end:]
        if finding.rule != "url" and not any(a <= start and end <= b for _, a, b in rendered.spans):
            yield finding


class _Tried(NamedTuple):
    """One language. `said`: the words of its message in a call."""

    found: Found
    wording: Wording
    usual: list[Rendered]
    longest: list[Rendered]
    said: list[Rendered]

    def fits(self, carriers: Mapping[str, Rules]) -> tuple[Fit, ...]:
        usual = [rendered.text for rendered in self.usual]
        longest = [rendered.text for rendered in self.longest]
        return tuple(fit(name, rules, usual, longest) for name, rules in carriers.items())

    def problems(self, fits: tuple[Fit, ...], source: Source, gate: ContentGate | None) -> Iterator[Problem]:
        for one in fits:
            if one.refused is not None:
                yield self._problem(f"cannot leave by {one.carrier}: {one.refused}")
            elif source.max_parts is not None and one.parts > source.max_parts:
                yield self._problem(
                    f"takes {one.parts} parts by {one.carrier}, expected at most the {source.max_parts} of "
                    "[jobs] max_parts"
                )
        turned = (direction_faults(rendered.text, self._values(rendered)) for rendered in self.usual)
        for message in dict.fromkeys(chain.from_iterable(turned)):
            yield self._problem(message)
        if gate is not None:
            yield from self._refused(gate)
        yield from self._unregistered()

    def notes(self, fits: tuple[Fit, ...], source: Source) -> Iterator[Problem]:
        body = self.found.template.text[self.wording.lang]
        if body != body.strip():
            yield self._problem("begins or ends with a blank")
        if not unicodedata.is_normalized("NFC", body):
            yield self._problem("is not in Unicode's composed form (NFC), as most that compare texts expect")
        for lack in uncovered(self.found.template, self.wording.lang):
            yield self._problem(
                f'has no branch "{lack.category}" for {{{lack.parameter}}}, such as {lack.example}: it gets '
                "the words of other"
            )
        for one in fits:
            if source.max_parts is not None and one.parts <= source.max_parts < one.most:
                yield self._problem(
                    f"may take {one.most} parts by {one.carrier}, more than the {source.max_parts} of [jobs] "
                    "max_parts: such a job is refused"
                )

    def _values(self, rendered: Rendered) -> Iterator[Value]:
        params = self.found.template.params
        for name, start, _ in rendered.spans:
            yield Value(f"{{{name}}}", start, params[name].kind in _FALLS)
        for number in _TELEPHONE.finditer(rendered.text):
            yield Value("a telephone number", number.start(), True)

    def _refused(self, gate: ContentGate) -> Iterator[Problem]:
        lang = self.wording.lang
        judged: list[tuple[Path, Rendered]] = [(("text", lang), rendered) for rendered in self.usual]
        judged += [(("voice", "say", lang), rendered) for rendered in self.said]
        told: set[tuple[Path, str]] = set()
        for key, rendered in judged:
            for finding in _findings(rendered, lang, gate):
                if (key, finding.entry) in told:
                    continue
                told.add((key, finding.entry))
                yield self.found.document.problem(
                    key,
                    f'has marketing wording ({finding.rule}: "{finding.entry}"), which the lane '
                    f"{self.found.template.lane} refuses, at {place(finding.start, finding.end)} of what it "
                    "becomes",
                    "content",
                )

    def _unregistered(self) -> Iterator[Problem]:
        for index, registration in enumerate(self.found.template.registrations):
            key = ("registrations", index, "pattern", self.wording.lang)
            if not registration.pattern:
                continue
            for rendered in (*self.usual, *self.longest):
                fault = mismatch(registration, self.wording.lang, rendered.text)
                if fault is not None:
                    yield self.found.document.problem(
                        key, f'"{rendered.text}", {place(*fault.position)}: {fault.message}'
                    )
                    break

    def _problem(self, message: str) -> Problem:
        return self.found.document.problem(("text", self.wording.lang), message)
