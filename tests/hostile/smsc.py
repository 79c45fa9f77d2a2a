"""An SMSC that takes messages and reports them as delivered, and now and then does what the test wants.

A misdeed is a coroutine function of a `Conversation`; it runs once in a connection: as soon as that is open,
or after its bind, or at its first submit_sm, while the conversation goes on as usual.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import NamedTuple

from protocols.smpp.constants import RESPONSE_BIT, Status, Tag
from protocols.smpp.errors import PduError
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import (
    HEADER,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
)

BINDS: dict[type, Callable[[bytes], Pdu]] = {
    BindReceiver: BindReceiverResp,
    BindTransceiver: BindTransceiverResp,
    BindTransmitter: BindTransmitterResp,
}

Misdeed = Callable[["Conversation"], Awaitable[None]]


class Seen(NamedTuple):
    """A request of the ESME; `connection` counts from 1."""

    connection: int
    at: float
    sequence: int
    pdu: Pdu


class HostileSmsc:
    """Listens on `port`. The misdeed happens in the first `times` connections; later ones are honest.

    seen        every request of the ESME
    submits     every submit_sm that was accepted
    answers     (command_id, command_status) of every response of the ESME
    done        how many misdeeds have come to their end
    """

    def __init__(self) -> None:
        self.port = 0
        self.at_open: Misdeed | None = None
        self.at_bind: Misdeed | None = None
        self.at_submit: Misdeed | None = None
        self.times = 1
        self.connections = 0
        self.answers_submits = True
        self.answers_binds = True
        self.binds = 0
        self.done = 0
        self.status_of: Callable[[SubmitSm], int] = lambda submit: Status.ESME_ROK
        self.failures: list[Exception] = []
        self.seen: list[Seen] = []
        self.submits: list[SubmitSm] = []
        self.answers: list[tuple[int, int]] = []
        self._conversations: dict[asyncio.Task[None], Conversation] = {}
        self.message_ids = count(1)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations.values():
            conversation.abort()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()
        assert self.failures == [], "a misdeed was done badly"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        conversation = Conversation(self, reader, writer, self.connections)
        task = asyncio.current_task()
        assert task is not None
        self._conversations[task] = conversation
        try:
            await conversation.run()
        finally:
            del self._conversations[task]


class Conversation:
    """One connection. `write` sends octets as they are, `send` PDUs with numbers of our own."""

    def __init__(
        self, smsc: HostileSmsc, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.smsc = smsc
        self._reader = reader
        self._writer = writer
        self._number = number
        self._hostile = number <= smsc.times
        self._numbers = count(1)
        self._ended = asyncio.Event()
        self._misdeeds: set[asyncio.Task[None]] = set()

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    def send(self, *pdus: Pdu) -> None:
        self.write(b"".join(encode(pdu, sequence=next(self._numbers)) for pdu in pdus))

    async def written(self) -> None:
        """Until the ESME has taken most of it; ends with the connection."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def ended(self) -> None:
        """Until the connection has ended, whoever ended it."""
        await self._ended.wait()

    @property
    def over(self) -> bool:
        return self._ended.is_set()

    def stop_reading(self) -> None:
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def run(self) -> None:
        frames = FrameReader()
        self._misbehave(self.smsc.at_open)
        try:
            while data := await self._reader.read(1 << 16):
                for frame in frames.feed(data):
                    self._take(frame)
        except ConnectionError:
            pass
        finally:
            self._ended.set()
            self.abort()

    def _misbehave(self, misdeed: Misdeed | None) -> None:
        if misdeed is None or not self._hostile:
            return
        task = asyncio.create_task(self._do(misdeed))
        self._misdeeds.add(task)
        task.add_done_callback(self._misdeeds.discard)

    async def _do(self, misdeed: Misdeed) -> None:
        try:
            await misdeed(self)
        except ConnectionError:
            pass
        except Exception as error:
            self.smsc.failures.append(error)
        self.smsc.done += 1

    def _take(self, frame: bytes) -> None:
        _, command_id, status, sequence = HEADER.unpack_from(frame)
        if command_id & RESPONSE_BIT:
            self.smsc.answers.append((command_id, status))
            return
        try:
            pdu = decode(frame).pdu
        except PduError:
            return
        assert pdu is not None
        self.smsc.seen.append(Seen(self._number, time.monotonic(), sequence, pdu))
        if isinstance(pdu, SubmitSm):
            self._take_submit(pdu, sequence)
        elif isinstance(pdu, EnquireLink):
            if self.smsc.answers_submits or not self._hostile:
                self.write(encode(EnquireLinkResp(), sequence=sequence))
        elif isinstance(pdu, Unbind):
            self.write(encode(UnbindResp(), sequence=sequence))
            self._writer.close()
        elif type(pdu) in BINDS and (self.smsc.answers_binds or not self._hostile):
            self.smsc.binds += 1
            self.write(encode(BINDS[type(pdu)](b"hostile"), sequence=sequence))
            self._misbehave(self.smsc.at_bind)

    def _take_submit(self, pdu: SubmitSm, sequence: int) -> None:
        if self._hostile:
            misdeed, self.smsc.at_submit = self.smsc.at_submit, None
            self._misbehave(misdeed)
        if self._hostile and not self.smsc.answers_submits:
            return
        if status := self.smsc.status_of(pdu):
            self.write(encode(SubmitSmResp(), sequence=sequence, status=status))
            return
        message_id = b"%08x" % next(self.smsc.message_ids)
        self.smsc.submits.append(pdu)
        self.write(encode(SubmitSmResp(message_id), sequence=sequence))
        self.send(receipt(pdu, message_id))


def receipt(submit: SubmitSm, message_id: bytes, stat: bytes = b"DELIVRD") -> DeliverSm:
    text = b"id:%b sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:%b err:000 text:"
    return DeliverSm(
        source_addr_ton=1, source_addr_npi=1, source_addr=submit.destination_addr, destination_addr=b"ACME",
        esm_class=0x04, short_message=text % (message_id, stat),
        tlvs=((Tag.RECEIPTED_MESSAGE_ID, message_id + b"\0"),),
    )  # fmt: skip


def frame(
    command_id: int, body: bytes = b"", *, status: int = 0, sequence: int = 1, length: int | None = None
) -> bytes:
    """A PDU of any octets; `length` in place of the true one."""
    return HEADER.pack(16 + len(body) if length is None else length, command_id, status, sequence) + body


__all__ = ["Conversation", "HostileSmsc", "Misdeed", "frame", "receipt"]
