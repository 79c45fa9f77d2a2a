"""What guards are asked, and what they answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from connector.model import Channel
from connector.routing.destination import Destination

__all__ = ["NUMBER", "Ask", "Objection", "Refusal", "Verdict"]

NUMBER: Final = "to"
"""The field of a job that names the number."""


class Ask(NamedTuple):
    """A job that wants to be accepted.

    number    E.164 with +
    channels  that its journey may use there
    price     of one send by the dearest way it may go first, in the currency of the prices
    """

    app: str
    number: str
    destination: Destination
    channels: frozenset[Channel]
    price: float


class Verdict(NamedTuple):
    """Why a guard says no.

    field          of the job that breaks the rule; "" where it is no field's fault
    retry_after_s  when the same job may pass; None: waiting is of no use
    """

    message: str
    field: str = NUMBER
    retry_after_s: float | None = None


class Objection(NamedTuple):
    """A verdict and whose it is; on a `dry_run` it is counted, and nothing more."""

    guard: str
    dry_run: bool
    verdict: Verdict


class Refusal(NamedTuple):
    """What the application is told. `dry_run`: it would have been, had the guard been in earnest."""

    guard: str
    message: str
    field: str
    retry_after_s: float | None
    dry_run: bool
