"""What the model believes, for operators."""

from __future__ import annotations

import msgspec

from connector.routing.arrival.curve import Curve
from connector.routing.arrival.grid import EDGES, LAST_S

__all__ = ["RouteReport", "report"]


class RouteReport(msgspec.Struct, frozen=True):
    """One route to one destination ("" and "": all of them)."""

    route: str
    channel: str
    country: str
    network: str
    flights: float
    """Effective number of flights that the estimate rests on."""
    p50_s: float | None
    """Half of what arrives is there after so many seconds; None: nothing is believed to arrive."""
    p95_s: float | None
    never: float
    """Share that this route loses."""
    no_receipt: float
    """Share of what arrives of which nobody tells."""
    unreachable: float
    """Share of handsets that no route reaches."""
    trust: float
    """Share of its receipts that are true."""
    doubt: str
    """Why its receipts are doubted, in words; "" when they are not."""


def report(key: tuple[str, ...], curve: Curve) -> RouteReport:
    """The row of a level: its key is route, channel and, of a cell, country and network."""
    arrives = curve.p(LAST_S)
    return RouteReport(
        route=key[0],
        channel=key[1],
        country=key[2] if len(key) > 2 else "",
        network=key[3] if len(key) > 3 else "",
        flights=curve.weight,
        p50_s=_when(curve, arrives * 0.5),
        p95_s=_when(curve, arrives * 0.95),
        never=max(1.0 - arrives - curve.unreachable, 0.0),
        no_receipt=curve.unannounced / (curve.trust + curve.unannounced) if curve.unannounced else 0.0,
        unreachable=curve.unreachable,
        trust=curve.trust,
        doubt=curve.doubt,
    )


def _when(curve: Curve, p: float) -> float | None:
    """The time by which so much has arrived."""
    if p <= 0.0:
        return None
    low, high = 0.0, EDGES[-1]
    for _ in range(40):
        middle = (low + high) / 2.0
        if curve.p(middle) < p:
            low = middle
        else:
            high = middle
    return high
