"""What the router knows, as rows for operators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from connector.routing.arrival import ArrivalModel, Cell, RouteReport
from connector.routing.breaker import Breakers
from connector.routing.throttling import Throttling

__all__ = ["route_rows"]


def route_rows(
    reports: Iterable[RouteReport], model: ArrivalModel, breakers: Breakers, throttling: Throttling,
    deadline_s: float, now: float,
) -> list[dict[str, Any]]:  # fmt: skip
    """The model's `reports`, and of each its chance within `deadline_s` and its breaker."""
    rows = []
    for report in reports:
        row = msgspec.structs.asdict(report)
        curve = model.curve(report.route, report.channel, Cell(report.country, report.network), now)
        row["in_time"] = curve.p(deadline_s)
        row["throttled"] = throttling.share(report.route)
        breaker = breakers.find(report.route, report.country)
        row["breaker"] = breaker.state if breaker is not None else "closed"
        row["breaker_since"] = breaker.opened_at if breaker is not None else None
        row["breaker_reason"] = str(breaker.kind) if breaker is not None else ""
        rows.append(row)
    return rows
