"""The templates of one lane, and the language a job gets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from connector.config import Parameter, Registration, Spoken, Template, TemplateVoice, content_hash
from connector.config.message import filled, message
from connector.config.template import instant

from .kinds import Form, form_of
from .language import lookup
from .refusal import TemplateError
from .words import Chosen, Plain, words_of

__all__ = ["Registry", "Said", "Wording"]

Said = str | Spoken | Plain | Chosen
"""A piece of what a call says; words with variables are ready to be filled."""


class Wording(Struct, frozen=True):
    """A template in one language.

    lang     the tag of the text that was found, which may be coarser than the one asked for
    version, hash  of the template: the file's own number, and SHA-256 of what it says
    words    its text, constants filled in
    forms    (parameter, how its values are checked and written in this language)
    flash, registered  of the template, in every language
    carriers, fallback  of the template: by whom it goes
    senders, registrations  of the template
    voice    its [voice] table
    say      of that, in this language
    """

    template: str
    lang: str
    params: dict[str, Parameter]
    words: Plain | Chosen
    forms: tuple[tuple[str, Form], ...]
    version: int = 1
    hash: str = ""
    flash: bool = False
    registered: dict[str, str] = {}
    voice: TemplateVoice | None = None
    say: tuple[Said, ...] = ()
    carriers: tuple[str, ...] = ()
    fallback: bool = True
    senders: dict[str, str] = {}
    registrations: tuple[Registration, ...] = ()

    def sender(self, country: str) -> str | None:
        """The sender id that recipients in `country` (ISO 3166) see; None: the template says none."""
        return self.senders.get(country) or self.senders.get("default")

    def registration(self, country: str, carrier: str) -> Registration | None:
        """What was filed in `country` with `carrier`, else with all."""
        found: Registration | None = None
        for registration in self.registrations:
            if registration.country == country:
                if carrier in registration.carriers:
                    return registration
                if not registration.carriers:
                    found = registration
        return found


class _Entry(Struct, frozen=True):
    lane: str
    wordings: dict[str, Wording]
    default: Wording | None
    since: float
    until: float


class Registry:
    """Finds the wording of (template, language) for the instance of one lane."""

    def __init__(self, lane: str, templates: Iterable[Template]) -> None:
        self._lane: Final = lane
        self._entries: Final[Mapping[str, _Entry]] = {
            template.name: _entry(template, ready=template.lane == lane) for template in templates
        }

    def wording(self, name: str, lang: str | None, at: float) -> Wording:
        """The text in `lang`, else in a coarser form of it (RFC 4647 §3.4), else in the default language.

        Raises TemplateError: the template is unknown or another lane's, is not valid at `at` (seconds since
        1970), or has no text for the language.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise TemplateError(
                "invalid_job", f'there is no template "{name}"', field="template", hint=self._near(name)
            )
        if entry.lane != self._lane:
            raise TemplateError(
                "forbidden",
                f'the template "{name}" belongs to the lane {entry.lane}, this is {self._lane}',
                field="template",
                hint=f"submit it to the socket of {entry.lane}",
            )
        if not entry.since <= at < entry.until:
            raise _not_valid(name, entry, at)
        found = entry.default if lang is None else lookup(entry.wordings, lang) or entry.default
        if found is None:
            asked = "the job names no language" if lang is None else f'"{lang}" has no text'
            languages = ", ".join(wording.lang for wording in entry.wordings.values())
            raise TemplateError(
                "invalid_job",
                f'{asked} and the template "{name}" has no default_lang',
                field="lang",
                hint=f"one of {languages}",
            )
        return found

    def _near(self, name: str) -> str | None:
        own = [known for known, entry in self._entries.items() if entry.lane == self._lane]
        near = get_close_matches(name, own, n=1)
        return f'did you mean "{near[0]}"?' if near else None


def _entry(template: Template, *, ready: bool) -> _Entry:
    """Another lane's is known by name only: none of it is ever made ready."""
    since = -math.inf if template.valid_from is None else instant(template.valid_from)
    until = math.inf if template.valid_until is None else instant(template.valid_until)
    if not ready:
        return _Entry(template.lane, {}, None, since, until)
    hashed = content_hash(template)
    wordings = {lang.casefold(): _wording(template, lang, hashed) for lang in template.text}
    default = wordings[template.default_lang.casefold()] if template.default_lang is not None else None
    return _Entry(template.lane, wordings, default, since, until)


def _wording(template: Template, lang: str, hashed: str) -> Wording:
    read = filled(message(template.text[lang], template.syntax), template.values)
    voice = template.voice
    said = voice.say.get(lang, ()) if voice is not None else ()
    return Wording(
        template=template.name,
        lang=lang,
        params=template.params,
        words=words_of(read, lang),
        forms=tuple((name, form_of(parameter, lang)) for name, parameter in template.params.items()),
        version=template.version,
        hash=hashed,
        flash=template.flash,
        registered=template.registered,
        voice=voice,
        say=tuple(_said(piece, template, lang) for piece in said),
        carriers=template.carriers,
        fallback=template.fallback,
        senders=template.senders,
        registrations=template.registrations,
    )


def _said(piece: str | Spoken, template: Template, lang: str) -> Said:
    # In files without constants and ICU's syntax, a brace among spoken words is a brace.
    if isinstance(piece, Spoken) or not (template.values or template.syntax == "icu"):
        return piece
    words = words_of(filled(message(piece, template.syntax), template.values), lang)
    return words.tail if isinstance(words, Plain) and not words.steps else words


def _not_valid(name: str, entry: _Entry, at: float) -> TemplateError:
    early = at < entry.since
    bound = datetime.fromtimestamp(entry.since if early else entry.until, UTC).isoformat(timespec="seconds")
    when = f"is valid from {bound}" if early else f"was valid until {bound}"
    return TemplateError("invalid_job", f'the template "{name}" {when}', field="template")
