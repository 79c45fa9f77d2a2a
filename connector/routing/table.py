"""Which carriers and trunks a number may leave by: the operator's routing table and pins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.config import Config
from connector.config.routing import RouteRule

from .destination import Destination

__all__ = ["Names", "RouteTable"]

Names = tuple[str, ...]

_CACHED: Final = 4_096


class RouteTable:
    """[[routes]] of one configuration, over its enabled carriers and trunks.

    A rule counts for the channels of which it names a route, switched off or not: one that names carriers
    alone leaves calls free, and one whose only carrier is switched off sends nothing elsewhere.
    """

    def __init__(self, config: Config) -> None:
        self._enabled: dict[str, Names] = {
            "sms": tuple(carrier.name for carrier in config.carriers if carrier.enabled),
            "voice": tuple(trunk.name for trunk in config.trunks if trunk.enabled),
        }
        known = {
            "sms": frozenset(carrier.name for carrier in config.carriers),
            "voice": frozenset(trunk.name for trunk in config.trunks),
        }
        self._tables = {
            channel: _Rules(
                {rule.prefix: rule for rule in config.routes if rule.prefix and names & {*rule.carriers}},
                {rule.country: rule for rule in config.routes if rule.country and names & {*rule.carriers}},
            )
            for channel, names in known.items()
        }
        self._cache: dict[tuple[int, str, Names, bool, Names], tuple[Names, Names]] = {}

    def candidates(
        self,
        number: str,
        destination: Destination,
        channel: str,
        pins: Names = (),
        fallback: bool = True,
        only: Names = (),
    ) -> tuple[Names, Names]:
        """(those to use, those to use when none of the first can), each by priority and then name.

        pins      the template's or else the application's `carriers`; they win over the table
        fallback  whether others may be used where no pinned one can; else a pinned job leaves by nothing
                  else, in no channel
        only      `carriers` of the journey's step; empty: all
        """
        rule = self._tables[channel].of(number, destination)
        # By the rule, not by the number: a handful of entries, whatever numbers come.
        key = (id(rule), channel, pins, fallback, only)
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            found = self._cache[key] = self._found(rule, channel, pins, fallback, only)
        return found

    def _found(
        self, rule: RouteRule | None, channel: str, pins: Names, fallback: bool, only: Names
    ) -> tuple[Names, Names]:
        enabled = self._enabled[channel]
        if only:
            enabled = tuple(name for name in enabled if name in only)
        free = enabled if rule is None else tuple(name for name in enabled if name in rule.carriers)
        if not pins:
            return free, ()
        pinned = tuple(name for name in enabled if name in pins)
        if not fallback:
            return pinned, ()
        others = tuple(name for name in free if name not in pins)
        return (pinned, others) if pinned else (others, ())


class _Rules:
    """The rules of one channel."""

    def __init__(self, prefixes: Mapping[str, RouteRule], countries: Mapping[str, RouteRule]) -> None:
        self._prefixes = prefixes
        self._countries = countries
        self._lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)

    def of(self, number: str, destination: Destination) -> RouteRule | None:
        for length in self._lengths:
            rule = self._prefixes.get(number[:length])
            if rule is not None:
                return rule
        return self._countries.get(destination.country)
