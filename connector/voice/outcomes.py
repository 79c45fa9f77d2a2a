"""What the end of a call means for the job: literal tables of SIP statuses, Q.850 causes and script results.

Sources: statuses RFC 3261 §21, 433 RFC 5079, 428 and 436 to 438 RFC 8224, 607 RFC 8197, 608 RFC 8688;
`Reason: Q.850;cause=` RFC 3326, causes ITU-T Q.850, and which status a gateway makes of each cause RFC 3398
§7.2.4.1. That mapping loses what a cause said (an unanswered and a switched-off telephone are both 480), so
that a specific cause beats the status.

A call is dialled again by itself, over any trunk, only where no provisional answer (101 to 199) was seen. One
that was lost after such an answer may have been heard: it stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from connector.carriers.statuses import StatusClass
from connector.model import Outcome
from connector.voice.script import Result

__all__ = [
    "BY_HUNDRED", "CAUSES", "FINAL_WORD", "POLICIES", "RESULTS", "STATUSES", "CallClass", "CallOutcomes",
    "Policy", "end_of",
]  # fmt: skip


class CallClass(StrEnum):
    """How a call ended; the first nine are the words of `[outcomes]` in a trunk's file."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    BAD_NUMBER = "bad_number"
    NEVER_AGAIN = "never_again"
    CONGESTED = "congested"
    FORBIDDEN = "forbidden"
    DECLINED = "declined"
    PEER_FAULT = "peer_fault"

    NO_ROUTE = "no_route"
    NO_RESPONSE = "no_response"
    LOST = "lost"
    """Something answered, and then no final status came: the telephone may have rung, or been answered."""
    CANCELLED = "cancelled"

    HEARD = "heard"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    TRANSFERRED = "transferred"
    MACHINE = "machine"
    NO_INPUT = "no_input"
    REFUSED = "refused"
    HUNG_UP = "hung_up"


STATUSES: Final[Mapping[int, CallClass]] = {
    400: CallClass.PEER_FAULT,
    401: CallClass.FORBIDDEN,
    402: CallClass.FORBIDDEN,
    403: CallClass.FORBIDDEN,
    404: CallClass.BAD_NUMBER,
    407: CallClass.FORBIDDEN,
    408: CallClass.UNREACHABLE,
    410: CallClass.BAD_NUMBER,
    428: CallClass.FORBIDDEN,
    433: CallClass.DECLINED,
    436: CallClass.FORBIDDEN,
    437: CallClass.FORBIDDEN,
    438: CallClass.FORBIDDEN,
    480: CallClass.UNREACHABLE,
    484: CallClass.BAD_NUMBER,
    485: CallClass.BAD_NUMBER,
    486: CallClass.BUSY,
    487: CallClass.NO_ANSWER,  # of our CANCEL when it had rung long enough
    488: CallClass.PEER_FAULT,
    500: CallClass.CONGESTED,
    502: CallClass.CONGESTED,
    503: CallClass.CONGESTED,
    504: CallClass.CONGESTED,
    600: CallClass.BUSY,
    603: CallClass.NEVER_AGAIN,
    604: CallClass.BAD_NUMBER,
    606: CallClass.PEER_FAULT,
    607: CallClass.NEVER_AGAIN,
    608: CallClass.NEVER_AGAIN,
}

BY_HUNDRED: Final[Mapping[int, CallClass]] = {
    3: CallClass.NO_ROUTE,
    4: CallClass.PEER_FAULT,
    5: CallClass.PEER_FAULT,
    6: CallClass.DECLINED,
}
"""Statuses that are not listed. 3xx to another number is not followed: that is how toll fraud works."""

