"""The life of one bind as a table: from nothing to a session, and back after each end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = ["TABLE", "BindInput", "BindState"]


class BindState(StrEnum):
    """Where a bind is on its way."""

    DOWN = "down"
    CONNECTING = "connecting"
    """Connecting, or waiting for the carrier's own connection where it comes to us (outbind)."""
    BINDING = "binding"
    BOUND = "bound"
    DRAINING = "draining"
    """Another bind takes its place: what is under way is finished, nothing new begun."""
    CLOSING = "closing"
    REFUSED = "refused"
    """The carrier rejected our credentials; only an operator can mend that."""


class BindInput(StrEnum):
    """What can happen to a bind."""

    CONNECT = "the wait is over"
    CONNECTED = "connected"
    ACCEPTED = "bind accepted"
    REJECTED = "bind refused"
    RETIRE = "to be replaced"
    STOP = "to be stopped"
    PEER_UNBOUND = "the carrier unbound"
    ENDED = "connection ended"
    FORBIDDEN = "credentials refused"
    AGAIN = "configuration read again"


TABLE: Final[Mapping[BindState, Mapping[BindInput, BindState]]] = {
    BindState.DOWN: {
        BindInput.CONNECT: BindState.CONNECTING,
        BindInput.FORBIDDEN: BindState.REFUSED,
    },
    BindState.CONNECTING: {
        BindInput.CONNECTED: BindState.BINDING,
        BindInput.ENDED: BindState.DOWN,
    },
    BindState.BINDING: {
        BindInput.ACCEPTED: BindState.BOUND,
        BindInput.REJECTED: BindState.CLOSING,
        BindInput.STOP: BindState.CLOSING,
        BindInput.PEER_UNBOUND: BindState.CLOSING,
        BindInput.ENDED: BindState.DOWN,
    },
    BindState.BOUND: {
        BindInput.RETIRE: BindState.DRAINING,
        BindInput.STOP: BindState.CLOSING,
        BindInput.PEER_UNBOUND: BindState.CLOSING,
        BindInput.ENDED: BindState.DOWN,
    },
    BindState.DRAINING: {
        BindInput.STOP: BindState.CLOSING,
        BindInput.PEER_UNBOUND: BindState.CLOSING,
        BindInput.ENDED: BindState.DOWN,
    },
    BindState.CLOSING: {
        BindInput.ENDED: BindState.DOWN,
    },
    BindState.REFUSED: {
        BindInput.AGAIN: BindState.DOWN,
        BindInput.STOP: BindState.DOWN,
    },
}
