"""Messages from handsets: their parts kept until they are whole, and told to the application once.

A carrier that did not get our deliver_sm_resp sends the message again. Where the message has a reference
number, the same octets from the same handset under the same number are that repetition. Where it has none,
a second "YES" may be meant: it is a repetition only if the connection on which the first one came is gone.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.events import EventLog
from connector.journal.ops import Batch, Inbound, InboundPart, Receipt
from connector.journal.receipts import Parking, is_of
from connector.journal.sealed import opened_text, part_context
from connector.sealing import Seal
from protocols.gsm.coding import Coding, text_of
from protocols.gsm.languages import Language
from protocols.rpc.event import Event

__all__ = ["NOBODY", "Inbox", "Keyword", "Reception", "text_or_data"]

Keyword = tuple[Literal["stop", "start", "help"], str]
"""What a handset wants, and the BCP 47 tag of the language it said so in."""

MAX_PARTS_OF_ACCOUNT: Final = 5_000
MAX_PARTS: Final = 20_000
"""Parts that wait for others; above, the oldest messages are told as they are."""

REPEATED_S: Final = 300.0
"""How long a repetition is looked for. Carriers that got no answer try again within a few minutes at first;
8-bit references of one handset come round again, but not so soon."""

MAX_TOLD: Final = 50_000

_MOST_CONNECTIONS: Final = 16

_LONGEST_KEPT: Final = 1_000

_encode = msgspec.msgpack.Encoder().encode
_INSERT = """
    INSERT INTO inbound_part
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
           value->>9, value->>10, value->>11, value->>12, value->>13 FROM jsonb_each(?)
"""
_SELECT = """
    SELECT id, account, carrier, handset, recipient, form, reference, total, part, codec, octets, locking,
           single, at FROM inbound_part ORDER BY id
