"""The journal of an order, driven by hand."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from connector.journal.ops import Batch, OrderNode
from tests.daemon.conftest import pytest_runtest_makereport, site
from tests.journal.book import HANDSET, Book

__all__ = ["RANKS", "Ledger", "pytest_runtest_makereport", "site"]

RANKS = {"paid": 10, "shipped": 20, "in-transit": 30, "locker": 40, "overdue": 50, "delivered": 60}


class Ledger:
    """Events of orders as the job socket would put them into a batch, with the journal that takes them."""

    def __init__(self, path: Path) -> None:
        self.book = Book(path)

    def op(
        self, node: str, order: str = "1001", event: str = "", *, told: bool = True, ends: bool = True,
        digest: str = "d", **job: Any,
    ) -> OrderNode:  # fmt: skip
        """`job`: as of Book.job; told: it has a job."""
        book = self.book
        accept = None
        if told:
            id = ":".join(filter(None, ("o", node, order, event)))
            accept = book.accept_op(book.job(id, job.pop("to", HANDSET), **job), digest)
        return OrderNode(
            book.app, order, node, event, RANKS[node], digest, book.now, ends, accept, None
        )  # fmt: skip

    def commit(self, *nodes: OrderNode, **kinds: Any) -> Batch:
        accepts = [node.accept for node in nodes if node.accept is not None]
        return self.book.commit(order_nodes=list(nodes), accepts=accepts, **kinds)

    def tell(self, node: str, *args: Any, **more: Any) -> OrderNode:
        """One event in a commit of its own."""
        taken = self.op(node, *args, **more)
        self.commit(taken)
        return taken

    def outcome(self, id: str) -> str | None:
        (found,) = self.book.row("SELECT outcome FROM job WHERE ext = ?", id)
        return found

    def nodes(self) -> list[str]:
        return [node for (node,) in self.book.rows("SELECT node FROM order_node ORDER BY id")]


@pytest.fixture
def ledger(tmp_path: Path) -> Generator[Ledger, None, None]:
    opened = Ledger(tmp_path / "journal.db")
    yield opened
    opened.book.store.connection.close()
