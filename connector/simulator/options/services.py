"""Options of further requests, and of what the carrier remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .takes import Takes as _T


@dataclass(frozen=True)
class ServiceOptions:
    """Requests answered beside submit_sm, and records kept."""

    query_sm: Annotated[bool, _T("Answer query_sm; otherwise it gets 0x03, as an unknown command.")] = True
    cancel_sm: Annotated[bool, _T("Answer cancel_sm.")] = True
    replace_sm: Annotated[bool, _T("Answer replace_sm.")] = True
    submit_multi: Annotated[bool, _T("Answer submit_multi.")] = True
    data_sm: Annotated[bool, _T("Answer data_sm.")] = True
    broadcast_sm: Annotated[bool, _T("Answer broadcast_sm, query_broadcast_sm and cancel_broadcast_sm.")] = (
        True
    )

    stories: Annotated[bool, _T("Play the fixed stories of the reserved numbers +447700900000 to 999.")] = (
        True
    )
    message_limit: Annotated[
        int, _T("Messages kept for query_sm, cancel_sm and replace_sm; 0 keeps none.")
    ] = 10_000
    handset_limit: Annotated[int, _T("Messages kept of what handsets received; 0 keeps none.")] = 100_000
    submission_limit: Annotated[
        int, _T("Different accepted submits counted, to find duplicates; 0 counts none.")
    ] = 100_000
