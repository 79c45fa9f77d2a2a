"""The chain: each record's MAC covers the one before it.

A line of evidence is the canonical JSON of {at, kind, mac, personal?, record, seq}. Its MAC is HMAC-SHA256
over the 32 octets of the previous MAC and the canonical JSON of {at, kind, record, seq}: the personal part is
in it only by the commitment that `record.personal` holds, so that it can be taken out one day.
"""

from __future__ import annotations

from hmac import digest
from typing import Final, NamedTuple

import msgspec

from connector.evidence.canonical import canonical
from connector.evidence.mac import Mac

__all__ = ["GENESIS", "BadLine", "Chain", "Entry", "Line", "mac_of", "read_line"]

GENESIS: Final = "0" * 64
"""Stands for the MAC before the first record."""


class BadLine(ValueError):
    """Not what a chain would have written."""


class Entry(NamedTuple):
    """What is to be chained, both in canonical form. A record with a personal part commits to it."""

    kind: str
    record: bytes
    personal: bytes | None = None


class Chain:
    """Goes on after record number `seq`, whose MAC is `mac` in hexadecimal."""

    def __init__(self, key: bytes, seq: int = 0, mac: str = GENESIS) -> None:
        self._mac_of = Mac(key).of
        self.seq = seq
        self._mac = bytes.fromhex(mac)

    @property
    def mac(self) -> str:
        return self._mac.hex()

    def append(self, at: float, entry: Entry) -> bytes:
        """The next line, without a newline."""
        kind, record, personal = entry
        self.seq += 1
        begin = b'{"at":%b,"kind":"%b"' % (canonical(at), kind.encode())
        end = b',"record":%b,"seq":%d}' % (record, self.seq)
        self._mac = self._mac_of(self._mac + begin + end)
        shown = b',"mac":"%b"' % self._mac.hex().encode()
        return b"".join((begin, shown, b',"personal":' + personal if personal else b"", end))


class Line(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A line, its parts as octets."""

    at: msgspec.Raw
    kind: msgspec.Raw
    mac: str
    personal: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    record: msgspec.Raw
    seq: int

    def chained(self) -> bytes:
        """What the MAC covers besides the previous one."""
        return b'{"at":%b,"kind":%b,"record":%b,"seq":%d}' % (
            bytes(self.at), bytes(self.kind), bytes(self.record), self.seq,
        )  # fmt: skip

    def public(self) -> bytes:
        """The line without its personal part."""
        return b'{"at":%b,"kind":%b,"mac":"%b","record":%b,"seq":%d}' % (
            bytes(self.at), bytes(self.kind), self.mac.encode(), bytes(self.record), self.seq,
        )  # fmt: skip

    def whole(self) -> bytes:
        if self.personal is msgspec.UNSET:
            return self.public()
        return b'{"at":%b,"kind":%b,"mac":"%b","personal":%b,"record":%b,"seq":%d}' % (
            bytes(self.at), bytes(self.kind), self.mac.encode(), bytes(self.personal), bytes(self.record),
            self.seq,
        )  # fmt: skip


_line = msgspec.json.Decoder(Line).decode


def read_line(octets: bytes) -> Line:
    """Of a line without its newline. Raises BadLine: any other octets for the same values are an edit."""
    try:
        octets.decode()  # which is not looked at within what stays octets
        line = _line(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadLine(f"no record: {error}") from None
    if line.whole() != octets:
        raise BadLine("not in canonical form")
    return line


def mac_of(key: bytes, previous_mac: str, line: Line) -> str:
    """What the line's MAC must be. Raises ValueError when the previous one is no MAC."""
    return digest(key, bytes.fromhex(previous_mac) + line.chained(), "sha256").hex()
