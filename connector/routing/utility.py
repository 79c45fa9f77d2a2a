"""What a message is worth, and the instant at which a further one is worth most.

One handset in a few is reached by no route. That share is common to all flights of an errand; apart from it
they fail independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Alternative", "Belief", "Leg", "Outlook", "Planned", "outlook", "plan"]

_POINTS = 14  # instants that are compared
_FEW_POINTS = 7  # where the gain is needed, and not the instant
_LEAST_LEFT_S = 0.05  # a message that leaves later than this before the deadline is not considered


class Outlook(Protocol):
    """What is believed of a route to a destination; `connector.routing.arrival.Curve`."""

    unreachable: float

    def p(self, t_s: float) -> float: ...
    def p_given_silence(self, t_s: float, silent_s: float) -> float: ...
    def silence(self, s: float) -> float: ...


class Leg(NamedTuple):
    """One flight as the plan sees it.

    silent    no receipt so far, and one may come: its silence says something
    arrives   where it is not: the chance that it is there in time
    """

    curve: Outlook
    left_at: float
    silent: bool = True
    arrives: float = 0.0


class Alternative(NamedTuple):
    """A route that a further message could leave by. `cost`: its price and the annoyance of it."""

    route: str
    curve: Outlook
    wait_s: float
    cost: float


class Planned(NamedTuple):
    """The best further message.

    at     when to send it, seconds, absolute
    gain   what it adds on average, in currency, as seen from now
    p      its chance to be in time if the handset can be reached
    """

    at: float
    route: str
    gain: float
    p: float


class Belief(NamedTuple):
    """What is believed of an errand's flights at a moment, given what was heard and what was not.

    unreachable  the chance that nothing reaches the handset
    missed       else, the chance that none of them is in time
    """

    unreachable: float
    missed: float


def outlook(legs: Sequence[Leg], now: float, deadline_at: float) -> Belief:
    """The belief at `now` about the arrival until `deadline_at`."""
    if not legs:
        return Belief(0.0, 1.0)
    unreachable = legs[0].curve.unreachable
    reached = 1.0 - unreachable
    silent, missed = 1.0, 1.0
    for leg in legs:
        if not leg.silent:
            missed *= 1.0 - leg.arrives
            continue
        s = max(0.0, now - leg.left_at)
        silence = leg.curve.silence(s)
        both = silence * (1.0 - leg.curve.p_given_silence(deadline_at - leg.left_at, s)) - unreachable
        alone = max(silence - unreachable, 1e-9)
        silent *= alone / reached
        missed *= min(max(both / alone, 0.0), 1.0)
    if silent <= 0.0 or unreachable <= 0.0:
        return Belief(0.0, missed)
    return Belief(unreachable / (unreachable + reached * silent), missed)


def plan(
    legs: Sequence[Leg],
    alternatives: Sequence[Alternative],
    now: float,
    deadline_at: float,
    value: float,
    belief: Belief | None = None,
    *,
    roughly: bool = False,
) -> Planned | None:
    """The instant e and the route with the greatest V · P(only it is in time) - cost · P(nothing heard by e).

    None where nothing has a gain. `value` is V, in currency. `roughly`: at half the price.
    """
    unreachable, missed = belief or outlook(legs, now, deadline_at)
    usable = [a for a in alternatives if deadline_at - now - a.wait_s > _LEAST_LEFT_S]
    if not usable:
        return None
    points = _FEW_POINTS if roughly else _POINTS
    step_s = (deadline_at - now) / points
    silences = _silences(legs, now, step_s, points, unreachable)
    worth = value * (1.0 - unreachable) * missed
    worths = [worth * part for part in _still_missed(legs, now, deadline_at, step_s, points)]
    best: Planned | None = None
    for alternative in usable:
        found = _best_instant(alternative, silences, worths, step_s, now, deadline_at)
        if found is not None and (best is None or found.gain > best.gain):
            best = found
    return best


def _silences(legs: Sequence[Leg], now: float, step_s: float, points: int, unreachable: float) -> list[float]:
    """P(nothing is heard until now + i·step_s | nothing until now)."""
    rest = [1.0 - unreachable] * points
    for leg in legs:
        if leg.silent:
            silence, u = leg.curve.silence, leg.curve.unreachable
            s = now - leg.left_at
            start = max(silence(s) - u, 1e-9)
            for i in range(1, points):
                part = silence(s + i * step_s) - u
                rest[i] *= part / start if part > 0.0 else 0.0
    return [unreachable + part for part in rest]


def _still_missed(
    legs: Sequence[Leg], now: float, deadline_at: float, step_s: float, points: int
) -> list[float]:
    """P(no flight is in time, and nothing is heard until now + i·step_s) / P(none is in time).

    What is told to have failed, or to have arrived where receipts are not believed, is not silent any more:
    nothing is to be gained there by waiting for silence.
    """
    parts = [1.0] * points
    for leg in legs:
        if leg.silent:
            curve, s = leg.curve, max(0.0, now - leg.left_at)
            patience_s = deadline_at - leg.left_at
            start = _missed_in_silence(curve, patience_s, s)
            if start > 0.0:
                for i in range(1, points):
                    part = _missed_in_silence(curve, patience_s, s + i * step_s) / start
                    if part < 1.0:
                        parts[i] *= part
    return parts


def _missed_in_silence(curve: Outlook, patience_s: float, s: float) -> float:
    """P(the handset can be reached, nothing is heard for s, and it is not there in time)."""
    missed = curve.silence(s) * (1.0 - curve.p_given_silence(patience_s, s)) - curve.unreachable
    return missed if missed > 0.0 else 0.0


def _best_instant(
    alternative: Alternative, silences: list[float], worths: list[float], step_s: float, now: float,
    deadline_at: float,
) -> Planned | None:  # fmt: skip
    """The best of the instants for one route, refined between its neighbours by a parabola."""
    route, curve, wait_s, cost = alternative
    room_s = deadline_at - now - wait_s
    scale = 1.0 / max(1.0 - curve.unreachable, 1e-9)
    p = curve.p
    before, top, after, where = 0.0, 0.0, 0.0, -1
    last = 0.0
    for i, silence in enumerate(silences):
        left_s = room_s - i * step_s
        gain = worths[i] * scale * p(left_s) - cost * silence if left_s > _LEAST_LEFT_S else 0.0
        if gain > top:
            before, top, where, after = last, gain, i, 0.0
        elif i == where + 1:
            after = gain
        last = gain
    if where < 0:
        return None
    shift = 0.0
    if 0 < where < len(silences) - 1 and (bend := before - 2.0 * top + after) < 0.0:
        shift = min(max(0.5 * (before - after) / bend, -0.5), 0.5)
    at_s = (where + shift) * step_s
    return Planned(now + at_s, route, top, min(1.0, p(room_s - at_s) / max(1.0 - curve.unreachable, 1e-9)))
