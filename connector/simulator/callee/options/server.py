"""Options of the whole server: its network, how many calls it takes and what it keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.options.takes import Takes as _T


@dataclass(frozen=True)
class ServerOptions:
    """What no dialled number has for itself."""

    lines: Annotated[int, _T("Calls at the same time; one more gets 486. 0: any number.")] = 0
    stories: Annotated[
        bool, _T("Reserved numbers +447700900000 to +447700900999 behave as their stories say.")
    ] = True
    tcp: Annotated[bool, _T("Listen on TCP, too, on the same port.")] = True
    sip_drop: Annotated[float, _T("Share of SIP datagrams lost, each way.", high=1)] = 0.0
    sip_duplicate: Annotated[float, _T("Share of SIP datagrams that come twice, each way.", high=1)] = 0.0
    sip_reorder: Annotated[
        float, _T("Share of SIP datagrams that come after the next one, each way.", high=1)
    ] = 0.0

    call_limit: Annotated[int, _T("Records of calls kept, the newest.")] = 10_000
    recording_limit: Annotated[int, _T("Recordings kept, the newest; 0: record nothing.")] = 100
    recording_s: Annotated[float, _T("Length up to which a call is recorded.", 0, 3600)] = 120.0
