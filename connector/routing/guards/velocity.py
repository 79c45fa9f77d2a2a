"""Guards that count jobs of an application: to a block of numbers, to a country, at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .ask import NUMBER, Ask, Objection, Verdict
from .book import Book
from .gauge import Gauge
from .parts import Parts, merged, parts_of

if TYPE_CHECKING:
    from connector.config.guards import Limit, VelocityCountryGuard, VelocityGuard, VelocityPrefixGuard

__all__ = ["MOST_GAUGES", "Velocity", "VelocityApplication", "VelocityCountry", "VelocityPrefix"]

MOST_GAUGES: Final = 50_000
_SHOWN: Final = 10


class Velocity:
    """One gauge for each limit and key. Of more than MOST_GAUGES (about 13 MB) the half from which less was
    taken is forgotten.
    """

    name: str
    message: str
    field = NUMBER

    def __init__(self, dry_run: bool, limits: Sequence[Limit]) -> None:
        self.dry_run = dry_run
        self._limits = limits
        self.gauges: Book[Gauge] = Book(MOST_GAUGES, lambda gauge, now: gauge.at - now)

    def keys(self, ask: Ask) -> Sequence[str]:
        """Of each limit; empty: this job does not count."""
        raise NotImplementedError

    def of(self, ask: Ask, now: float) -> tuple[Gauge, ...]:
        """The gauges that count this job and those like it."""
        return tuple(
            self.gauges.get(_name(limit, key), partial(Gauge, limit.jobs, limit.within_s), now)
            for limit, key in zip(self._limits, self.keys(ask), strict=False)
        )

    def judge(self, gauges: Sequence[Gauge], now: float) -> Objection | None:
        wait_s = max((gauge.wait_s(now) for gauge in gauges), default=0.0)
        if wait_s <= 0.0:
            return None
        return Objection(self.name, self.dry_run, Verdict(self.message, self.field, round(wait_s, 3)))

    def dump(self, now: float) -> Parts:
        """Without gauges of which one alone was taken: they lose it."""
        gauges = self.gauges.entries

        def part(names: Sequence[str]) -> Any:
            return {name: gauge.at for name in names if (gauge := gauges[name]).at - now > gauge.step_s}

        return parts_of(gauges, MOST_GAUGES, part)

    def restore(self, parts: Any, now: float) -> None:
        limits = {_name(limit, ""): limit for limit in self._limits}
        for name, at in merged(parts, MOST_GAUGES).items():
            limit = limits.get(name[: name.index("|") + 1])
            if limit is not None:
                gauge = self.gauges.get(name, partial(Gauge, limit.jobs, limit.within_s), now)
                gauge.at = min(float(at), now + limit.within_s)

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        yield "entries", len(self.gauges.entries)
        full = sorted(
            ((gauge.at - now) / gauge.within_s, key)
            for key, gauge in self.gauges.entries.items()
            if gauge.at - now > gauge.step_s
        )
        yield (
            "fullest",
            [
                {"what": key.partition("|")[2], "used": round(min(used, 1.0), 3)}
                for used, key in reversed(full[-_SHOWN:])
            ],
        )


def _name(limit: Limit, key: str) -> str:
    return f"{limit.jobs}/{limit.within_s:g}|{key}"


class VelocityPrefix(Velocity):
    """To numbers that begin alike."""

    name = "velocity_prefix"
    message = "this application has sent too many jobs to numbers that begin so"

    def __init__(self, rules: VelocityPrefixGuard) -> None:
        super().__init__(rules.dry_run, rules.limits)
        self._digits = tuple(limit.last_digits for limit in rules.limits)

    def keys(self, ask: Ask) -> Sequence[str]:
        return [f"{ask.app} {ask.number[:-digits]}{'x' * digits}" for digits in self._digits]


class VelocityCountry(Velocity):
    """To countries where it is not usual."""

    name = "velocity_country"
    message = "this application has sent too many jobs to the number's country"

    def __init__(self, rules: VelocityCountryGuard) -> None:
        super().__init__(rules.dry_run, rules.limits)
        self._usual = frozenset(rules.usual)

    def keys(self, ask: Ask) -> Sequence[str]:
        country = ask.destination.country
        return () if country in self._usual else (f"{ask.app} {country}",) * len(self._limits)


class VelocityApplication(Velocity):
    """Wherever they go."""

    name = "velocity_application"
    message = "this application has sent too many jobs"
    field = ""

    def __init__(self, rules: VelocityGuard) -> None:
        super().__init__(rules.dry_run, rules.limits)

    def keys(self, ask: Ask) -> Sequence[str]:
        return (ask.app,) * len(self._limits)
