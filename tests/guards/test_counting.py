"""What counts: against exact counts, in bounded memory, with the stated errors."""

import math
import tracemalloc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.guards import Limit, SequentialGuard, VelocityGuard
from connector.routing.guards import meter, sequential, velocity
from connector.routing.guards.book import Book
from connector.routing.guards.conversion import Conversion, Share
from connector.routing.guards.gauge import Gauge
from connector.routing.guards.hashing import BLOCK, Hasher, tail_of
from connector.routing.guards.meter import Sketch, VelocityNumber
from connector.routing.guards.ranges import Prefixed
from connector.routing.guards.sequential import Sequential
from tests.guards.replay import KEY

START = 1.79e9


def number_guard(jobs: int, within_s: float, most: int = 1_000) -> VelocityNumber:
    return VelocityNumber(VelocityGuard(limits=(Limit(jobs=jobs, within_s=within_s),)), START, most)


def passes(guard: VelocityNumber, key: int, now: float) -> bool:
    if guard.judge(key, now) is not None:
        return False
    guard.take(key, now)
    return True


@given(
    jobs=st.integers(1, 6),
    pauses=st.lists(st.floats(0.0, 80.0), max_size=60),
    keys=st.lists(st.integers(0, 2), min_size=60, max_size=60),
)
def test_who_had_fewer_in_the_window_always_passes_and_nobody_twice_as_many(
    jobs: int, pauses: list[float], keys: list[int]
) -> None:
    within_s, now = 100.0, START
    guard = number_guard(jobs, within_s)
    gauges = [Gauge(jobs, within_s) for _ in range(3)]
    passed: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for pause_s, key in zip(pauses, keys, strict=False):
        now += pause_s
        window = [at for at in passed[key] if at > now - within_s]
        free = gauges[key].wait_s(now) == 0.0
        assert passes(guard, key, now) == free
        if free:
            gauges[key].take(now)
            passed[key].append(now)
            assert len(window) + 1 <= 2 * jobs
        else:
            assert len(window) >= jobs


@given(st.integers(1, 50), st.floats(1.0, 86_400.0), st.floats(0.0, 1e6))
def test_the_wait_that_is_told_is_enough(jobs: int, within_s: float, offset_s: float) -> None:
    now = START + offset_s
    guard = number_guard(jobs, within_s)
    while passes(guard, 7, now):
        pass
    objection = guard.judge(7, now)
    assert objection is not None and objection.verdict.retry_after_s is not None
    assert objection.verdict.retry_after_s <= within_s / jobs + 0.001
    assert passes(guard, 7, now + objection.verdict.retry_after_s + 0.001)


def test_memory_of_numbers_is_bounded_and_strangers_are_hardly_ever_taken_for_others(random: Random) -> None:
    """100,000 numbers over the exact ones, each with one job of three: 1 % may share all four cells with
    others; to be refused they would have to share them with numbers that are at their limit.
    """
    within_s = 600.0
    guard = number_guard(3, within_s, most=20_000)
    for index in range(60_000):
        assert passes(guard, random.getrandbits(64), START + index * 1e-3)
    assert len(guard) == 20_000
    assert sum(len(sketch.cells) for sketch in guard._sketches) == 4 * 65_536
    # What is at its limit stays so, in the sketch as well.
    busy = [random.getrandbits(64) for _ in range(300)]
    for key in busy:
        while passes(guard, key, START + 61.0):
            pass
    assert not any(passes(guard, key, START + 62.0) for key in busy)
    strangers = sum(not passes(guard, random.getrandbits(64), START + 62.0) for _ in range(20_000))
    assert strangers == 0
    # And when all is over, all is forgotten.
    later = START + 3.0 * within_s
    assert passes(guard, busy[0], later)
    assert len(guard) == 1


def test_a_sketch_is_never_early_and_late_as_seldom_as_stated(random: Random) -> None:
    sketch = Sketch()
    exact: dict[int, float] = {}
    for _ in range(32_768):
        key, at = random.getrandbits(64), random.uniform(1.0, 100.0)
        exact[key] = max(at, exact.get(key, 0.0))
        sketch.raise_to(key, at)
    assert all(sketch.get(key) >= at for key, at in exact.items())
    late = sum(sketch.get(random.getrandbits(64)) > 0.0 for _ in range(20_000)) / 20_000
    assert late <= 1.5 * (1.0 - math.exp(-32_768 / 65_536)) ** 4


