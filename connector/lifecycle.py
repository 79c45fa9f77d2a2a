"""What becomes of a job after each attempt: one literal table, which dispatcher, tests and docs read."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["TABLE", "After", "Ending", "Situation", "after"]


class Ending(StrEnum):
    """How an attempt ended without a message id."""

    REFUSED_NOW = "refused by this carrier for now"
    REFUSED_HERE = "refused by this carrier"
    REFUSED_EVERYWHERE = "refused, and no carrier can take it"
    UNKNOWN = "no answer"
    UNSENT = "never left"


class Situation(StrEnum):
    """What is still possible for the job."""

    ROUTE_LEFT = "another attempt is possible"
    LATER = "every carrier has refused it, some only for now"
    NO_ROUTE = "every carrier has refused it for good"
    TOO_LATE = "its deadline has passed"


class After(StrEnum):
    """What the dispatcher does."""

    WAIT_TURN = "back to the queue"
    PAUSE = "back to the queue after a pause, for the carriers that refused it for now"
    AWAIT_RECEIPT = "only a receipt can tell; unknown if none comes"
    RESEND = "back to the queue, once"
    UNKNOWN = "final: unknown"
    REJECTED = "final: rejected"
    EXPIRED = "final: expired"


TABLE: Final[dict[Ending, dict[Situation, After]]] = {
    Ending.REFUSED_NOW: {
        Situation.ROUTE_LEFT: After.WAIT_TURN,
        Situation.LATER: After.PAUSE,
        Situation.NO_ROUTE: After.REJECTED,
        Situation.TOO_LATE: After.REJECTED,
    },
    Ending.REFUSED_HERE: {
        Situation.ROUTE_LEFT: After.WAIT_TURN,
        Situation.LATER: After.PAUSE,
        Situation.NO_ROUTE: After.REJECTED,
        Situation.TOO_LATE: After.REJECTED,
    },
    Ending.REFUSED_EVERYWHERE: {
        Situation.ROUTE_LEFT: After.REJECTED,
        Situation.LATER: After.REJECTED,
        Situation.NO_ROUTE: After.REJECTED,
        Situation.TOO_LATE: After.REJECTED,
    },
    Ending.UNKNOWN: {
        Situation.ROUTE_LEFT: After.RESEND,  # only where the job's on_unknown permits, else AWAIT_RECEIPT
        Situation.LATER: After.AWAIT_RECEIPT,
        Situation.NO_ROUTE: After.AWAIT_RECEIPT,
        Situation.TOO_LATE: After.AWAIT_RECEIPT,
    },
    Ending.UNSENT: {
        Situation.ROUTE_LEFT: After.WAIT_TURN,
        Situation.LATER: After.PAUSE,
        Situation.NO_ROUTE: After.REJECTED,
        Situation.TOO_LATE: After.EXPIRED,
    },
}


def after(
    ending: Ending, situation: Situation, *, may_resend: bool, in_doubt: bool, receipts: bool = True
) -> After:
    """The step of the table.

    may_resend  the job's policy for the unknown, unless already used
    in_doubt    an earlier attempt is unknown and may have arrived: the failure of this one ends nothing
    receipts    a receipt may still come; none does for a call, which is never repeated in doubt
    """
    step = TABLE[ending][situation]
    if ending is Ending.UNKNOWN and not receipts:
        return After.UNKNOWN
    if step is After.RESEND and not may_resend:
        return After.AWAIT_RECEIPT
    if in_doubt and step in (After.REJECTED, After.EXPIRED):
        return After.AWAIT_RECEIPT
    return step