CAUSES: Final[Mapping[int, CallClass]] = {
    1: CallClass.BAD_NUMBER,  # unallocated number
    2: CallClass.NO_ROUTE,  # no route to transit network
    3: CallClass.NO_ROUTE,  # no route to destination
    17: CallClass.BUSY,  # user busy
    18: CallClass.UNREACHABLE,  # no user responding: the telephone gave no sign of life
    19: CallClass.NO_ANSWER,  # it rang
    20: CallClass.UNREACHABLE,  # subscriber absent: switched off or without coverage
    21: CallClass.DECLINED,  # call rejected
    22: CallClass.BAD_NUMBER,  # number changed
    27: CallClass.UNREACHABLE,  # destination out of order
    28: CallClass.BAD_NUMBER,  # address incomplete
    34: CallClass.CONGESTED,  # no circuit available
    38: CallClass.CONGESTED,  # network out of order
    41: CallClass.CONGESTED,  # temporary failure
    42: CallClass.CONGESTED,  # switching equipment congestion
    44: CallClass.CONGESTED,  # requested circuit not available
    47: CallClass.CONGESTED,  # resource unavailable
    50: CallClass.FORBIDDEN,  # requested facility not subscribed
    52: CallClass.FORBIDDEN,  # outgoing calls barred
    55: CallClass.DECLINED,  # incoming calls barred within the closed user group
    57: CallClass.FORBIDDEN,  # bearer capability not authorized
    58: CallClass.CONGESTED,  # bearer capability not presently available
    65: CallClass.PEER_FAULT,  # bearer capability not implemented
    79: CallClass.PEER_FAULT,  # service or option not implemented
    87: CallClass.DECLINED,  # user not member of the closed user group
    88: CallClass.PEER_FAULT,  # incompatible destination
    102: CallClass.CONGESTED,  # recovery on timer expiry
    111: CallClass.PEER_FAULT,  # protocol error
}
"""The causes that say something of their own. 16, 31 and 127 only say that a call was cleared."""

FINAL_WORD: Final = frozenset((604, 607, 608, 603))
"""These statuses are the destination's decision for every route, whatever cause a gateway adds."""

RESULTS: Final[Mapping[Result, CallClass]] = {
    "delivered": CallClass.HEARD,
    "confirmed": CallClass.CONFIRMED,
    "denied": CallClass.DENIED,
    "transferred": CallClass.TRANSFERRED,
    "machine": CallClass.MACHINE,
    "no_input": CallClass.NO_INPUT,
    "refused_by_listener": CallClass.REFUSED,
    "hung_up_early": CallClass.HUNG_UP,
}
"""Of a call that was answered: what its script ended with."""


End = Literal["delivered", "undelivered", "refused", "unknown"]


class Policy(NamedTuple):
    """What one class of ends leads to.

    end             what the dispatcher is told, unless what had to be said was heard all the same
    reason          in words, for events
    remedy          what an operator or an application can do
    refusal         which trunks may get the call next; None where no trunk would do better
    redial_after_s  the same number may be called again after this; None: not in this job
    redials         how often in one job
    alarm           an operator must look at the trunk
    """

    end: End
    reason: str
    remedy: str
    refusal: StatusClass | None = None
    redial_after_s: float | None = None
    redials: int = 0
    alarm: bool = False

    @property
    def next_trunk(self) -> bool:
        """Another trunk may get the call at once."""
        return self.refusal in (StatusClass.TRANSIENT, StatusClass.PERMANENT_HERE)

    @property
    def outcome(self) -> Outcome:
        """Of the job, when nothing else is tried."""
        return "rejected" if self.end == "refused" else self.end


