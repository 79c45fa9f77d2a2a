"""Options of faults: what breaks, and hostile peers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.attacks import ATTACKS

from .takes import STATUS_MAX
from .takes import Takes as _T
from .values import NO_NAMES, Names

# A short name keeps the table below a table.
_Share = float

_DELIVERIES = Names(("deliver_sm",))
IGNORABLE = (
    "bind_receiver", "bind_transmitter", "bind_transceiver", "unbind", "enquire_link", "submit_sm", "data_sm",
    "submit_multi", "query_sm", "cancel_sm", "replace_sm",
)  # fmt: skip


@dataclass(frozen=True)
class FaultOptions:
    """Faults a carrier has from time to time, and what only a hostile one does."""

    refused_share: Annotated[_Share, _T("Share of submits refused with refused-status.", high=1)] = 0.0
    refused_status: Annotated[int, _T("Status of the submits refused so.", 1, STATUS_MAX)] = 0x45
    message_lost: Annotated[
        _Share, _T("Share of messages accepted that never arrive and get no receipt.", high=1)
    ] = 0.0
    response_missing: Annotated[
        _Share, _T("Share of submits accepted and delivered without any response.", high=1)
    ] = 0.0
    response_duplicate: Annotated[_Share, _T("Share of responses sent twice.", high=1)] = 0.0

    cut_after: Annotated[
        int, _T("Cut each connection at its Nth submit, which is accepted but not answered.")
    ] = 0
    cut_share: Annotated[_Share, _T("Share of submits at which the connection is cut so.", high=1)] = 0.0
    silence_after: Annotated[
        int,
        _T("Half-open: from its Nth submit on a connection gets no answer to anything, but stays open."),
    ] = 0
    silence_share: Annotated[
        _Share, _T("Share of submits at which a connection falls silent so.", high=1)
    ] = 0.0
    garbage_share: Annotated[
        _Share, _T("Share of submits answered with random bytes instead of a PDU.", high=1)
    ] = 0.0
    slow_byte_s: Annotated[float, _T("Slow bytes: write one byte at a time, so many seconds apart.")] = 0.0

    ignore: Annotated[Names, _T("Requests that are never answered, by name.", choices=IGNORABLE)] = NO_NAMES
    greeting: Annotated[
        Names,
        _T("Hostile: send these as soon as a connection opens, before any bind.", choices=tuple(ATTACKS)),
    ] = NO_NAMES
    after_bind: Annotated[
        Names, _T("Hostile: send these behind each bind response.", choices=tuple(ATTACKS))
    ] = NO_NAMES
    beside_response: Annotated[
        Names, _T("Hostile: send these in front of each submit_sm_resp.", choices=tuple(ATTACKS))
    ] = NO_NAMES
    flood: Annotated[
        Names, _T("Hostile: what flood-per-s sends, in turn, on each bind.", choices=tuple(ATTACKS))
    ] = _DELIVERIES
    flood_per_s: Annotated[float, _T("Hostile: so many PDUs a second on each bind.")] = 0.0
