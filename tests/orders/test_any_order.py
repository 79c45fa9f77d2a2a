"""Events in any order, repeated, several in a commit, with crashes between.

Each node is told at most once, and nothing of a lower rank leaves after what is of a higher.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.journal.ops import OrderNode
from connector.model import LiveJob
from tests.orders.conftest import RANKS, Ledger

_SILENT: Final = "overdue"  # a node without a message


class Said(NamedTuple):
    """An event as reported."""

    order: str
    node: str
    event: str
    digest: str


_ORDERS = st.sampled_from(["1001", "1002"])
_ONCE = st.builds(
    Said, _ORDERS, st.sampled_from([name for name in RANKS if name != "in-transit"]), st.just(""),
    st.sampled_from("ddde"),
)  # fmt: skip
_AGAIN = st.builds(Said, _ORDERS, st.just("in-transit"), st.sampled_from(["a", "b", "c"]), st.just("d"))
_COMMITS = st.lists(
    st.tuples(
        st.lists(_ONCE | _AGAIN, max_size=4),
        st.sets(st.integers(0, 2), max_size=2),  # which of the waiting jobs leave in the same commit
        st.booleans(),  # whether the process dies after it
    ),
    max_size=12,
)


class Course:
    """What is true of every order, kept beside the journal by the simplest means."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, str], str] = {}
        self.newest: dict[str, tuple[int, str]] = {}

    def verdict(self, said: Said) -> str:
        held = self.known.get(said[:3])
        if held is not None:
            return "duplicate" if held == said.digest else "conflict"
        rank, _ = self.newest.get(said.order, (0, ""))
        if RANKS[said.node] < rank:
            return "late"
        self.known[said[:3]] = said.digest
        self.newest[said.order] = RANKS[said.node], said.node
        return "new"


@settings(max_examples=150)
@given(_COMMITS)
def test_each_node_once_and_in_order(commits: list[tuple[list[Said], set[int], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "journal.db")
        _hurry(ledger)
        try:
            _check(ledger, commits)
        finally:
            ledger.book.store.connection.close()


def _check(ledger: Ledger, commits: list[tuple[list[Said], set[int], bool]]) -> None:
    course = Course()
    waiting: dict[str, tuple[LiveJob, Said]] = {}
    accepted: list[Said] = []
    left: dict[str, list[int]] = defaultdict(list)
    for events, leaving, dies in commits:
        nodes = [_op(ledger, said) for said in events]
        chosen = [each for number, each in enumerate(list(waiting.values())) if number in leaving]
        intends = [ledger.book.intend_op(job) for job, _ in chosen]
        batch = ledger.commit(*nodes, intends=intends)
        assert [node.verdict for node in nodes] == [course.verdict(said) for said in events]
        for intend, (job, said) in zip(intends, chosen, strict=True):
            waiting.pop(job.id, None)
            if intend.applied:
                left[said.order].append(RANKS[said.node])
        for node, said in zip(nodes, events, strict=True):
            if node.verdict == "new" and node.accept is not None:
                accepted.append(said)
                waiting[node.accept.job.id] = node.accept.job, said
        for _, id in batch.ended:
            waiting.pop(id, None)
        ledger.book.now += 1.0
        if dies:
            ledger.book.reopen()
            _hurry(ledger)
    assert len({said[:3] for said in accepted}) == len(accepted)
    for order, ranks in left.items():
        assert ranks == sorted(ranks), f"order {order} left as {ranks}"
        own = [RANKS[said.node] for said in accepted if said.order == order]
        assert own == sorted(own)
    still = ledger.book.rows(
        "SELECT ext FROM job WHERE outcome IS NULL AND id NOT IN (SELECT job FROM attempt)"
    )
    assert {id for (id,) in still} == set(waiting), "what waits is what the journal has open"


def _hurry(ledger: Ledger) -> None:
    """The process dies here, not the machine: nothing need reach the disk."""
    ledger.book.store.connection.pragma("synchronous", "OFF")


def _op(ledger: Ledger, said: Said) -> OrderNode:
    told = said.node != _SILENT
    return ledger.op(said.node, said.order, said.event, told=told, digest=said.digest)
