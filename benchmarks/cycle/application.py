"""An application of its own process on the job socket: submits, follows the events, acknowledges them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgpack  # type: ignore[import-untyped]

from benchmarks.cycle.driver import Driver, main, recipient, text
from benchmarks.cycle.order import Order
from protocols.rpc.messages import encode_request

__all__ = ["Application"]

_DEADLINE_S = 120.0
_SUBSCRIBE, _ACK, _FIRST_SUBMIT = 0, 1, 2


class Application(Driver):
    """Speaks MessagePack-RPC as leanly as it can, so that the daemon is what is measured.

    Paced jobs go one a `submit`, windowed ones many a `submit_many`. One `ack` is under way at a time.
    """

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unpacker = msgpack.Unpacker(max_buffer_size=64 << 20)
        self._msgid = _FIRST_SUBMIT
        self._seq = 0
        self._acking = 0
        self._acked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]
        self._write(encode_request(_SUBSCRIBE, "subscribe", [{}]))

    def submit(self, jobs: range, stamp_ns: int) -> None:
        order = self.order
        bodies = [
            {
                "id": f"job-{order.first + job:07d}",
                "to": "+" + recipient(order, job),
                "text": text(order, job, stamp_ns),
                "deadline_s": _DEADLINE_S,
            }
            for job in jobs
        ]
        if order.rate:
            for body in bodies:
                self._write(encode_request(self._msgid, "submit", [body]))
                self._msgid += 1
        else:
            self._write(encode_request(self._msgid, "submit_many", [bodies]))
            self._msgid += 1

    def settled(self) -> bool:
        return self._acked == self._seq

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._unpacker.feed(data)
        for message in self._unpacker:
            if len(message) == 3:
                self._on_event(message, now)
            else:
                self._on_answer(message)
        if self._seq > self._acking == self._acked:
            self._acking = self._seq
            self._write(encode_request(_ACK, "ack", [{"seq": self._seq}]))
        self.refill()

    def _on_event(self, message: Any, now: int) -> None:
        _, method, (event,) = message
        if method != "event":
            self.took(event.get("code", method))
            return
        self._seq = event["seq"]
        job = int(event["id"][4:]) - self.order.first
        if job < 0:
            self.took("event of an earlier run")
        elif event.get("final"):
            self.ended(job, event["outcome"], now)
        elif event["type"] == "sent":
            self.handed_over(job, now)

    def _on_answer(self, message: Any) -> None:
        _, msgid, error, result = message
        if msgid == _ACK:
            self._acked = self._acking
            self.report.acknowledged = self._acked
        elif msgid == _SUBSCRIBE:
            self.subscribed.set_result(None)
        elif error is not None:
            self.took(error["code"])
        else:
            for answer in result if type(result) is list else (result,):
                refused = answer.get("code") or ("duplicate" if answer["duplicate"] else None)
                self.took(refused)


async def connect(order: Order) -> Application:
    """A connection whose subscription stands."""
    loop = asyncio.get_running_loop()
    _, application = await loop.create_unix_connection(lambda: Application(order), order.address)
    await application.subscribed
    return application


if __name__ == "__main__":
    main(connect)
