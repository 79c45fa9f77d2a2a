"""How many jobs each number has had, for very many numbers: one time a number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from operator import sub
from typing import TYPE_CHECKING, Any, Final

from .ask import Objection, Verdict
from .gauge import TOLERANCE_S
from .parts import Parts, joined, merged, parts_of

if TYPE_CHECKING:
    from connector.config.guards import VelocityGuard

__all__ = ["MOST_NUMBERS", "Sketch", "VelocityNumber"]

MOST_NUMBERS: Final = 100_000
_WIDTH: Final = 65_536
_ROWS: Final = 4
_PIECE: Final = 16_384  # cells that are written down at once
_PIECES: Final = _WIDTH * _ROWS // _PIECE

_Entry = float | tuple[float, ...]


class Sketch:
    """For each key, 64 bits that look random, a time that is never too early: the count-min sketch of Cormode
    and Muthukrishnan (2005), with the latest time of a cell in place of a sum. 2 MB.

    It is too late only where all four cells of a key belong to keys with later times: with `n` keys whose
    time is not over, for a share of at most (1 - exp(-n / 65,536)) ** 4.
    """

    __slots__ = ("cells",)

    def __init__(self, cells: array[float] | None = None) -> None:
        self.cells = array("d", bytes(8 * _WIDTH * _ROWS)) if cells is None else cells

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


class VelocityNumber:
    """For each number and limit a time, as `Gauge.at` (gauge.py). Of all applications together: it is one
    person who is written to.

    Exact for MOST_NUMBERS numbers within the longest limit, of 90 octets each, 220 with more than one
    job; numbers beyond them share a sketch for each limit.
    """

    name = "velocity_number"

    def __init__(self, rules: VelocityGuard, now: float, most: int = MOST_NUMBERS) -> None:
        self.dry_run = rules.dry_run
        self._limits = [(limit.jobs, limit.within_s) for limit in rules.limits]
        self._steps = [within_s / jobs for jobs, within_s in self._limits]
        self._rooms = [within_s - within_s / jobs + TOLERANCE_S for jobs, within_s in self._limits]
        self._keep_s = max(within_s for _, within_s in self._limits)
        self._since, self._until = now - self._keep_s, now + self._keep_s
        self._most = most
        # When the only job was; of several when one more passes, and then the time of each limit.
        self._young: dict[int, _Entry] = {}
        self._old: dict[int, _Entry] = {}
        self._again_s = max(map(sub, self._steps, self._rooms))  # after one job
        self._sketches: list[Sketch] = []
        self._last: _Entry | None = None  # of the number that was looked at last

    def free(self, key: int, now: float) -> bool:
        """Whether one more passes by all limits."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.get(key)
            if entry is None and self._sketches:
                entry = self._entry([sketch.get(key) for sketch in self._sketches])
        self._last = entry
        if entry is None:
            return True
        return (entry + self._again_s if isinstance(entry, float) else entry[0]) <= now

    def _entry(self, ats: Sequence[float]) -> tuple[float, ...]:
        return max(map(sub, ats, self._rooms)), *ats

    def _ats(self, entry: _Entry) -> Sequence[float]:
        return [entry + step_s for step_s in self._steps] if isinstance(entry, float) else entry[1:]

    def judge(self, key: int, now: float) -> Objection | None:
        if self.free(key, now) or self._last is None:
            return None
        # Never more than a full measure: the clock may have been put back.
        latest = [now + within_s for _, within_s in self._limits]
        entry = self._entry([*map(min, self._ats(self._last), latest)])
        if key in self._young:
            self._young[key] = entry
        wait_s = entry[0] - now
        verdict = Verdict("this number has had too many jobs of late", retry_after_s=round(wait_s, 3))
        return Objection(self.name, self.dry_run, verdict)

    def take(self, key: int, now: float) -> None:
        """One more has passed: of the number that was looked at last."""
        if not self._since <= now < self._until:
            self._turn(now)
        entry = self._last
        young = self._young
        if len(young) + len(self._old) >= self._most and key not in young and key not in self._old:
            self._take_in_sketch(key, now)
        elif entry is None:
            young[key] = now
        else:
            young[key] = self._entry(self._later(entry, now))

    def _take_in_sketch(self, key: int, now: float) -> None:
        self._sketches = self._sketches or [Sketch() for _ in self._limits]
        for sketch, at in zip(self._sketches, self._later(self._last or 0.0, now), strict=True):
            sketch.raise_to(key, at)

    def _later(self, entry: _Entry, now: float) -> list[float]:
        """The times after one more job."""
        later = []
        for at, step_s in zip(self._ats(entry), self._steps, strict=True):
            later.append((at if at > now else now) + step_s)
        return later

    def give_back(self, key: int) -> None:
        for table in (self._young, self._old):
            if key in table:
                table[key] = self._entry([*map(sub, self._ats(table[key]), self._steps)])
                return

    def _turn(self, now: float) -> None:
        """What is in `old` was taken so long ago that all its times are over."""
        self._old = self._young if now < self._until + self._keep_s else {}
        self._young = {}
        self._since, self._until = now - self._keep_s, now + self._keep_s

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def dump(self, now: float) -> Parts:
        """The limits, the number of parts of the table, these, and the sketches'. Without numbers that have
        taken one alone: they lose it.
        """
        slowest = max(range(len(self._steps)), key=self._steps.__getitem__)
        limit = now + self._steps[slowest]
        young, old = self._young, self._old

        def part(keys: Sequence[int]) -> Any:
            busy = {}
            for key in keys:
                entry = young.get(key) or old.get(key)
                if isinstance(entry, tuple) and entry[1 + slowest] > limit:
                    busy[key] = entry[1:]
            return busy

        busy = joined(parts_of(old, self._most, part), parts_of(young, self._most, part))
        sketches = [Parts(_PIECES, _pieces(sketch.cells, now)) for sketch in self._sketches]
        return joined(Parts(1, iter([[self._limits, busy.length]])), busy, *sketches)

    def restore(self, parts: Any, now: float) -> None:
        """Go on from what `dump` gave; with other limits anew."""
        if not parts:
            return
        (limits, tables), *rest = parts
        if [tuple(limit) for limit in limits] != self._limits:
            return
        pieces = rest[tables:]
        if type(tables) is not int or len(pieces) not in (0, _PIECES * len(self._limits)):
            raise ValueError("no numbers")
        for key, ats in merged(rest[:tables], self._most).items():
            times = [min(float(at), now + 2.0 * self._keep_s) for at in ats]
            if type(key) is not int or len(times) != len(self._limits):
                raise ValueError("no number")
            self._old[key] = self._entry(times)
        if any(pieces):
            for (_, within_s), first in zip(self._limits, range(0, len(pieces), _PIECES), strict=True):
                self._sketches.append(_sketch(pieces[first : first + _PIECES], now + 2.0 * within_s))

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        yield "entries", len(self)


def _pieces(cells: array[float], now: float) -> Iterator[bytes]:
    """Of a sketch; empty where all times are over."""
    for at in range(0, len(cells), _PIECE):
        piece = cells[at : at + _PIECE]
        yield piece.tobytes() if max(piece) > now else b""


def _sketch(pieces: Sequence[Any], latest: float) -> Sketch:
    cells: array[float] = array("d")
    for octets in pieces:
        piece = array("d", octets or bytes(8 * _PIECE))
        if len(piece) != _PIECE or not all(0.0 <= at <= latest for at in piece):
            raise ValueError("no sketch")
        cells += piece
    return Sketch(cells)
