"""The course of each order: a node is told once, and none of a lower rank after one of a higher.

It is decided within the commit that accepts the job: two events of one order, reported at the same moment or
again after a crash, find each other here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import apsw

from connector.journal import bulk
from connector.journal.closing import last_words
from connector.journal.ops import Finish, OrderNode
from connector.journal.settlement import Settlement

__all__ = ["OrderBook"]

_KNOWN: Final = """
    SELECT json_group_array(json_array(o.app, o.ord, o.node, o.event, o.digest, o.ext, o.ext IS NOT NULL
                                       AND j.id IS NULL, j.outcome))
    FROM jsonb_each(?) e
    CROSS JOIN order_node o ON o.app = e.value->>0 AND o.ord = e.value->>1 AND o.node = e.value->>2
        AND o.event = e.value->>3
    LEFT JOIN job j ON j.app = o.app AND j.ext = o.ext
"""
# Ranks only grow: the newest node has the highest.
_NEWEST: Final = """
    SELECT json_group_array(json_array(o.app, o.ord, o.rank, o.node)) FROM jsonb_each(?) e
    CROSS JOIN order_node o ON o.id = (SELECT id FROM order_node
                                       WHERE app = e.value->>0 AND ord = e.value->>1 ORDER BY id DESC LIMIT 1)
"""
_SAVE: Final = """
    INSERT INTO order_node (app, ord, node, event, rank, digest, ext, at)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7
    FROM jsonb_each(?)
"""
# What has left, and will not be sent again, is left to its receipt: that tells more than "cancelled".
_UNTOLD: Final = """
    SELECT json_group_array(json_array(e.value->>4, j.id, j.app, j.ext, j.traceparent))
    FROM jsonb_each(?) e
    CROSS JOIN order_node now ON now.app = e.value->>0 AND now.ord = e.value->>1 AND now.node = e.value->>2
        AND now.event = e.value->>3
    CROSS JOIN order_node o ON o.id IN (SELECT id FROM order_node
                                        WHERE app = now.app AND ord = now.ord AND id < now.id
                                        ORDER BY id DESC LIMIT 64)
    CROSS JOIN job j ON j.app = o.app AND j.ext = o.ext
    WHERE (o.rank < now.rank OR o.node = now.node) AND j.outcome IS NULL AND j.deadline_at > e.value->>5
    AND (j.follow > 0 OR j.follow = 0 AND NOT EXISTS (
        SELECT 1 FROM attempt a WHERE a.job = j.id AND (a.result IS NULL OR a.result = 'completed'
            OR a.result = 'unknown' AND j.on_unknown <> 'resend_once')))
"""
_FORGET: Final = """
    DELETE FROM order_node WHERE id IN
        (SELECT id FROM (SELECT id, at FROM order_node ORDER BY id LIMIT 5000) WHERE at < ?)
"""

_Key = tuple[int, str, str, str]


class _Held(NamedTuple):
    """A node that is known. `outcome` of its job: None while it is open, or where it has none."""

    digest: str
    ext: str | None
    outcome: str | None


class OrderBook:
    """Runs within a commit."""

    def __init__(self, connection: apsw.Connection, settlement: Settlement, keep_s: float) -> None:
        self._connection = connection
        self._settlement = settlement
        self._keep_s = keep_s

    def decide(
        self, nodes: Sequence[OrderNode], jobs: Mapping[tuple[int, str], tuple[str, str | None]]
    ) -> None:
        """Fill in what becomes of each, in the order they came; jobs of those that are not new are dropped.

        jobs  (digest, outcome) of those of their jobs' (application, id) that are in the journal
        """
        held = self._held(nodes)
        newest = {
            (app, order): (rank, name)
            for app, order, rank, name in bulk.rows(
                self._connection, _NEWEST, sorted({(node.app, node.order) for node in nodes})
            )
        }
        for node in nodes:
            known = held.get(_key(node))
            if known is None and node.accept is not None:
                stored = jobs.get((node.app, node.accept.job.id))
                known = None if stored is None else _Held(stored[0], node.accept.job.id, stored[1])
            rank, after = newest.get((node.app, node.order), (-1, ""))
            if known is not None:
                node.verdict = "duplicate" if known.digest == node.digest else "conflict"
                node.ext, node.outcome = known.ext, known.outcome
            elif node.rank < rank:
                node.verdict, node.after = "late", after
            elif node.refusal is not None:
                node.verdict = "refused"
            else:
                node.ext = None if node.accept is None else node.accept.job.id
                held[_key(node)] = _Held(node.digest, node.ext, None)
                newest[node.app, node.order] = node.rank, node.node
                continue
            if node.accept is not None:
                node.accept.verdict = "dropped"

    def _held(self, nodes: Sequence[OrderNode]) -> dict[_Key, _Held]:
        return {
            (app, order, name, event): _Held(digest, ext, "forgotten" if gone else outcome)
            for app, order, name, event, digest, ext, gone, outcome in bulk.rows(
                self._connection, _KNOWN, [_key(node) for node in nodes]
            )
        }

    def save(self, nodes: Sequence[OrderNode], now: float) -> None:
        """Write those that are new; their jobs are written. What they make pointless ends."""
        new = [node for node in nodes if node.verdict == "new"]
        bulk.write(
            self._connection,
            _SAVE,
            [(*_key(node), node.rank, node.digest, node.ext, node.at) for node in new],
        )
        ending = [node for node in new if node.ends]
        ends: dict[int, Finish] = {}
        for index, key, app, ext, traceparent in bulk.rows(
            self._connection, _UNTOLD, [(*_key(node), i, now) for i, node in enumerate(ending)]
        ):
            if key not in ends:
                ending[index].ended += 1
                reason = f"the order has gone on to {ending[index].node}"
                ends[key] = Finish(key, app, ext, "cancelled", "cancelled", reason, now, traceparent)
        # Of what has arrived already only the rest of its journey is stopped.
        ends |= {end.key: end for end in last_words(self._connection, list(ends), now) if _arrived(end)}
        self._settlement.end(list(ends.values()))

    def sweep(self, now: float) -> None:
        """Forget the oldest."""
        self._connection.execute(_FORGET, (now - self._keep_s,))


def _arrived(end: Finish) -> bool:
    return end.outcome == "delivered"


def _key(node: OrderNode) -> _Key:
    return node.app, node.order, node.node, node.event
