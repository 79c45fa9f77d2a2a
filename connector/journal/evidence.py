"""Evidence of what a commit ended, in the same transaction: no job ends without its record.

Used by the thread that writes the journal. After a failed commit the process exits, so what is held in memory
needs no way back. Files are the business of a second thread, which never holds up a commit: what it has done
is noted in the next sweep.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import apsw

from connector.evidence import filing, record
from connector.evidence.canonical import day_after, day_of
from connector.evidence.chain import Chain, Entry
from connector.evidence.filing import Aged, Closed, Filed, Removed, Taken
from connector.evidence.keys import Keys, chains_in
from connector.evidence.redaction import redact_lines
from connector.evidence.spans import Span, merged
from connector.evidence.table import Row, Table
from connector.journal.ops import Batch, Redact
from connector.journal.stories import Late, Stories
from connector.log import event as log_event

__all__ = ["Evidence", "Keeping"]

_log = logging.getLogger(__name__)

_Done: TypeAlias = Filed | Closed | Taken | Removed | Aged

_FILE_EVERY_S: Final = 10.0
_FILE_OCTETS: Final = 1 << 20
"""Records leave the table after so long, or when there are so many."""

_LOOK_EVERY_S: Final = 3_600.0
_RETRY_S: Final = 60.0
_SPANS: Final = 500  # of a record
_MOST_STEPS: Final = 10_000
_DAY_S: Final = 86_400.0


class Keeping(NamedTuple):
    """How evidence is kept.

    state          the state folder, in whose folder "evidence" the days are
    lane, version  of the daemon, for the record of its start
    personal_days  after which personal parts are taken out; 0: never
    keep_days      after which days are deleted; 0: never
    """

    state: Path
    keys: Keys
    lane: str
    version: str
    personal_days: int = 90
    keep_days: int = 1_825


class Evidence:
    """The chain, and the way of its records from the table to the files.

    random      as os.urandom: of salts
    background  does what touches files; absent: a thread of its own
    """

    def __init__(
        self,
        connection: apsw.Connection,
        keeping: Keeping,
        *,
        random: Callable[[int], bytes] = os.urandom,
        background: Executor | None = None,
    ) -> None:
        self._keeping = keeping
        self._connection = connection
        self._table = Table(connection)
        self._stories = Stories(connection, keeping.lane, random)
        keys = keeping.keys
        self._state, fault = self._table.load(chains_in(keeping.state) | {keys.chain_id: keys.chain})
        if self._state.key != keys.chain_id:
            self._state = self._state._replace(key=keys.chain_id, key_from=self._state.seq + 1)
        if (newest := filing.set_aside(keeping.state, self._state.seq)) > self._state.seq:
            old = f"the files go on to record {newest}, the journal to {self._state.seq}: one is an old copy"
            fault = f"{fault}; {old}" if fault else old
        if fault:
            log_event(_log, "evidence is not as it was left", level=logging.ERROR, fault=fault)
        self._chain = Chain(keys.chain, self._state.seq, self._state.mac)
        # Written with the first commit, so that a journal that is only opened stays as it is.
        self._due: list[Entry] = [
            record.start(keeping.lane, keeping.version, keys.chain_id, keys.signing_id, fault)
        ]
        self._background = background or ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._task: Callable[[], _Done] | None = None
        self._running: Future[_Done] | None = None
        self._octets = self._table.octets()
        self._filed_at = self._looked_at = self._failed_at = float("-inf")
        self._gone: list[str] = []

    @property
    def head(self) -> tuple[int, str]:
        """Number and MAC of the newest record."""
        return self._chain.seq, self._chain.mac

    def write(self, batch: Batch, now: float, ended: Collection[int], late: Iterable[Late]) -> None:
        """The records of a commit that has done all else that it does. Fills in `batch.head`."""
        if batch.sweep_at is not None:
            self._sweep(batch.sweep_at)
        for redact in batch.redacts:
            self._redact(redact)
        due, self._due = self._due, []
        stories = self._stories
        self._append(now, chain(due, stories.of(ended, late), stories.feedbacks(batch.feedbacks)))
        batch.head = self.head

    def work(self) -> None:
        """Let the other thread begin what the last commit has found to be due."""
        if self._task is not None:
            self._running = self._background.submit(self._task)
            self._task = None

    def file(self, now: float) -> None:
        """Do all that is due now and wait for it: for a journal that no daemon writes."""
        for _ in range(_MOST_STEPS):
            self._filed_at = float("-inf")
            with self._connection:
                self._sweep(now)
                due, self._due = self._due, []
                self._append(now, due)
            if self._task is None:
                break
            self.work()
            self._wait()

    def close(self) -> None:
        """Wait for what is being done, and note it."""
        self._wait()
        with self._connection:
            self._note(float("inf"))
        self._background.shutdown()

    def _wait(self) -> None:
        if self._running is not None:
            wait([self._running])

    def _append(self, now: float, entries: Iterable[Entry]) -> None:
        records = self._chain
        first = records.seq + 1
        lines = b"\n".join([records.append(now, entry) for entry in entries])
        if not lines:
            return
        self._table.add(Row(first, records.seq, lines))
        self._octets += len(lines)
        self._save(seq=records.seq, mac=records.mac)

    def _save(self, **changes: Any) -> None:
        self._state = self._state._replace(**changes)
        self._table.save(self._state, self._keeping.keys.chain)

    def _redact(self, redact: Redact) -> None:
        taken: list[int] = []
        spans = merged(redact.spans)
        for row in self._table.rows():
            lines, gone = redact_lines(row.lines, spans, redact.number)
            if gone:
                self._table.replace(row._replace(lines=lines))
                taken += gone
        redact.again = bool(redact.number) and self._state.filed > redact.looked
        whole = merged([*spans, *((seq, seq) for seq in taken)])
        redact.records = sum(last - first + 1 for first, last in whole)
        self._take_out(whole, redact.reason)

    def _take_out(self, spans: list[Span], reason: str) -> None:
        """Say so, and have it done: of what is being filed at this moment too."""
        for at in range(0, len(spans), _SPANS):
            self._due.append(record.redacted(spans[at : at + _SPANS], reason))
        self._table.pend(spans)

    def _sweep(self, now: float) -> None:
        """Note what the other thread has done, and find what it must do next."""
        self._note(now)
        if self._running is None and now - self._failed_at >= _RETRY_S:
            self._task = self._next(now)

    def _note(self, now: float) -> None:
        if self._running is None or not self._running.done():
            return
        try:
            done = self._running.result()
        except Exception as error:  # a full disk, say: the records are safe in the table
            self._failed_at = now
            log_event(_log, "evidence is not filed", level=logging.ERROR, error=error)
        else:
            self._done(done)
        self._running = None

    def _done(self, done: _Done) -> None:
        match done:
            case Filed(last, mac) if last > self._state.filed:
                self._table.remove(last)
                self._octets = self._table.octets()
                self._save(filed=last, filed_mac=mac)
            case Closed(day, fault):
                self._save(file_day="", open_from=day_after(day))
                self._looked_at = float("-inf")
                log_event(_log, "a day of evidence is closed", day=day)
                if fault:
                    log_event(
                        _log, "evidence is not as it was left", level=logging.ERROR, day=day, fault=fault
                    )
                    self._due.append(record.fault(day, fault))
            case Taken(spans):
                self._table.unpend(spans)
            case Removed(days):
                log_event(_log, "days of evidence are deleted", days=" ".join(days))
            case Aged(personal, drop, gone):
                self._gone = gone
                if personal is not None:
                    self._take_out([personal], "retention")
                    self._save(redacted=personal[1])
                if drop is not None:
                    days, last, mac = drop
                    self._due.append(record.dropped(last, mac, days))
                    self._save(dropped=last)
                    self._gone = [*gone, *days]

    def _next(self, now: float) -> Callable[[], _Done] | None:
        state, folder = self._state, self._keeping.state
        if pending := self._table.pending():
            return partial(filing.take_out, folder, pending)
        if self._gone:
            days, self._gone = self._gone, []
            return partial(filing.remove, folder, days)
        today, oldest = day_of(now), self._table.oldest_day(state.file_day or state.open_from)
        if state.file_day and state.file_day < (today if oldest is None else oldest):
            return partial(filing.close, folder, state, self._keeping.keys)
        if oldest is not None and self._is_due(now, oldest < today):
            self._filed_at = now
            if not state.file_day:
                self._save(file_day=oldest, file_first=state.filed + 1, file_before=state.filed_mac)
            return partial(filing.append, folder, self._state)
        if now - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = now
            return partial(filing.look, folder, state, *(
                day_of(now - days * _DAY_S) if days else ""
                for days in (self._keeping.personal_days, self._keeping.keep_days)
            ))  # fmt: skip
        return None

    def _is_due(self, now: float, past: bool) -> bool:
        return past or self._octets >= _FILE_OCTETS or now - self._filed_at >= _FILE_EVERY_S
