import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as TheirHistogram

from connector.metrics import Histogram
from connector.metrics.histogram import BATCH_SIZES, DELAYS, HANDSET_DELAYS, LATENCIES

VALUES = st.lists(st.floats(min_value=0, max_value=100) | st.sampled_from([0.1, 0.5, 1.0, 2.5]))
BOUNDS = (0.1, 0.5, 1.0, 2.5)


@given(VALUES)
def test_counts_the_same_as_the_library_does(values: list[float]) -> None:
    ours = Histogram(BOUNDS)
    theirs = TheirHistogram("theirs", "x", buckets=BOUNDS, registry=CollectorRegistry())
    for value in values:
        ours.observe(value)
        theirs.observe(value)
    (family,) = theirs.collect()
    cumulated = [sample.value for sample in family.samples if sample.name == "theirs_bucket"]
    assert [sum(ours.counts[: index + 1]) for index in range(len(ours.counts))] == cumulated
    assert ours.count == len(values)
    assert ours.sum == pytest.approx(sum(values))


@given(VALUES)
def test_many_at_once_count_as_one_by_one(values: list[float]) -> None:
    single, many = Histogram(BOUNDS), Histogram(BOUNDS)
    for value in values:
        single.observe(value)
    many.observe_many(values)
    assert many.counts == single.counts
    assert many.sum == pytest.approx(single.sum)


@pytest.mark.parametrize("bounds", [(), (1.0, 0.5), (1.0, 1.0)])
def test_bounds_must_ascend(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Histogram(bounds)


@pytest.mark.parametrize("bounds", [LATENCIES, DELAYS, HANDSET_DELAYS, BATCH_SIZES])
def test_the_shipped_bounds_are_usable(bounds: tuple[float, ...]) -> None:
    assert Histogram(bounds).counts == [0] * (len(bounds) + 1)
