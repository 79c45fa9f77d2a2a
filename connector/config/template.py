"""templates/NAME.toml as frozen structs: one text in several languages."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .fields import END, Flag, SenderId
from .journey import CarrierName, Country
from .message import pieces
from .parameter import Parameter, ParameterName

__all__ = [
    "Parameter",
    "Registration",
    "Spoken",
    "Template",
    "TemplateFile",
    "TemplateVoice",
    "content_hash",
    "instant",
    "pieces",
]

# RFC 5646 §2.1 in its everyday shape: language, script, region, variants.
LanguageTag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*" + END,
        title='a BCP 47 language tag such as "de" or "pt-BR"',
    ),
]
Body = Annotated[str, Meta(min_length=1, max_length=2000, title="a text of 1 to 2,000 characters")]
Id = Annotated[str, Meta(min_length=1, max_length=64, title="1 to 64 characters")]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
        r"(Z|[+-][0-9]{2}:[0-9]{2}))?" + END,
        title="a day such as 2026-01-01, in UTC, or an instant with its offset such as "
        "2026-01-01T08:00:00+01:00",
    ),
]


class Spoken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of what a call says that is not plain words: exactly one of digits, amount, date, number and
    pause.
    """

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
                description="Not needed for an amount of kind amount, which has its own.",
            ),
        ]
        | None
    ) = None
    date: (
        Annotated[ParameterName, Meta(description='A parameter with a day such as "2026-03-01".')] | None
    ) = None
    number: (
        Annotated[ParameterName, Meta(description="A parameter of kind number, said in words.")] | None
    ) = None
    pause: Annotated[float, Meta(gt=0, le=5, title="seconds, more than 0 and at most 5")] | None = None


class TemplateVoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a call says for this template. Without this table it cannot be sent by voice."""

    code: (
        Annotated[ParameterName, Meta(description="The code: a parameter of kind code or digits.")] | None
    ) = None
    say: Annotated[
        dict[LanguageTag, tuple[Annotated[str, Meta(min_length=1, max_length=500)] | Spoken, ...]],
        Meta(
            title="a list of texts and spoken parameters per language",
            description="For scripts that say a message, such as a risk and its amount.",
        ),
    ] = {}


class Registration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was filed for this template in one country."""

    country: Country
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(description="With whom it was filed; empty: with all.")
    ] = ()
    ids: Annotated[
        dict[ParameterName, Id],
        Meta(
            title="a table of registered ids",
            description="For the carriers' [[tlvs]] that ask for them; they win over [registered].",
        ),
    ] = {}
    sender: Annotated[SenderId, Meta(description="The sender id that was filed with it.")] | None = None
    pattern: Annotated[
        dict[LanguageTag, Annotated[str, Meta(min_length=1, max_length=2000, title="1 to 2,000 characters")]],
        Meta(
            title="a text per language",
            description="The text as filed, character for character; {#var#} is a variable. Absent: any.",
        ),
    ] = {}
    max_variable: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            title="a number of characters from 1 to 1,000",
            description="The most that may stand for one {#var#}.",
        ),
    ] = 30


class TemplateFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """templates/NAME.toml"""

    version: Annotated[
        int, Meta(ge=1, le=1_000_000, title="a whole number from 1", description="Stands in the evidence.")
    ] = 1
    valid_from: Annotated[Moment, Meta(description="Refused before.")] | None = None
    valid_until: Annotated[Moment, Meta(description="Refused from then on.")] | None = None
    syntax: Annotated[
        Literal["plain", "icu"],
        Meta(description="plain: {name}, {{ and }}. icu: {name}, plural, selectordinal and select."),
    ] = "plain"
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
    values: Annotated[
        dict[ParameterName, Annotated[str, Meta(min_length=1, max_length=200, title="1 to 200 characters")]],
        Meta(title="a table of constants", description="They stand for {name} in every text."),
    ] = {}
    params: Annotated[
        dict[ParameterName, Parameter],
        Meta(title="a table of parameters", description="What each variable may be."),
    ] = {}
    flash: Annotated[Flag, Meta(description="The handset shows it at once and does not keep it.")] = False
    registered: Annotated[
        dict[ParameterName, Id],
        Meta(
            title="a table of registered ids",
            description="Ids under which the text is registered, for the carriers' [[tlvs]] that ask for "
            "them.",
        ),
    ] = {}
    senders: Annotated[
        dict[
            Annotated[
                str,
                Meta(
                    pattern=r"^(default|[A-Z]{2})" + END,
                    title='"default", or a country by its two letters of ISO 3166',
                ),
            ],
            SenderId,
        ],
        Meta(
            title="a table of sender ids",
            description="The sender by the recipient's country; it wins over default_sender.",
        ),
    ] = {}
    registrations: Annotated[
        tuple[Registration, ...], Meta(description="What was filed, per country and carrier.")
    ] = ()
    voice: TemplateVoice | None = None
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(description="It goes by these; empty: as its application says.")
    ] = ()
    fallback: Annotated[Flag, Meta(description="Whether others may carry it when none of them can.")] = True


class Template(TemplateFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template after loading. `name` is the stem of its file."""

    name: str


def content_hash(file: TemplateFile) -> str:
    """SHA-256, in hexadecimal, of what the file says: its values as JSON with sorted keys, without those that
    are the default, whatever the file is called and however it is laid out.
    """
    content = {name: getattr(file, name) for name in TemplateFile.__struct_fields__}
    plain = msgspec.json.encode(TemplateFile(**content), order="sorted")
    return sha256(plain).hexdigest()


def instant(moment: str) -> float:
    """Seconds since 1970 of a day, in UTC, or of an instant with its offset. Raises ValueError."""
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
