"""The benchmark by its command line, its report, and the cost-subsidy setting."""

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.routing import subsidy
from benchmarks.routing.report import write
from benchmarks.routing.run import measure
from benchmarks.routing.scores import Interval
from benchmarks.routing.targets import TARGETS, judged
from benchmarks.routing.world import WORLDS, load_world

FIGURES = ("in_time_share", "cost_per_job", "duplicates_per_job", "after_outage_missed")


def short_world(folder: Path) -> Path:
    """Two minutes of the world with silent losses."""
    text = (WORLDS / "silent.toml").read_text("utf-8")
    text = text.replace("duration_s = 1700.0", "duration_s = 160.0\nwarm_up_s = 30.0")
    file = folder / "silent.toml"
    file.write_text(text.replace("at_s = 500.0", "at_s = 80.0").replace("rate = 10.0", "rate = 3.0"))
    return file


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["benchmarks", "routing", *arguments])
    return command.main()


def result(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_one_object_with_the_agreed_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], random: Random
) -> None:
    world, seed = str(short_world(tmp_path)), str(random.randrange(1 << 31))
    arguments = ["--world", world, "--policy", "ours", "--policy", "static", "--seeds", "2", "--seed", seed]
    assert run(monkeypatch, "--json", *arguments) == 0
    found = result(capsys)
    assert (found["benchmark"], found["seeds"], list(found["worlds"])) == ("routing", 2, ["silent"])
    policies = found["worlds"]["silent"]["policies"]
    assert list(policies) == ["ours", "static", "oracle"]
    for figures in policies.values():
        for name in FIGURES:
            low, high = figures["intervals"][name]
            assert low <= figures[name] <= high
            assert math.isfinite(high)
    assert policies["oracle"]["in_time_ratio"] == 1.0
    assert policies["static"]["in_time_share"] < policies["ours"]["in_time_share"]
    assert set(policies["ours"]["targets"]) == {target.score for target in TARGETS["usual"]}
    bandits = subsidy.compare(1, horizon=200, runs=3)
    runs = measure(int(seed), [load_world(short_world(tmp_path))], ["thompson"], 1, lambda _: None)
    write(found, runs, bandits, tmp_path)
    page = (tmp_path / "routing-report.md").read_text("utf-8")
    assert "$" not in page
    assert "### silent" in page
    pictures = {file.name for file in (tmp_path / "routing").glob("*.png")}
    assert pictures == {"cost.png", "over_time.png", "subsidy.png", "targets.png"}
    assert all(f"(routing/{name})" in page for name in pictures)


def test_a_bad_world_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("says = 3\n")
    assert run(monkeypatch, "--world", str(file)) == 1
    told = capsys.readouterr().err
    assert f"{file}:1: says: 3 is not allowed here, expected text in quotes" in told
    assert f"{file}:1: traffic: is missing, expected a table" in told


def test_verdicts_look_at_the_whole_interval() -> None:
    target = TARGETS["usual"][0]
    verdicts = [judged(target, Interval(mean, 0.001))["verdict"] for mean in (0.9975, 0.9951, 0.9949, 0.9935)]
    assert verdicts == ["met", "unsure", "unsure", "missed"]
    assert [judged(target, Interval(mean, 0.001))["met"] for mean in (0.9951, 0.9949)] == [True, False]
    assert judged(TARGETS["usual"][3], Interval(math.nan, math.nan))["verdict"] == "none"


def test_the_wanted_arm_is_the_cheapest_that_is_good_enough() -> None:
    assert {setting.name: subsidy.wanted(setting) for setting in subsidy.SETTINGS} == {
        "clear": 1, "inside": 1, "outside": 0, "alike": 2, "dear": 1,
    }  # fmt: skip


def test_each_rule_wins_somewhere(random: Random) -> None:
    """As the report says: no cost regret for the subsidy's rules where the utility pays for quality."""
    found = subsidy.compare(random.randrange(1 << 31), horizon=3000, runs=10)
    assert found["clear"]["TS-CS"]["cost_regret"]["mean"] < found["clear"]["utility"]["cost_regret"]["mean"]
    for name in ("clear", "inside", "outside"):
        rules = found[name]
        lost = {rule: figures["utility_lost"]["mean"] for rule, figures in rules.items()}
        assert min(lost, key=lambda rule: lost[rule]) == "utility"
        assert rules["utility"]["quality_regret"]["mean"] < rules["UCB-CS"]["quality_regret"]["mean"]
