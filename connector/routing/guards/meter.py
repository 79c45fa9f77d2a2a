"""How many jobs each number has had, for very many numbers: one time a number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from .ask import Objection, Verdict
from .gauge import TOLERANCE_S

if TYPE_CHECKING:
    from connector.config.guards import VelocityGuard

__all__ = ["MOST_NUMBERS", "Meter", "Sketch", "VelocityNumber"]

MOST_NUMBERS: Final = 100_000
_WIDTH: Final = 65_536
_ROWS: Final = 4


class Sketch:
    """For each key, 64 bits that look random, a time that is never too early: the count-min sketch of Cormode
    and Muthukrishnan (2005), with the latest time of a cell in place of a sum. 2 MB.

    It is too late only where all four cells of a key belong to keys with later times: with `n` keys whose
    time is not over, for a share of at most (1 - exp(-n / 65,536)) ** 4.
    """

    __slots__ = ("cells",)

    def __init__(self) -> None:
        self.cells = array("d", bytes(8 * _WIDTH * _ROWS))

    def get(self, key: int) -> float:
        cells = self.cells
        a, b, c, d = _places(key)
        return min(cells[a], cells[b], cells[c], cells[d])

    def raise_to(self, key: int, at: float) -> None:
        cells = self.cells
        for place in _places(key):
            if cells[place] < at:
                cells[place] = at


def _places(key: int) -> tuple[int, int, int, int]:
    return (
        key & 0xFFFF,
        0x10000 | key >> 16 & 0xFFFF,
        0x20000 | key >> 32 & 0xFFFF,
        0x30000 | key >> 48 & 0xFFFF,
    )


class Meter:
    """A gauge (gauge.py) for each number; `at` as there. Exact for MOST_NUMBERS numbers within `within_s`, of
    about 110 octets each; numbers beyond them share a sketch.
    """

    __slots__ = ("_most", "_since", "_sketch", "_until", "old", "room_s", "step_s", "within_s", "young")

    def __init__(self, jobs: int, within_s: float, now: float, most: int = MOST_NUMBERS) -> None:
        self.within_s = within_s
        self.step_s = within_s / jobs
        self.room_s = within_s - self.step_s + TOLERANCE_S
        self.young: dict[int, float] = {}
        self.old: dict[int, float] = {}
        self._most = most
        self._since, self._until = now - within_s, now + within_s
        self._sketch: Sketch | None = None

    def at(self, key: int) -> float:
        at = self.young.get(key)
        if at is None:
            at = self.old.get(key, 0.0)
            if at == 0.0 and self._sketch is not None:
                return self._sketch.get(key)
        return at

    def wait_s(self, key: int, now: float) -> float:
        """How long until one more passes; 0.0: now."""
        return max(0.0, min(self.at(key) - now, self.within_s) - self.room_s)

    def take(self, key: int, now: float) -> None:
        if not self._since <= now < self._until:
            self._turn(now)
        young = self.young
        at = young.get(key)
        if at is None:
            at = self.old.get(key)
            if at is None and len(young) + len(self.old) >= self._most:
                self._take_in_sketch(key, now)
                return
        young[key] = self.step_s + (now if at is None or at <= now else min(at, now + self.within_s))

    def _take_in_sketch(self, key: int, now: float) -> None:
        if self._sketch is None:
            self._sketch = Sketch()
        at = self._sketch.get(key)
        self._sketch.raise_to(key, self.step_s + (now if at <= now else min(at, now + self.within_s)))

    def give_back(self, key: int) -> None:
        for table in (self.young, self.old):
            if key in table:
                table[key] -= self.step_s
                return

    def _turn(self, now: float) -> None:
        """What is in `old` was taken `within_s` ago at the latest, so all its times are over."""
        self.old = self.young if now < self._until + self.within_s else {}
        self.young = {}
        self._since, self._until = now - self.within_s, now + self.within_s

    def __len__(self) -> int:
        return len(self.young) + len(self.old)

    def dump(self, now: float) -> Any:
        """Without numbers that have taken one alone: they lose it."""
        limit = now + self.step_s
        busy = {key: at for table in (self.old, self.young) for key, at in table.items() if at > limit}
        sketch = self._sketch
        kept = sketch is not None and max(sketch.cells) > now
        return [self.step_s, self.within_s, busy, sketch.cells.tobytes() if sketch and kept else None]

    def restore(self, state: Any, now: float) -> None:
        """Go on from what `dump` gave; of another limit nothing is taken."""
        step_s, within_s, busy, sketch = state
        if (step_s, within_s) != (self.step_s, self.within_s):
            return
        if len(busy) > self._most or any(type(key) is not int for key in busy):
            raise ValueError("no numbers")
        known = {key: float(at) for key, at in busy.items() if float(at) > now}
        if sketch is not None:
            cells = array("d", sketch)
            latest = now + 2.0 * self.within_s
            if len(cells) != _WIDTH * _ROWS or not all(0.0 <= at <= latest for at in cells):
                raise ValueError("no sketch")
            self._sketch = Sketch()
            self._sketch.cells = cells
        self.young, self.old = known, {}


class VelocityNumber:
    """Of all applications together: it is one person who is written to."""

    name = "velocity_number"

    def __init__(self, rules: VelocityGuard, now: float) -> None:
        self.dry_run = rules.dry_run
        self.meters = tuple(Meter(limit.jobs, limit.within_s, now) for limit in rules.limits)

    def judge(self, key: int, now: float) -> Objection | None:
        wait_s = max(meter.wait_s(key, now) for meter in self.meters)
        if wait_s <= 0.0:
            return None
        verdict = Verdict("this number has had too many jobs of late", retry_after_s=round(wait_s, 3))
        return Objection(self.name, self.dry_run, verdict)

    def free(self, key: int, now: float) -> bool:
        """Whether `judge` has nothing to say."""
        for meter in self.meters:
            at = meter.young.get(key)
            if (at if at is not None else meter.at(key)) - now > meter.room_s:
                return False
        return True

    def take(self, key: int, now: float) -> None:
        for meter in self.meters:
            meter.take(key, now)

    def give_back(self, key: int) -> None:
        for meter in self.meters:
            meter.give_back(key)

    def dump(self, now: float) -> Any:
        return [meter.dump(now) for meter in self.meters]

    def restore(self, state: Any, now: float) -> None:
        for meter, kept in zip(self.meters, state, strict=False):
            meter.restore(kept, now)

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        yield "entries", sum(len(meter) for meter in self.meters)
