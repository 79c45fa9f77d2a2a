"""What the probe has found out about one habit of a carrier, and how sure it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

__all__ = ["Confidence", "Finding", "assumed", "found", "unknown"]


class Confidence(StrEnum):
    """How far a finding can be relied on."""

    FOUND = "found"
    """The carrier showed it, and nothing else explains what came back."""
    ASSUMED = "assumed"
    """It agrees with everything that came back, and something else would too."""
    UNKNOWN = "unknown"
    """Nothing that came back tells; the value of the input stays."""


class Finding(Struct, frozen=True, kw_only=True):
    """One habit.

    key    of the profile, dotted, e.g. ``receipts.id_form``; under ``remarks`` what no key of it says
    value  as the profile would have it; None with `Confidence.UNKNOWN`
    how    one sentence for people: what was seen
    """

    key: str
    value: Any
    confidence: Confidence
    how: str


def found(key: str, value: Any, how: str) -> Finding:
    return Finding(key=key, value=value, confidence=Confidence.FOUND, how=how)


def assumed(key: str, value: Any, how: str) -> Finding:
    return Finding(key=key, value=value, confidence=Confidence.ASSUMED, how=how)


def unknown(key: str, how: str) -> Finding:
    return Finding(key=key, value=None, confidence=Confidence.UNKNOWN, how=how)
