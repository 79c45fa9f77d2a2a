"""systemd's journal, spoken natively: one datagram a record (systemd.journal-fields(7), sd_journal_send(3)).

The format is that of systemd's page "Native Journal Protocol": ``NAME=value`` lines; a value that holds a
newline is written as the name, a newline, its length as 64-bit little endian, the value and a newline.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Mapping
from typing import Final

from .entry import Entry

__all__ = ["SOCKET", "Journal", "is_journal", "priority", "serialise"]

SOCKET = "/run/systemd/journal/socket"
_FIELD_NAME: Final = re.compile(r"[^A-Z0-9_]")
_LONGEST_NAME: Final = 64
_SEND_BUFFER: Final = 1 << 20


def is_journal(fd: int, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether `fd` is the stream systemd connected to the journal: JOURNAL_STREAM (systemd.exec(5))."""
    try:
        status = os.fstat(fd)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def priority(level: int) -> int:
    """Level of logging → syslog priority: debug 7, info 6, warning 4, error 3, critical 2."""
    return next(value for floor, value in ((50, 2), (40, 3), (30, 4), (20, 6), (-1, 7)) if level >= floor)


def serialise(entry: Entry, message: str) -> bytes:
    """`entry` as one datagram whose MESSAGE is `message`; its fields are CONNECTOR_<NAME>."""
    fields = {
        "MESSAGE": message,
        "PRIORITY": str(priority(entry.level)),
        "SYSLOG_IDENTIFIER": "connector",
        "CONNECTOR_LOGGER": entry.logger,
    }
    if entry.journal_id:
        fields["MESSAGE_ID"] = entry.journal_id
    for name, value in entry.fields.items():
        key = "CONNECTOR_" + _FIELD_NAME.sub("_", name.upper())
        fields[key[:_LONGEST_NAME]] = value if isinstance(value, str) else json.dumps(value)
    return b"".join(_field(name, value) for name, value in fields.items())


class Journal:
    """The sending end. `send` raises OSError when journald is not there, slow, or the record is too big."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, SOCKET)

    def close(self) -> None:
        self._socket.close()


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
