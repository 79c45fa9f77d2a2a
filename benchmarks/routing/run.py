"""The benchmark `routing`: worlds × policies × seeds, in two processes."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import facts
from benchmarks.processes import BenchmarkError
from benchmarks.routing.draws import draw
from benchmarks.routing.policies import POLICIES, policy
from benchmarks.routing.scores import Interval, Score, interval, score, timeline
from benchmarks.routing.simulation import simulate
from benchmarks.routing.targets import TARGETS, judged
from benchmarks.routing.world import World, load_world, shipped_worlds
from connector.config.problem import ConfigError

__all__ = ["SEEDS", "Found", "measure", "routing", "show", "told"]

SEEDS = 10
_PROCESSES = 2
_BEST = "oracle"
_JUDGED = ("ours", _BEST)  # the two that the targets compare
_SHOWN = ("in_time_share", "cost_per_job", "duplicates_per_job", "after_outage_missed", "utility")
_RATIOS = {
    "in_time_ratio": "in_time_share", "cost_ratio": "cost_per_job", "duplicates_ratio": "duplicates_per_job",
}  # fmt: skip

_HEAD = (
    f"  {'policy':13} {'in time':>8} {'to best':>9} {'cost':>7} {'to best':>9} {'extra':>7} {'to best':>9}"
    f" {'missed first':>13} {'regret':>8}"
)

Progress = Callable[[str], None]


class Found(NamedTuple):
    """By policy: the score of each seed, the shares in time of the first seed over time, jobs a second."""

    world: World
    scores: dict[str, list[Score]]
    timelines: dict[str, list[tuple[float, float]]]
    speeds: dict[str, float]


class _Task(NamedTuple):
    world: World
    seed: int
    policies: tuple[str, ...]


def routing(
    seed: int, worlds: Sequence[Path], policies: Sequence[str], seeds: int, progress: Progress
) -> dict[str, Any]:
    """The object that `--json` prints. Without worlds all that are shipped, without policies all there are.

    Raises BenchmarkError for a world that cannot be used: file, line, key, and what is expected there.
    """
    try:
        loaded = [load_world(file) for file in worlds or shipped_worlds()]
    except ConfigError as error:
        raise BenchmarkError(str(error)) from None
    return told(seed, seeds, measure(seed, loaded, policies or tuple(POLICIES), seeds, progress))


def told(seed: int, seeds: int, found: Sequence[Found]) -> dict[str, Any]:
    """What `measure` found, as one object."""
    return {
        "schema": 1,
        "benchmark": "routing",
        "seed": seed,
        "seeds": seeds,
        "machine": facts(),
        "worlds": {each.world.name: _world(each) for each in found},
        "problems": [],
        "ok": True,
    }


def measure(
    seed: int,
    worlds: Sequence[World],
    policies: Sequence[str],
    seeds: int,
    progress: Progress,
    others: int | None = None,
) -> list[Found]:
    """The same draws for every policy; the oracle is always among them, since all is compared to it.

    others  so many of the seeds, the first ones, for the policies that the targets do not compare
    """
    names = tuple(dict.fromkeys((*policies, _BEST)))
    judged = tuple(name for name in names if name in _JUDGED)
    most = seeds if others is None else others
    tasks = [
        _Task(world, seed + number, names if number < most else judged)
        for world in worlds
        for number in range(seeds)
    ]
    found = {world.name: Found(world, {name: [] for name in names}, {}, {}) for world in worlds}
    with ProcessPoolExecutor(min(_PROCESSES, len(tasks))) as pool:
        for task, results in zip(tasks, pool.map(_run, tasks), strict=True):
            into = found[task.world.name]
            for name, (scored, line, speed) in results.items():
                into.scores[name].append(scored)
                into.timelines.setdefault(name, line)
                into.speeds[name] = speed
            if len(into.scores[_BEST]) == seeds:
                progress(f"{task.world.name}: {seeds} seeds")
    return list(found.values())


def _run(task: _Task) -> dict[str, tuple[Score, list[tuple[float, float]], float]]:
    draws = draw(task.world, task.seed)
    results = {}
    for name in task.policies:
        began = time.process_time()
        jobs = simulate(task.world, draws, policy(name), task.seed)
        took = time.process_time() - began
        results[name] = score(task.world, jobs), timeline(jobs), len(jobs) / max(took, 1e-9)
    return results


def ratios(mine: Sequence[Score], best: Sequence[Score]) -> dict[str, Interval]:
    """Of each seed to the oracle's with the same draws; of the differences in utility, the regret."""
    best = best[: len(mine)]
    found = {}
    for name, of in _RATIOS.items():
        pairs = [(getattr(one, of), getattr(other, of)) for one, other in zip(mine, best, strict=True)]
        found[name] = interval([a / b if b else 1.0 if not a else math.inf for a, b in pairs])
    found["regret"] = interval([b.utility - a.utility for a, b in zip(mine, best, strict=True)])
    return found


def _world(found: Found) -> dict[str, Any]:
    best = found.scores[_BEST]
    return {
        "says": found.world.says,
        "targets": found.world.targets,
        "jobs_per_seed": round(sum(each.jobs for each in best) / len(best)),
        "policies": {name: _policy(found, name, best) for name in found.scores},
    }


def _policy(found: Found, name: str, best: Sequence[Score]) -> dict[str, Any]:
    scores = found.scores[name]
    figures = {key: interval([getattr(each, key) for each in scores]) for key in _SHOWN}
    figures |= ratios(scores, best)
    return {
        "seeds": len(scores),
        **{key: figure.rounded() for key, figure in figures.items()},
        "intervals": {key: figure.bounds() for key, figure in figures.items()},
        "targets": {
            target.score: judged(target, figures[target.score]) for target in TARGETS[found.world.targets]
        },
        "simulated_jobs_per_s": round(found.speeds[name]),
    }


def show(result: dict[str, Any]) -> None:
    """A table for each world; + target met, - missed, ? too near to tell."""
    marks = {"met": "+", "missed": "-", "unsure": "?", "none": " "}
    for name, world in result["worlds"].items():
        print(f"{name}: {world['says']}")
        print(_HEAD)
        for policy_name, figures in world["policies"].items():
            verdicts = {key: marks[target["verdict"]] for key, target in figures["targets"].items()}
            missed = figures["after_outage_missed"]
            print(
                f"  {policy_name:13} {figures['in_time_share']:8.4f} "
                f"{figures['in_time_ratio']:8.4f}{verdicts['in_time_ratio']} {figures['cost_per_job']:7.3f} "
                f"{figures['cost_ratio']:8.3f}{verdicts['cost_ratio']} {figures['duplicates_per_job']:7.3f} "
                f"{figures['duplicates_ratio']:8.3f}{verdicts['duplicates_ratio']} "
                f"{'' if missed is None else f'{missed:.4f}':>12}{verdicts['after_outage_missed']} "
                f"{figures['regret']:8.3f}"
            )
    for problem in result["problems"]:
        print(f"error: {problem}", file=sys.stderr)
