"""What the arrival model is told: how long it remembers, how much it holds, what it believes beforehand."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

__all__ = ["ArrivalSettings", "Cell"]


class Cell(NamedTuple):
    """Where a message goes, as far as arrival depends on it; "" is unknown."""

    country: str = ""
    network: str = ""


class ArrivalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Weights are in flights: a prior of weight 10 counts as much as ten flights that were seen."""

    half_life_s: float = 600.0
    """After it evidence counts half; where there is little of it, it is kept longer."""
    cells: int = 2000
    """(route, channel, country, network) that are kept; the least recently used go."""
    pooling: float = 20.0
    """Weight of what is known of the level above, in each interval of time."""
    ratio: float = 15.0
    """Weight, in receipts, of the belief that a route is as quick as its channel."""
    ratio_within: float = 60.0
    """The same of a country or a network within a route."""
    few: float = 50.0
    """Fewer flights than this are forgotten more slowly, in proportion."""
    unreachable: float = 0.006
    """Believed beforehand of handsets: reached by no route."""
    lost: float = 0.03
    """Believed beforehand of messages to handsets that can be reached: the route loses them."""
    no_receipt: float = 0.03
    """Believed beforehand of messages that arrived: nobody tells."""