def test_a_full_book_keeps_the_heavier_half() -> None:
    book: Book[list[float]] = Book(10, lambda value, now: value[0] - now)
    for index in range(10):
        book.get(f"{index}", lambda weight=float(index): [weight], 3.0)
    assert book.turned == 0
    book.get("new", lambda: [50.0], 3.0)
    assert book.turned == 1
    assert sorted(book.entries) == ["5", "6", "7", "8", "9", "new"]


@settings(max_examples=60)
@given(
    st.integers(1, 5),
    st.integers(1, 4),
    st.lists(st.integers(970, 1_040), min_size=1, max_size=40),
    st.booleans(),
)
def test_runs_are_those_of_a_plain_count(numbers: int, distance: int, ends: list[int], wide: bool) -> None:
    rules = SequentialGuard(numbers=numbers, distance=distance, within_s=1e6 / 2)
    guard = Sequential(rules, hasher := Hasher(KEY), START)
    seen: set[int] = set()
    for end in ends:
        value = 99_910_000_000 + end + (1_000 if wide else 0)
        seen.add(value)
        run, queue = {value}, [value]
        while queue:
            here = queue.pop()
            near = {other for other in seen - run if abs(other - here) <= distance}
            run |= near
            queue += near
        number = f"+{value}"
        found = guard.in_a_row(number, hasher.block(number[:-3]), tail_of(number) % BLOCK, 5, START)
        assert found == (len(run) > numbers)


def test_memory_of_blocks_is_bounded(random: Random) -> None:
    guard = Sequential(SequentialGuard(numbers=3), Hasher(KEY), START)
    for index in range(2 * sequential.MOST_BLOCKS):
        guard.in_a_row("+999100000500", random.getrandbits(64), 500, 0, START + index * 1e-3)
    assert len(guard._young) + len(guard._old) <= sequential.MOST_BLOCKS


@pytest.mark.parametrize(
    ("count", "least", "most_octets"),
    [
        ("numbers", 100_000, 12e6),
        ("blocks", 25_000, 5e6),
        ("gauges", 50_000, 18e6),
        ("shares", 50_000, 18e6),
    ],
)
def test_memory_is_what_the_guide_says(random: Random, count: str, least: int, most_octets: float) -> None:
    tracemalloc.start()
    kept: object
    if count == "numbers":
        kept = guard = number_guard(3, 600.0, meter.MOST_NUMBERS)
        for _ in range(least):
            passes(guard, random.getrandbits(64), START)
        assert len(guard) == least
    elif count == "blocks":
        kept = blocks = Sequential(SequentialGuard(numbers=3), Hasher(KEY), START)
        for _ in range(least):
            blocks.in_a_row("+999100000500", random.getrandbits(64), random.randrange(2, 998), 0, START)
    elif count == "gauges":
        kept = gauges = Book[Gauge](velocity.MOST_GAUGES, lambda gauge, now: 1.0)
        for index in range(least):
            gauges.get(f"300/3600|login +9991{index:04d}xxxx", lambda: Gauge(300, 3_600.0), START).take(START)
    else:
        kept = shares = Book[Share](50_000, lambda share, now: 1.0)
        for index in range(least):
            shares.get(f"login +9991{index:04d}xxxx", lambda: Share(50.0, START + 1e-3), START)
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept is not None
    print(count, octets)
    assert octets < most_octets, f"{octets / 1e6:.1f} MB"


def test_conversions_wait_in_bounded_memory() -> None:
    from connector.config.guards import ConversionGuard

    guard = Conversion(ConversionGuard(floor=0.1), START)
    share = (Share(50.0, START),)
    for _ in range(50_000):
        guard.count(share, START)
    guard.slide(START + 3.0)
    assert sum(map(len, guard._waiting)) <= 10_000


def test_hashes_depend_on_the_key_and_on_every_digit() -> None:
    one, other = Hasher(b"one"), Hasher(b"another")
    assert one.block("+99910000") != other.block("+99910000")
    assert len({one.block(f"+9991000{digit}") for digit in range(10)}) == 10
    assert len(set(one.offsets)) == BLOCK
    assert one.offsets != other.offsets


@given(
    st.dictionaries(
        st.text("0123456789", min_size=1, max_size=6).map("+".__add__), st.integers(), max_size=8
    ),
    st.text("0123456789", min_size=1, max_size=8).map("+".__add__),
)
def test_the_longest_prefix_is_found(table: dict[str, int], number: str) -> None:
    fitting = [prefix for prefix in table if number.startswith(prefix)]
    expected = table[max(fitting, key=len)] if fitting else None
    assert Prefixed(table).find(number) == expected