POLICIES: Final[Mapping[CallClass, Policy]] = {
    CallClass.BUSY: Policy(
        "undelivered", "busy", "Call again later, or send a text.", redial_after_s=30.0, redials=2
    ),
    CallClass.NO_ANSWER: Policy(
        "undelivered", "no answer", "Call again later, or send a text.", redial_after_s=60.0, redials=1
    ),
    CallClass.UNREACHABLE: Policy(
        "undelivered", "not reachable", "The telephone is off or without coverage: send a text, which waits.",
        redial_after_s=120.0, redials=1,
    ),
    CallClass.BAD_NUMBER: Policy(
        "refused", "no such number", "Ask the user for the right number.", refusal=StatusClass.PERMANENT
    ),
    CallClass.NEVER_AGAIN: Policy(
        "undelivered", "does not want calls", "Do not call this number again; use another channel.",
    ),
    CallClass.CONGESTED: Policy(
        "refused", "no free line", "Ask the carrier about capacity, or add a trunk.",
        refusal=StatusClass.TRANSIENT, redial_after_s=5.0, redials=3,
    ),
    CallClass.FORBIDDEN: Policy(
        "refused", "not permitted by the carrier",
        "Check credentials, caller ids, credit and destinations with the carrier.",
        refusal=StatusClass.PERMANENT_HERE, alarm=True,
    ),
    CallClass.DECLINED: Policy("undelivered", "declined", "The call was turned away: use another channel."),
    CallClass.PEER_FAULT: Policy(
        "refused", "the carrier could not handle the call",
        "Look at the status with `connector why`; `[outcomes]` of the trunk's file can give it a meaning.",
        refusal=StatusClass.PERMANENT_HERE,
    ),
    CallClass.NO_ROUTE: Policy(
        "refused", "no route to the number", "Limit the trunk to its destinations by `prefixes`.",
        refusal=StatusClass.PERMANENT_HERE,
    ),
    CallClass.NO_RESPONSE: Policy(
        "refused", "the carrier did not respond", "Check the trunk's address and the network to it.",
        refusal=StatusClass.TRANSIENT, redial_after_s=5.0, redials=2,
    ),
    CallClass.LOST: Policy(
        "unknown", "lost after it may have rung", "Nobody knows whether it was heard: let the user ask again."
    ),
    CallClass.CANCELLED: Policy("undelivered", "cancelled", "Nothing: the call was taken back in time."),
    CallClass.HEARD: Policy("delivered", "heard", "Nothing."),
    CallClass.CONFIRMED: Policy("delivered", "confirmed", "Nothing."),
    CallClass.DENIED: Policy("delivered", "denied", "Stop what the listener was asked about."),
    CallClass.TRANSFERRED: Policy("undelivered", "put through to an agent", "Ask the agent."),
    CallClass.MACHINE: Policy(
        "undelivered", "an answering machine", "Nothing was left on it: use another channel, or call later."
    ),
    CallClass.NO_INPUT: Policy("undelivered", "no key was pressed", "Use another channel."),
    CallClass.REFUSED: Policy("undelivered", "the listener refused", "Use another channel."),
    CallClass.HUNG_UP: Policy("undelivered", "hung up early", "Use another channel."),
}  # fmt: skip


class CallOutcomes:
    """One trunk's table: the usual one and what its file says otherwise ({"486": "busy"})."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self._own = {int(status): CallClass(name) for status, name in (own or {}).items()}

    def classify(
        self, status: int, cause: int | None = None, *, provisional: bool = False, local: bool = False
    ) -> CallClass:
        """Of a call that was not answered.

        status       the final status; 408 or 503 with `local` where none came (RFC 3261 §8.1.3.1)
        cause        of Q.850, from the Reason header
        provisional  any of 101 to 199 was seen
        local        the status is our own: a time-out, or the connection was lost
        """
        if local:
            return CallClass.LOST if provisional else CallClass.NO_RESPONSE
        if status in self._own:
            return self._own[status]
        if cause is not None and cause in CAUSES and status not in FINAL_WORD:
            return CAUSES[cause]
        return STATUSES.get(status) or BY_HUNDRED.get(status // 100, CallClass.PEER_FAULT)


def end_of(kind: CallClass, *, delivered: bool) -> End:
    """What was heard whole is delivered, however the call went on from there."""
    return "delivered" if delivered and kind is not CallClass.MACHINE else POLICIES[kind].end