"""
_END = "DELETE FROM inbound_part WHERE id IN (SELECT value FROM jsonb_each(?))"
_TOLD = "INSERT OR REPLACE INTO inbound_told SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?)"
_FORGET = "DELETE FROM inbound_told WHERE digest IN (SELECT value FROM jsonb_each(?))"


class Reception(msgspec.Struct, frozen=True):
    """What becomes of handsets' messages.

    receiver  number of ours → name of the application whose it is, None: nobody's
    keyword   whole text, handset → the keyword that it is
    wait_s    after its first part a message that is not whole is told without the others
    """

    receiver: Callable[[str], str | None] = lambda recipient: None
    keyword: Callable[[str, str], Keyword | None] = lambda text, handset: None
    wait_s: float = 600.0


NOBODY: Final = Reception()


class _Held(NamedTuple):
    row: int
    part: InboundPart


class _Message(msgspec.Struct):
    """A message that is not whole. `at`: when its first part came."""

    carrier: str
    at: float
    parts: dict[int, _Held]


_Connections = tuple[int, ...] | None
"""On which ones a message came, one for each time it was told; None: its reference tells."""

_NEVER: Final[tuple[float, _Connections]] = (float("-inf"), ())
_Key = tuple[str, str, str, int | None, int]
_Messages = OrderedDict[_Key, _Message]


class Inbox:
    """Used by the writer thread alone, within its transaction. After a failed commit the process exits, so
    what is held in memory needs no way back.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        events: EventLog,
        parking: Parking,
        reception: Reception,
        seal: Seal,
        digest_key: bytes,
    ) -> None:
        self._connection = connection
        self._seal = seal
        self._digest_key = digest_key
        self._events = events
        self._parking = parking
        self._reception = reception
        self._apps: dict[str, int] = {}
        self._open: dict[int, _Messages] = {}
        self._waiting: Counter[int] = Counter()  # parts, by account
        self._row: int = 0
        self._number: int = connection.execute("SELECT last FROM inbound_number").get
        self._numbered = self._number
        self._told: OrderedDict[str, tuple[float, _Connections]] = OrderedDict()
        self._incomplete: Counter[str] = Counter()
        # What the tables do not have yet, and what they have too much.
        self._fresh: dict[int, tuple[Any, ...]] = {}
        self._fresh_told: dict[str, tuple[float, _Connections]] = {}
        self._ended: list[int] = []
        self._forgotten: list[str] = []
        self._load()

    def take(self, arrived: Sequence[Inbound]) -> None:
        """Tell what is whole, keep what is not, park what is for nobody."""
        if not arrived:
            return
        parked = []
        for inbound in arrived:
            # Asked once: a reload may change the answer at any moment.
            receiver = self._reception.receiver(inbound.part.recipient)
            if receiver is None:
                inbound.fate = "parked"
                parked.append(_unclaimed(inbound.account, inbound.carrier, inbound.part, inbound.at))
            elif self._repeated(inbound):
                inbound.fate = "repeated"
            elif inbound.part.total == 1:
                inbound.fate = "told"
                account, carrier, at = inbound.account, inbound.carrier, inbound.at
                self._tell(receiver, account, carrier, [inbound.part], at, inbound.connection)
            else:
                self._keep(receiver, inbound)
        self._parking.park(parked)
        self._save()

    def sweep(self, now: float) -> None:
        """Tell what has waited long enough, and forget what will not be repeated any more."""
        for account, messages in self._open.items():
            if messages and next(iter(messages.values())).at > now:
                # The host's clock was ahead before the start.
                for message in messages.values():
                    message.at = min(message.at, now)
            while messages and next(iter(messages.values())).at <= now - self._reception.wait_s:
                self._give_up(account, next(iter(messages)), now)
        while self._told and abs(now - next(iter(self._told.values()))[0]) > REPEATED_S:
            self._forget()
        self._save()

    def report(self, batch: Batch) -> None:
        """Fill in what came of `batch`."""
        batch.incomplete, self._incomplete = self._incomplete, Counter()
        batch.inbound_parts = self._waiting.total()

    def _repeated(self, inbound: Inbound) -> bool:
        digest = self._digest(inbound.account, inbound.part)
        at, connections = self._told.get(digest, _NEVER)
        if abs(inbound.at - at) > REPEATED_S:  # the clock may have been ahead before the start
            return False
        if connections is None:
            return True
        here = inbound.connection
        gone = next((each for each in connections if each != here and each not in inbound.standing), None)
        if gone is None:
            return False
        # It stands for that one now, and may be lost in its turn.
        left = list(connections)
        left.remove(gone)
        self._remember(digest, inbound.at, (*left, here))
        return True

    def _keep(self, receiver: str, inbound: Inbound) -> None:
        account, part = inbound.account, inbound.part
        messages = self._open.setdefault(account, OrderedDict())
        key = (part.handset, part.recipient, part.form, part.reference, part.total)
        message = messages.get(key)
        if message is not None and (held := message.parts.get(part.index)) is not None:
            if held.part == part:
                inbound.fate = "repeated"
                return
            # Another message under the same number: what is there of the first will not become whole.
            self._give_up(account, key, inbound.at)
            message = None
        if message is None:
            message = messages[key] = _Message(inbound.carrier, inbound.at, {})
        self._row += 1
        message.parts[part.index] = _Held(self._row, part)
        self._fresh[self._row] = self._row_of(self._row, inbound)
        self._waiting[account] += 1
        if len(message.parts) == part.total:
            inbound.fate = "told"
            parts = self._close(account, key).parts
            whole = [parts[index].part for index in sorted(parts)]
            self._tell(receiver, account, inbound.carrier, whole, inbound.at)
        self._bound(inbound.at)

    def _bound(self, now: float) -> None:
        for account, messages in self._open.items():
            while self._waiting[account] > MAX_PARTS_OF_ACCOUNT:
                self._give_up(account, next(iter(messages)), now)
        while self._waiting.total() > MAX_PARTS:
            account = min(
                (account for account, messages in self._open.items() if messages),
                key=lambda account: next(iter(self._open[account].values())).at,
            )
            self._give_up(account, next(iter(self._open[account])), now)

    def _close(self, account: int, key: _Key) -> _Message:
        message = self._open[account].pop(key)
        self._waiting[account] -= len(message.parts)
        for held in message.parts.values():
            if self._fresh.pop(held.row, None) is None:
                self._ended.append(held.row)
        return message

    def _give_up(self, account: int, key: _Key, now: float) -> None:
        """Tell a message without the parts that did not come."""
        message = self._close(account, key)
        parts = [message.parts[index].part for index in sorted(message.parts)]
        receiver = self._reception.receiver(parts[0].recipient)
        if receiver is None:  # not any more
            self._parking.park([_unclaimed(account, message.carrier, part, message.at) for part in parts])
            return
        self._incomplete[message.carrier] += 1
        self._tell(receiver, account, message.carrier, parts, now)

    def _tell(
        self,
        receiver: str,
        account: int,
        carrier: str,
        parts: list[InboundPart],
        at: float,
        connection: int = 0,
    ) -> None:
        """`connection` matters where there is no reference."""
        first = parts[0]
        missing = tuple(sorted(set(range(1, first.total + 1)) - {part.index for part in parts}))
        text, data = text_or_data(parts)
        found = None if text is None or missing else self._reception.keyword(text, first.handset)
        keyword, language = found or (None, None)
        app = self._app(receiver)
        self._number += 1
        self._events.emit(app, Event(
            seq=self._events.next_seq(app), id=f"mo-{self._number}", at=at, type="received", channel="sms",
            carrier=carrier, from_=first.handset, to=first.recipient, text=text, data=data,
            parts=first.total, missing=missing, keyword=keyword, keyword_lang=language,
        ))  # fmt: skip
        for part in parts:
            digest = self._digest(account, part)
            connections: _Connections = None
            if part.reference is None:
                connections = (*(self._told.get(digest, _NEVER)[1] or ()), connection)[-_MOST_CONNECTIONS:]
            self._remember(digest, at, connections)

    def forget(self, number: str) -> None:
        """Drop what that handset has written and is not whole."""
        for account, messages in self._open.items():
            for key in [key for key in messages if is_of(number, key[0])]:
                self._close(account, key)
        self._save()

    def _remember(self, digest: str, at: float, connections: _Connections) -> None:
        self._told.pop(digest, None)  # the newest are at the end
        self._told[digest] = self._fresh_told[digest] = (at, connections)
        if len(self._told) > MAX_TOLD:
            self._forget()

    def _forget(self) -> None:
        digest, _ = self._told.popitem(last=False)
        self._fresh_told.pop(digest, None)
        self._forgotten.append(digest)

    def _app(self, name: str) -> int:
        if name not in self._apps:
            self._apps[name] = self._connection.execute("SELECT id FROM app WHERE name = ?", (name,)).get
        return self._apps[name]

    def _save(self) -> None:
        connection = self._connection
        bulk.write(connection, _INSERT, list(self._fresh.values()))
        bulk.write(connection, _END, self._ended)
        bulk.write(connection, _FORGET, self._forgotten)
        bulk.write(connection, _TOLD, [
            (digest, at, None if connections is None else str(list(connections)))
            for digest, (at, connections) in self._fresh_told.items()
        ])  # fmt: skip
        if self._number != self._numbered:
            connection.execute("UPDATE inbound_number SET last = ?", (self._number,))
        self._numbered = self._number
        self._fresh, self._ended, self._fresh_told, self._forgotten = {}, [], {}, []

    def _digest(self, account: int, part: InboundPart) -> str:
        return blake2b(_encode((account, part)), digest_size=16, key=self._digest_key).hexdigest()

    def _row_of(self, row: int, inbound: Inbound) -> tuple[Any, ...]:
        part = inbound.part
        octets = self._seal.seal(part.octets.hex().encode(), part_context(row))
        return (
            row, inbound.account, inbound.carrier, part.handset, part.recipient, part.form, part.reference,
            part.total, part.index, part.codec, octets, part.locking, part.single, inbound.at,
        )  # fmt: skip

    def _load(self) -> None:
        """What the last process held."""
        for row in self._connection.execute(_SELECT):
            self._row, account, carrier, handset, recipient, form, reference, total, index = row[:9]
            codec, octets, locking, single, at = row[9:]
            content = bytes.fromhex(opened_text(self._seal, octets, part_context(self._row)).decode())
            part = InboundPart(
                handset, recipient, codec, content, form, reference, total, index, locking, single
            )
            messages = self._open.setdefault(account, OrderedDict())
            message = messages.setdefault(
                (handset, recipient, form, reference, total), _Message(carrier, at, {})
            )
            message.parts[index] = _Held(self._row, part)
            self._waiting[account] += 1
        for digest, at, connections in self._connection.execute(
            "SELECT digest, at, connections FROM inbound_told ORDER BY at"
        ):
            self._told[digest] = (at, None if connections is None else tuple(json.loads(connections)))


