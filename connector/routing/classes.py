"""What a job of each class is worth, in the currency of the price list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from connector.config.routing import JobClass

__all__ = ["DEFAULT", "Worth", "worths"]

DEFAULT = "default"
"""The class of jobs that name none, or one that is not configured."""


class Worth(NamedTuple):
    """value: of an arrival in time; annoyance: of an extra send, beside its price; extra_sends and cost: the
    most a job, on average over ten minutes.
    """

    value: float
    annoyance: float
    extra_sends: float
    cost: float


_DEFAULTS = (40.0, 1.0, 0.5, 1_000.0)


def worths(classes: Mapping[str, JobClass], mean_price: float) -> dict[str, Worth]:
    """By name of the class; `mean_price`: of the lane's average message. DEFAULT is always there."""
    rows = {
        name: (job_class.value, job_class.annoyance, job_class.extra_sends, job_class.cost)
        for name, job_class in classes.items()
    }
    rows.setdefault(DEFAULT, _DEFAULTS)
    return {
        name: Worth(value * mean_price, annoyance * mean_price, extra, cost * mean_price)
        for name, (value, annoyance, extra, cost) in rows.items()
    }
