"""What a start finds: each open job in the one state that sends nothing twice and forgets nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import apsw
import msgspec

from connector.journal.flights import ATTEMPTS, Flight, flights_of
from connector.journal.sealed import body_context, opened_text
from connector.model import Body, Channel, LiveJob
from connector.sealing import Seal

__all__ = ["Outstanding", "Recovered", "recover"]

_OPEN: Final = f"""
    SELECT j.id, j.app, j.ext, j.recipient, j.body, j.accepted_at, j.deadline_at, j.on_unknown, j.follow,
           ifnull(j.journey, ''), ifnull(j.class, ''), j.supersedes, {ATTEMPTS}
    FROM job j WHERE j.outcome IS NULL ORDER BY j.deadline_at
"""  # noqa: S608
_body = msgspec.json.Decoder(Body).decode
_attempts = msgspec.json.Decoder(list[list[Any]]).decode


class Outstanding(NamedTuple):
    """An attempt whose intent was committed, and not every answer came, or the call was not over."""

    job: LiveJob
    attempt: int
    account: int
    carrier: str
    channel: Channel


class Recovered(msgspec.Struct):
    """Open jobs at the start, the most urgent first.

    waiting           to be sent: nothing of them has left, but for the one that may be sent again
    outstanding       attempts that are unknown now; their jobs are in none of the other lists, but may be in
                      `following` or `superseded`
    following         have flights, and may be sent again before their deadline
    superseded        would be among the others, were there not a newer open job of their key to their
                      recipient: never sent again
    awaiting_receipt  how many wait for nothing else
    open_jobs         how many there are
    flights           job → its attempts that have left, in order; of every job in a list above
    id_forms          account → how many receipts of the newest messages matched by each form of their ids
    """

    waiting: list[LiveJob] = []
    outstanding: list[Outstanding] = []
    following: list[LiveJob] = []
    superseded: list[LiveJob] = []
    awaiting_receipt: int = 0
    open_jobs: int = 0
    flights: dict[int, list[Flight]] = {}
    id_forms: dict[int, dict[str, int]] = {}


def recover(
    connection: apsw.Connection, seal: Seal, now: float, id_forms: dict[int, dict[str, int]]
) -> Recovered:
    """`now` decides which jobs may still be sent again."""
    found = Recovered(id_forms=id_forms)
    newest: dict[tuple[int, str, str], int] = dict(
        ((app, recipient, key), job) for app, recipient, key, job in connection.execute(
            """SELECT app, recipient, supersedes, max(id) FROM job
               WHERE outcome IS NULL AND supersedes IS NOT NULL GROUP BY app, recipient, supersedes"""
        )
    )  # fmt: skip
    for *columns, text in connection.execute(_OPEN):
        found.open_jobs += 1
        attempts = _attempts(text)
        job = _job(columns, attempts, seal)
        flights = flights_of(attempts)
        under_way = [
            Outstanding(job, flight.number, flight.account, flight.route, flight.channel)
            for flight in flights
            if flight.state == "under_way"
        ]
        found.outstanding += under_way
        may_follow = job.follow > 0 and job.deadline_at > now and bool(flights)
        waits = not under_way and _waits(job, attempts, flights)
        if not (waits or may_follow or under_way):
            found.awaiting_receipt += 1
            continue
        found.flights[job.key] = flights
        if job.supersedes is not None and job.key < newest[job.app, job.recipient, job.supersedes]:
            found.superseded.append(job)
        elif may_follow:
            found.following.append(job)
        elif waits:
            found.waiting.append(job)
    return found


def _job(columns: list[Any], attempts: list[list[Any]], seal: Seal) -> LiveJob:
    key, app, ext, recipient, body, accepted_at, deadline_at, on_unknown, follow = columns[:9]
    journey_name, klass, supersedes = columns[9:]
    said = opened_text(seal, body, body_context(key))
    last = len(attempts)
    results = [attempt[6] for attempt in attempts]
    # Sent again already, or never to be sent again.
    resent = follow < 0 or "unknown" in results or None in results[: last - 1]
    return LiveJob(
        key=key, app=app, id=ext, recipient=recipient, body=_body(said), accepted_at=accepted_at,
        deadline_at=deadline_at, on_unknown=on_unknown, attempts=attempts[-1][0] if attempts else 0,
        barred=frozenset(attempt[3] for attempt in attempts if attempt[6] == "refused"), resent=resent,
        follow=follow, journey_name=journey_name, klass=klass, supersedes=supersedes,
    )  # fmt: skip


def _waits(job: LiveJob, attempts: list[list[Any]], flights: list[Flight]) -> bool:
    """Whether it is to be sent, first or again, and not only because a follow-up may be worth it."""
    if not attempts:
        return True
    if job.follow < 0:
        return False
    if job.follow > 0:
        return not flights
    *earlier, last = [attempt[6] for attempt in attempts]
    if last in ("refused", "deferred", "unsent", "missed"):
        return None not in earlier  # then the carrier has accepted an earlier one, late
    unknowns = [flight for flight in flights if flight.state == "unknown" or flight.number < attempts[-1][0]]
    return (
        last == "unknown" and job.on_unknown == "resend_once" and len(unknowns) == 1
        and flights[-1].channel == "sms"
    )  # fmt: skip
