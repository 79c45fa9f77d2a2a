"""Guards of calls: how many at once, how many in a day, how long. By country."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from .ask import Objection, Verdict
from .daily import DAY_S
from .ranges import countries_of

if TYPE_CHECKING:
    from connector.config.guards import GuardRules

__all__ = ["Calls"]

_MOST_COUNTRIES: Final = 1_000


class Calls:
    """What runs now is not dumped: after a restart nothing runs."""

    def __init__(self, rules: GuardRules) -> None:
        self._running: dict[str, int] = {}
        self._day = -1
        self._today: dict[str, int] = {}
        self.configure(rules)

    def configure(self, rules: GuardRules) -> None:
        """Judge by these from now on; what runs and what was today stays."""
        self.rules = rules
        self._capped = countries_of(rules.high_cost.capped)

    def judge(self, country: str, now: float) -> Iterator[Objection]:
        """To a call now."""
        concurrent, daily = self.rules.voice_concurrent, self.rules.voice_daily
        most = self._limit(country, concurrent.countries, concurrent.listed, concurrent.most)
        if most and self._running.get(country, 0) >= most:
            message = "there are too many calls to the number's country now"
            yield Objection("voice_concurrent", concurrent.dry_run, Verdict(message))
        most = self._limit(country, daily.countries, daily.listed, daily.most)
        self._turn(now)
        if most and self._today.get(country, 0) >= most:
            again_s = round((self._day + 1) * DAY_S - now, 3)
            message = "there have been too many calls to the number's country today"
            yield Objection("voice_daily", daily.dry_run, Verdict(message, retry_after_s=again_s))

    def longest_s(self, country: str) -> tuple[float | None, bool]:
        """How long a call may last, and whether that is a dry run."""
        length = self.rules.voice_length
        own = length.countries.get(country)
        if own is None and country in self._capped:
            own = length.listed_s
        return (length.most_s if own is None else own), length.dry_run

    def started(self, country: str, now: float) -> None:
        self._turn(now)
        self._running[country] = self._running.get(country, 0) + 1
        self._today[country] = self._today.get(country, 0) + 1

    def ended(self, country: str) -> None:
        left = self._running.pop(country, 0) - 1
        if left > 0:
            self._running[country] = left

    def _limit(self, country: str, countries: Mapping[str, int], listed: int, most: int) -> int:
        own = countries.get(country)
        if own is not None:
            return own
        return listed if listed and country in self._capped else most

    def _turn(self, now: float) -> None:
        day = int(now // DAY_S)
        if day != self._day:
            self._day = day
            self._today = {}

    def dump(self) -> Any:
        return [self._day, self._today]

    def restore(self, state: Any) -> None:
        day, today = state
        if len(today) > _MOST_COUNTRIES or any(type(calls) is not int for calls in today.values()):
            raise ValueError("no calls by country")
        self._today = {str(country): calls for country, calls in today.items()}
        self._day = int(day)

    def overview(self, now: float) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """By guard: the countries it counts."""
        self._turn(now)
        rules = self.rules
        for name, counts, guard in (
            ("voice_concurrent", self._running, rules.voice_concurrent),
            ("voice_daily", self._today, rules.voice_daily),
        ):
            yield (
                name,
                [
                    {
                        "country": country,
                        "calls": calls,
                        "limit": self._limit(country, guard.countries, guard.listed, guard.most) or None,
                    }
                    for country, calls in sorted(counts.items())
                ],
            )
