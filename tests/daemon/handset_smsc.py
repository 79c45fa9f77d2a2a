"""An SMSC that hands over what handsets wrote, exactly when and as often as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count
from typing import Any

from protocols.smpp.constants import CommandId, EsmClass
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import (
    BindTransceiverResp,
    DataSm,
    DeliverSm,
    EnquireLinkResp,
    Pdu,
    SubmitSmResp,
    UnbindResp,
    decode,
    encode,
)
from tests.daemon.harness import PATIENCE_S

HANDSET = "+4915112345678"
OURS = "60312"


def written(octets: bytes, *, handset: str = HANDSET, to: str = OURS, **fields: Any) -> DeliverSm:
    """A deliver_sm from `handset`."""
    fields = {"dest_addr_ton": 3, **fields}
    return DeliverSm(
        source_addr_ton=1, source_addr_npi=1, source_addr=handset[1:].encode(),
        destination_addr=to.encode(), short_message=octets, **fields,
    )  # fmt: skip


def part(octets: bytes, reference: int, total: int, index: int, **fields: Any) -> DeliverSm:
    """The same as one of several, with an 8-bit reference."""
    header = bytes((5, 0, 3, reference, total, index))
    return written(header + octets, esm_class=EsmClass.UDHI, **fields)


class HandsetSmsc:
    """Takes transceivers. `answers`: statuses of deliver_sm_resp and data_sm_resp by sequence number."""

    def __init__(self) -> None:
        self.answers: dict[int, int] = {}
        self.port = 0
        self._sequences = count(1)
        self._ids = count(1)
        self._writers: list[asyncio.StreamWriter] = []
        self._sessions: set[Any] = set()
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> HandsetSmsc:
        self._server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._sessions)

    async def bound(self, binds: int = 1) -> None:
        """Wait until so many binds stand."""
        await self._until(lambda: len(self._writers) == binds)

    def send(self, *pdus: DeliverSm | DataSm, bind: int = -1) -> list[int]:
        """Write them in one piece; their sequence numbers."""
        numbers = [next(self._sequences) for _ in pdus]
        frames = [encode(pdu, sequence=number) for pdu, number in zip(pdus, numbers, strict=True)]
        self._writers[bind].write(b"".join(frames))
        return numbers

    async def deliver(self, *pdus: DeliverSm | DataSm, bind: int = -1) -> None:
        """Send, and wait until each one is answered with success."""
        numbers = self.send(*pdus, bind=bind)
        await self._until(lambda: self.answers.keys() >= set(numbers))
        assert [self.answers[number] for number in numbers] == [0] * len(numbers)

    async def answered(self, numbers: Iterable[int], least: int) -> None:
        """Wait until at least so many of these are answered."""
        wanted = set(numbers)
        await self._until(lambda: len(wanted & self.answers.keys()) >= least)

    def cut(self) -> None:
        """End all connections at once, whatever is on the way."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        self._sessions.add(session := asyncio.current_task())
        try:
            while data := await reader.read(65_536):
                for frame in frames.feed(data):
                    self._take(frame, writer)
                async with self._changed:
                    self._changed.notify_all()
        except ConnectionError:
            pass
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            self._sessions.discard(session)
            writer.close()
            async with self._changed:
                self._changed.notify_all()

    def _take(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        message = decode(frame)
        answer: Pdu | None = None
        if message.command_id == CommandId.BIND_TRANSCEIVER:
            answer = BindTransceiverResp(system_id=b"smsc")
            self._writers.append(writer)
        elif message.command_id == CommandId.SUBMIT_SM:
            answer = SubmitSmResp(message_id=b"%d" % next(self._ids))
        elif message.command_id == CommandId.ENQUIRE_LINK:
            answer = EnquireLinkResp()
        elif message.command_id == CommandId.UNBIND:
            answer = UnbindResp()
        else:
            self.answers[message.sequence] = message.status
        if answer is not None:
            writer.write(encode(answer, sequence=message.sequence))
