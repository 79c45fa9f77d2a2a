"""`python -m benchmarks.routing.report`: docs/routing-report.md and its pictures, all from one run."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

from benchmarks.routing import subsidy
from benchmarks.routing.policies import POLICIES
from benchmarks.routing.prose import bandit_lines, budget_lines, missed_lines, rank_lines
from benchmarks.routing.run import SEEDS, Found, measure, told
from benchmarks.routing.targets import TARGETS
from benchmarks.routing.world import load_world, shipped_worlds

DOCS: Final = Path(__file__).parents[2] / "docs"
_PAGE: Final = Path(__file__).with_name("page.md")
_SEED = 1
_OTHERS = 3  # seeds of the policies that no target is about
_DRAWN = ("static", "thompson", "oracle", "ours")
_OURS = "ours"
_WORDS = {"met": "met", "missed": "**missed**", "unsure": "too near to tell", "none": "no outage"}
_COLUMNS = (
    ("in_time_share", 100.0, 2), ("cost_per_job", 1.0, 3), ("duplicates_per_job", 1.0, 3),
    ("after_outage_missed", 100.0, 2), ("regret", 1.0, 3),
)  # fmt: skip
_KEYS = ("in_time_ratio", "cost_ratio", "duplicates_ratio", "after_outage_missed")

Bandits = dict[str, dict[str, dict[str, Any]]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.report", description=__doc__)
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--others", type=int, default=_OTHERS, help="seeds of all policies but ours and the oracle"
    )
    parser.add_argument(
        "--results", type=Path, help="what `python -m benchmarks routing --json` printed, instead of a run"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="where to write")
    arguments = parser.parse_args()
    worlds = [load_world(file) for file in shipped_worlds()]
    if arguments.results is not None:
        result = json.loads(arguments.results.read_text("utf-8"))
        worlds = [world for world in worlds if world.name in result["worlds"]]
        found = measure(result["seed"], worlds, _DRAWN, 1, _progress)
    else:
        found = measure(arguments.seed, worlds, tuple(POLICIES), arguments.seeds, _progress, arguments.others)
        result = told(arguments.seed, arguments.seeds, found)
    write(result, found, subsidy.compare(result["seed"]), arguments.docs)
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def write(result: dict[str, Any], found: Sequence[Found], bandits: Bandits, docs: Path) -> None:
    """routing-report.md, and in routing/ the pictures and the figures as JSON; of `found` the timelines."""
    from benchmarks.routing import plots

    folder = docs / "routing"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        (each.world, {name: each.timelines[name] for name in _DRAWN if name in each.timelines})
        for each in found
    ]
    plots.plot_over_time(lines, folder / "over_time.png")
    plots.plot_cost(result["worlds"], folder / "cost.png")
    plots.plot_targets(result["worlds"], _OURS, folder / "targets.png")
    plots.plot_bandits(bandits, folder / "subsidy.png")
    (folder / "results.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    (docs / "routing-report.md").write_text(_page(result, bandits), "utf-8")


def _page(result: dict[str, Any], bandits: Bandits) -> str:
    worlds = result["worlds"]
    return Template(_PAGE.read_text("utf-8")).substitute(
        seeds=result["seeds"],
        seed=result["seed"],
        others=min(figures["seeds"] for world in worlds.values() for figures in world["policies"].values()),
        limits="\n".join(_limits()),
        verdict="\n".join(_verdict(worlds)),
        worlds="\n".join(line for name, world in worlds.items() for line in _world(name, world)).rstrip(),
        missed="\n".join(missed_lines(worlds)),
        ranks="\n".join(rank_lines(worlds)),
        budgets="\n".join(budget_lines(worlds)),
        bandits="\n".join(_bandits(bandits)),
        winners="\n".join(bandit_lines(bandits)),
    )


def _limits() -> Iterator[str]:
    for profile, targets in TARGETS.items():
        limits = (f"{'≥' if target.least else '≤'} {target.limit:g}" for target in targets)
        yield f"| {profile} | " + " | ".join(limits) + " |"


def _verdict(worlds: dict[str, Any]) -> Iterator[str]:
    targets = [target for world in worlds.values() for target in _ours(world)["targets"].values()]
    counts = Counter(target["verdict"] for target in targets)
    whole = sum(
        all(target["met"] for target in _ours(world)["targets"].values()) for world in worlds.values()
    )
    yield f"In {whole} of {len(worlds)} worlds the means meet every target. Of {len(targets)} targets"
    yield f"{counts['met']} are met and {counts['missed']} are missed with their whole interval,"
    yield f"{counts['unsure']} are too near to tell, {counts['none']} do not apply.\n"
    yield "| world | in time | cost | extra sends | missed in the first minute |"
    yield "|---|---|---|---|---|"
    for name, world in worlds.items():
        yield f"| {name} | " + " | ".join(_target(_ours(world), key) for key in _KEYS) + " |"


def _ours(world: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = world["policies"][_OURS]
    return figures


def _target(figures: dict[str, Any], key: str) -> str:
    target = figures["targets"][key]
    if figures[key] is None:
        return _WORDS[target["verdict"]]
    sign = "≥" if target["least"] else "≤"
    return f"{_with_half(figures, key)} ({sign} {target['limit']:g}: {_WORDS[target['verdict']]})"


def _with_half(figures: dict[str, Any], key: str, scale: float = 1.0, digits: int = 4) -> str:
    bounds = figures["intervals"][key]
    mean = f"{figures[key] * scale:.{digits}f}"
    return mean if bounds is None else f"{mean} ± {(bounds[1] - bounds[0]) / 2 * scale:.{digits}f}"


def _world(name: str, world: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{world['says']} {world['jobs_per_seed']:,} jobs a seed are counted.\n"
    yield "| policy | in time, % | cost | extra sends | missed in the first minute, % | regret |"
    yield "|---|---|---|---|---|---|"
    for policy, figures in world["policies"].items():
        columns = [policy]
        for key, scale, digits in _COLUMNS:
            columns.append("" if figures[key] is None else _with_half(figures, key, scale, digits))
        yield f"| {' | '.join(columns)} |"
    yield ""


def _bandits(found: Bandits) -> Iterator[str]:
    settings = {setting.name: setting for setting in subsidy.SETTINGS}
    yield "| setting | rule | quality regret | cost regret | utility lost |"
    yield "|---|---|---|---|---|"
    for name, rules in found.items():
        for number, (rule, figures) in enumerate(rules.items()):
            says = f"{name}: {settings[name].says} (alpha {settings[name].alpha:g})" if not number else ""
            losses = (
                f"{loss['mean']:.2f} ± {loss['half']:.2f} ({loss['second_half']:.2f})"
                for loss in figures.values()
            )
            yield f"| {says} | {rule} | {' | '.join(losses)} |"


if __name__ == "__main__":
    sys.exit(main())
