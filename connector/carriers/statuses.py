"""What a submit_sm_resp's command_status means for the job (SMPP 3.4 §5.1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from protocols.smpp.constants import Status, status_name

__all__ = ["USUAL", "StatusClass", "Statuses", "refusal"]


class StatusClass(StrEnum):
    """What to do with a message that was not accepted; the words of `[statuses]` in a carrier's file."""

    THROTTLED = "throttled"
    """Not taken now: the same PDU may go again by the same bind, slower."""
    TRANSIENT = "transient"
    """A passing trouble: another carrier first, this one again later."""
    AMBIGUOUS = "ambiguous"
    """Some mean a passing trouble by it, others a final no: as transient, but only once with a carrier."""
    PERMANENT_HERE = "permanent_here"
    """This carrier will not take it; another may."""
    PERMANENT = "permanent"
    """No carrier can take it: the number or the content is at fault."""


USUAL: Final[Mapping[int, StatusClass]] = {
    Status.ESME_RTHROTTLED: StatusClass.THROTTLED,
    Status.ESME_RMSGQFUL: StatusClass.THROTTLED,
    Status.ESME_RSYSERR: StatusClass.TRANSIENT,
    Status.ESME_RX_T_APPN: StatusClass.TRANSIENT,
    Status.ESME_RSUBMITFAIL: StatusClass.AMBIGUOUS,
    Status.ESME_RUNKNOWNERR: StatusClass.AMBIGUOUS,
    Status.ESME_RINVMSGLEN: StatusClass.PERMANENT,
}


class Statuses:
    """One carrier's table: the usual one and what its file says otherwise.

    `own` has a command_status in hexadecimal ("0x0000040B") and the name of a class.
    """

    def __init__(self, own: Mapping[str, str]) -> None:
        self._table = {**USUAL, **{int(code, 16): StatusClass(name) for code, name in own.items()}}

    def classify(self, status: int) -> StatusClass:
        """Unlisted statuses are this carrier's opinion; only what no carrier could take ends a job."""
        return self._table.get(status, StatusClass.PERMANENT_HERE)


def refusal(status: int) -> str:
    """A refusal in words, for events and `why`."""
    return f"refused: {status_name(status)}"
