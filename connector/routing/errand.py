"""What the choice of a route knows of a job, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from connector.routing.arrival.settings import Cell

if TYPE_CHECKING:
    from connector.routing.evidence import Track
    from connector.routing.follow_up import Watched

__all__ = [
    "Cell", "Choice", "Errand", "FailureKind", "Flight", "FlightState", "FollowUp", "Offer", "OffersOf",
]  # fmt: skip

FlightState = Literal["under_way", "sent", "unknown", "failed", "arrived"]
"""under_way: left, not answered yet; sent: accepted; unknown: nobody knows whether it left; failed: it is
known not to arrive; arrived: so its receipt says, or the call was heard to its end."""


class FailureKind(StrEnum):
    """Why a flight ended without arriving."""

    REFUSED = "refused"
    """Refused at submit by this route: nothing was accepted."""
    THROTTLED = "throttled"
    """Refused at submit because it came too fast: nothing was accepted, and it says nothing of arrival."""
    ROUTE = "route"
    """Accepted and then given up, and nothing says that the handset is the cause."""
    HANDSET = "handset"
    """Absent, switched off, no such number, busy, not answered: every route would have failed."""
    UNANSWERED = "unanswered"
    """No answer to the submit, or the link was lost: it may have arrived, but no receipt will come."""


class Offer(NamedTuple):
    """What a route offers now.

    wait_s   seconds until it could leave there, what waits before it included; inf: not before the deadline
    price    in the currency of the price list
    reason   why not, when `wait_s` is inf: "no bind", "no window"
    """

    route: str
    channel: str
    priority: int
    wait_s: float
    price: float
    reason: str = ""


OffersOf = Callable[[float], Sequence[Offer]]
"""The offers at a time."""


class Choice(NamedTuple):
    """Leave by `route`; `wait_s` > 0: it is worth waiting so long for room there.

    decision  JSON, as stored with the attempt
    trial     the breaker of the route is open and this job is to show whether it works again
    """

    route: str
    wait_s: float
    decision: str
    trial: bool = False


class FollowUp(NamedTuple):
    """Send a further attempt by `route` at `at` (seconds, absolute), if nothing is heard until then.

    decision  JSON, as stored with the attempt when it leaves now
    """

    at: float
    route: str
    decision: str


class Flight:
    """One attempt that has left. `left_at` in seconds, absolute."""

    __slots__ = ("channel", "left_at", "number", "price", "route", "state", "step", "trial", "watch")

    def __init__(
        self, route: str, channel: str, step: int, number: int, left_at: float, price: float = 0.0
    ) -> None:
        self.route = route
        self.channel = channel
        self.step = step
        self.number = number
        self.left_at = left_at
        self.price = price
        self.state: FlightState = "under_way"
        self.trial = False  # it shows whether the route works again; told by the router
        self.watch: Track | None = None  # the router's, where it learns from this flight


class Errand:
    """One job on its way. Holds no number, text or id. Times in seconds, absolute."""

    __slots__ = (
        "absent", "accepted_at", "cell", "deadline_at", "flights", "klass", "sends", "spent", "watched",
    )  # fmt: skip

    def __init__(self, cell: Cell, klass: str, accepted_at: float, deadline_at: float) -> None:
        self.cell = cell
        self.klass = klass
        self.accepted_at = accepted_at
        self.deadline_at = deadline_at
        self.flights: list[Flight] = []
        self.spent = 0.0
        self.sends = 0  # flights that were not refused
        self.absent = False  # a route said that the handset cannot be reached
        self.watched: Watched | None = None  # its place among those that wait for their follow-up
