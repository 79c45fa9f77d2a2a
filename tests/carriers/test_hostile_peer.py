"""What a carrier may make us write: to the journal, and to the log."""

import asyncio
import logging
from pathlib import Path

import pytest

from connector.carriers.line import Unanswered
from connector.carriers.smpp import SmppCarrier
from protocols.smpp.constants import Tag
from protocols.smpp.events import DeliverReceived, MalformedPdu
from protocols.smpp.pdu import DeliverSm
from tests.carriers.stage import Told, now, smpp, stage

pytestmark = pytest.mark.asyncio


def carrier_of(told: Told, folder: Path, port: int = 1) -> SmppCarrier:
    carrier = smpp("transceiver")(port, told, folder, {})
    assert isinstance(carrier, SmppCarrier)
    return carrier


async def test_a_receipt_fills_no_disk(tmp_path: Path) -> None:
    told = Told()
    carrier = carrier_of(told, tmp_path)
    pdu = DeliverSm(
        source_addr=b"4" * 60_000,
        esm_class=0x04,
        tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"9" * 60_000), (Tag.MESSAGE_PAYLOAD, b"id:" + b"x" * 60_000)),
    )
    carrier.delivered(carrier.binds.all[0], DeliverReceived(1, pdu), now())
    (receipt,) = told.receipts
    assert len(receipt.raw) <= 2_000
    assert len(receipt.address) <= 64
    assert max(len(key) for _, key in receipt.keys) <= 512


async def test_pdus_that_cannot_be_read_fill_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bind = carrier_of(Told(), tmp_path).binds.all[0]
    with caplog.at_level(logging.WARNING):
        for _ in range(1_000):
            bind._on_malformed(MalformedPdu(5, 1, "the body ends before it"), 100.0)
        assert len(caplog.records) == 1
        bind._on_malformed(MalformedPdu(5, 1, "the body ends before it"), 111.0)
    assert [record.fields["number"] for record in caplog.records] == [1, 1_000]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("octets", "most"), [(0, 5_000), (60_000, 100)])
async def test_a_flood_has_to_wait_for_the_journal(octets: int, most: int) -> None:
    """However it is made up: many short messages or fewer long ones."""
    unanswered = Unanswered()
    pdu = DeliverSm(tlvs=((Tag.MESSAGE_PAYLOAD, bytes(octets)),) if octets else ())
    full = [unanswered.add(sequence % 7, pdu) for sequence in range(most)]
    assert full.count(True) == 1
    on = [unanswered.remove(sequence % 7) for sequence in range(most)]
    assert on.count(True) == 1
    assert unanswered.weight == 0


async def test_an_error_of_ours_does_not_end_the_bind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bind = carrier_of(Told(), tmp_path).binds.all[0]
    tried = 0
    again = asyncio.Event()

    async def fail() -> None:
        nonlocal tried
        tried += 1
        if tried == 3:
            again.set()
        raise UnicodeError

    monkeypatch.setattr(bind, "_one_session", fail)
    run = asyncio.create_task(bind.run())
    await asyncio.wait_for(again.wait(), 5)
    await bind.stop(0.1)
    await asyncio.wait_for(run, 5)
    assert caplog.records


async def test_a_carrier_that_hangs_up_as_we_stop_does_not_spoil_the_stop(tmp_path: Path) -> None:
    async with stage(smpp("transceiver"), tmp_path, {"count": 2}) as it:
        assert isinstance(it.carrier, SmppCarrier)
        gone, other = it.carrier.binds.all
        assert gone.session is not None
        gone.session.eof(now())
        await it.carrier.stop()
        assert (gone.state, other.state) == ("down", "down")
