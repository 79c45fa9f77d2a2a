"""Metric families made from plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from connector.metrics.histogram import Histogram

__all__ = ["Labels", "counter", "counters", "gauges", "histograms", "labelled"]

Labels = tuple[str, ...]


def labelled(counts: Mapping[str, int]) -> list[tuple[Labels, int]]:
    return [((label,), count) for label, count in dict(counts).items()]


def counter(name: str, help: str, value: int) -> Metric:
    return CounterMetricFamily(f"connector_{name}", help, value=value)


def counters(
    name: str, help: str, labels: Labels, samples: Iterable[tuple[Labels, float]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"connector_{name}", help, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def gauges(
    name: str, help: str, labels: Labels, samples: Iterable[tuple[Labels, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"connector_{name}", help, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def histograms(
    name: str, help: str, labels: Labels, samples: Iterable[tuple[Labels, Histogram]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"connector_{name}", help, labels=labels)
    for values, histogram in samples:
        counts, total, cumulated = histogram.counts.copy(), histogram.sum, 0
        buckets = []
        for bound, count in zip((*histogram.bounds, "+Inf"), counts, strict=True):
            cumulated += count
            buckets.append((str(bound), cumulated))
        family.add_metric(values, buckets, sum_value=total)
    return family
