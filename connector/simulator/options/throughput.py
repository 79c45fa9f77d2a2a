"""Options of rates, windows and delays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.delay import Delay

from .takes import STATUS_MAX
from .takes import Takes as _T
from .values import NO_PAIRS, Pairs, check_limits

AT_ONCE = Delay()


@dataclass(frozen=True)
class ThroughputOptions:
    """How much a carrier takes, and how it says that this was too much."""

    throttle_tps: Annotated[float, _T("Throttle: submits accepted a second; more are refused.")] = 0.0
    throttle_burst: Annotated[
        int, _T("Submits accepted at once after a pause; 0 means a tenth of a second's worth.")
    ] = 0
    throttle_status: Annotated[
        int, _T("Status of a throttled submit: 0x58 THROTTLED or 0x14 MSGQFUL.", 1, STATUS_MAX)
    ] = 0x58
    throttle_scope: Annotated[
        str, _T("Whether the rate is counted per bind or per account.", choices=("bind", "account"))
    ] = "bind"
    limits: Annotated[
        Pairs,
        _T(
            "Rates below the account's by sender or by destination prefix (with a plus), e.g. "
            "ACME=5,+91=10; more is throttled.",
            check=check_limits,
        ),
    ] = NO_PAIRS
    window_limit: Annotated[int, _T("Refuse submits above so many unanswered ones on a bind.")] = 0
    window_status: Annotated[int, _T("Status of a submit above the window.", 1, STATUS_MAX)] = 0x58
    congestion: Annotated[
        bool, _T("Tell the load as congestion_state (0 to 100) in submit_sm_resp, as SMPP 5.0 does.")
    ] = False
    response_delay: Annotated[Delay, _T("Delay of submit_sm_resp.")] = AT_ONCE
