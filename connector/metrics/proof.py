"""The families of what may be said, who may be sent to, and the evidence of it."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from connector.metrics.counters import Metrics
from connector.metrics.families import counter, counters, gauges, labelled
from connector.metrics.live import Live

__all__ = ["proof"]


def proof(metrics: Metrics, live: Live) -> Iterator[Metric]:
    """What the gate and the guards did, and how far the evidence is."""
    refused = labelled(metrics.content_refused)
    yield counters("content_refused", "Jobs refused for their wording, by rule", ("rule",), refused)
    yield counters(
        "guard_hits",
        "Jobs that a guard refused, or in its dry run would have refused",
        ("guard", "action"),
        [((hit.guard, hit.action), hit.jobs) for hit in live.guard_hits],
    )
    yield counter("order_events_dropped", "Order events that came too late", metrics.order_events_dropped)
    yield counter("evidence_records", "Records of evidence", metrics.evidence_records)
    if live.evidence_published_at is not None:
        yield gauges(
            "evidence_published_timestamp_seconds",
            "When the head of the evidence was last told to the log",
            (),
            [((), live.evidence_published_at)],
        )
