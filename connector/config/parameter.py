"""What a variable of a template may be."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from .fields import END

__all__ = [
    "IS_CURRENCY",
    "IS_PARAMETER_NAME",
    "MAX_LENGTHS",
    "Kind",
    "Parameter",
    "ParameterName",
]

_PARAMETER_NAME = r"^[a-z][a-z0-9_]{0,31}" + END
IS_PARAMETER_NAME: Final = re.compile(_PARAMETER_NAME)
IS_CURRENCY: Final = re.compile(r"^[A-Z]{3}" + END)

ParameterName = Annotated[
    str, Meta(pattern=_PARAMETER_NAME, title="a name of lower-case letters, digits and _, at most 32")
]
Kind = Literal["digits", "code", "text", "name", "number", "amount", "date", "time", "url", "choice"]
Characters = Literal["letters", "digits", "space", "punctuation", "symbols"]

MAX_LENGTHS: Final[dict[Kind, int | None]] = {
    "digits": None, "text": None, "code": 10, "name": 40, "url": 200,
}  # fmt: skip
"""`max_length` of the kinds that have one, where the file says none; None: the file must say it."""


class Parameter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a variable of the text may be."""

    max_length: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1000,
                title="a number of characters from 1 to 1,000",
                description="digits, text: needed. code: 10, name: 40, url: 200 where absent. Others: none.",
            ),
        ]
        | None
    ) = None
    kind: Annotated[
        Kind,
        Meta(
            description="digits: 0-9 only. code: digits, or groups of them such as 123 456. text: one line "
            "of anything. name: letters, no digits, no link. number, amount, date, time: formatted for the "
            "text's language. url: https, of `allow`. choice: one of `of`."
        ),
    ] = "text"
    currency: (
        Annotated[
            str,
            Meta(
                pattern=r"^([A-Z]{3}|[a-z][a-z0-9_]{0,31})" + END,
                title='a currency such as "EUR", or the parameter that holds one',
                description="Of an amount.",
            ),
        ]
        | None
    ) = None
    display: Annotated[
        Literal["symbol", "code"],
        Meta(description="Of an amount. code: INR, which fits into the GSM alphabet; ₹ does not."),
    ] = "symbol"
    style: Annotated[
        Literal["short", "medium", "long"],
        Meta(description="Of a date: short 23.11.26, medium 23.11.2026, long 23. November 2026."),
    ] = "medium"
    calendar: Annotated[
        Literal["local", "gregorian"],
        Meta(description="Of a date. local: as the language counts years, Buddhist in Thai, Persian in fa."),
    ] = "local"
    digits: Annotated[
        Literal["latin", "native"],
        Meta(description="Of a number, amount, date or time. native: as the language writes them."),
    ] = "latin"
    of: Annotated[
        tuple[
            Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}" + END, title="a word of letters")], ...
        ],
        Meta(description="The words that a choice is one of."),
    ] = ()
    allow: Annotated[
        tuple[Annotated[str, Meta(min_length=9, max_length=200, title="the start of a link")], ...],
        Meta(description='What a url starts with, such as "https://t.acme.example/".'),
    ] = ()
    characters: Annotated[
        tuple[Characters, ...], Meta(description="The classes a text's characters are of; empty: any.")
    ] = ()

    @property
    def longest(self) -> int:
        """The most characters a value may have."""
        return self.max_length or MAX_LENGTHS.get(self.kind) or 1000
