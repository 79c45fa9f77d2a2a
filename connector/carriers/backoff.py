"""How long to wait before the next attempt to bind."""

from __future__ import annotations

from enum import Enum
from random import Random

from protocols.smpp.constants import Status

__all__ = ["Backoff", "BindFailure", "classify"]


class BindFailure(Enum):
    """Why a bind failed, as far as the wait goes."""

    LINK = "link"
    """No connection, no answer, or a passing error: try again soon."""
    GHOST = "ghost"
    """The carrier still holds our old session; it must time out there first."""
    REFUSED = "refused"
    """The carrier cannot bind us now (ESME_RBINDFAIL): wait long."""
    CREDENTIALS = "credentials"
    """Wrong system_id or password: stop. Carriers lock accounts that keep trying."""


_BY_STATUS = {
    Status.ESME_RALYBND: BindFailure.GHOST,
    Status.ESME_RBINDFAIL: BindFailure.REFUSED,
    Status.ESME_RINVPASWD: BindFailure.CREDENTIALS,
    Status.ESME_RINVSYSID: BindFailure.CREDENTIALS,
    Status.ESME_RINVSYSTYP: BindFailure.CREDENTIALS,
}


def classify(status: int) -> BindFailure:
    """The class of a bind_resp's command_status (SMPP 3.4 §5.1.3)."""
    return _BY_STATUS.get(status, BindFailure.LINK)


class Backoff:
    """Exponential with full jitter: uniform between 0 and initial × 2ⁿ, at most `max_s`."""

    def __init__(self, initial_s: float, max_s: float, ghost_s: float, rng: Random) -> None:
        self._initial_s = initial_s
        self._max_s = max_s
        self._ghost_s = ghost_s
        self._rng = rng
        self._failures = 0

    def steady(self) -> None:
        """A session lasted: the next wait starts from the beginning."""
        self._failures = 0

    def wait_s(self, failure: BindFailure) -> float | None:
        """Seconds to the next attempt; None: there must be none before somebody acts."""
        if failure is BindFailure.CREDENTIALS:
            return None
        if failure is BindFailure.GHOST:
            return self._ghost_s
        ceiling = min(self._max_s, self._initial_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        if failure is BindFailure.REFUSED:
            return self._max_s / 2 + self._rng.uniform(0, self._max_s / 2)
        return self._rng.uniform(0, ceiling)
