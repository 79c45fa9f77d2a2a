"""Carriers that take less than we were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """`limit` PDUs a second in all are what the carrier takes; the daemon is configured for `tps`.

    carrier  options of the simulated carrier besides its rate
    binds    keys of [binds]
    """

    name: str
    says: str
    carrier: Mapping[str, str]
    limit: float = 100.0
    tps: float = 1000.0
    binds: Mapping[str, object] = field(default_factory=dict)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("one_bind", "one bind, 100 a second, configured for 1,000", {"throttle_tps": "100"}),
    Scenario(
        "rtt_50ms", "the same with answers after 50 ms",
        {"throttle_tps": "100", "response_delay": "fixed:0.05"},
    ),
    Scenario(
        "queue_full", "the same; turned away as MSGQFUL instead of THROTTLED",
        {"throttle_tps": "100", "throttle_status": "0x14"},
    ),
    Scenario(
        "two_binds", "two binds, 100 a second each", {"throttle_tps": "100"}, limit=200.0, binds={"count": 2},
    ),
    Scenario(
        "account", "two binds that share 100 a second",
        {"throttle_tps": "100", "throttle_scope": "account"}, binds={"count": 2, "rate_scope": "account"},
    ),
    Scenario(
        "account_untold", "the same, but the daemon takes it for a limit of each bind",
        {"throttle_tps": "100", "throttle_scope": "account"}, binds={"count": 2},
    ),
)  # fmt: skip
