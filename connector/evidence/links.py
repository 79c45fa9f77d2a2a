"""One line after another: whether each follows from the one before, and what the chain says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from connector.evidence.canonical import commitment
from connector.evidence.chain import GENESIS, BadLine, Line, mac_of, read_line
from connector.evidence.keys import Verifying
from connector.evidence.spans import Span

__all__ = ["Links"]


class _Record(msgspec.Struct):
    """What of any record matters to the chain."""

    personal: str | None = None
    fault: str | None = None
    what: Any = None
    keys: dict[str, str] = {}
    seqs: list[Span] = []
    last: int = 0
    mac: str = ""


_record: Final = msgspec.json.Decoder(_Record).decode


class Links:
    """Lines as they are read. `seq` and `mac` are of the line before.

    found      gets what is wrong: where, what
    chained    whether MACs are judged; otherwise only the order and the personal parts are
    held       spans of records that hold their personal part; `bare` of those that lost it
    redacted   spans that records say are to lose theirs
    dropped    the last record that a record says was deleted, with its MAC
    signers    ids of the keys that records say sign the days
    watched    number of a record whose MAC is wanted; `seen` is that MAC
    """

    def __init__(self, keys: Verifying, chained: bool, found: Callable[[str, str], None]) -> None:
        self.seq = 0
        self.mac = GENESIS
        self.records = 0
        self.held: list[Span] = []
        self.bare: list[Span] = []
        self.redacted: list[Span] = []
        self.dropped: tuple[int, str] | None = None
        self.signers: set[str] = set()
        self.watched: int | None = None
        self.seen: str | None = None
        self._keys = keys
        self._chained = chained
        self._found = found
        self._key: bytes | None = None
        self._blind = False  # behind a record that names a key which is not here

    def take(self, where: str, text: bytes) -> Line | None:
        """The next line; None where it is no line at all."""
        self.records += 1
        try:
            line = read_line(text)
            record = _record(line.record)
        except (BadLine, msgspec.MsgspecError) as error:
            self._found(where, str(error))
            return None
        kind = bytes(line.kind)
        if kind == b'"start"':
            self._turn(where, record)
        follows = line.seq == self.seq + 1
        if line.seq > self.seq + 1:
            self._found(where, f"{_records(self.seq + 1, line.seq - 1)} missing before it")
        elif not follows:
            self._found(where, f"record {line.seq} follows record {self.seq}")
        if follows and self._chained and not self._blind and not self._is_chained(line):
            self._found(where, f"record {line.seq} is not what was written")
        self._personal(where, line, record)
        self._said(where, kind, record)
        if line.seq == self.watched:
            self.seen = line.mac
        self.seq, self.mac = line.seq, line.mac
        return line

    def _turn(self, where: str, record: _Record) -> None:
        name = record.keys.get("chain", "")
        self.signers.add(record.keys.get("signing", ""))
        self._key = self._keys.chains.get(name)
        self._blind = self._key is None
        if self._blind and self._chained:
            self._found(where, f"chained from here on by key {name}, which is not here")

    def _is_chained(self, line: Line) -> bool:
        try:
            # Where the first days were deleted, no record says which key it is.
            keys = [self._key] if self._key is not None else list(self._keys.chains.values())
            right = [key for key in keys if mac_of(key, self.mac, line) == line.mac]
        except ValueError:
            return False
        if right:
            self._key = right[0]
        return bool(right)

    def _personal(self, where: str, line: Line, record: _Record) -> None:
        if line.personal is msgspec.UNSET:
            if record.personal is not None:
                _add(self.bare, line.seq)
            return
        _add(self.held, line.seq)
        if record.personal != commitment(bytes(line.personal)):
            self._found(where, f"the personal part of record {line.seq} is not what was written")

    def _said(self, where: str, kind: bytes, record: _Record) -> None:
        if kind == b'"redacted"':
            self.redacted += record.seqs
        elif kind == b'"dropped"':
            self.dropped = (record.last, record.mac)
        elif kind == b'"start"' and record.fault:
            self._found(where, f"said at a start: {record.fault}")
        elif kind == b'"fault"':
            self._found(where, f"said when the day was closed: {record.what}")


def _add(spans: list[Span], seq: int) -> None:
    if spans and spans[-1][1] + 1 == seq:
        spans[-1] = (spans[-1][0], seq)
    else:
        spans.append((seq, seq))


def _records(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
