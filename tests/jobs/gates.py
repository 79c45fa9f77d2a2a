"""A gate as the daemon makes it, at a time of the tests' own."""

from connector.config import Config
from connector.dispatch import Routing
from connector.jobs.gate import Gate, opt_outs
from connector.metrics import Metrics
from connector.routing.guards import Guards, guard_settings

NOW = 1_700_000_000.0


def gate_of(
    config: Config,
    key: bytes = b"k" * 32,
    next_row: int = 1,
    *,
    now: float = NOW,
    metrics: Metrics | None = None,
) -> Gate:
    guards = Guards(guard_settings(config.guards, config.applications), key, now)
    return Gate(
        config,
        key,
        next_row,
        lambda: now,
        Routing(config),
        opt_outs(config),
        guards,
        metrics or Metrics(),
        b"t" * 32,
    )
