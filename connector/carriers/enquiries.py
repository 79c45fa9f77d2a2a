"""Questions about messages that were sent: query_sm (SMPP 3.4 §4.8) and cancel_sm (§4.9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from connector.carriers.throttle import TokenBucket
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.pdu import CancelSm, QuerySm, QuerySmResp

__all__ = ["Answered", "Asker", "Enquiries", "Enquiry"]

_MOST_WAITING = 1_000

_QUERIES_SHARE = 0.1
"""Of the account's rate: what has left must not keep back what has to leave."""

Answered = Callable[[int | None, QuerySmResp | None], None]
"""Called once with command_status, None without an answer, and the body of a query_sm_resp."""


class Enquiry(NamedTuple):
    """A question and what its answer is for. After `until` it is not asked any more."""

    pdu: QuerySm | CancelSm
    answered: Answered
    until: float


class Asker(Protocol):
    """What is needed of a bind."""

    @property
    def enquiries_free(self) -> int: ...
    def enquire(self, enquiry: Enquiry, now: float) -> None: ...


class Enquiries:
    """Asks as binds and rate permit, cancels first; whatever happens, each enquiry is answered once."""

    def __init__(self, budget: TokenBucket, now: float) -> None:
        self._budget = budget
        self._share = TokenBucket(budget.rate * _QUERIES_SHARE, now)
        self._cancels: deque[Enquiry] = deque()
        self._queries: deque[Enquiry] = deque()

    def __len__(self) -> int:
        """Those that wait."""
        return len(self._cancels) + len(self._queries)

    def ask(self, enquiry: Enquiry) -> None:
        """To be asked by the next `pump`; unanswered at once when too many wait."""
        waiting = self._cancels if isinstance(enquiry.pdu, CancelSm) else self._queries
        if len(waiting) < _MOST_WAITING:
            waiting.append(enquiry)
        else:
            enquiry.answered(None, None)

    def pump(self, binds: list[Asker], now: float) -> float | None:
        """When it must be called again at the latest; None when nothing waits."""
        for waiting in (self._cancels, self._queries):
            while waiting and waiting[0].until <= now:
                waiting.popleft().answered(None, None)
        for bind in binds:
            while bind.enquiries_free and (enquiry := self._next(now)) is not None:
                try:
                    bind.enquire(enquiry, now)
                except LocalProtocolError:  # an id longer than the field, as some carriers give
                    enquiry.answered(None, None)
        times = [waiting[0].until for waiting in (self._cancels, self._queries) if waiting]
        if any(bind.enquiries_free for bind in binds):
            times += [self._budget.next_at(now)] if self._cancels else []
            times += [self._share.next_at(now)] if self._queries else []
        return min(times, default=None)

    def _next(self, now: float) -> Enquiry | None:
        if self._cancels:
            return self._cancels.popleft() if self._budget.take(now) else None
        if self._queries and self._share.take(now):
            self._budget.spend(1, now)
            return self._queries.popleft()
        return None

    def stop(self) -> None:
        """What still waits will not be asked."""
        for waiting in (self._cancels, self._queries):
            while waiting:
                waiting.popleft().answered(None, None)
