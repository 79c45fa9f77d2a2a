"""How many messages at a time, how many a second, and over what the carrier counts."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import Any

from connector.probe.finding import Finding, found, unknown
from connector.probe.known import Known
from connector.probe.trial import Answer, Flow, Opened, Request, Talk, burst, close, flow, open_bind, pause
from protocols.smpp.constants import Status, status_name
from protocols.smpp.pdu import SubmitSm

__all__ = ["rate", "roundest", "steady_rate", "window"]

FIRST_BURST = 6
LARGEST_BURST = 48
_REFILL_S = 1.1
"""Carriers count by the second: after this long a limit by rate has everything to give again."""

Bounds = tuple[float, float]

_TOLERANCE = 0.02
_SURE_SHARE = 0.8
"""Of the waits that were too short, the longest fifth may be so because the network was slow just then."""

_SAMPLE = 40
_FLOW_LIMIT = 250
_FLOW_S = 10.0
_FOR_OTHER_STEPS = 120
"""Messages that are left to the steps after these."""

_SAVES_UP = 4
"""A carrier that takes so many at once gives later what is not fetched in time."""

_LOST = 1.1
_LONG_ROUND_TRIP_S = 0.01
_BEYOND = 1.5
_LEAST_WINDOW, _WIDE_WINDOW = 2, 20

_BACK_SHARE = 0.8

_UNHURRIED_TPS = 40.0
"""For the other steps, with a carrier that has taken much more."""


def window(known: Known) -> Talk:
    """Bursts of growing size, each in one write.

    What a burst has accepted is a window only if the same number is accepted again at once: a limit by rate
    has nothing left by then. Where the two answer with different statuses, the later status is the window's.
    """
    key, size = "binds.window", FIRST_BURST
    while size <= LARGEST_BURST:
        yield from pause(_REFILL_S)
        answers = yield from burst(_many(known, size))
        taken = _taken(answers)
        if taken == size:
            size *= 2
            continue
        if not all(answer.status for answer in answers[taken:]):
            how = f"of {size} at once {taken} are accepted, some behind ones that are not"
            return [unknown(key, f"{how}: {_refusals(answers)} has another cause")]
        known.throttled_statuses |= {answer.status for answer in answers if answer.status}
        if (limit := _second_status(answers)) is not None:
            known.use_window = min(known.use_window, limit)
            return [found(key, limit, f"from message {limit + 1} of a burst on another status comes")]
        return [(yield from _window_or_rate(known, answers, taken))]
    return [unknown(key, f"{size // 2} at once are accepted; more were not tried")]


def _window_or_rate(known: Known, answers: Sequence[Answer], taken: int) -> Generator[Request, Any, Finding]:
    """Whether the burst met a limit by number: then as much fits again at once, and no more one by one.

    What leaves one by one within a round trip is unanswered together too, and a rate has time to recover.
    """
    key = "binds.window"
    known.use_window = min(known.use_window, max(taken, _LEAST_WINDOW))
    again = yield from burst(_many(known, taken))
    how = f"of {len(answers)} at once {taken} are accepted"
    if not taken or _taken(again) < taken:
        return unknown(key, f"{how}, but not as many again: the rate limits before it")
    yield from pause(_REFILL_S)
    if (round_trip := _round_trip(answers)) >= _LONG_ROUND_TRIP_S:
        size = int(_BEYOND * taken) + 2
        more = yield from burst(_many(known, size), round_trip / (_BEYOND * taken))
        if _taken(more) == size:
            known.use_window = _WIDE_WINDOW
            return unknown(key, f"{how}, but more when they leave one by one: the rate limits before it")
    else:
        more = yield from burst(_many(known, taken + 1))
        if _taken(more) != taken:
            return unknown(key, f"{how}, another time {_taken(more)} of {taken + 1}")
    known.use_window = taken
    return found(key, taken, f"{how}, again and again; the rest get {_refusals(answers)}")


def _round_trip(answers: Sequence[Answer]) -> float:
    """The shortest, in seconds."""
    return min(answer.answered_at - answer.sent_at for answer in answers)


def _many(known: Known, size: int) -> list[SubmitSm]:
    return [_quiet(known, number) for number in range(size)]


def _quiet(known: Known, number: int) -> SubmitSm:
    return known.submit(f"probe load {number}", registered_delivery=0)


def _taken(answers: Sequence[Answer]) -> int:
    """Not refused: an answer that is missing is no refusal."""
    return sum(not answer.status for answer in answers)


def _accepted(answers: Sequence[Answer]) -> int:
    return sum(answer.status == Status.ESME_ROK for answer in answers)


def _refusals(answers: Sequence[Answer]) -> str:
    statuses = {answer.status for answer in answers if answer.status}
    return ", ".join(sorted(map(status_name, statuses))) or "no answer"


def _second_status(answers: Sequence[Answer]) -> int | None:
    """The place from which on every message got the same refusal, one that none before it got."""
    last = answers[-1].status
    if not last:
        return None
    place = next(n for n, answer in enumerate(answers) if answer.status == last)
    others = {answer.status for answer in answers[:place]} - {0, None}
    return place if others and all(answer.status == last for answer in answers[place:]) else None


def rate(known: Known) -> Talk:
    """Send until it is too fast, then measure what trickles through; then the same with a second bind.

    Once more where that came to nothing: on a busy machine or line answers may stand still for a while.
    """
    key, other = "binds.tps", "binds.rate_scope"
    opened = yield from open_bind()
    first, second = yield from _saturated(known)
    if any(answer.status for answer in first) and _measured(first, second) is None:
        first, second = yield from _saturated(known)
    if opened.status == Status.ESME_ROK:
        yield from close()
    bounds = _measured(first, second)
    if bounds is None:
        known.use_rate = _UNHURRIED_TPS if _at_once(first) == len(first) else known.use_rate
        how = _not_measured(first)
        return [unknown(key, how), unknown(other, how)]
    refused = {answer.status for answer in first if answer.status}
    known.throttled_statuses |= refused
    tps = roundest(*bounds)
    known.use_rate = min(_UNHURRIED_TPS, tps * 0.8)
    how = f"between {bounds[0]:.1f} and {bounds[1]:.1f} a second were accepted, {_at_once(first)} at first"
    return [
        found(key, tps, f"{how}; the rest were answered {_refusals(first)}"),
        *_statuses(known, refused),
        _scope(first, second, bounds) if second else unknown(other, _without_second(opened)),
        *_doubt(known, first, bounds),
    ]


def _saturated(known: Known) -> Generator[Request, Any, tuple[list[Answer], list[Answer]]]:
    """The answers on the first bind, and on the second if it came to that."""
    yield from pause(_REFILL_S)
    first, *second = yield from flow(_flow(known))
    return first, second[0] if second else []


def _measured(first: Sequence[Answer], second: Sequence[Answer]) -> Bounds | None:
    """The rate of the first bind alone; None where refusals do not tell one."""
    alone = [answer for answer in first if not second or answer.sent_at < second[0].sent_at]
    bounds = steady_rate(alone)
    return bounds if bounds is not None and _is_too_fast(alone) else None


def _not_measured(answers: Sequence[Answer]) -> str:
    if _at_once(answers) == len(answers):
        span = answers[-1].sent_at - answers[0].sent_at if len(answers) > 1 else 0.0
        return f"{len(answers)} messages within {span:.2f} s were not too fast"
    if not _is_too_fast(answers):
        return f"{_refusals(answers)} came now and then, however fast or slow it went"
    return f"too fast may be answered {_refusals(answers)}, but too little was accepted to count"


def _without_second(opened: Opened) -> str:
    return "a second bind is refused" if opened.status else "too little was accepted to look at two binds"


def _flow(known: Known) -> Flow:
    return Flow(
        make=lambda number: _quiet(known, number),
        window=known.use_window,
        accepted=_SAMPLE,
        limit=max(1, min(_FLOW_LIMIT, known.messages_left() - _FOR_OTHER_STEPS)),
        seconds=_FLOW_S,
    )


def _at_once(answers: Sequence[Answer]) -> int:
    """How many were accepted before the first refusal."""
    return next((place for place, answer in enumerate(answers) if answer.status), len(answers))


def _scope(first: Sequence[Answer], second: Sequence[Answer], alone: Bounds) -> Finding:
    """Whether two binds that are both refused are given more than one alone."""
    key, place = "binds.rate_scope", _at_once(second)
    if place == len(second):
        return unknown(key, f"a second bind was given {place} at once, too little was left to look further")
    both = [answer for answer in (*first, *second) if answer.sent_at >= second[place].sent_at]
    bounds = steady_rate(sorted(both, key=lambda answer: answer.sent_at))
    if bounds is None:
        return unknown(key, "two binds at a time were not throttled long enough to count")
    how = f"two binds together are given {bounds[0]:.1f} a second, one alone {alone[0]:.1f}"
    return found(key, "bind" if bounds[0] > 1.5 * alone[0] else "account", how)


def _doubt(known: Known, answers: Sequence[Answer], bounds: Bounds) -> Iterator[Finding]:
    """A window is in doubt where the rate gives back as much within a round trip."""
    number = known.value("binds.window", None)
    back = bounds[0] * _round_trip(answers)
    if number is not None and back > _BACK_SHARE * number and _at_once(answers) <= number + back:
        yield unknown("binds.window", f"{number} at once are accepted, which the rate alone would explain")


def _is_too_fast(answers: Sequence[Answer]) -> bool:
    """Whether refusals were the rule from the first one on, as they are when it is asked too soon."""
    after = answers[_at_once(answers) :]
    return sum(bool(answer.status) for answer in after) >= len(after) / 5


def _statuses(known: Known, refused: set[int]) -> list[Finding]:
    usual = {Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL}
    own = {f"0x{status:08X}": "throttled" for status in sorted(refused - usual)}
    if not own:
        return []
    how = f"{', '.join(own)} came as the answer to messages that were too fast"
    return [found("statuses", {**known.profile.statuses, **own}, how)]


def steady_rate(answers: Sequence[Answer]) -> Bounds | None:
    """The least and the most messages a second that explain who was accepted once the first was refused.

    Counted from one success to another, both just after a refusal: both a bucket that fills all the time and
    a count that begins anew each second give something again at such an instant. A carrier that saves
    nothing up loses what is not fetched at once; then the longest time after a success at which the next one
    was still refused says more, but not much more. None with too few successes.
    """
    marks = [
        (answer.sent_at - before.sent_at, place)
        for place, (before, answer) in enumerate(pairwise(answers), 1)
        if before.status and answer.status == Status.ESME_ROK
    ]
    third = len(marks) // 3
    if not third:
        return None
    # The shorter the time since the refusal, the less has been saved up at that instant.
    first, last = min(marks[:third])[1], min(marks[-third:])[1]
    span = answers[last].sent_at - answers[first].sent_at
    least = _accepted(answers[first:last]) / span
    most = least
    if _at_once(answers) < _SAVES_UP:
        waits = sorted(_refused_after(answers[first : last + 1]))
        most = min(1 / waits[int(len(waits) * _SURE_SHARE)], least * _LOST) if waits else least
    return least * (1 - _TOLERANCE), max(least, most) * (1 + _TOLERANCE)


def _refused_after(answers: Sequence[Answer]) -> Iterator[float]:
    """For each success the time after it at which the last refusal before the next success left."""
    success = answers[0].sent_at
    for before, answer in pairwise(answers):
        if answer.status == Status.ESME_ROK:
            if before.status and before.sent_at > success:
                yield before.sent_at - success
            success = answer.sent_at


def roundest(low: float, high: float) -> float:
    """The number with the fewest digits between the two: carriers agree on round ones."""
    step = 10.0 ** len(str(int(high)))
    while step > low / 1e4:
        for unit in (step, step / 2):
            number = -(-low // unit) * unit
            if number <= high:
                return round(number, 6)
        step /= 10
    return round((low + high) / 2, 6)
