"""The sentences of the report follow from the figures, whatever these are."""

from typing import Any

from benchmarks.routing.prose import bandit_lines, budget_lines, missed_lines, rank_lines
from benchmarks.routing.run import measure
from benchmarks.routing.scores import Interval
from benchmarks.routing.targets import TARGETS, judged
from benchmarks.routing.world import Carrier, Network, Traffic, World


def figures(in_time: float, cost: float, regret: float, **more: float) -> dict[str, Any]:
    found = {
        "in_time_ratio": in_time, "cost_ratio": cost, "regret": regret, "duplicates_ratio": 1.0,
        "after_outage_missed": 0.01, "duplicates_per_job": 0.1, "cost_per_job": 1.2,
    } | more  # fmt: skip
    targets = {
        target.score: judged(target, Interval(found[target.score], 0.001)) for target in TARGETS["usual"]
    }
    return {**found, "targets": targets}


def worlds(ours: dict[str, Any], static: dict[str, Any]) -> dict[str, Any]:
    oracle = figures(1.0, 1.0, 0.0)
    return {
        name: {"policies": {"static": static, "ours": ours, "oracle": oracle}} for name in ("calm", "slow")
    }


def test_what_misses_is_named_with_its_figure() -> None:
    good, bad = figures(0.999, 1.02, 0.1), figures(0.9, 1.07, 0.1)
    found = worlds(good, good)
    assert all(line.endswith("the mean meets it everywhere.") for line in missed_lines(found))
    found["slow"]["policies"]["ours"] = bad
    assert list(missed_lines(found))[:2] == [
        "- *codes in time*, of the oracle's: the mean misses the target in slow (0.9000 against 0.995).",
        "- *cost*, times the oracle's: the mean misses the target in slow (1.0700 against 1.06).",
    ]


def test_the_first_is_whoever_it_is() -> None:
    ours, static = figures(0.99, 1.05, 0.1), figures(0.8, 0.9, 4.0)
    assert list(rank_lines(worlds(ours, static))) == [
        "- The oracle apart, the most codes in time: ours in all 2 worlds.",
        "- The oracle apart, the lowest cost: static in all 2 worlds.",
        "- The oracle apart, the least regret: ours in all 2 worlds.",
    ]
    found = worlds(ours, static)
    found["slow"]["policies"] = worlds(static, ours)["slow"]["policies"]
    assert next(rank_lines(found)) == (
        "- The oracle apart, the most codes in time: ours in calm; static in slow."
    )


def test_budgets_that_would_have_bound_are_told() -> None:
    plain, much = figures(1.0, 1.0, 0.0), figures(1.0, 1.0, 0.0, duplicates_per_job=1.7)
    assert "more than any run took" in " ".join(budget_lines(worlds(plain, plain)))
    assert "less than the average of the whole run in calm and slow." in " ".join(
        budget_lines(worlds(much, plain))
    )


def test_rules_within_each_others_intervals_are_named_together() -> None:
    def loss(mean: float, half: float = 0.1, second: float = 0.0) -> dict[str, float]:
        return {"mean": mean, "half": half, "second_half": second}

    rules = {
        "one": {"quality_regret": loss(0.3), "cost_regret": loss(5.0, second=6.0), "utility_lost": loss(2.0)},
        "two": {"quality_regret": loss(0.2), "cost_regret": loss(1.0), "utility_lost": loss(1.0)},
        "three": {"quality_regret": loss(4.0), "cost_regret": loss(1.1), "utility_lost": loss(1.0, 2.0)},
    }
    assert list(bandit_lines({"clear": rules})) == [
        (
            "- *clear*: least quality regret: one and two; least cost regret: two and three; "
            "least loss of utility: two and three."
        ),
        "- Regret that does not fall in the second half: one (clear).",
    ]


def test_policies_that_no_target_is_about_run_fewer_seeds() -> None:
    world = World(
        says="short", duration_s=30.0, traffic=Traffic(2.0), networks=(Network("a", "DE"),),
        carriers=(Carrier("north", 0.05, 4.0),), warm_up_s=0.0, name="short",
    )  # fmt: skip
    (found,) = measure(1, [world], ["static", "ours"], 3, lambda _: None, 2)
    assert {name: len(scores) for name, scores in found.scores.items()} == {
        "static": 2, "ours": 3, "oracle": 3,
    }  # fmt: skip
