"""The end of a job that was followed: what its attempts came to, when nothing more will be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import apsw

from connector.journal.flights import Flight, flights_of, of_jobs
from connector.journal.ops import Finish

__all__ = ["UNHEARD", "last_words"]

UNHEARD: Final = "nobody knows whether the call was heard"

_RECEIPT = """
    SELECT state, error, kind, result FROM part WHERE job = ? AND attempt = ? AND result IS NOT NULL
    ORDER BY result = 'delivered', receipt_at DESC LIMIT 1
"""


def last_words(connection: apsw.Connection, jobs: Sequence[int], now: float) -> list[Finish]:
    """The ends of those of `jobs` that have arrived, or of which nothing can arrive any more."""
    finishes = []
    for *job, attempts in of_jobs(connection, jobs):
        flights = flights_of(attempts)
        arrived = next((flight for flight in flights if flight.state == "arrived"), None)
        if arrived is None and (not flights or any(flight.may_arrive for flight in flights)):
            continue
        # What nobody knows outweighs what has failed: the call may have been heard.
        flight = arrived or next((each for each in reversed(flights) if each.state == "unknown"), flights[-1])
        finishes.append(_finish(connection, job, flight, now))
    return finishes


def _finish(connection: apsw.Connection, job: Sequence[Any], flight: Flight, now: float) -> Finish:
    key, app, ext, traceparent = job
    finish = Finish(
        key, app, ext, "undelivered", "undelivered", "nobody heard the call", now, traceparent,
        attempt=flight.number, carrier=flight.route, channel=flight.channel,
    )  # fmt: skip
    if flight.state == "unknown":
        finish.outcome = finish.type = "unknown"
        finish.reason = UNHEARD
    elif flight.state == "arrived":
        finish.outcome = "delivered"
        finish.type = "completed" if flight.channel == "voice" else "delivered"
        finish.reason = "the call was heard"
    if flight.channel == "sms":
        state, error, kind, result = next(connection.execute(_RECEIPT, (key, flight.number)))
        what = "answer to query_sm" if kind == "query" else "receipt"
        finish.reason = f"{what} {state} {error or ''}".rstrip()
        if result == "expired":
            finish.outcome = finish.type = "expired"
    return finish
