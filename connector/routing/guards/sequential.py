"""A guard against machines that count numbers through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from .ask import Objection, Verdict
from .hashing import BLOCK, Hasher
from .parts import Parts, joined, merged, parts_of

if TYPE_CHECKING:
    from connector.config.guards import SequentialGuard

__all__ = ["MOST_BLOCKS", "Sequential"]

MOST_BLOCKS: Final = 50_000
_ALL: Final = (1 << BLOCK) - 1
_VERDICT: Final = Verdict("too many numbers next to this one have had jobs of late")


class Sequential:
    """For each application and block of 1,000 numbers one bit a number: had a job in this window or the one
    before. What was refused counts too, or a run would begin anew after each refusal.

    With more than MOST_BLOCKS blocks (about 13 MB) the windows become shorter: of a lane that is so busy,
    only runs that are fast are seen.
    """

    name = "sequential"

    def __init__(self, rules: SequentialGuard, hasher: Hasher, now: float) -> None:
        self.objection = Objection(self.name, rules.dry_run, _VERDICT)
        self.dry_run = rules.dry_run
        self._permitted = rules.numbers
        self._distance = rules.distance
        self._near = (1 << 2 * rules.distance + 1) - 1
        self._alone = 1 << rules.distance
        self._reach = (rules.numbers + 1) * rules.distance
        self._within_s = rules.within_s
        self._until = now + rules.within_s
        self._hasher = hasher
        # One bit a number; of a block with a single one -1 less that number.
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    @staticmethod
    def salt(app: str) -> int:
        """What keeps one application's blocks from another's."""
        return int.from_bytes(blake2b(app.encode(), digest_size=8).digest(), "big")

    def in_a_row(self, number: str, block: int, offset: int, salt: int, now: float) -> bool:
        """Mark the number; whether more stand next to each other now than may."""
        if not self._until - 2.0 * self._within_s <= now < self._until:
            self._turn(now)
        key = block ^ salt
        marked = self._young
        bits, old = marked.get(key, 0), self._old.get(key, 0)
        mark = 1 << offset
        if bits == 0:
            if len(marked) >= MOST_BLOCKS // 2:
                self._turn(now)
            self._young[key] = -1 - offset
            if old == 0 and self._reach <= offset < BLOCK - self._reach:
                return False
            bits = mark
        else:
            bits = mark | (bits if bits > 0 else 1 << -1 - bits)
            marked[key] = bits
        if old != 0:
            bits |= old if old > 0 else 1 << -1 - old
        distance = self._distance
        if distance <= offset < BLOCK - distance and bits >> offset - distance & self._near == self._alone:
            return False  # nobody is next to it: so it is with most numbers
        return self._run(number, salt, bits, offset) > self._permitted

    def _run(self, number: str, salt: int, bits: int, offset: int) -> int:
        """How many stand next to each other, this one among them; no more than one over `permitted`."""
        at = offset
        if offset < self._reach or offset >= BLOCK - self._reach:
            before, after = self._beside(number, salt, -1), self._beside(number, salt, 1)
            bits = before | bits << BLOCK | after << 2 * BLOCK
            at += BLOCK
        found = 1
        for step in (-1, 1):
            place, gap = at + step, 1
            while gap <= self._distance and place >= 0 and found <= self._permitted:
                if bits >> place & 1:
                    found += 1
                    gap = 0
                gap += 1
                place += step
        return found

    def _beside(self, number: str, salt: int, step: int) -> int:
        block = self._hasher.beside(number, step)
        if block is None:
            return 0
        block ^= salt
        return _bits(self._young.get(block, 0)) | _bits(self._old.get(block, 0))

    def _turn(self, now: float) -> None:
        self._old = {} if now >= self._until + self._within_s else self._young
        self._young = {}
        self._until = now + self._within_s

    def dump(self, now: float) -> Parts:
        """Blocks with two marks or more; of more than MOST_BLOCKS the younger ones."""
        young, old = self._young, self._old

        def part(keys: Sequence[int]) -> Any:
            blocks = ((key, _bits(young.get(key, 0)) | _bits(old.get(key, 0))) for key in keys)
            return {key: bits.to_bytes(BLOCK // 8, "big") for key, bits in blocks if bits & bits - 1}

        younger = parts_of(young, MOST_BLOCKS, part)
        return joined(younger, parts_of(old, MOST_BLOCKS - len(young), part))

    def restore(self, parts: Any, now: float) -> None:
        blocks: dict[int, int] = {}
        for key, octets in merged(parts, MOST_BLOCKS).items():
            bits = int.from_bytes(octets, "big")
            if type(key) is not int or not 0 < bits <= _ALL:
                raise ValueError("no block")
            blocks[key] = bits
        self._old = blocks

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        yield "entries", len(self._young) + len(self._old)


def _bits(marks: int) -> int:
    return marks if marks >= 0 else 1 << -1 - marks
