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
from connector.config.problem import Problem
from connector.templates import Registry, TemplateError, Wording, render
from connector.templates.content import ContentGate
from connector.templates.registration import mismatch
from connector.templates.words import Rendered
from protocols.gsm.segmentation import Rules

from .direction import direction_faults
from .fit import Fit, fit
from .reading import Found, Source
from .samples import longest, usual

__all__ = ["Report", "report", "timeless"]

_TELEPHONE: Final = re.compile(r"\+[0-9]")
_TURNED: Final = frozenset({"code", "url"})
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
        tried = _Tried(found, wording, _texts(wording, usual(template)), _texts(wording, longest(template)))
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
    links = (link for parameter in template.params.values() for link in parameter.allow)
    return _gate_that_allows((*source.content.allow, *links))


@cache
def _gate_that_allows(phrases: tuple[str, ...]) -> ContentGate:
    """A gate takes a sixth of a second to build."""
    return ContentGate(phrases)


def _place(start: int, end: int) -> str:
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


class _Tried(NamedTuple):
    found: Found
    wording: Wording
    usual: list[Rendered]
    longest: list[Rendered]

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
        turned = (direction_faults(rendered.text, self._turned(rendered)) for rendered in self.usual)
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
        for one in fits:
            if source.max_parts is not None and one.parts <= source.max_parts < one.most:
                yield self._problem(
                    f"may take {one.most} parts by {one.carrier}, more than the {source.max_parts} of [jobs] "
                    "max_parts: such a job is refused"
                )

    def _turned(self, rendered: Rendered) -> Iterator[tuple[str, int]]:
        params = self.found.template.params
        for name, start, _ in rendered.spans:
            if params[name].kind in _TURNED:
                yield f"{{{name}}}", start
        for number in _TELEPHONE.finditer(rendered.text):
            yield "a telephone number", number.start()

    def _refused(self, gate: ContentGate) -> Iterator[Problem]:
        told: set[tuple[str, str]] = set()
        for rendered in self.usual:
            finding = gate.judge(rendered.text, self.wording.lang)
            if finding is None or (finding.rule, finding.entry) in told:
                continue
            told.add((finding.rule, finding.entry))
            yield self._problem(
                f'has marketing wording ({finding.rule}: "{finding.entry}"), which the lane '
                f"{self.found.template.lane} refuses, at {_place(finding.start, finding.end)} of what it "
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
                        key, f'"{rendered.text}", {_place(*fault.position)}: {fault.message}'
                    )
                    break

    def _problem(self, message: str, code: str = "config_wrong_value") -> Problem:
        return self.found.document.problem(("text", self.wording.lang), message, code)
