"""The benchmark itself, with few jobs: it has every figure it promises, and accounts for every job."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from benchmarks.cycle import run
from benchmarks.cycle.daemon import Daemon
from benchmarks.cycle.measure import measure_daemon
from benchmarks.cycle.order import Order, Report
from benchmarks.cycle.scenarios import SCENARIOS, Scenario

REPOSITORY = Path(__file__).parents[2]
FIGURES = {"jobs_per_s", "cpu_s_per_10k", "rss_mb", "wire_p50_ms", "wire_p99_ms", "event_p99_ms"}


def small(name: str, **changes: object) -> Scenario:
    scenario = next(each for each in SCENARIOS if each.name == name)
    return dataclasses.replace(scenario, window=20, limit_s=20.0, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["full_speed", "paced_1000"])
def test_every_figure_is_there_and_every_job_arrived(name: str, random: Random) -> None:
    found = measure_daemon(small(name, jobs=100), random.randrange(1 << 31))
    assert found["problems"] == []
    assert found.keys() >= FIGURES
    assert all(found[figure] > 0 for figure in FIGURES)
    assert found["ended"] == {"delivered": 100}
    assert found["receipts_answered"] == 100


def test_missing_receipts_leave_jobs_open_and_that_is_no_problem(random: Random) -> None:
    found = measure_daemon(small("half_receipts", jobs=200), random.randrange(1 << 31))
    assert found["problems"] == []
    assert 0 < found["ended"]["delivered"] < 200
    assert found["ended"]["delivered"] == found["receipts_answered"]


def test_whole_jobs_follow_on_outstanding_ones(random: Random) -> None:
    found = measure_daemon(small("outstanding_200k", jobs=80, afterwards=40), random.randrange(1 << 31))
    assert found["problems"] == []
    assert found["ended"] == {}
    assert found["last_to_first"] > 0
    assert found["whole_jobs_per_s"] > 0


def test_share_of_the_round_trip_is_of_window_by_round_trip(random: Random) -> None:
    found = measure_daemon(small("rtt_50ms", jobs=80, smpp_window=10), random.randrange(1 << 31))
    assert found["problems"] == []
    assert found["limit_per_s"] == 200.0
    assert 0 < found["share_of_limit"] <= 1.0


def counts(**changes: int) -> dict[str, int]:
    whole = {"submits": 5, "accepted": 5, "receipts_sent": 5, "receipts_answered": 5}
    return whole | changes


def report(**changes: object) -> Report:
    whole = {"jobs": 5, "accepted": 5, "sent": 5, "final": 5, "outcomes": {"delivered": 5}}
    return Report(**(whole | changes))  # type: ignore[arg-type]


ORDER = Order(address="", jobs=5, rate=0.0, window=1, closes="final", seed=0)


def problems(seen: Report, carrier: dict[str, int]) -> str:
    return "; ".join(Daemon.complete(None, ORDER, seen, carrier))  # type: ignore[arg-type]


def test_complete_counts_are_no_problem() -> None:
    assert problems(report(), counts()) == ""


@pytest.mark.parametrize(
    ("seen", "carrier", "named"),
    [
        (report(), counts(submits=6), "submits seen by the carrier: 6, expected 5"),
        (report(sent=4), counts(), "jobs with an event `sent`: 4, expected 5"),
        (report(final=4, outcomes={"delivered": 4}), counts(), "jobs delivered: 4, expected 5"),
        (report(outcomes={"delivered": 4, "expired": 1}), counts(), "jobs ended otherwise: 1, expected 0"),
        (report(), counts(receipts_answered=4), "receipts answered: 4, expected 5"),
        (report(repeated=1), counts(), "events repeated: 1, expected 0"),
        (report(accepted=4, refused={"busy": 1}), counts(), "refused as busy: 1"),
    ],
)
def test_lost_and_doubled_jobs_are_named(seen: Report, carrier: dict[str, int], named: str) -> None:
    assert named in problems(seen, carrier)


def test_json_has_scenarios_machine_and_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SCENARIOS", (small("full_speed", jobs=50),))
    monkeypatch.setattr(run, "RIVAL_SCENARIOS", ())
    result = json.loads(json.dumps(run.cycle(7, (), lambda line: None)))
    assert result["ok"] is True
    assert result["seed"] == 7
    assert result["scenarios"].keys() == {"full_speed"}
    assert result["machine"].keys() >= {"cores", "python", "kernel", "uvloop", "commit"}


def test_an_unknown_scenario_is_refused_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "cycle", "--only", "full_sped"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert "full_speed" in done.stderr
