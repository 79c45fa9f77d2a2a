"""The table of the newest records, and the sealed state of the chain; SQL on what is evidence's alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hmac import compare_digest, digest
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import apsw
import msgspec

from connector.evidence.canonical import canonical, day_of
from connector.evidence.chain import GENESIS
from connector.evidence.spans import Span

__all__ = ["Held", "Row", "State", "Table", "held", "rows_of"]

_Values: TypeAlias = tuple[int, str, str, int, str, str, int, str, int, int, str, int]
_AT: Final = len(b'{"at":')
_ROWS: Final = "SELECT first, last, lines FROM evidence ORDER BY first"
_SEAL: Final = b"carrier-connector evidence: state\n"


class Row(NamedTuple):
    """Records of one commit: contiguous `first`..`last`, one line each, parted by newlines."""

    first: int
    last: int
    lines: bytes

    def day(self, earliest: str) -> str:
        """That of its time, but not before `earliest`: a clock that is set back opens no day again."""
        text = self.lines[_AT : self.lines.index(b",")]
        return max(day_of(float(text)), earliest)


class State(NamedTuple):
    """Where the chain is.

    seq, mac     of the newest record
    open_from    the first day that is not closed
    filed        number of the newest record that is in a file and has left the table; filed_mac: its MAC
    file_day     whose file is open; empty before the first
    file_first   number of its first record
    file_before  MAC of the record before that one
    redacted     records up to this one have lost their personal parts to age
    dropped      records up to this one were deleted with their days
    key          id of the secret that chains now, and seals this; key_from: its first record
    """

    seq: int = 0
    mac: str = GENESIS
    open_from: str = ""
    filed: int = 0
    filed_mac: str = GENESIS
    file_day: str = ""
    file_first: int = 1
    file_before: str = GENESIS
    redacted: int = 0
    dropped: int = 0
    key: str = ""
    key_from: int = 1

    def seal(self, key: bytes) -> str:
        return digest(key, _SEAL + canonical(list(self)), "sha256").hex()

    def is_sealed(self, key: bytes, seal: str) -> bool:
        return compare_digest(self.seal(key).encode(), seal.encode())


class Table:
    """Used by the thread that writes the journal, within its transactions."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def load(self, chains: Mapping[str, bytes]) -> tuple[State, str]:
        """The state and what is wrong with it, empty where nothing is. Without a row it is that of a start.

        `chains`: secrets by their ids, those that were replaced among them.
        """
        row = self._connection.execute("SELECT state, seal FROM evidence_state").fetchone()
        last = self._connection.execute("SELECT max(last) FROM evidence").get
        if row is None:
            return State(), "" if last is None else "the state of the chain is missing"
        state = _state_of(row[0])
        if state is None:
            return State(), "the state of the chain cannot be read"
        if state.key not in chains:
            return state, f"the state of the chain is sealed by key {state.key}, which is not here"
        if not state.is_sealed(chains[state.key], row[1]):
            return state, "the state of the chain is not as it was sealed"
        if last is not None and last != state.seq:
            return state, f"the newest record is {last}, expected {state.seq}"
        return state, ""

    def save(self, state: State, key: bytes) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO evidence_state VALUES (1, ?, ?)",
            (canonical(list(state)).decode(), state.seal(key)),
        )

    def add(self, row: Row) -> None:
        self._connection.execute("INSERT INTO evidence VALUES (?, ?, ?)", row)

    def replace(self, row: Row) -> None:
        self._connection.execute("UPDATE evidence SET lines = ? WHERE first = ?", (row.lines, row.first))

    def remove(self, upto: int) -> None:
        """Rows whose records are all in a file."""
        self._connection.execute("DELETE FROM evidence WHERE last <= ?", (upto,))

    def rows(self) -> list[Row]:
        return list(rows_of(self._connection))

    def oldest_day(self, earliest: str) -> str | None:
        """Of the rows; None without any. `earliest`: of Row.day."""
        row = self._connection.execute(f"{_ROWS} LIMIT 1").fetchone()
        return None if row is None else Row(*row).day(earliest)

    def octets(self) -> int:
        """How much lies in the table."""
        found: int = self._connection.execute("SELECT ifnull(sum(length(lines)), 0) FROM evidence").get
        return found

    def pend(self, spans: list[Span]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO evidence_pending VALUES (?, ?)", spans)

    def pending(self) -> list[Span]:
        """Spans whose personal parts are still to be taken out of the files."""
        return list(self._connection.execute("SELECT first, last FROM evidence_pending"))

    def unpend(self, spans: list[Span]) -> None:
        """Those are done."""
        self._connection.executemany("DELETE FROM evidence_pending WHERE first = ? AND last = ?", spans)


def rows_of(connection: apsw.Connection) -> Iterator[Row]:
    """In order."""
    return map(Row._make, connection.execute(_ROWS))


class Held(NamedTuple):
    """What the journal has of evidence at one instant. `state`: None where it is missing; `seal`: its MAC."""

    state: State | None
    seal: str
    rows: list[Row]
    pending: list[Span]


def held(journal: Path) -> Held:
    """Read in one transaction, so that what is being filed meanwhile is seen once. Raises apsw.Error."""
    connection = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5_000)
    try:
        with connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'evidence_state'").fetchone():
                return Held(None, "", [], [])
            row = connection.execute("SELECT state, seal FROM evidence_state").fetchone()
            pending = list(connection.execute("SELECT first, last FROM evidence_pending"))
            rows = list(rows_of(connection))
    finally:
        connection.close()
    if row is None:
        return Held(None, "", rows, pending)
    return Held(_state_of(row[0]), row[1], rows, pending)


def _state_of(text: str) -> State | None:
    try:
        values = msgspec.json.decode(text, type=_Values)
    except msgspec.MsgspecError:
        return None
    state = State(*values)
    # Another spelling of the same state is an edit too.
    return state if canonical(list(state)).decode() == text else None
