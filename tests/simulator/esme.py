"""An ESME on a raw socket: says what it is told to, right or wrong, and shows every PDU that comes back."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from protocols.smpp.constants import CommandId
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import (
    BindTransceiver,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    Message,
    SubmitSm,
    decode,
    encode,
)

PATIENCE_S = 10


def text_to(number: str, text: bytes = b"Your code is 482917", **fields: Any) -> SubmitSm:
    return SubmitSm(
        **{
            "source_addr_ton": 5,
            "source_addr": b"ACME",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": number.encode(),
            "registered_delivery": 1,
            "short_message": text,
            **fields,
        }
    )


class Esme:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.numbers = count(1)
        self.frames: deque[bytes] = deque()
        self.framing = FrameReader()

    def send(self, pdu: Any, sequence: int | None = None, status: int = 0) -> int:
        sequence = next(self.numbers) if sequence is None else sequence
        self.writer.write(encode(pdu, sequence=sequence, status=status))
        return sequence

    def burst(self, *pdus: Any) -> list[int]:
        """Send several in one segment, so that the carrier reads them in one go."""
        sequences = [next(self.numbers) for _ in pdus]
        pairs = zip(pdus, sequences, strict=True)
        self.writer.write(b"".join(encode(pdu, sequence=sequence) for pdu, sequence in pairs))
        return sequences

    async def next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            while not self.frames:
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError
                self.frames += self.framing.feed(data)
        return decode(self.frames.popleft())

    async def take(self, amount: int) -> list[Message]:
        return [await self.next() for _ in range(amount)]

    async def until(self, command_id: int) -> Message:
        while (message := await self.next()).command_id != command_id:
            pass
        return message

    async def ask(self, pdu: Any) -> Message:
        """The answer to a request, which must be the next PDU to come."""
        sequence = self.send(pdu)
        message = await self.next()
        assert message.sequence == sequence
        return message

    async def bind(self, kind: Any = BindTransceiver, account: bytes = b"acme", password: bytes = b"") -> int:
        return (await self.ask(kind(system_id=account, password=password))).status

    async def receipt(self, status: int = 0, answer: bool = True) -> DeliverSm:
        message = await self.until(CommandId.DELIVER_SM)
        if answer:
            self.send(DeliverSmResp(), sequence=message.sequence, status=status)
        assert isinstance(message.pdu, DeliverSm)
        return message.pdu

    async def settled(self) -> list[Message]:
        """Everything the carrier sends without waiting: receipts leave after the answers of one read, so it
        takes a second question to have seen them."""
        messages = []
        for _ in range(2):
            sequence = self.send(EnquireLink())
            while (message := await self.next()).command_id != CommandId.ENQUIRE_LINK_RESP:
                messages.append(message)
            assert message.sequence == sequence
        return messages

    async def rest(self) -> bytes:
        """All octets until the connection ends; a reset ends it, too."""
        found = b""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while data := await self.reader.read(65536):
                    found += data
            except ConnectionError:
                pass
        return found

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class Carrier:
    """A running simulated carrier and the ESMEs connected to it."""

    def __init__(self, smsc: Smsc, port: int) -> None:
        self.smsc, self.port = smsc, port
        self.esmes: list[Esme] = []

    async def esme(self) -> Esme:
        esme = Esme(*await asyncio.open_connection("127.0.0.1", self.port))
        self.esmes.append(esme)
        return esme

    async def bound(self, kind: Any = BindTransceiver, account: bytes = b"acme") -> Esme:
        esme = await self.esme()
        assert await esme.bind(kind, account) == 0
        return esme


@asynccontextmanager
async def carrier(seed: int = 1, standby: int = 0, **options: Any) -> AsyncIterator[Carrier]:
    broken: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    smsc = Smsc(SmscOptions().changed(options), seed)
    running = Carrier(smsc, await smsc.start(standby=standby))
    try:
        yield running
    finally:
        for esme in running.esmes:
            await esme.close()
        await smsc.stop()
    assert broken == []
