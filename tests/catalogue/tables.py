"""The tables of docs/catalogue.md, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from babel import Locale

from connector.cli.template.findings import report
from connector.cli.template.fit import Fit
from connector.templates import render
from connector.voice.speech import match
from tests.catalogue.shelf import SOURCE, TEMPLATES, values, wording

__all__ = ["LANGUAGES", "languages", "parts", "templates"]

LANGUAGES = sorted({lang for template in TEMPLATES.values() for lang in template.text}, key=str.casefold)


def templates() -> Iterable[tuple[str, ...]]:
    """Name, in English, what it takes, what a call says."""
    for name, template in TEMPLATES.items():
        text = render(wording(name, "en"), values(template)).text
        takes = ", ".join(f"`{key}` {parameter.kind}" for key, parameter in template.params.items())
        voice = template.voice
        call = "-" if voice is None else "the code" if voice.code is not None else "a message"
        yield f"`{name}`", template.lane, text, takes, call


def languages() -> Iterable[tuple[str, ...]]:
    """Tag, language, alphabet of its texts, whether there is a voice."""
    for lang in LANGUAGES:
        encodings = {fits[lang].encoding for fits in _fits().values() if lang in fits}
        alphabet = {"gsm7": "GSM", "ucs2": "UCS2"}
        said = " or ".join(alphabet[encoding] for encoding in sorted(encodings))
        english = Locale.parse(lang, sep="-").get_display_name("en")
        yield f"`{lang}`", english or "", said, "yes" if match(lang) else "no"


def parts() -> Iterable[tuple[str, ...]]:
    """Each template's parts in each language."""
    for name, fits in _fits().items():
        yield f"`{name}`", *(_parts(fits.get(lang)) for lang in LANGUAGES)


def _parts(fit: Fit | None) -> str:
    if fit is None:
        return ""
    return str(fit.parts) if fit.parts == fit.most else f"{fit.parts}–{fit.most}"


@cache
def _fits() -> dict[str, dict[str, Fit]]:
    reports = [report(found, SOURCE) for found in SOURCE.found]
    return {
        each.found.template.name: {lang: fit for lang, (fit,) in each.languages.items()} for each in reports
    }
