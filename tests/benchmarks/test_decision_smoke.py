"""The benchmark itself, with few jobs: its figures are there, and its world is the one it tells of."""

from random import Random

from benchmarks.decision import LIMIT_US, decision


def test_each_part_of_a_decision_has_its_cost(random: Random) -> None:
    scenarios = {"busy": (1_000.0, 1_500), "quiet": (50.0, 300)}
    found = decision(random.randrange(1 << 31), lambda line: None, scenarios=scenarios)
    assert (found["ok"], found["problems"], found["limit_us"]) == (True, [], LIMIT_US)
    assert found["us_per_job"] == found["scenarios"]["busy"]["us_per_job"] > 0
    for figures in found["scenarios"].values():
        parts = figures["parts"]
        assert parts["analyse"] > 0
        assert parts["choose"] > 0
        assert abs(sum(parts.values()) - figures["us_per_job"]) < 0.01
        # Some are lost, and followed up; not everybody is sent everything twice.
        assert 1.0 < figures["sends_per_job"] < 2.0
