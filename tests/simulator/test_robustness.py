"""Whatever an ESME sends, the carrier serves the next one; and it stays fast with much outstanding."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.simulator.control import ask
from protocols.smpp.constants import CommandId, Tag
from protocols.smpp.pdu import (
    HEADER,
    BindTransceiver,
    BroadcastSm,
    CancelSm,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    EnquireLink,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    Unbind,
    UnbindResp,
    encode,
)
from tests.simulator.esme import Esme, carrier, text_to

REPOSITORY = Path(__file__).parents[2]

frames = st.sampled_from(
    [
        encode(BindTransceiver(system_id=b"acme"), sequence=1),
        encode(text_to("491511"), sequence=2),
        encode(text_to("447700900070"), sequence=3),
        encode(text_to("447700900072"), sequence=4),
        encode(DeliverSmResp(), sequence=1),
        encode(EnquireLink(), sequence=5),
        encode(Unbind(), sequence=6),
        encode(UnbindResp(), sequence=6),
        HEADER.pack(16, CommandId.SUBMIT_SM, 0, 7),
        HEADER.pack(16, CommandId.GENERIC_NACK, 3, 1),
        encode(text_to("491511", b"\x06\x08\x04\x01\x02\x02\x01" + b"x" * 9, esm_class=0x40), sequence=8),
        encode(DataSm(destination_addr=b"491511", tlvs=((Tag.MESSAGE_PAYLOAD, b"\xff" * 300),)), sequence=9),
        encode(
            SubmitMulti(dest_addresses=(SmeAddress(1, 1, b"491511"),), registered_delivery=1), sequence=10
        ),
        encode(QuerySm(b"1"), sequence=11),
        encode(CancelSm(destination_addr=b"491511"), sequence=12),
        encode(ReplaceSm(b"1"), sequence=13),
        encode(BroadcastSm(), sequence=14),
        encode(DataSmResp(), sequence=1),
    ]
)
PLAIN = {"handset_limit": 2}
PECULIAR = {
    "alphabets": "0=gsm7_packed,8=ucs2",
    "national_tables": "all",
    "long_forms": "udh16",
    "length_checked": True,
    "validity_honoured": True,
    "destination_forms": "digits,national",
    "country_code": "49",
    "required_tlvs": "0x1400=digits",
    "mo_loop": "491511,self",
    "limits": "ACME=1000,+49=1000",
    "congestion": True,
    "receipt_pdu": "data_sm",
    "receipt_intermediate": "always",
    "receipt_buffered": True,
    "receipt_dates": "14",
    "receipt_words": "DELIVRD=DONE",
    "response_duplicate": 0.5,
    "refused_share": 0.2,
    "message_limit": 3,
    "handset_limit": 2,
}
anything = st.lists(frames | st.binary(max_size=40), max_size=12).map(b"".join)


@settings(max_examples=60)
@given(octets=anything, place=st.integers(0, 500), octet=st.integers(0, 255))
@pytest.mark.parametrize("options", [PLAIN, PECULIAR, {**PECULIAR, "required_tlvs": ""}])
def test_anything_is_survived(options: dict[str, Any], octets: bytes, place: int, octet: int) -> None:
    spoilt = octets[:place] + bytes((octet,)) + octets[place + 1 :]

    async def conversation() -> None:
        async with carrier(response_delay="uniform:0,0.002", **options) as running:
            for stream in (octets, spoilt):
                rude = await running.esme()
                rude.writer.write(stream)
                rude.writer.write_eof()
                await rude.rest()
            polite = await running.bound(account=b"polite")  # the rude one's receipts are its own
            assert (await polite.ask(EnquireLink())).command_id == CommandId.ENQUIRE_LINK_RESP
            pdu = text_to("491511", registered_delivery=0, source_addr=b"POLITE")
            expected = (0,) if options is PLAIN else (0, 0x0B, 0x45, 0xC3)
            assert (await polite.ask(pdu)).status in expected

    asyncio.run(conversation())


@pytest.mark.asyncio
async def test_an_esme_that_does_not_read_is_not_read_from_and_does_not_keep_the_carrier() -> None:
    async with carrier(receipt_missing=1) as running:
        esme = await running.bound()
        esme.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        esme.writer.transport.pause_reading()
        (connection,) = running.smsc._connections
        frames = encode(EnquireLink(), sequence=1) * 4096
        for _ in range(2000):
            if not connection._transport.is_reading():
                break
            esme.writer.write(frames)
            await asyncio.sleep(0)
        assert not connection._transport.is_reading()
        assert connection._transport.get_write_buffer_size() < 1_000_000
        await asyncio.wait_for(running.smsc.stop(), 20)
        esme.writer.transport.abort()


def test_a_hundred_thousand_outstanding_receipts_do_not_slow_it() -> None:
    """Processor time: other work on the machine does not count. The limit is five times the usual."""
    amount, batch = 100_000, 1000
    arguments = ["--port", "0", "--control-port", "0", "--json", "--fast", "--receipt-delay", "fixed:60"]
    program = "from connector.cli.simulate import command; command()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "smsc", *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )

    async def submit_all(port: int) -> None:
        esme = Esme(*await asyncio.open_connection("127.0.0.1", port))
        assert await esme.bind() == 0
        frames = b"".join(encode(text_to("491511"), sequence=number) for number in range(2, batch + 2))
        answered = 0
        for sent in range(batch, amount + batch, batch):
            esme.writer.write(frames)
            while answered < sent:
                answered += len(esme.framing.feed(await asyncio.wait_for(esme.reader.read(65536), 20)))
        await esme.close()

    with process:
        try:
            assert process.stdout is not None
            listening = json.loads(process.stdout.readline())
            asyncio.run(submit_all(listening["port"]))
            stats = ask(listening["control_port"], "stats")
        finally:
            process.kill()
    assert stats["scheduled"] == stats["accepted"] == amount
    assert stats["cpu_s"] / amount < 80e-6
