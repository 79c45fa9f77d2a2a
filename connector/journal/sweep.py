"""What time does to the journal: receipts that never came, messages that never came, rows grown old."""

from __future__ import annotations

import apsw

from connector.journal import bulk
from connector.journal.ops import Finish
from connector.journal.receipts import MOST_TAKEN
from connector.journal.settlement import Settlement

__all__ = ["Sweep"]

_LOOK_AGAIN_S = 60.0
"""How long a parked receipt is looked at in every sweep: a busy host may settle its attempt late."""

_GRACE_S = 2.0
"""After its deadline a followed job is the dispatcher's to end; what it left open is looked at after that."""

_PAST_DEADLINE = """
    SELECT json_group_array(json_array(deadline_at, id)) FROM
        (SELECT deadline_at, id FROM job INDEXED BY job_followed
         WHERE outcome IS NULL AND follow > 0 AND deadline_at <= (SELECT value->>2 FROM jsonb_each(?1))
         AND (deadline_at, id) > (SELECT value->>0, value->>1 FROM jsonb_each(?1))
         ORDER BY deadline_at, id LIMIT 2000)
"""


class Sweep:
    """Runs within a commit, about once a second; its LIMITs keep it from holding up the jobs."""

    def __init__(
        self, connection: apsw.Connection, settlement: Settlement, retention_s: float, answer_timeout_s: float
    ) -> None:
        self._connection = connection
        self._settlement = settlement
        self._retention_s = retention_s
        self._answer_timeout_s = answer_timeout_s
        self._looked_from = 0.0
        self._closed_to: tuple[float, int] = (0.0, 0)  # deadline and row of the last one that was looked at

    def run(self, now: float) -> None:
        self._match_by_address(now)
        self._close(now)
        self._give_up(now)
        self._purge(now - self._retention_s)

    def _match_by_address(self, now: float) -> None:
        # An answer under way when the receipt came has come, or has timed out, by then.
        before = now - self._answer_timeout_s
        found = self._settlement.parking.take_by_address(self._looked_from, before)
        for receipt, place in found:
            self._settlement.by_address(receipt, place)
        if len(found) < MOST_TAKEN:
            self._looked_from = before - _LOOK_AGAIN_S
        self._settlement.second_look(before)

    def _close(self, now: float) -> None:
        """Each once: from then on its receipts decide alone. After a start all of them, for what was decided
        may not have been done.
        """
        jobs = bulk.rows(self._connection, _PAST_DEADLINE, [(*self._closed_to, now - _GRACE_S)])
        if jobs:
            self._closed_to = tuple(jobs[-1])
            self._settlement.close([job for _, job in jobs])

    def _give_up(self, now: float) -> None:
        # A call under way ends by itself, or at the next start: only then is its outcome known.
        rows = bulk.rows(
            self._connection,
            """SELECT json_group_array(json_array(id, app, ext, traceparent, EXISTS
                    (SELECT 1 FROM attempt a
                     WHERE a.job = id AND a.channel = 'voice' AND a.result = 'completed'))) FROM
                (SELECT * FROM job WHERE outcome IS NULL AND give_up_at <= (SELECT value FROM jsonb_each(?))
                 AND NOT EXISTS (SELECT 1 FROM attempt a
                                 WHERE a.job = job.id AND a.channel = 'voice' AND a.result IS NULL)
                 ORDER BY give_up_at LIMIT 10000)""",
            [now],
        )
        # A call that ended when its job had been looked at for the last time was heard all the same.
        self._settlement.close([key for key, *_, heard in rows if heard])
        self._settlement.finish([
            Finish(key, app, ext, "unknown", "unknown", "no receipt came", now, traceparent)
            for key, app, ext, traceparent, _ in rows
        ])  # fmt: skip

    def _purge(self, before: float) -> None:
        # Rows are numbered in order of acceptance: the old ones are the first ones.
        first = self._connection.execute("SELECT accepted_at FROM job ORDER BY id LIMIT 1").get
        old = []
        if first is not None and first < before:
            old = bulk.rows(
                self._connection,
                """SELECT json_group_array(id) FROM
                    (SELECT id, finished_at FROM job ORDER BY id LIMIT 20000)
                    WHERE finished_at < (SELECT value FROM jsonb_each(?))""",
                [before],
            )
        for statement in (
            "DELETE FROM part WHERE job IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM timeline WHERE job IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM unresolved WHERE job IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM call WHERE job IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM attempt WHERE job IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM job WHERE id IN (SELECT value FROM jsonb_each(?))",
        ):
            bulk.write(self._connection, statement, old)
        # Numbered in order too; a scan for `at` would read on all that an absent application has missed.
        self._connection.execute(
            """DELETE FROM event WHERE rowid IN
               (SELECT rowid FROM (SELECT rowid, at FROM event ORDER BY rowid LIMIT 5000) WHERE at < ?)""",
            (before,),
        )
        self._settlement.parking.forget_before(before)
