"""Whether evidence is what was written: any edit, deletion, reordering or truncation, and where.

What stands between two lines is judged by the later one: after a finding the chain is taken up again at the
MAC that the line claims, so that one fault is told once and what follows is still judged.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from connector.evidence.chain import GENESIS, BadLine, read_line
from connector.evidence.days import days_of, held_by
from connector.evidence.head import Head, Published, read_head
from connector.evidence.keys import FOLDER, Verifying
from connector.evidence.layout import JOURNAL, day_file, days_in, head_file
from connector.evidence.links import Links
from connector.evidence.spans import Span, minus
from connector.evidence.table import Held, State

__all__ = ["MOST_FINDINGS", "Finding", "Report", "verify"]

MOST_FINDINGS: Final = 1_000
_TRIES: Final = 5


class Finding(NamedTuple):
    """`where`: a file with its line, a file, or a record of the journal."""

    where: str
    what: str


class Report(NamedTuple):
    """records: lines that were read; days: closed ones; findings: at most MOST_FINDINGS of them.

    last: number and MAC of the newest record
    """

    records: int
    days: int
    findings: list[Finding]
    last: tuple[int, str] = (0, GENESIS)


def verify(
    state: Path, keys: Verifying, public_key_only: bool = False, known_head: Published | None = None
) -> Report:
    """Read everything under the state folder `state`; changes nothing, whether or not the daemon runs.

    public_key_only  without the secret of the chain: only what a signed head covers is proved
    known_head       from the log: the chain must still have it
    Raises OSError.
    """
    tries = 0
    while True:
        tries += 1
        before = days_in(state)
        held, fault = _held(state)
        check = _Check(state, keys, public_key_only, held)
        if fault:
            check.found(JOURNAL, fault)
        try:
            check.run(days_of(state, held, before), known_head)
        except FileNotFoundError:
            if tries == _TRIES:
                raise
            continue
        links = check.links
        report = Report(links.records, check.days, check.findings, (links.seq, links.mac))
        # A running daemon files, redacts and deletes while this reads.
        if tries == _TRIES or not report.findings or _held(state)[0].state == held.state:
            return report


def _held(state: Path) -> tuple[Held, str]:
    try:
        return held_by(state), ""
    except apsw.Error as error:
        return Held(None, "", [], []), f"cannot be read: {error}"


class _Check:
    """One reading of it all."""

    def __init__(self, state: Path, keys: Verifying, public_key_only: bool, held: Held) -> None:
        self.findings: list[Finding] = []
        self.days = 0
        self.links = Links(keys, not public_key_only, self.found)
        self._folder = state
        self._keys = keys
        self._secret = not public_key_only
        self._held = held
        self._begins_after: tuple[int, str] | None = None
        self._absent: list[tuple[str, int]] = []  # days without their file, and their last record
        self._heads: list[Head] = []
        self._tail: dict[int, bytes] = {}  # lines of the open day's file that are in the table too
        self._newer: list[tuple[str, bytes]] = []  # and those that are newer than what was read of the table

    def found(self, where: str, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(where, what))

    def run(self, days: list[str], known: Published | None) -> None:
        state = self._held.state
        if known is not None:
            self.links.watched = known.seq
        for day in days:
            if state is not None and day == state.file_day:
                self._open_day(day, state)
            else:
                self._closed_day(day, newest=day == days[-1])
        if state is not None:
            self._begin(state.filed, state.filed_mac)
        self._rows()
        if state is not None:
            self._judge_state(state)
        elif self._secret and (days or self._held.rows):
            self.found(JOURNAL, "has no state of the chain: its newest records may be missing")
        for where, text in self._newer:
            self.links.take(where, text)
        self._judge_beginning()
        self._judge_redaction()
        self._judge_signers()
        if known is not None:
            self._judge_known(known)

    def _begin(self, seq: int, mac: str) -> None:
        """The first line that is left follows this one."""
        if self._begins_after is None:
            self._begins_after = (seq, mac)
            self.links.seq, self.links.mac = seq, mac

    def _closed_day(self, day: str, newest: bool) -> None:
        path = day_file(self._folder, day)
        there = path.exists()
        head = self._head(day, needed=there and (not newest or self._held.state is not None))
        if not there:  # where its head is gone too, the next day says whether it is missed
            self._absent += [(path.name, head.last)] if head is not None else []
            return
        if head is not None:
            self._begin(head.first - 1, head.previous_mac)
            if head.previous_mac != self.links.mac:
                self.found(head_file(self._folder, day).name, "does not follow the day before")
        digest, count = sha256(), 0
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                where = f"{path.name}:{number}"
                if not text.endswith(b"\n"):
                    self.found(where, "the line is cut off")
                line = self.links.take(where, text.removesuffix(b"\n"))
                digest.update(text if line is None else line.public() + b"\n")
                count += 1
        if head is not None:
            self.days += 1
            mac = self.links.mac
            if (head.count, head.last, head.mac) != (count, self.links.seq, mac):
                self.found(path.name, f"ends with record {self.links.seq}, expected {head.last}")
            elif head.sha256 != digest.hexdigest():
                self.found(path.name, "is not what its head was signed for")

    def _head(self, day: str, *, needed: bool = True) -> Head | None:
        path = head_file(self._folder, day)
        try:
            head = read_head(path.read_bytes())
        except FileNotFoundError:
            if needed:
                self.found(path.name, "is missing")
            return None
        except ValueError as error:
            self.found(path.name, str(error))
            return None
        if head.day != day:
            self.found(path.name, f"is that of {head.day}")
        elif not head.is_signed(self._keys):
            self.found(path.name, "has no signature of a key that is here")
        self._heads.append(head)
        return head

    def _open_day(self, day: str, state: State) -> None:
        self._begin(state.file_first - 1, state.file_before)
        self._head(day, needed=False)  # written already, where the daemon ended just then
        path = day_file(self._folder, day)
        if not path.exists():
            self._absent.append((path.name, state.filed))
            return
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                if self.links.seq >= state.filed:
                    self._beyond(f"{path.name}:{number}", text, state.seq)
                else:
                    self.links.take(f"{path.name}:{number}", text.removesuffix(b"\n"))
        if (self.links.seq, self.links.mac) != (state.filed, state.filed_mac):
            self.found(path.name, f"ends with record {self.links.seq}, expected {state.filed}")

    def _beyond(self, where: str, text: bytes, newest: int) -> None:
        """A line that is in the table still, as it was being filed, or one newer than what was read of it."""
        if not text.endswith(b"\n"):
            return
        try:
            line = read_line(text[:-1])
        except BadLine as error:
            self.found(where, str(error))
            return
        if line.seq > newest:
            self._newer.append((where, text[:-1]))
            return
        if line.seq in self._tail:
            self.found(where, f"has record {line.seq} twice")
        self._tail[line.seq] = line.public()

    def _rows(self) -> None:
        for row in self._held.rows:
            where = f"{JOURNAL}:{row.first}"
            if row.first != self.links.seq + 1:
                self.found(where, f"begins with record {row.first}, expected {self.links.seq + 1}")
            for text in row.lines.split(b"\n"):
                line = self.links.take(f"{JOURNAL}:{self.links.seq + 1}", text)
                if line is not None and self._tail.pop(line.seq, line.public()) != line.public():
                    self.found(where, f"record {line.seq} is not as it was filed")
            if row.last != self.links.seq:
                self.found(where, f"ends with record {self.links.seq}, expected {row.last}")
        for seq in self._tail:
            self.found(FOLDER, f"record {seq} is in the open day's file, but nowhere in the journal")

    def _judge_state(self, state: State) -> None:
        if self._secret:
            key = self._keys.chains.get(state.key)
            if key is None:
                self.found(JOURNAL, f"the state of the chain is sealed by key {state.key}, which is not here")
            elif not state.is_sealed(key, self._held.seal):
                self.found(JOURNAL, "the state of the chain is not what was written")
        if (self.links.seq, self.links.mac) != (state.seq, state.mac):
            self.found(JOURNAL, f"the newest record is {self.links.seq}, expected {state.seq}")

    def _judge_beginning(self) -> None:
        last, mac = self._begins_after or (0, GENESIS)
        dropped, dropped_mac = self.links.dropped or (0, GENESIS)
        if last > dropped or (last == dropped and mac != dropped_mac) or (not last and mac != GENESIS):
            self.found(FOLDER, f"records up to {last} are missing, and no record says that they were deleted")
        for name, newest in self._absent:
            if newest > dropped or not newest:
                self.found(name, "is missing")

    def _judge_redaction(self) -> None:
        links, pending = self.links, self._held.pending
        self._judge_spans(minus(links.bare, links.redacted), "lost its personal part, with no record of it")
        self._judge_spans(
            _both(links.held, minus(links.redacted, pending)),
            "holds a personal part that was taken out",
        )
        self._judge_spans(
            minus(pending, links.redacted), "is to lose its personal part, with no record of it"
        )

    def _judge_spans(self, spans: list[Span], what: str) -> None:
        for first, last in spans:
            which = f"record {first}" if first == last else f"each of {first} to {last}"
            self.found(FOLDER, f"{which} {what}")

    def _judge_signers(self) -> None:
        signers = self.links.signers
        if self._begins_after is None or self._begins_after[0] or not signers:
            return  # what named the keys may be deleted
        for head in self._heads:
            if head.key not in signers:
                self.found(head_file(self._folder, head.day).name, "is signed by a key that no record names")
        if self._keys.stated is not None and self._keys.stated not in signers:
            self.found("public.pem", "is a key that no record names")

    def _judge_known(self, known: Published) -> None:
        if known.signature and not known.is_signed(self._keys):  # without one it is who asks that vouches
            self.found("known head", "has no signature of a key that is here")
        first = (self._begins_after or (0, ""))[0]
        if known.seq > self.links.seq:
            self.found("known head", f"record {known.seq} was written; the newest one is {self.links.seq}")
        elif known.seq > first and not (self.links.seen or "").startswith(known.mac):
            self.found("known head", f"record {known.seq} is not the one that was published")


def _both(spans: list[Span], others: list[Span]) -> list[Span]:
    return minus(spans, minus(spans, others))
