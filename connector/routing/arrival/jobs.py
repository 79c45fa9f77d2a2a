"""What the flights of one job say together, once it is over."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from connector.routing.arrival.curve import Curve
from connector.routing.arrival.grid import EDGES, LAST_S
from connector.routing.arrival.use import Reference
from connector.routing.arrival.watch import State, Watch

__all__ = ["all_lost", "ratio_of_arrival"]

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


def ratio_of_arrival(flights: Flights, reference: Reference, at: float) -> float:
    """How much more likely what was seen is if the first flight, of which no receipt came, arrived.

    Jobs of one flight alone would mislead: those are the ones that were used before a second flight was due.
    So one that explains the use is weighed too, by when the code was used.
    """
    first, curve = flights[0]
    arrived_at = first.left_at + min(_median(curve), max(at - first.left_at, 0.0))
    used_at = next((watch.used_at for watch, _ in flights if watch.used_at), 0.0)
    told_at = min((w.told_at for w, _ in flights[1:] if w.state is State.ARRIVED), default=inf)
    if used_at and used_at <= told_at:
        others = 1.0  # P(another one of which nothing was heard brought it), of the chance of such a use
        for watch, other in flights[1:]:
            if watch.left_at < used_at and watch.state is not State.FAILED:
                others *= 1.0 - _now(other, used_at - watch.left_at)
        return 1.0 / max(1.0 - others, 1e-9)
    if used_at:
        late = reference.rate(used_at - told_at)
        return reference.rate(used_at - arrived_at) / late if late > 0.0 else 1.0
    if told_at < inf:
        return (1.0 - reference.by(at - arrived_at)) / max(1.0 - reference.by(at - told_at), 1e-6)
    return 1.0 - reference.by(at - arrived_at)


def _median(curve: Curve) -> float:
    """Half of what arrives is there after so many seconds."""
    half = curve.p(LAST_S) * 0.5
    return next((t for t in EDGES if curve.p(t) >= half), LAST_S)


def _now(curve: Curve, s: float) -> float:
    """P(it is there | silent for s)."""
    return curve.p_given_silence(s, s)
