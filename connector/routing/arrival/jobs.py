"""What the flights of one job say together, once it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.routing.arrival.curve import Curve
from connector.routing.arrival.use import Reference
from connector.routing.arrival.watch import State, Watch

__all__ = ["all_lost", "arrived_in_silence", "repeated"]

_TYPICAL_S: Final = 4.0
"""A message that arrived in silence is taken to have done so after this time."""

Flights = Sequence[tuple[Watch, Curve]]


def all_lost(flights: Flights, at: float) -> float | None:
    """P(nothing is heard | the handset can be reached); None: something was, 0: it cannot be reached."""
    lost = 1.0
    for watch, curve in flights:
        if watch.used_at or watch.state is State.ARRIVED:
            return None
        if watch.state is State.UNREACHABLE:
            return 0.0
        if watch.state is State.FAILED:
            continue
        until = at - watch.left_at
        u = curve.unreachable
        lost *= max((curve.silence(until) - u) / (1.0 - u), 1e-6) if u < 1.0 else 1.0
    return lost


def repeated(flights: Flights) -> bool:
    """The route of the first flight was tried again: what was used cannot be told apart."""
    route = flights[0][0].slot.leaf.route
    return any(watch.slot.leaf.route is route for watch, _ in flights[1:])


def arrived_in_silence(flights: Flights, reference: Reference, at: float) -> float:
    """P(the first flight, of which no receipt came, arrived nevertheless).

    Jobs of one flight alone would mislead: those are the ones that were used before a second flight was due.
    So a second flight that explains the use is weighed too: had the first arrived, it would more likely have
    been used before.
    """
    first, curve = flights[0]
    before = _now(curve, at - first.left_at)
    if first.state is State.FAILED:
        before = 0.0
    used_at = next((watch.used_at for watch, _ in flights if watch.used_at), 0.0)
    others = [watch for watch, _ in flights[1:]]
    told = [watch.told_at for watch in others if watch.state is State.ARRIVED]
    if first.used_at and not any(t < used_at for t in told):
        before_use = [(w, c) for w, c in flights if w.left_at < used_at and w.state is not State.ARRIVED]
        if len(before_use) == 1:
            return 1.0
        none = 1.0
        for watch, other in before_use:
            none *= 1.0 - _now(other, used_at - watch.left_at)
        return min(before / (1.0 - none), 1.0) if none < 1.0 else before
    until = min([*told, used_at]) if used_at and told else (min(told) if told else at)
    unused = 1.0 - reference.by(until - first.left_at - _TYPICAL_S)
    after = before * unused
    rest = 1.0 - before
    return after / (after + rest) if after + rest > 0.0 else before


def _now(curve: Curve, s: float) -> float:
    """P(it is there | silent for s)."""
    return curve.p_given_silence(s, s)
