"""The pictures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from benchmarks.routing.world import World

__all__ = ["plot_bandits", "plot_cost", "plot_over_time", "plot_targets"]

_DPI: Final = 70
_COLOURS: Final = {
    "ours": "#0b6e4f", "oracle": "#000000", "static": "#c1121f", "round_robin": "#e07a5f", "ucb": "#577590",
    "voice_20s": "#f2a541", "voice_125s": "#b08968", "lowest_delay": "#8d6a9f", "thompson": "#4d908e",
}  # fmt: skip
_RULES: Final = ("#c1121f", "#577590", "#4d908e", "#0b6e4f")
_RATIOS: Final = (
    ("in_time_ratio", "in time ÷ oracle's"), ("cost_ratio", "cost ÷ oracle's"),
    ("duplicates_ratio", "extra sends ÷ oracle's"), ("after_outage_missed", "missed in the first minute"),
)  # fmt: skip

Timelines = Mapping[str, Sequence[tuple[float, float]]]


def _save(figure: Any, file: Path) -> None:
    figure.tight_layout()
    # Without the versions of programs a picture changes only with what it shows.
    figure.savefig(file, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)


def plot_over_time(worlds: Sequence[tuple[World, Timelines]], file: Path) -> None:
    """Share in time over the run of one seed, outages in grey."""
    rows = (len(worlds) + 1) // 2
    figure, axes = plt.subplots(rows, 2, figsize=(13, 2.3 * rows), sharey=True, squeeze=False)
    for axis in axes.flat[len(worlds) :]:
        axis.set_visible(False)
    for axis, (world, timelines) in zip(axes.flat, worlds, strict=False):
        for outage in world.outages:
            axis.axvspan(outage.at_s / 60, (outage.at_s + outage.for_s) / 60, color="#dddddd", linewidth=0)
        for name, line in timelines.items():
            axis.plot(
                [at / 60 for at, _ in line], [share for _, share in line], label=name, color=_COLOURS[name],
                linewidth=1.6 if name == "ours" else 0.9,
            )  # fmt: skip
        axis.set_title(world.name, fontsize=9, loc="left")
        axis.set_ylim(0.0, 1.02)
        axis.tick_params(labelsize=7)
    axes[0, 0].legend(fontsize=7, loc="lower left", ncols=2)
    figure.supxlabel("minutes", fontsize=9)
    figure.supylabel("codes in time", fontsize=9)
    _save(figure, file)


def plot_cost(worlds: Mapping[str, Any], file: Path) -> None:
    """Share in time against cost, a point for each policy."""
    rows = (len(worlds) + 3) // 4
    figure, axes = plt.subplots(rows, 4, figsize=(13, 2.9 * rows), squeeze=False)
    for axis in axes.flat[len(worlds) :]:
        axis.set_visible(False)
    for axis, (name, world) in zip(axes.flat, worlds.items(), strict=False):
        for policy, figures in world["policies"].items():
            marker, size = ("*", 9) if policy == "oracle" else ("o", 7 if policy == "ours" else 5)
            axis.plot(
                figures["cost_per_job"], figures["in_time_share"], marker, label=policy,
                color=_COLOURS[policy], markersize=size,
            )  # fmt: skip
        axis.set_title(name, fontsize=9, loc="left")
        axis.tick_params(labelsize=7)
    axes[0, 0].legend(fontsize=6)
    figure.supxlabel("cost of a job, in average messages", fontsize=9)
    figure.supylabel("codes in time", fontsize=9)
    _save(figure, file)


def plot_targets(worlds: Mapping[str, Any], policy: str, file: Path) -> None:
    """Each target in each world, with the 95 % interval; the limit in red."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 0.32 * len(worlds) + 1.4), sharey=True)
    names = list(worlds)
    for axis, (key, says) in zip(axes, _RATIOS, strict=True):
        for row, name in enumerate(names):
            figures = worlds[name]["policies"][policy]
            if figures[key] is None:
                continue
            limit = figures["targets"][key]["limit"]
            low, high = figures["intervals"][key] or (figures[key], figures[key])
            axis.plot([limit, limit], [row - 0.4, row + 0.4], color="#c1121f", linewidth=1.5)
            axis.plot([low, high], [row, row], color=_COLOURS[policy], linewidth=2)
            axis.plot(figures[key], row, "o", color=_COLOURS[policy], markersize=4)
        axis.set_title(says, fontsize=9)
        axis.tick_params(labelsize=8)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    _save(figure, file)


def plot_bandits(found: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """The cost-subsidy setting: three losses of each rule, on a scale that shows the small ones."""
    losses = ("quality_regret", "cost_regret", "utility_lost")
    figure, axes = plt.subplots(1, 3, figsize=(13, 2.8))
    for axis, loss in zip(axes, losses, strict=True):
        for place, setting in enumerate(found):
            for number, (rule, figures) in enumerate(found[setting].items()):
                at, height = place + 0.2 * (number - 1.5), max(figures[loss]["mean"], 0.01)
                axis.bar(at, height, 0.18, label=rule if not place else "", color=_RULES[number])
        axis.set_yscale("log")
        axis.set_xticks(range(len(found)), list(found), fontsize=8)
        axis.set_title(loss.replace("_", " ") + ", a thousand jobs", fontsize=9)
        axis.tick_params(labelsize=7)
    axes[0].legend(fontsize=7)
    _save(figure, file)
