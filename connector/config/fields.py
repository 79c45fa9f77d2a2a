"""Kinds of value that several tables share. `title` is what an error says was expected."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

__all__ = ["END", "Count", "Days", "FileName", "Flag", "Npi", "Seconds", "SenderId", "Ton"]

END = r"$(?!\n)"
"""The end of a text, in Python and in JSON schemas; in Python `$` alone also accepts a last newline."""

Flag = Annotated[bool, Meta(title="true or false")]
Count = Annotated[int, Meta(ge=1, le=65_535, title="a whole number from 1 to 65,535")]
Seconds = Annotated[float, Meta(gt=0, le=604_800, title="seconds, more than 0 and at most 604,800 (7 days)")]
Days = Annotated[float, Meta(gt=0, le=3650, title="days, more than 0 and at most 3,650")]

FileName = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+" + END, title="a path")]

# SMPP 3.4 §5.2.5 and §5.2.6; the fields are one octet.
Ton = Annotated[int, Meta(ge=0, le=255, title="a type of number from 0 to 255")]
Npi = Annotated[int, Meta(ge=0, le=255, title="a numbering plan indicator from 0 to 255")]

# 11 characters is what an alphanumeric originator holds (TS 23.040 §9.1.2.5).
SenderId = Annotated[
    str,
    Meta(
        pattern=r"^(\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11})" + END,
        title="a sender id: 3 to 15 digits, or 1 to 11 letters, digits, spaces and . _ & - with a letter",
    ),
]
