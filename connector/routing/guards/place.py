"""What a job meets that goes from one application to one block of numbers, looked up once for all of them."""

from __future__ import annotations

from typing import Final

from connector.model import Channel
from connector.routing.destination import Destination

from .ask import Objection
from .conversion import Share, Teller
from .daily import Account
from .gauge import Gauge

__all__ = ["BLOCK_DIGITS", "MOST_PLACES", "Place"]

BLOCK_DIGITS: Final = 4
"""A block: numbers that differ in so many last digits only."""
MOST_PLACES: Final = 20_000


class Place:
    """A cache: all it refers to is somebody else's.

    objections  of the guards that look at the destination alone, by the channels of a job
    gauges      of all guards that count jobs and are in `velocities`
    blocks      hashes of its blocks of 1,000 numbers, by the fourth digit from the end; None: not made yet
    teller      None where conversions do not matter
    """

    __slots__ = (
        "account",
        "blocks",
        "budget",
        "destination",
        "gauges",
        "objections",
        "salt",
        "shares",
        "teller",
        "velocities",
    )

    def __init__(
        self,
        destination: Destination,
        account: Account | None,
        budget: float,
        velocities: tuple[tuple[Gauge, ...], ...],
        shares: tuple[Share, ...],
        teller: Teller | None,
        salt: int,
    ) -> None:
        self.destination = destination
        self.objections: dict[frozenset[Channel], tuple[Objection, ...]] = {}
        self.account = account
        self.budget = budget
        self.velocities = velocities
        self.gauges = tuple(gauge for gauges in velocities for gauge in gauges)
        self.shares = shares
        self.teller = teller
        self.salt = salt
        self.blocks: list[int | None] = [None] * 10
