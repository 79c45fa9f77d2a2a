"""An smsbox of its own process: Kannel's box protocol straight to bearerbox.

Each message is its length in four octets, then its fields, all big-endian: an INTEGER is four octets, a
STRING its length and its octets, and -1 stands for a missing one (Kannel gw/msg.c, gw/msg-decl.h).
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.cycle.driver import Driver, main, recipient, text
from benchmarks.cycle.order import Order

__all__ = ["Box"]

_ADMIN, _SMS, _ACK = 1, 2, 3
_IDENTIFY = 3
_MT_PUSH = 2
_ACK_SUCCESS, _ACK_BUFFERED = 0, 3
_DELIVERED = 1
_DLR_MASK = 3  # delivered and undelivered
_NONE = b"\xff\xff\xff\xff"
_INTEGER = struct.Struct(">I")
_integer = _INTEGER.pack
_SETTLE_S = 0.2

# Of an sms before dlr_mask: sender receiver udhdata msgdata time smsc_id smsc_number foreign_id service
# account id, then sms_type mclass mwi coding compress validity deferred, and dlr_mask dlr_url.
_FIELDS = "ssssissssssiiiiiiiis"
_TIME, _ID, _MASK, _URL = 4, 10, 18, 19


class Box(Driver):
    """Asks for a receipt of each message and finds its job again by the dlr_url, which comes back with it."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self._buffer = b""
        self._run = os.urandom(4).hex()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]
        self._write(_framed(_integer(_ADMIN) + _integer(_IDENTIFY) + _NONE))

    def submit(self, jobs: range, stamp_ns: int) -> None:
        self._write(b"".join([self._message(job, stamp_ns) for job in jobs]))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        acknowledgements = []
        for message in self._messages(data):
            kind = _INTEGER.unpack_from(message)[0]
            if kind == _ACK:
                self._on_ack(message, now)
            elif kind == _SMS:
                fields = _fields(message)
                outcome = "delivered" if fields[_MASK] == _DELIVERED else "undelivered"
                self.ended(int(fields[_URL].rpartition(b"/")[2]), outcome, now)
                acknowledgement = _integer(_ACK) + _integer(_ACK_SUCCESS) + _integer(fields[_TIME])
                acknowledgements.append(_framed(acknowledgement + _string(fields[_ID])))
        if acknowledgements:
            self._write(b"".join(acknowledgements))
        self.refill()

    def _on_ack(self, message: bytes, now: int) -> None:
        status = _INTEGER.unpack_from(message, 4)[0]
        self.took(None if status in (_ACK_SUCCESS, _ACK_BUFFERED) else f"ack {status}")
        # nack, time, then the id we gave it: its last twelve digits are the job's number.
        self.handed_over(int(message[-12:], 16), now)

    def _messages(self, data: bytes) -> Iterator[bytes]:
        buffer = self._buffer + data
        at = 0
        while len(buffer) - at >= 4:
            end = at + 4 + _INTEGER.unpack_from(buffer, at)[0]
            if end > len(buffer):
                break
            yield buffer[at + 4 : end]
            at = end
        self._buffer = buffer[at:]

    def _message(self, job: int, stamp_ns: int) -> bytes:
        order = self.order
        uuid = f"{self._run}-0000-4000-8000-{job:012x}"
        return _framed(b"".join((
            _integer(_SMS), _string(b"12345"), _string(recipient(order, job).encode()), _string(b""),
            _string(text(order, job, stamp_ns).encode()), _integer(int(time.time())), _NONE * 3,
            _string(b"bench"), _NONE, _string(uuid.encode()),
            _integer(_MT_PUSH), _NONE * 2, _integer(0), _NONE * 3,
            _integer(_DLR_MASK), _string(b"http://127.0.0.1/%d" % job), _NONE * 11,
        )))  # fmt: skip


def _framed(message: bytes) -> bytes:
    return _integer(len(message)) + message


def _string(octets: bytes) -> bytes:
    return _integer(len(octets)) + octets


def _fields(message: bytes) -> list[Any]:
    """An sms up to dlr_url: int, bytes, or None where a field is missing."""
    fields: list[Any] = []
    at = 4
    for kind in _FIELDS:
        octets = message[at : at + 4]
        at += 4
        if octets == _NONE:
            fields.append(None)
        elif kind == "i":
            fields.append(int.from_bytes(octets, "big"))
        else:
            end = at + int.from_bytes(octets, "big")
            fields.append(message[at:end])
            at = end
    return fields


async def connect(order: Order) -> Box:
    """A box that bearerbox knows."""
    loop = asyncio.get_running_loop()
    _, box = await loop.create_connection(lambda: Box(order), "127.0.0.1", int(order.address))
    await asyncio.sleep(_SETTLE_S)  # bearerbox answers nothing to the identification
    return box


if __name__ == "__main__":
    main(connect)
