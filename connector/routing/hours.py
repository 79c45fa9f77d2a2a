"""Quiet hours in the recipient's local time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import inf
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.config.routing import QuietHours

from .destination import Destination
from .zones import zones

__all__ = ["Hours"]

_MINUTE_S: Final = 60
# Each round passes the quiet hours of one zone at least; two days hold those of all zones twice.
_ROUNDS: Final = 128
_HORIZON_S: Final = 172_800
_CACHED: Final = 4_096


class Hours:
    """[quiet_hours] of one configuration. Raises ValueError where this host does not know the zone."""

    def __init__(self, settings: QuietHours) -> None:
        self._begin, self._end = time.fromisoformat(settings.from_), time.fromisoformat(settings.until)
        try:
            self._usual = (ZoneInfo(settings.zone),)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f'"{settings.zone}" is no time zone of this host') from error
        self._zones: dict[tuple[str, ...], tuple[ZoneInfo, ...]] = {(): self._usual}
        # Quiet hours and the offsets of zones change at whole minutes only: within one, an answer holds.
        self._answers: dict[tuple[str, ...], tuple[int, float | None]] = {}

    def closed_until(self, number: str, destination: Destination, now: float) -> float | None:
        """When the quiet hours end that the number is in at `now`; None when it is in none.

        A number that may be in several zones is quiet while any of them is; inf where, on this day and the
        next, one of them always is. `destination` is `analyse(number)`.
        """
        names = zones(number, destination)
        minute = int(now // _MINUTE_S)
        found = self._answers.get(names)
        if found is None or found[0] != minute:
            if len(self._answers) >= _CACHED:
                self._answers.clear()
            found = self._answers[names] = minute, self._until(self._known(names), minute * _MINUTE_S)
        return found[1]

    def _known(self, names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
        found = self._zones.get(names)
        if found is None:
            found = self._zones[names] = tuple(_loaded(names)) or self._usual
        return found

    def _until(self, where: tuple[ZoneInfo, ...], now: float) -> float | None:
        at = now
        for _ in range(_ROUNDS):
            opens = max(self._opens(zone, at) for zone in where)
            if opens == at:
                return None if at == now else at
            at = opens
            if at > now + _HORIZON_S:
                break
        return inf

    def _opens(self, zone: ZoneInfo, at: float) -> float:
        """The first minute from `at` on that is not quiet there."""
        if not self._is_quiet(zone, at):
            return at
        local = datetime.fromtimestamp(at, zone)
        day = local.date() if local.time() < self._end else local.date() + timedelta(days=1)
        end = datetime.combine(day, self._end, zone)
        after, before = end.timestamp(), end.replace(fold=1).timestamp()
        # Where clocks leap over the end, it is at neither of the two: quiet before the leap, not after it.
        while before < after and after - before > _MINUTE_S:
            middle = (before + after) // 2 // _MINUTE_S * _MINUTE_S
            if self._is_quiet(zone, middle):
                before = middle
            else:
                after = middle
        return after if after > at else before

    def _is_quiet(self, zone: ZoneInfo, at: float) -> bool:
        clock = datetime.fromtimestamp(at, UTC).astimezone(zone).time()
        if self._begin <= self._end:
            return self._begin <= clock < self._end
        return clock >= self._begin or clock < self._end


def _loaded(names: tuple[str, ...]) -> list[ZoneInfo]:
    """Those that this host knows: its table of zones may be older than the numbers'."""
    found = []
    for name in names:
        try:
            found.append(ZoneInfo(name))
        except (ZoneInfoNotFoundError, OSError):
            continue
    return found
