"""The templates of one lane, and the language a job gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from connector.config import Parameter, Spoken, Template, TemplateVoice, pieces

from .refusal import TemplateError

__all__ = ["Registry", "Wording"]


class Wording(Struct, frozen=True):
    """A template in one language.

    lang    the tag of the text that was found, which may be coarser than the one asked for
    pieces  (literal, name of the variable after it or None), in order
    flash, registered  of the template, in every language
    carriers, fallback  of the template: by whom it goes
    voice   its [voice] table
    say     of that, in this language
    """

    template: str
    lang: str
    params: dict[str, Parameter]
    pieces: tuple[tuple[str, str | None], ...]
    flash: bool = False
    registered: dict[str, str] = {}
    voice: TemplateVoice | None = None
    say: tuple[str | Spoken, ...] = ()
    carriers: tuple[str, ...] = ()
    fallback: bool = True


class _Entry(Struct, frozen=True):
    lane: str
    wordings: dict[str, Wording]
    default: Wording | None


class Registry:
    """Finds the wording of (template, language) for the instance of one lane."""

    def __init__(self, lane: str, templates: Iterable[Template]) -> None:
        self._lane: Final = lane
        self._entries: Final[Mapping[str, _Entry]] = {
            template.name: _entry(template) for template in templates
        }

    def wording(self, name: str, lang: str | None = None) -> Wording:
        """The text in `lang`, else in a coarser form of it (RFC 4647 §3.4), else in the default language.

        Raises TemplateError: the template is unknown or another lane's, or has no text for the language.
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
        found = entry.default if lang is None else _lookup(entry.wordings, lang) or entry.default
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


def _entry(template: Template) -> _Entry:
    wordings = {
        lang.casefold(): Wording(
            template.name,
            lang,
            template.params,
            pieces(body),
            template.flash,
            template.registered,
            template.voice,
            template.voice.say.get(lang, ()) if template.voice is not None else (),
            template.carriers,
            template.fallback,
        )
        for lang, body in template.text.items()
    }
    default = wordings[template.default_lang.casefold()] if template.default_lang is not None else None
    return _Entry(template.lane, wordings, default)


def _lookup(wordings: Mapping[str, Wording], lang: str) -> Wording | None:
    """RFC 4647 §3.4: cut subtags from the end, and a single character that would then be the last."""
    subtags = lang.casefold().split("-")
    while subtags:
        found = wordings.get("-".join(subtags))
        if found is not None:
            return found
        subtags.pop()
        if len(subtags) > 1 and len(subtags[-1]) == 1:
            subtags.pop()
    return None
