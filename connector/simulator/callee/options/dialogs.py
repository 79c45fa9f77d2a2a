"""Options of what the callee does in a call that is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.options.takes import Takes as _T

_YEAR_S = 31_536_000


@dataclass(frozen=True)
class DialogOptions:
    """Hanging up, hold, transfer and session timers."""

    hang_up_after_s: Annotated[float, _T("Hang up so many seconds after the answer; 0: never.")] = 0.0
    hang_up_when_quiet_s: Annotated[
        float, _T("Hang up when the caller has been quiet so long, having spoken; 0: never.")
    ] = 0.0
    max_call_s: Annotated[float, _T("Hang up at the latest so many seconds after the answer.", 1)] = 600.0
    hold_after_s: Annotated[
        float, _T("Put the caller on hold (re-INVITE) so many seconds after the answer; 0: never.")
    ] = 0.0
    hold_s: Annotated[float, _T("Resume after so many seconds of hold.")] = 1.0
    refer: Annotated[
        str,
        _T(
            "What becomes of a REFER: refused with 603, answered 202 and told as 200 or as 503, or answered "
            "202 and never told.",
            choices=("refused", "transferred", "failed", "silent"),
        ),
    ] = "refused"
    min_se_s: Annotated[
        int, _T("Refuse session intervals below this with 422 (RFC 4028); 0: take any.", 0, _YEAR_S)
    ] = 0
