"""What a submit_sm_resp's command_status means for the job (SMPP 3.4 §5.1.3)."""

from __future__ import annotations

from enum import Enum

from protocols.smpp.constants import Status, status_name

__all__ = ["Verdict", "classify", "refusal"]


class Verdict(Enum):
    """What to do with a message that was not accepted."""

    HERE_LATER = "here_later"
    """Not taken now: the same PDU may go again by the same bind."""
    NOT_NOW = "not_now"
    """A passing trouble, or nobody knows: another carrier first, this one again later."""
    OTHER_ROUTE = "other_route"
    """This carrier will not take it; another may."""
    NOWHERE = "nowhere"
    """No carrier can take it: the number or the content is at fault."""


_TABLE: dict[int, Verdict] = {
    Status.ESME_RTHROTTLED: Verdict.HERE_LATER,
    Status.ESME_RMSGQFUL: Verdict.HERE_LATER,
    Status.ESME_RSYSERR: Verdict.NOT_NOW,
    Status.ESME_RX_T_APPN: Verdict.NOT_NOW,
    Status.ESME_RSUBMITFAIL: Verdict.NOT_NOW,
    Status.ESME_RUNKNOWNERR: Verdict.NOT_NOW,
    Status.ESME_RINVMSGLEN: Verdict.NOWHERE,
}


def classify(status: int) -> Verdict:
    """Unlisted and vendor statuses are this carrier's opinion; only what no carrier could take is final."""
    return _TABLE.get(status, Verdict.OTHER_ROUTE)


def refusal(status: int) -> str:
    """A refusal in words, for events and `why`."""
    return f"refused: {status_name(status)}"
