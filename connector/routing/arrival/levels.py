"""The levels that exist: channel, route by hour of the day, route, country, network; and how many may."""

from __future__ import annotations

from typing import Final, TypeVar

from connector.routing.arrival.level import Leaf, Level
from connector.routing.arrival.prior import hazards_of
from connector.routing.arrival.settings import ArrivalSettings, Cell
from connector.routing.arrival.shift import Shift
from connector.routing.arrival.use import Use

__all__ = ["HOURS_HALF_LIFE_S", "Levels"]

_K = TypeVar("_K")
_L = TypeVar("_L", bound=Level)

HOURS_HALF_LIFE_S: Final = 3.0 * 86400.0
_GROUPS: Final = 2  # countries and hours of routes may be so many times the cells


class Levels:
    """Levels by key, oldest use first to go. A level that went is in its parents already."""

    def __init__(self, settings: ArrivalSettings, now: float) -> None:
        self._settings = settings
        self._now = now
        self.channels: dict[str, Level] = {}
        self.hours: dict[tuple[str, str, str], Level] = {}
        self.routes: dict[tuple[str, str], Level] = {}
        self.countries: dict[tuple[str, str, str], Level] = {}
        self.leaves: dict[tuple[str, str, Cell], Leaf] = {}
        self.uses: dict[tuple[str, str], Use] = {}

    def channel(self, channel: str) -> Level:
        level = self.channels.get(channel)
        if level is None:
            if len(self.channels) >= 16:
                channel = next(iter(self.channels))
                return self.channels[channel]
            level = self.channels[channel] = Level((channel,), None, 0.0, 1.0, self._now)
            level.hazards, level.failing = hazards_of(channel)
        return level

    def hour(self, route: str, channel: str, at: float) -> Level:
        """What is usual for the route at this hour of the day (UTC)."""
        key = (route, channel, str(int(at // 3600.0) % 24))
        level = self.hours.get(key)
        if level is None:
            _make_room(self.hours, self._settings.cells * _GROUPS)
            level = self.hours[key] = Level(
                key, self.channel(channel), self._settings.ratio, HOURS_HALF_LIFE_S, at
            )
        level.used_at = at
        return level

    def route(self, route: str, channel: str, at: float) -> Level:
        key = (route, channel)
        level = self.routes.get(key)
        if level is None:
            _make_room(self.routes, self._settings.cells)
            above = self.hour(route, channel, at)
            level = self.routes[key] = Level(key, above, self._settings.ratio, self._settings.half_life_s, at)
            level.shift = Shift(self._settings.half_life_s / 5.0, at)
        level.used_at = at
        return level

    def use(self, route: str, channel: str, at: float) -> Use:
        key = (route, channel)
        use = self.uses.get(key)
        if use is None:
            if len(self.uses) >= self._settings.cells:
                del self.uses[next(iter(self.uses))]
            use = self.uses[key] = Use(self._settings.half_life_s / 2.0, at)
        return use

    def country(self, route: str, channel: str, country: str, at: float) -> Level:
        key = (route, channel, country)
        level = self.countries.get(key)
        if level is None:
            _make_room(self.countries, self._settings.cells * _GROUPS)
            above = self.route(route, channel, at)
            level = self.countries[key] = Level(
                key, above, self._settings.ratio_within, self._settings.half_life_s, at
            )
        level.used_at = at
        return level

    def leaf(self, route: str, channel: str, cell: Cell, at: float) -> Leaf:
        key = (route, channel, cell)
        leaf = self.leaves.get(key)
        if leaf is None:
            _make_room(self.leaves, self._settings.cells)
            country, network = cell
            above = self.country(route, channel, country, at)
            top = self.route(route, channel, at)
            words = (route, channel, country, network)
            leaf = self.leaves[key] = Leaf(
                words, above, top, self._settings.ratio_within, self._settings.half_life_s, at
            )
        leaf.used_at = at
        return leaf

    def nearest(self, route: str, channel: str, cell: Cell, now: float) -> Level:
        """The lowest level that exists, to read from: a question creates no cell."""
        found: Level | None = self.leaves.get((route, channel, cell))
        if found is None:
            found = self.countries.get((route, channel, cell[0])) or self.routes.get((route, channel))
        return self.channel(channel) if found is None else found


def _make_room(levels: dict[_K, _L], most: int) -> None:
    """The least recently used tenth goes when there are as many as there may be."""
    if len(levels) < max(most, 1):
        return
    oldest = sorted(levels, key=lambda key: levels[key].used_at)
    for key in oldest[: max(1, len(oldest) // 10)]:
        del levels[key]
