"""What the carriers take, as of one turn of the event loop."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping

from connector.carriers.contract import Carrier
from connector.model import Channel, Limits, LiveJob
from connector.routing.errand import Offer

__all__ = ["Rooms", "channels_of", "limits_of"]

_WINDOW_S = 0.1
"""How long a full window takes to have room again, where nothing better is known: a round trip."""


class Rooms:
    """How many PDUs each carrier with room still takes in this turn.

    ahead  jobs that wait for each carrier without room, as the better one
    """

    def __init__(self, carriers: Mapping[str, Carrier], ahead: Counter[str], now: float) -> None:
        rooms = ((name, carrier.room(now)) for name, carrier in carriers.items())
        self._left = {name: room for name, room in rooms if room > 0}
        self._carriers = carriers
        self._ahead = ahead
        self._now = now

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self, name: str, pdus: int) -> None:
        """So many leave by it in this turn."""
        self._left[name] -= pdus
        if self._left[name] <= 0:
            del self._left[name]

    def fit(self, routes: Container[str], tried: Container[str]) -> list[str]:
        """Those of `routes` that have room, but for `tried`."""
        return [name for name in self._left if name in routes and name not in tried]

    def limited(self, limits: Limits) -> dict[str, float]:
        """Of carriers with room, until when a rate below their own holds the job, where one does."""
        ends = (
            (name, self._carriers[name].limited_until(which, self._now))
            for name, which in limits
            if name in self._left
        )
        return {name: at for name, at in ends if at > self._now}

    def roomiest_first(self, names: Iterable[str]) -> list[str]:
        """Of carriers in use."""
        present = [name for name in self._carriers if name in names]
        return sorted(present, key=lambda name: -self._left.get(name, 0))

    def offer(self, name: str, price: float) -> Offer:
        """What it offers now."""
        carrier = self._carriers[name]
        wait_s, reason = (0.0, "") if name in self._left else self._wait(carrier)
        return Offer(name, carrier.channel, carrier.priority, wait_s, price, reason)

    def _wait(self, carrier: Carrier) -> tuple[float, str]:
        if not carrier.bound:
            return math.inf, "no bind" if carrier.channel == "sms" else "the trunk is down"
        at = carrier.room_at(self._now)
        wait_s = _WINDOW_S if at is None else max(0.0, at - self._now)
        return wait_s + self._ahead[carrier.name] / max(carrier.rate(self._now), 0.001), ""


def channels_of(carriers: Mapping[str, Carrier]) -> dict[Channel, frozenset[str]]:
    """Names of the carriers of each channel."""
    return {
        "sms": frozenset(name for name, carrier in carriers.items() if carrier.channel == "sms"),
        "voice": frozenset(name for name, carrier in carriers.items() if carrier.channel == "voice"),
    }


def limits_of(carriers: Mapping[str, Carrier], job: LiveJob) -> Limits:
    """Which limits hold for a job."""
    return tuple((name, limits) for name, carrier in carriers.items() if (limits := carrier.limits(job)))
