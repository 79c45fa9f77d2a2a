"""Questions about messages that were sent: query_sm (SMPP 3.4 §4.8) and cancel_sm (§4.9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from connector.carriers.throttle import TokenBucket
from protocols.smpp.pdu import CancelSm, QuerySm, QuerySmResp

__all__ = ["Answered", "Asker", "Enquiries", "Enquiry"]

_MOST_WAITING = 1_000

Answered = Callable[[int | None, QuerySmResp | None], None]
"""Called once with command_status, None without an answer, and the body of a query_sm_resp."""


class Enquiry(NamedTuple):
    """A question and what its answer is for."""

    pdu: QuerySm | CancelSm
    answered: Answered


class Asker(Protocol):
    """What is needed of a bind."""

    @property
    def enquiries_free(self) -> int: ...
    def enquire(self, enquiry: Enquiry, now: float) -> None: ...


class Enquiries:
    """Asks as binds and rate permit; whatever happens, each enquiry is answered once."""

    def __init__(self, bucket: TokenBucket) -> None:
        self._bucket = bucket
        self._waiting: deque[Enquiry] = deque()

    def ask(self, enquiry: Enquiry) -> None:
        """To be asked by the next `pump`; unanswered at once when too many wait."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(enquiry)
        else:
            enquiry.answered(None, None)

    def pump(self, binds: list[Asker], now: float) -> None:
        for bind in binds:
            while self._waiting and bind.enquiries_free and self._bucket.take(now):
                bind.enquire(self._waiting.popleft(), now)

    def stop(self) -> None:
        """What still waits will not be asked."""
        while self._waiting:
            self._waiting.popleft().answered(None, None)
