"""What connector.toml says of wording: the [content] table."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

__all__ = ["ContentSettings"]

_REFUSING_LANES = frozenset({"verification", "notification"})

Phrase = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=200,
        title="a phrase of 2 to 200 characters, or the beginning of an address such as "
        '"https://t.acme.example/"',
    ),
]


class ContentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether texts with marketing wording are taken, and what is never held against one."""

    marketing: (
        Annotated[
            Literal["refuse", "allow"],
            Meta(description="Absent: refuse in the lanes verification and notification, else allow."),
        ]
        | None
    ) = None
    allow: Annotated[
        tuple[Phrase, ...],
        Meta(
            max_length=1000,
            title="a list of at most 1,000 phrases",
            description="Names, phrases and beginnings of addresses that are never refused.",
        ),
    ] = ()

    def refuses(self, lane: str) -> bool:
        """Whether the instance of this lane refuses marketing wording."""
        if self.marketing is not None:
            return self.marketing == "refuse"
        return lane in _REFUSING_LANES
