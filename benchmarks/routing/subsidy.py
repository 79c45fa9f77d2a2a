"""The setting of Sinha, Sankararaman, Kazerouni and Avadhanula, "Multi-armed Bandits with Cost Subsidy"
(AISTATS 2021): arms with unknown means and known costs, where an arm is good enough when its mean is at least
(1 - alpha) of the best one's, and the cheapest of these is wanted. Their three rules against our utility.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.scores import interval

__all__ = ["SETTINGS", "Setting", "compare", "wanted"]

Array = NDArray[np.float64]

VALUE: Final = 40.0


class Setting(NamedTuple):
    """`alpha`: the subsidy factor. Costs in average messages."""

    name: str
    says: str
    means: tuple[float, ...]
    costs: tuple[float, ...]
    alpha: float


SETTINGS: Final = (
    Setting(
        "clear",
        "the cheap arm is well within the subsidy, and worse by 4 points",
        (0.96, 0.92, 0.70),
        (1.3, 0.7, 0.5),
        0.1,
    ),
    Setting(
        "inside",
        "the cheap arm is half a point within the subsidy",
        (0.96, 0.869, 0.80),
        (1.3, 0.9, 0.7),
        0.1,
    ),
    Setting(
        "outside", "the cheap arm is half a point outside of it", (0.96, 0.859, 0.80), (1.3, 0.9, 0.7), 0.1
    ),
    Setting(
        "alike",
        "four carriers within a point of each other",
        (0.955, 0.95, 0.948, 0.945),
        (1.2, 1.0, 0.9, 0.8),
        0.01,
    ),
    Setting(
        "dear",
        "the best arm costs three times as much for one point",
        (0.96, 0.95, 0.60),
        (3.0, 1.0, 0.5),
        0.02,
    ),
)


class State:
    """Of many runs at once: rows are runs, columns arms."""

    def __init__(self, runs: int, arms: int, horizon: int, generator: np.random.Generator) -> None:
        self.pulls: Array = np.zeros((runs, arms))
        self.good: Array = np.zeros((runs, arms))
        self.horizon = horizon
        self.generator = generator

    @property
    def mean(self) -> Array:
        return self.good / np.maximum(self.pulls, 1.0)

    def radius(self) -> Array:
        return np.sqrt(2.0 * math.log(self.horizon) / np.maximum(self.pulls, 1e-9))

    def posterior(self) -> Array:
        """One draw for each arm."""
        return self.generator.beta(1.0 + self.good, 1.0 + self.pulls - self.good)


Rule = Callable[[State, Setting, int], NDArray[np.intp]]


def _cheapest(setting: Setting, enough: NDArray[np.bool_]) -> NDArray[np.intp]:
    cheapest: NDArray[np.intp] = np.where(enough, np.array(setting.costs), math.inf).argmin(axis=1)
    return cheapest


def explore_then_commit(state: State, setting: Setting, step: int) -> NDArray[np.intp]:
    """Each arm (T / K)^(2/3) times; then the cheapest whose upper bound reaches the subsidised lower one."""
    runs, arms = state.pulls.shape
    if step < arms * math.ceil((state.horizon / arms) ** (2 / 3)):
        return np.full(runs, step % arms)
    radius = state.radius()
    low = np.maximum(state.mean - radius, 0.0).max(axis=1, keepdims=True)
    return _cheapest(setting, np.minimum(state.mean + radius, 1.0) >= (1.0 - setting.alpha) * low)


def upper_bounds(state: State, setting: Setting, step: int) -> NDArray[np.intp]:
    """The cheapest whose upper bound reaches the subsidised best upper bound."""
    runs, arms = state.pulls.shape
    if step < arms:
        return np.full(runs, step)
    high = np.minimum(state.mean + state.radius(), 1.0)
    return _cheapest(setting, high >= (1.0 - setting.alpha) * high.max(axis=1, keepdims=True))


def thompson(state: State, setting: Setting, step: int) -> NDArray[np.intp]:
    """The cheapest whose draw reaches the subsidised best draw."""
    drawn = state.posterior()
    return _cheapest(setting, drawn >= (1.0 - setting.alpha) * drawn.max(axis=1, keepdims=True))


def utility(state: State, setting: Setting, step: int) -> NDArray[np.intp]:
    """The greatest value × draw - cost."""
    best: NDArray[np.intp] = (VALUE * state.posterior() - np.array(setting.costs)).argmax(axis=1)
    return best


RULES: Final[dict[str, Rule]] = {
    "ETC-CS": explore_then_commit, "UCB-CS": upper_bounds, "TS-CS": thompson, "utility": utility,
}  # fmt: skip


def wanted(setting: Setting) -> int:
    """The cheapest arm that is good enough."""
    enough = (1.0 - setting.alpha) * max(setting.means)
    arms = [arm for arm, mean in enumerate(setting.means) if mean >= enough - 1e-12]
    return min(arms, key=lambda arm: setting.costs[arm])


def compare(seed: int, horizon: int = 20_000, runs: int = 50) -> dict[str, dict[str, dict[str, Any]]]:
    """By setting and rule: quality and cost regret and what was lost in utility, per 1,000 jobs.

    Each with `half`, that of its 95 % interval, and `second_half`, the same of the second half of the jobs
    alone: regret that grows without end does not fall there.
    """
    return {
        setting.name: {name: _run(rule, setting, seed, horizon, runs) for name, rule in RULES.items()}
        for setting in SETTINGS
    }


def _run(rule: Rule, setting: Setting, seed: int, horizon: int, runs: int) -> dict[str, Any]:
    means, costs = np.array(setting.means), np.array(setting.costs)
    rewards = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 1])))
    state = State(
        runs, len(means), horizon, np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 2])))
    )
    target = wanted(setting)
    quality = np.maximum((1.0 - setting.alpha) * means.max() - means, 0.0)
    cost = np.maximum(costs - costs[target], 0.0)
    lost = (VALUE * means - costs).max() - (VALUE * means - costs)
    rows = np.arange(runs)
    begun: Array | None = None
    for step in range(horizon):
        if step == horizon // 2:
            begun = state.pulls.copy()
        arms = rule(state, setting, step)
        state.pulls[rows, arms] += 1.0
        state.good[rows, arms] += rewards.random(runs) < means[arms]
    assert begun is not None
    figures = {"quality_regret": quality, "cost_regret": cost, "utility_lost": lost}
    return {
        name: _per_thousand(state.pulls @ each, horizon)
        | {"second_half": _per_thousand((state.pulls - begun) @ each, horizon - horizon // 2)["mean"]}
        for name, each in figures.items()
    }


def _per_thousand(sums: Array, jobs: int) -> dict[str, float]:
    found = interval((sums / jobs * 1000.0).tolist())
    return {"mean": round(found.mean, 2), "half": round(found.half, 2)}
