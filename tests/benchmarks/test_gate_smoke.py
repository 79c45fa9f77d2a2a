"""The benchmark prints every figure that docs/content-gate.md and its readers rely on."""

from random import Random

from benchmarks.gate.run import gate


def test_the_figures_are_there(random: Random) -> None:
    found = gate(random.randrange(1 << 31), lambda line: None)
    assert (found["ok"], found["problems"]) == (True, [])
    assert found["lines"] == found["tuned"]["lines"] + found["held_out"]["lines"] >= 700
    assert found["languages"] == len(found["by_language"]) == 20
    assert 0 <= found["held_out"]["miss_rate"] <= 1
    assert 0 <= found["false_alarm_rate"] <= 1
    assert 0 < found["us_per_digits"] < found["us_per_short_value"] < found["us_per_160_chars"]
    assert set(found["miss_rate_by_disguise"]) >= {"confusable", "unseen", "full_width", "spaced", "signs"}
    assert max(found["miss_rate_by_disguise"].values()) < 0.15
