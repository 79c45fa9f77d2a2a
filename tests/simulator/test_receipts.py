from random import Random

import pytest

from connector.simulator.account import Account
from connector.simulator.fates import DELIVERED, Report, State
from connector.simulator.grammar import writer
from connector.simulator.options import DEFAULTS
from connector.simulator.receipts import Message, Outbox, Receipt, deliver_frame
from connector.simulator.stories import STORIES
from protocols.smpp.constants import CommandId, Tag
from protocols.smpp.pdu import DeliverSm, decode, encode
from protocols.smpp.receipt import parse

STATES = sorted({report.state for story in STORIES.values() for report in story.fate.reports})
CASES = [(state, form) for state in STATES for form in ("both", "text", "tlv")]


class Bind:
    def __init__(self, name: str) -> None:
        self.name, self.receiving, self.got = name, True, list[bytes]()

    def offer(self, receipt: Receipt) -> None:
        self.got.append(receipt.message.id)


def receipt(
    account: Account, origin: object, id: bytes = b"17", state: State = DELIVERED, other_bind: bool = False
) -> Receipt:
    addresses = b"\x01\x01491511\0\x05\x00ACME\0"
    return Receipt(
        Message(account, origin, addresses, id, b"2401121551", b"Your code id:9 stat:X", other_bind),
        Report(0.0, state),
    )


ACCOUNT = Account("acme", Random(1))
WRITE = writer(DEFAULTS)


@pytest.mark.parametrize(("state", "form"), CASES)
def test_the_hand_made_frame_is_what_the_codec_would_write(state: State, form: str) -> None:
    frame = deliver_frame(receipt(ACCOUNT, None, state=state), 77, b"2401121552", form)
    message = decode(frame)
    assert (message.command_id, message.status, message.sequence) == (CommandId.DELIVER_SM, 0, 77)
    assert encode(message.pdu, sequence=77) == frame
    deliver = message.pdu
    assert isinstance(deliver, DeliverSm)
    assert (deliver.source_addr_ton, deliver.source_addr_npi, deliver.source_addr) == (1, 1, b"491511")
    assert (deliver.dest_addr_ton, deliver.dest_addr_npi, deliver.destination_addr) == (5, 0, b"ACME")
    text = b"id:17 sub:001 dlvrd:%b submit date:2401121551 done date:2401121552 stat:%b err:%b text:%b" % (
        b"001" if state.stat == b"DELIVRD" else b"000",
        state.stat,
        state.err,
        b"Your code id:9 stat:X",
    )
    assert deliver.short_message == (text if form != "tlv" else b"")
    assert deliver.esm_class == (0x20 if state.intermediate else 0x04)
    assert [tag for tag, _ in deliver.tlvs[:2]] == (
        [] if form == "text" else [Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE]
    )


@pytest.mark.parametrize(("state", "form"), CASES)
def test_the_esme_reads_the_receipt_as_it_was_meant(state: State, form: str) -> None:
    deliver = decode(deliver_frame(receipt(ACCOUNT, None, state=state), 1, b"2401121552", form)).pdu
    assert isinstance(deliver, DeliverSm)
    read = parse(deliver)
    assert read is not None
    assert read.message_id == b"17"
    assert read.intermediate == state.intermediate
    word = {
        b"DELIVRD": "DELIVERED",
        b"UNDELIV": "UNDELIVERABLE",
        b"ACCEPTD": "ACCEPTED",
        b"REJECTD": "REJECTED",
    }
    assert read.state in (
        word.get(state.stat, state.stat.decode()),
        "UNDELIVERABLE" if state.code == 5 else "",
    )


def test_the_window_bounds_what_is_in_flight() -> None:
    outbox = Outbox()
    outbox.ready += [receipt(ACCOUNT, None, b"%d" % number) for number in range(5)]
    assert [decode(frame).sequence for frame in outbox.frames(3, 1.0, b"", WRITE)] == [1, 2, 3]
    assert outbox.frames(3, 2.0, b"", WRITE) == []
    answered = outbox.answered(2)
    assert answered is not None and answered.message.id == b"1"
    assert outbox.answered(2) is None
    assert len(outbox.frames(3, 3.0, b"", WRITE)) == 1
    assert [late.message.id for late in outbox.overdue(2.0)] == [b"0", b"2"]
    sent, waiting = outbox.drain()
    assert ([one.message.id for one in sent], [one.message.id for one in waiting]) == ([b"3"], [b"4"])
    assert len(outbox) == 0


def test_a_receipt_goes_to_the_bind_of_its_submit_or_to_another() -> None:
    account, first, second = Account("acme", Random(1)), Bind("first"), Bind("second")
    account.attach(first)
    account.offer(receipt(account, first, b"alone", other_bind=True))
    account.attach(second)
    for number in range(3):
        account.offer(receipt(account, first, b"own%d" % number))
        account.offer(receipt(account, first, b"other%d" % number, other_bind=True))
    assert first.got == [b"alone", b"own0", b"own1", b"own2"]
    assert second.got == [b"other0", b"other1", b"other2"]


def test_receipts_wait_for_a_bind_that_receives() -> None:
    account, gone, next_one = Account("acme", Random(1)), Bind("gone"), Bind("next")
    account.attach(gone)
    gone.receiving = False
    account.detach(gone)
    account.offer(receipt(account, gone, b"1"))
    account.offer(receipt(account, gone, b"2"))
    assert len(account.parked) == 2
    account.attach(next_one)
    assert (next_one.got, len(account.parked)) == ([b"1", b"2"], 0)


def test_blocks_leave_shuffled_and_complete() -> None:
    account, bind = Account("acme", Random(3)), Bind("one")
    account.attach(bind)
    ids = [b"%d" % number for number in range(20)]
    begun = [account.offer_in_block(receipt(account, bind, id), 8) for id in ids]
    assert begun == [0, *[None] * 7, 1, *[None] * 7, 2, None, None, None]
    assert sorted(bind.got[:8]) == sorted(ids[:8]) and bind.got[:8] != ids[:8]
    account.end_block(1)  # has left already
    assert len(bind.got) == 16
    account.end_block(2)
    assert sorted(bind.got) == sorted(ids)
