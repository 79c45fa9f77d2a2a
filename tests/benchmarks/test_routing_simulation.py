"""The simulation against closed forms, and what makes its comparisons fair."""

import math
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.routing.draws import draw
from benchmarks.routing.job import Job
from benchmarks.routing.policies import POLICIES, policy
from benchmarks.routing.policies.oracle import sms_table
from benchmarks.routing.scores import Score, interval, score, timeline
from benchmarks.routing.simulation import simulate
from benchmarks.routing.truth import Truth
from benchmarks.routing.world import (
    Carrier,
    Deadline,
    Network,
    Outage,
    Traffic,
    Trunk,
    Users,
    World,
    load_world,
    shipped_worlds,
)

NORTH = Carrier("north", 0.05, 6.0, sigma=0.7, slow=0.0, loss=0.05, told=0.0, no_receipt=0.1)
EAST = Carrier("east", 0.06, 5.0, sigma=0.6, slow=0.0, loss=0.04, told=0.5, no_receipt=0.1)
VOICE = Trunk("voice", 0.12)
CHEAP = [name for name in POLICIES if name != "ours"]


def small(**changes: object) -> World:
    plain = World(
        says="small", duration_s=600.0, traffic=Traffic(10.0),
        networks=(Network("a", "DE"), Network("b", "FR")),
        carriers=(NORTH, EAST), trunks=(VOICE,), warm_up_s=0.0, name="small",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def run(world: World, seed: int, name: str = "static") -> list[Job]:
    return simulate(world, draw(world, seed), policy(name), seed)


def near(share: float, expected: float, count: int) -> bool:
    """Within five standard deviations of a binomial share: a failure of it is no accident."""
    return abs(share - expected) <= 5 * math.sqrt(expected * (1 - expected) / count) + 1e-9


def in_time(jobs: list[Job]) -> float:
    return sum(job.first_arrival <= job.deadline_at for job in jobs) / len(jobs)


@pytest.fixture
def seed(random: Random) -> int:
    return random.randrange(1 << 31)


@pytest.mark.parametrize("patience_s", [4.0, 30.0])
def test_one_carrier_is_as_its_distribution_says(seed: int, patience_s: float) -> None:
    traffic = Traffic(20.0, deadlines=(Deadline(patience_s),))
    world = small(carriers=(NORTH,), traffic=traffic, users=Users(unreachable=0.02))
    jobs = run(world, seed)
    expected = 0.98 * 0.95 * NormalDist().cdf(math.log(patience_s / 6.0) / 0.7)
    assert near(in_time(jobs), expected, len(jobs))
    assert abs(len(jobs) - 12_000) < 5 * math.sqrt(12_000)
    assert all(job.cost == 1.0 and job.sends == 1 for job in jobs)


def test_calls_are_as_their_trunk_says(seed: int) -> None:
    trunk = Trunk("voice", 0.12, setup_s=3.0, ring_s=4.0, heard_s=5.0, answers=0.7, capacity=1000, cps=100.0)
    world = small(carriers=(), trunks=(trunk,), traffic=Traffic(10.0, deadlines=(Deadline(12.0),)))
    jobs = run(world, seed)
    # 12 s are enough where setting up takes less than 12 - 5 - ringing.
    rings = [4.0 * (0.5 + (number + 0.5) / 1000) for number in range(1000)]
    set_up = sum(NormalDist().cdf(math.log((7.0 - ring) / 3.0) / 0.4) for ring in rings) / 1000
    assert near(in_time(jobs), 0.996 * 0.7 * set_up, len(jobs))


def test_a_trunk_has_no_more_calls_than_lines(seed: int) -> None:
    trunk = Trunk(
        "voice", 0.12, answers=1.0, setup_s=2.0, setup_sigma=0.01, ring_s=4.0, heard_s=6.0, capacity=3
    )
    world = small(carriers=(), trunks=(trunk,), traffic=Traffic(5.0, deadlines=(Deadline(60.0),)))
    jobs = [job for job in run(world, seed) if job.sends]
    # A call takes 12 s on average: three lines in 600 s, and those that wait at the end, and chance.
    assert 600 / 12 * 3 * 0.9 < len(jobs) < (600 + 60) / 12 * 3 * 1.1


def test_a_carrier_takes_no_more_than_its_rate(seed: int) -> None:
    world = small(carriers=(msgspec.structs.replace(NORTH, tps=4.0),), trunks=())
    sent = [job for job in run(world, seed) if job.sends]
    assert 4.0 * 600 * 0.97 < len(sent) <= 4.0 * 632 + 1


def test_the_same_seed_is_the_same_run(seed: int) -> None:
    world = load_world(next(file for file in shipped_worlds() if file.stem == "several"))
    world = msgspec.structs.replace(world, duration_s=250.0, warm_up_s=0.0)

    def once(name: str) -> list[tuple[float, float, int]]:
        return [(job.first_arrival, job.cost, job.sends) for job in run(world, seed, name)]

    for name in ("voice_20s", "thompson", "oracle"):
        assert once(name) == once(name)
    assert once("thompson") != [
        (job.first_arrival, job.cost, job.sends) for job in run(world, seed + 1, "thompson")
    ]


def test_policies_meet_the_same_draws(seed: int) -> None:
    """A job that two policies sent once, by the same carrier, arrived at the same instant or never."""
    world = small(users=Users(unreachable=0.1))
    one, other = run(world, seed, "static"), run(world, seed, "round_robin")
    assert [(job.accepted_at, job.network) for job in one] == [
        (job.accepted_at, job.network) for job in other
    ]
    both = [
        (a, b) for a, b in zip(one, other, strict=True)
        if a.sends == b.sends == 1 and a.flights[0].route == b.flights[0].route
    ]  # fmt: skip
    assert len(both) > 1000
    assert all(a.first_arrival == b.first_arrival for a, b in both)


def test_further_attempts_of_a_carrier_have_draws_of_their_own(seed: int) -> None:
    draws = draw(small(), seed)
    assert draws.of(7, 1, 0) != draws.of(7, 1, 1) != draws.of(7, 1, 2)
    assert draws.of(7, 1, 1) == draw(small(), seed).of(7, 1, 1)


def test_unreachable_handsets_fail_on_every_carrier_alike(seed: int) -> None:
    world = small(duration_s=100.0, users=Users(unreachable=1.0, told=0.0))
    assert in_time(run(world, seed, "oracle")) == 0.0


OUTAGES = {
    "hard": Outage("hard", ("north",), 100.0, 400.0),
    "down": Outage("down", ("north",), 100.0, 400.0),
    "throttle": Outage("throttle", ("north",), 100.0, 400.0, tps=1.0),
    "silent": Outage("silent", ("north",), 100.0, 400.0),
    "slow": Outage("slow", ("north",), 100.0, 400.0, factor=100.0),
    "fake": Outage("fake", ("north",), 100.0, 400.0),
}


@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_is_what_it_is_called(kind: str, seed: int) -> None:
    world = small(outages=(OUTAGES[kind],))
    within = [job for job in run(world, seed) if 105.0 < job.accepted_at < 465.0]
    by_north = [job for job in within if job.flights and job.flights[0].route == 0]
    if kind in {"hard", "down"}:
        assert not by_north
        assert in_time(within) > 0.9  # the next carrier of the list
        return
    # Static priority stays: it sees receipts at most.
    assert in_time(within) < 0.15
    heard = sum(job.flights[0].state == "arrived" for job in by_north) / max(1, len(by_north))
    assert heard > 0.95 if kind == "fake" else heard < 0.9
    if kind == "throttle":
        assert len(by_north) < 1.3 * 360


def test_nothing_leaves_after_its_deadline(seed: int) -> None:
    world = load_world(next(file for file in shipped_worlds() if file.stem == "bursts"))
    world = msgspec.structs.replace(world, duration_s=580.0)
    for name in ("static", "voice_20s", "thompson", "oracle"):
        for job in run(world, seed, name):
            assert all(flight.left_at < job.deadline_at for flight in job.flights)
            assert len(job.flights) <= world.max_attempts


@pytest.mark.parametrize("kind", ["silent", "fake", "slow"])
def test_nobody_is_better_than_the_oracle(kind: str, seed: int) -> None:
    world = small(duration_s=600.0, traffic=Traffic(6.0), outages=(OUTAGES[kind],))
    utilities: dict[str, list[float]] = {name: [] for name in CHEAP}
    for number in range(2):
        for name in CHEAP:
            utilities[name].append(score(world, run(world, seed + number, name)).utility)
    best = utilities.pop("oracle")
    for name, values in utilities.items():
        ahead = interval([value - top for value, top in zip(values, best, strict=True)])
        assert ahead.mean < 0.1, name


@pytest.mark.parametrize("kind", ["none", "fake", "silent"])
def test_the_oracle_knows_what_the_simulation_draws(kind: Any, seed: int) -> None:
    """Its curves of one attempt, against thousands of attempts and what was heard of them by 8 s."""
    share = {"fake": 0.3, "silent": 0.4}.get(kind)
    outages = () if share is None else (Outage(kind, ("east",), 0.0, 900.0, share=share),)
    users = Users(unreachable=0.1, told=0.5)
    world = small(
        carriers=(EAST,), trunks=(), networks=(Network("a", "DE"),), outages=outages, users=users,
        traffic=Traffic(20.0),
    )  # fmt: skip
    times = np.arange(200) * 0.25
    truth = Truth(world)
    table = sms_table(truth.fate(0, 0), users, times)
    jobs = run(world, seed)
    at = int(8.0 / 0.25)
    came = sum(job.first_arrival <= job.accepted_at + 8.0 for job in jobs) / len(jobs)
    assert near(came, 0.9 * float(table.hit[at]), len(jobs))
    ever = sum(job.first_arrival < math.inf for job in jobs) / len(jobs)
    assert near(ever, 0.9 * table.ever, len(jobs))

    def silent(job: Job) -> bool:
        heard = min(job.flights[0].told_at, job.converts_at)
        return heard > job.accepted_at + 8.0

    quiet = sum(map(silent, jobs)) / len(jobs)
    # A receipt takes 0.2 to 1.2 s more; the oracle reckons with the mean.
    expected = 0.9 * float(table.silent[at]) + 0.1 * float(table.unreachable[at])
    assert abs(quiet - expected) < 0.02
    nothing = sum(silent(job) and job.first_arrival == math.inf for job in jobs) / len(jobs)
    assert abs(nothing - 0.9 * float(table.never[at]) - 0.1 * float(table.unreachable[at])) < 0.02


def test_scores_count_what_they_say() -> None:
    world = small(warm_up_s=10.0, outages=(Outage("silent", ("north",), 100.0, 50.0),))
    jobs = [Job(0, 5.0, 35.0, 0), Job(1, 50.0, 80.0, 0), Job(2, 110.0, 140.0, 0), Job(3, 159.0, 189.0, 0)]
    jobs[1].first_arrival, jobs[1].cost, jobs[1].sends = 80.0, 1.0, 1
    jobs[2].first_arrival, jobs[2].cost, jobs[2].sends = 140.5, 2.5, 3
    jobs[3].first_arrival, jobs[3].cost, jobs[3].sends = 170.0, 1.0, 1
    found = score(world, jobs)
    expected = Score(3, 2 / 3, 1.5, 2 / 3, 0.5, 40.0 * 2 / 3 - 1.5 - 2 / 3)
    assert found == pytest.approx(expected)
    assert timeline(jobs)[1] == (52.5, 1.0)


def test_intervals_are_students() -> None:
    from scipy import stats

    values = [0.99, 0.97, 0.995, 0.98]
    found = interval(values)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert found.bounds() == pytest.approx([low, high], abs=1e-5)
    assert interval([1.0]).bounds() is None


def test_a_file_is_found_where_the_readme_says() -> None:
    assert {file.parent for file in shipped_worlds()} == {
        Path(__file__).parents[2] / "benchmarks/routing/worlds"
    }