def text_or_data(parts: Iterable[InboundPart]) -> tuple[str | None, str | None]:
    """The text of `parts`, which are in order, or where one of them is no text, their octets in hexadecimal.

    Octets of neighbours in one alphabet are joined first: a character may have been cut in two.
    """
    parts = list(parts)
    if any(part.codec is None for part in parts):
        return None, b"".join(part.octets for part in parts).hex()
    pieces = []
    for (codec, locking, single, _), run in groupby(enumerate(parts), key=_coding):
        octets = b"".join(part.octets for _, part in run)
        pieces.append(text_of(octets, codec, locking, single))
    return "".join(pieces), None


def _coding(numbered: tuple[int, InboundPart]) -> tuple[Coding, Language | None, Language | None, int]:
    # The difference changes where a part is missing.
    at, part = numbered
    assert part.codec is not None
    locking = Language(part.locking) if part.locking else None
    single = Language(part.single) if part.single else None
    return part.codec, locking, single, part.index - at


def _unclaimed(account: int, carrier: str, part: InboundPart, at: float) -> Receipt:
    return Receipt(
        account=account, carrier=carrier, keys=(), address=part.handset.lstrip("+"), state="MO", result=None,
        raw=part.octets[:_LONGEST_KEPT].hex(), at=at, context=None,
    )  # fmt: skip
