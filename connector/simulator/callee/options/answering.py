"""Options of what happens until the call is answered, or is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.delay import Delay
from connector.simulator.options.takes import Takes as _T

PROVISIONALS = ("180", "183", "none")
_AT_ONCE = Delay("fixed", 0.0)
_SOON = Delay("fixed", 0.5)


@dataclass(frozen=True)
class AnsweringOptions:
    """Ringing, answering, and refusing to (RFC 3261 §13.3.1)."""

    ring_after: Annotated[Delay, _T("From the INVITE to the first ringing.")] = _AT_ONCE
    ring_status: Annotated[
        str,
        _T("What tells that it rings; 183 carries no media unless early-media does.", choices=PROVISIONALS),
    ] = "180"
    reliable: Annotated[
        bool, _T("Send provisional responses reliably where the caller can take them (100rel).")
    ] = False
    answers: Annotated[bool, _T("Answer at all; without it the call rings until somebody gives up.")] = True
    answer_after: Annotated[Delay, _T("From the INVITE to the answer.")] = _SOON
    no_answer_after_s: Annotated[
        float, _T("Refuse with 480 after so many seconds of ringing unanswered; 0: never.")
    ] = 0.0

    reject_status: Annotated[
        int, _T("Refuse calls with this status, e.g. 486 for busy; 0: do not.", 0, 699)
    ] = 0
    reject_after: Annotated[Delay, _T("From the INVITE to the refusal.")] = _AT_ONCE
    reject_rings: Annotated[bool, _T("Ring before refusing.")] = False
    retry_after_s: Annotated[int, _T("Retry-After of the refusal; 0: none.")] = 0
    reason: Annotated[str, _T("Reason of the refusal and of BYE, e.g. Q.850;cause=17.")] = ""
    moved_to: Annotated[str, _T("Contact of a refusal with 3xx, e.g. sip:+491511@192.0.2.1.")] = ""
