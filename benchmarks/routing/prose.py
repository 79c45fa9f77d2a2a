"""What the report says of its figures: every sentence is computed, so that it is true of any run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from connector.config.routing import JobClass

__all__ = ["bandit_lines", "budget_lines", "missed_lines", "rank_lines"]

_OURS: Final = "ours"
_ORACLE: Final = "oracle"
_TARGETS: Final = (
    ("in_time_ratio", "codes in time", "of the oracle's"), ("cost_ratio", "cost", "times the oracle's"),
    ("duplicates_ratio", "extra sends", "times the oracle's"),
    ("after_outage_missed", "missed in the first minute", "of the codes"),
)  # fmt: skip
_LOSSES: Final = (
    ("quality_regret", "quality regret"), ("cost_regret", "cost regret"), ("utility_lost", "loss of utility"),
)  # fmt: skip

Worlds = dict[str, Any]
Bandits = dict[str, dict[str, dict[str, Any]]]


def missed_lines(worlds: Worlds) -> Iterator[str]:
    """For each target, where the mean of ours does not meet it."""
    for key, says, of in _TARGETS:
        missed = []
        for name, world in worlds.items():
            figures = world["policies"][_OURS]
            target = figures["targets"][key]
            if not target["met"]:
                missed.append(f"{name} ({figures[key]:.4f} against {target['limit']:g})")
        where = (
            f"the mean misses the target in {_among(missed)}" if missed else "the mean meets it everywhere"
        )
        yield f"- *{says}*, {of}: {where}."


def rank_lines(worlds: Worlds) -> Iterator[str]:
    """Who comes first, but for the oracle; by ratios to it over the same seeds: not all ran all of them."""
    yield _ranks(worlds, "in_time_ratio", "the most codes in time", max)
    yield _ranks(worlds, "cost_ratio", "the lowest cost", min)
    yield _ranks(worlds, "regret", "the least regret", min)


def _ranks(worlds: Worlds, key: str, says: str, best: Callable[..., str]) -> str:
    firsts: dict[str, list[str]] = {}
    for name, world in worlds.items():
        figures = {policy: each[key] for policy, each in world["policies"].items() if policy != _ORACLE}
        firsts.setdefault(best(figures, key=lambda policy: figures[policy]), []).append(name)
    parts = []
    for policy, names in sorted(firsts.items(), key=lambda item: -len(item[1])):
        where = f"all {len(worlds)} worlds" if len(names) == len(worlds) else _among(names)
        parts.append(f"{policy} in {where}")
    return f"- The oracle apart, {says}: {'; '.join(parts)}."


def budget_lines(worlds: Worlds) -> Iterator[str]:
    """What the budgets of a class without any of its own would have had to say."""
    usual = JobClass()
    sends = {name: world["policies"][_OURS]["duplicates_per_job"] for name, world in worlds.items()}
    costs = {name: world["policies"][_OURS]["cost_per_job"] for name, world in worlds.items()}
    over = [name for name in worlds if sends[name] > usual.extra_sends or costs[name] > usual.cost]
    yield "Budgets are off here: they protect a purse, and would hide what the utility decides (a world may"
    yield "set `extra_sends` of its utility). Ours sent"
    yield f"{min(sends.values()):.3f} to {max(sends.values()):.3f} extra messages a job, on average over a"
    yield f"run, and spent {min(costs.values()):.2f} to {max(costs.values()):.2f} average messages. A class"
    yield f"without budgets of its own allows {usual.extra_sends:g} and {usual.cost:g}, averaged over ten"
    if over:
        yield f"minutes: less than the average of the whole run in {_among(over)}."
    else:
        yield "minutes: more than any run took on average. In the worst minutes they may bind all the same."


def bandit_lines(found: Bandits) -> Iterator[str]:
    """By setting, which rules lose least; those within each other's intervals together."""
    for setting, rules in found.items():
        parts = []
        for key, says in _LOSSES:
            losses = {rule: figures[key] for rule, figures in rules.items()}
            least = min(loss["mean"] + loss["half"] for loss in losses.values())
            first = [rule for rule, loss in losses.items() if loss["mean"] - loss["half"] <= least]
            whose = "no rule less than another" if len(first) == len(losses) else _among(first)
            parts.append(f"least {says}: {whose}")
        yield f"- *{setting}*: {'; '.join(parts)}."
    growing = [
        f"{rule} ({setting})"
        for setting, rules in found.items()
        for rule, figures in rules.items()
        if _grows(figures["quality_regret"]) or _grows(figures["cost_regret"])
    ]
    if growing:
        yield f"- Regret that does not fall in the second half: {_among(growing)}."


def _grows(loss: dict[str, float]) -> bool:
    return loss["second_half"] >= loss["mean"] > 0.01


def _among(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
