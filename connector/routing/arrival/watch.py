"""A flight as the model sees it, and the flights that left together."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.routing.arrival.level import Leaf

__all__ = ["SLOT_S", "Slot", "State", "Watch"]

SLOT_S = 0.25
"""Flights of one destination that left within this time grow old together."""


class State(IntEnum):
    """What is known of a flight."""

    SILENT = 0
    ARRIVED = 1
    FAILED = 2
    UNREACHABLE = 3
    CLOSED = 4


class Slot:
    """Flights of one destination that left together: `open` of them are silent, and were so up to `bin`."""

    __slots__ = ("at", "bin", "first", "leaf", "open")

    def __init__(self, leaf: Leaf, at: float, first: bool) -> None:
        self.leaf = leaf
        self.at = at
        self.first = first
        self.bin = 0
        self.open = 0


class Watch:
    """One flight under observation. Opaque to everybody but the model."""

    __slots__ = ("left_at", "looks", "mark", "slot", "state", "told_at", "used_at", "usual")

    def __init__(self, slot: Slot, left_at: float) -> None:
        self.slot = slot
        self.left_at = left_at
        self.state = State.SILENT
        self.told_at = 0.0
        self.used_at = 0.0
        self.looks = 0
        self.usual = False
        self.mark = -1.0
