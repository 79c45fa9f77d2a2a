"""What is known of a job's attempts: which have left, which have failed, and what that means for the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import apsw

from connector.journal import bulk
from connector.model import Channel

__all__ = ["ATTEMPTS", "NOT_OVER", "Flight", "FlightState", "flights_of", "of_jobs"]

FlightState = Literal["under_way", "sent", "unknown", "failed", "arrived"]

NOT_OVER: Final = ("under_way", "sent", "unknown")
"""States of which a carrier may still say more; but for a call that is unknown, of which nobody will."""

ATTEMPTS: Final = """
    json((SELECT json_group_array(json_array(
        a.n, a.step, a.channel, a.carrier, a.account, a.at, a.result, a.parts,
        json((SELECT json_array(count(DISTINCT p.part),
                                count(DISTINCT p.part) FILTER (WHERE p.result = 'delivered'),
                                count(DISTINCT p.part) FILTER (WHERE p.result <> 'delivered'))
              FROM part p WHERE p.job = a.job AND p.attempt = a.n))))
    FROM (SELECT * FROM attempt WHERE job = j.id ORDER BY n) a))
"""
"""A column for queries on `job j`: the JSON array that `flights_of` reads."""

_NEVER_LEFT: Final = ("refused", "deferred", "unsent")
_OF_JOBS: Final = f"""
    SELECT json_group_array(json_array(j.id, j.app, j.ext, j.traceparent, {ATTEMPTS}))
    FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value WHERE j.outcome IS NULL
"""  # noqa: S608


class Flight(NamedTuple):
    """An attempt that has left, or may have. `number` counts the attempts of its job from 1.

    step     of the job's journey, from 0
    left_at  of the intent
    failed   a receipt, or the call, said that it did not arrive
    """

    route: str
    channel: Channel
    step: int
    number: int
    left_at: float
    state: FlightState
    account: int

    @property
    def may_arrive(self) -> bool:
        """More may be heard of it."""
        return self.state in NOT_OVER and (self.channel == "sms" or self.state != "unknown")


def flights_of(attempts: list[Any]) -> list[Flight]:
    """Those of one job, in order; what never left is absent."""
    found = []
    for n, step, channel, carrier, account, at, result, parts, counts in attempts:
        if result not in _NEVER_LEFT:
            state = _state(channel, result, parts, *counts)
            found.append(Flight(carrier, channel, step, n, at, state, account))
    return found


def of_jobs(connection: apsw.Connection, jobs: Sequence[int]) -> list[Any]:
    """(id, app, ext, traceparent, attempts) of those of `jobs` that are open."""
    return bulk.rows(connection, _OF_JOBS, jobs)


def _state(
    channel: Channel, result: str | None, parts: int, answered: int, delivered: int, failed: int
) -> FlightState:
    if channel == "voice":
        return _CALLS[result]
    if failed:
        return "failed"
    if delivered == parts:
        return "arrived"
    if result == "unknown":
        return "unknown"
    return "sent" if answered == parts else "under_way"


_CALLS: Final[dict[str | None, FlightState]] = {
    None: "under_way", "unknown": "unknown", "completed": "arrived", "missed": "failed",
}  # fmt: skip
