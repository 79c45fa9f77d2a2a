"""The families of routes, journeys and job classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.metrics_core import Metric

from connector.metrics.classes import ClassMetrics
from connector.metrics.counters import BREAKER_STATES, Metrics
from connector.metrics.families import counter, counters, gauges, labelled
from connector.metrics.live import ClassLive, Live

__all__ = ["routing"]

_OF_CLASS: Final = ("class",)
_CLASS_COUNTERS: Final[tuple[tuple[str, str, Callable[[ClassMetrics], float]], ...]] = (
    ("class_jobs_finished", "Jobs in their final state, by class", lambda c: c.finished),
    (
        "class_deadline_misses",
        "Jobs not delivered before their deadline, by class",
        lambda c: c.deadline_misses,
    ),
    ("class_extra_sends", "Attempts that left beyond the first of their job", lambda c: c.extra_sends),
    ("class_cost", "Spent on attempts that left, in average messages", lambda c: c.cost),
)
_CLASS_BUDGETS: Final[tuple[tuple[str, str, Callable[[ClassLive], float]], ...]] = (
    (
        "extra_sends_per_job",
        "Attempts beyond the first, a job, over the last ten minutes",
        lambda c: c.extra_sends,
    ),
    ("extra_sends_per_job_limit", "The most the class allows of it", lambda c: c.extra_sends_limit),
    (
        "cost_per_job",
        "Spent a job over the last ten minutes, in average messages",
        lambda c: c.cost,
    ),
    ("cost_per_job_limit", "The most the class allows of it", lambda c: c.cost_limit),
)


def routing(metrics: Metrics, live: Live) -> Iterator[Metric]:
    """What the choice of routes did and knows."""
    yield from _follow_ups(metrics)
    yield from _routes(metrics, live)
    yield from _classes(metrics, live)
    yield counter("jobs_superseded", "Jobs stopped by a newer one for the same", metrics.jobs_superseded)
    yield gauges(
        "quiet_time_waiting",
        "Jobs that wait for the end of quiet hours",
        (),
        [((), live.quiet_hours_waiting)],
    )
    yield counters("lookup", "Questions about a number, by result", ("result",), labelled(live.lookups))


def _follow_ups(metrics: Metrics) -> Iterator[Metric]:
    yield counters(
        "follow_ups",
        "Further attempts of a job, by the reason why they left",
        ("carrier", "channel", "reason"),
        list(dict(metrics.follow_ups).items()),
    )


def _routes(metrics: Metrics, live: Live) -> Iterator[Metric]:
    of_carrier = ("carrier",)
    yield gauges(
        "breaker_open",
        "1 while the route gets trials only",
        of_carrier,
        [((route.name,), int(route.breaker_open)) for route in live.route_health],
    )
    changed = {(route.name, state): 0 for route in live.route_health for state in BREAKER_STATES}
    changed |= dict(metrics.breaker_changes)
    yield counters(
        "breaker_changes", "States entered by breakers", (*of_carrier, "state"), list(changed.items())
    )
    yield gauges(
        "route_arrival_ratio",
        "Probability that a message sent now arrives within the default deadline; absent: nothing is known",
        of_carrier,
        [
            ((route.name,), route.arrival_ratio)
            for route in live.route_health
            if route.arrival_ratio is not None
        ],
    )


def _classes(metrics: Metrics, live: Live) -> Iterator[Metric]:
    classes = dict(metrics.classes)
    for name, help, count in _CLASS_COUNTERS:
        samples = [((label,), count(counted)) for label, counted in classes.items()]
        yield counters(name, help, _OF_CLASS, samples)
    for name, help, read in _CLASS_BUDGETS:
        yield gauges(name, help, _OF_CLASS, [((each.name,), read(each)) for each in live.classes])
