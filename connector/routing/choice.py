"""The choice among the carriers that can send at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

__all__ = ["Candidate", "choose", "decision"]


class Candidate(msgspec.Struct, gc=False):
    """A carrier that the job may use now. Lower `priority` goes first; `room` counts PDUs."""

    name: str
    priority: int
    room: int


def choose(candidates: Iterable[Candidate]) -> Candidate:
    """The lowest priority; among equals the one with the most room."""
    return min(candidates, key=lambda candidate: (candidate.priority, -candidate.room))


@lru_cache(maxsize=1024)
def decision(chosen: str, candidates: tuple[str, ...]) -> str:
    """The choice as stored with the attempt: JSON of who could be chosen, who was, and by which rule."""
    rule = "only_candidate" if len(candidates) == 1 else "priority_then_room"
    record = {"rule": rule, "candidates": candidates, "chosen": chosen}
    return msgspec.json.encode(record).decode()
