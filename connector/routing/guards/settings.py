"""What one configuration says of guards, in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from connector.config.guards import GuardRules
    from connector.config.model import ApplicationFile

__all__ = ["GuardSettings", "guard_settings"]


class GuardSettings(NamedTuple):
    """countries  by application, of those that name some; budgets: of those that have one of their own, a
    day, in the currency of the prices.
    """

    rules: GuardRules
    countries: Mapping[str, frozenset[str]]
    budgets: Mapping[str, float]


def guard_settings(rules: GuardRules, applications: Iterable[ApplicationFile]) -> GuardSettings:
    """Of [guards] and [[application]]."""
    applications = tuple(applications)
    return GuardSettings(
        rules,
        {a.name: frozenset(a.countries) for a in applications if a.countries},
        {a.name: a.budget_per_day for a in applications if a.budget_per_day is not None},
    )
