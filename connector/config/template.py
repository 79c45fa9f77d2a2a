"""templates/NAME.toml as frozen structs: one text in several languages."""

from __future__ import annotations

import json
import re
import string
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import END, Flag
from .journey import CarrierName

__all__ = ["Parameter", "Spoken", "Template", "TemplateFile", "TemplateVoice", "pieces"]

_PARAMETER_NAME = r"^[a-z][a-z0-9_]{0,31}" + END
_IS_PARAMETER_NAME = re.compile(_PARAMETER_NAME)

# RFC 5646 §2.1 in its everyday shape: language, script, region, variants.
LanguageTag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*" + END,
        title='a BCP 47 language tag such as "de" or "pt-BR"',
    ),
]
ParameterName = Annotated[
    str, Meta(pattern=_PARAMETER_NAME, title="a name of lower-case letters, digits and _, at most 32")
]
Body = Annotated[str, Meta(min_length=1, max_length=2000, title="a text of 1 to 2,000 characters")]


class Parameter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a variable of the text may be."""

    max_length: Annotated[int, Meta(ge=1, le=1000, title="a number of characters from 1 to 1,000")]
    kind: Annotated[
        Literal["digits", "text"], Meta(description="digits: 0-9 only. text: no control characters.")
    ] = "text"


class Spoken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of what a call says that is not plain words: exactly one of digits, amount, date and pause."""

    digits: (
        Annotated[ParameterName, Meta(description="The parameter that is read digit by digit.")] | None
    ) = None
    amount: (
        Annotated[ParameterName, Meta(description='A parameter with an amount such as "1234.50".')] | None
    ) = None
    currency: (
        Annotated[
            str,
            Meta(
                pattern=r"^([A-Z]{3}|[a-z][a-z0-9_]{0,31})" + END,
                title='a currency such as "EUR", or the parameter that holds one',
            ),
        ]
        | None
    ) = None
    date: (
        Annotated[ParameterName, Meta(description='A parameter with a day such as "2026-03-01".')] | None
    ) = None
    pause: Annotated[float, Meta(gt=0, le=5, title="seconds, more than 0 and at most 5")] | None = None


class TemplateVoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a call says for this template. Without this table it cannot be sent by voice."""

    code: (
        Annotated[ParameterName, Meta(description="The parameter that is the code, of kind digits.")] | None
    ) = None
    say: Annotated[
        dict[LanguageTag, tuple[Annotated[str, Meta(min_length=1, max_length=500)] | Spoken, ...]],
        Meta(
            title="a list of texts and spoken parameters per language",
            description="For scripts that say a message, such as a risk and its amount.",
        ),
    ] = {}


class TemplateFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """templates/NAME.toml"""

    lane: Annotated[str, Meta(min_length=1, description="The one lane that may use it.")]
    purpose: Annotated[str, Meta(min_length=1, max_length=200, description="What it is for, for people.")]
    default_lang: (
        Annotated[
            LanguageTag,
            Meta(description="Used when a job's language has no text; absent: such a job is refused."),
        ]
        | None
    ) = None
    text: Annotated[
        dict[LanguageTag, Body],
        Meta(
            min_length=1,
            title="a text per language",
            description="Variables stand as {name}; {{ and }} are braces.",
        ),
    ]
    params: dict[ParameterName, Parameter] = {}
    flash: Annotated[Flag, Meta(description="The handset shows it at once and does not keep it.")] = False
    registered: Annotated[
        dict[ParameterName, Annotated[str, Meta(min_length=1, max_length=64, title="1 to 64 characters")]],
        Meta(
            title="a table of registered ids",
            description="Ids under which the text is registered, for the carriers' [[tlvs]] that ask for "
            "them.",
        ),
    ] = {}
    voice: TemplateVoice | None = None
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(description="It goes by these; empty: as its application says.")
    ] = ()
    fallback: Annotated[Flag, Meta(description="Whether others may carry it when none of them can.")] = True


class Template(TemplateFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template after loading. `name` is the stem of its file."""

    name: str


def pieces(body: str) -> tuple[tuple[str, str | None], ...]:
    """A text as (literal, name of the variable that follows it or None); `{{` and `}}` are braces.

    Raises ValueError, whose message tells what is wrong, for anything else in braces.
    """
    found: list[tuple[str, str | None]] = []
    for literal, name, form, conversion in string.Formatter().parse(body):
        if name is not None and (form or conversion or not _IS_PARAMETER_NAME.match(name)):
            shown = json.dumps(f"{{{name}}}", ensure_ascii=False)
            raise ValueError(
                f"{shown} is no variable, expected {{name}} in lower case; {{{{ and }}}} are braces"
            )
        found.append((literal, name))
    return tuple(found)
