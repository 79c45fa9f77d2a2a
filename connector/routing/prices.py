"""What a message or a call costs, by carrier and destination. In the operator's own currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.config import Carrier, Config, Trunk

__all__ = ["Prices"]

_CALL_MINUTES: Final = 1
"""A call that says a code is over within its first minute."""


class Prices:
    """mean  of one message, over the carriers that have a price; 1 where none has, as then each costs 1"""

    def __init__(self, config: Config) -> None:
        carriers = [carrier for carrier in config.carriers if carrier.enabled]
        known = [carrier.price.sms for carrier in carriers if carrier.price.sms is not None]
        self.mean = sum(known) / len(known) if sum(known) > 0 else 1.0
        self._usual: dict[str, float] = {}
        self._by_prefix: dict[str, tuple[tuple[str, float], ...]] = {}
        self._prefixes: list[str] = []
        for carrier in carriers:
            self._add(carrier, carrier.price.sms)
        for trunk in config.trunks:
            call = trunk.price.call + _CALL_MINUTES * trunk.price.minute
            self._add(trunk, call if call > 0 else None)

    def _add(self, route: Carrier | Trunk, usual: float | None) -> None:
        self._usual[route.name] = self.mean if usual is None else usual
        self._by_prefix[route.name] = _longest_first(route.price.destinations)
        known = {*self._prefixes, *route.price.destinations}
        self._prefixes = sorted(known, key=lambda prefix: -len(prefix))

    def of(self, route: str, number: str) -> float:
        """One message part or one call by `route` to an E.164 number with +."""
        for prefix, price in self._by_prefix.get(route, ()):
            if number.startswith(prefix):
                return price
        return self._usual.get(route, self.mean)

    def group(self, number: str) -> str:
        """Numbers of one group cost the same by every route: the longest prefix that any price is for."""
        return next((prefix for prefix in self._prefixes if number.startswith(prefix)), "")


def _longest_first(prices: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(prices.items(), key=lambda entry: -len(entry[0])))
