"""Options of faults of one call: what breaks, and what only a hostile callee does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.options.takes import Takes as _T
from connector.simulator.options.values import NO_NAMES, Names

IGNORABLE = ("INVITE", "ACK", "BYE", "CANCEL", "INFO", "OPTIONS", "PRACK", "REFER", "REGISTER", "UPDATE")


@dataclass(frozen=True)
class FaultOptions:
    """Faults that calls have from time to time."""

    ignore: Annotated[Names, _T("Requests that are never answered, by method.", choices=IGNORABLE)] = NO_NAMES
    late_200: Annotated[
        bool, _T("Answer the call upon CANCEL: the 200 to INVITE crosses it (RFC 3261 §9.1).")
    ] = False
    rtp_drop: Annotated[float, _T("Share of RTP packets lost, each way.", high=1)] = 0.0
    rtp_duplicate: Annotated[float, _T("Share of RTP packets that come twice, each way.", high=1)] = 0.0
    rtp_reorder: Annotated[
        float, _T("Share of RTP packets that come after the next one, each way.", high=1)
    ] = 0.0
