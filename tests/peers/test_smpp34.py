"""The daemon bound to smpp34's server: its core is Rust, its receipts carry TLVs and no text."""

from collections.abc import Callable, Mapping

import pytest

from connector.client import Event
from tests.peers.lane import SENDER, Lane, recipient
from tests.peers.messages import CHINESE, LATIN, LONG_CHINESE, LONG_LATIN, whole_texts
from tests.peers.program import Line, Program

pytestmark = pytest.mark.peer("smpp34")

# smpp34 decodes no text. In these every character is the same octet in GSM 03.38 and in ASCII.
TEXTS = {
    "latin": LATIN,
    "chinese": CHINESE,
    "long-latin": LONG_LATIN.replace("{", "(").replace("}", ")"),
    "long-chinese": LONG_CHINESE,
}


def split(submit: Line) -> tuple[bytes, str]:
    """The user data header without its length, and the text."""
    octets = bytes.fromhex(submit["short_message"])
    begin = 1 + octets[0] if submit["esm_class"] & 0x40 else 0
    return octets[1:begin], octets[begin:].decode("utf-16-be" if submit["data_coding"] == 8 else "ascii")


def check_submits(submits: list[Line], happened: Mapping[str, Mapping[str, Event]]) -> None:
    parts = [(submit["destination"], *split(submit)) for submit in submits]
    assert whole_texts(parts) == {recipient(n): text for n, text in enumerate(TEXTS.values())}
    assert sum(events["sent"].parts or 0 for events in happened.values()) == len(submits)
    for submit in submits:
        assert (submit["source"], submit["source_ton"], submit["source_npi"]) == (SENDER, 5, 0)
        assert (submit["dest_ton"], submit["dest_npi"], submit["registered_delivery"]) == (1, 1, 1)


def test_every_text_arrives_and_its_receipt_comes_back(
    smpp34_smsc: Program, lane: Callable[..., Lane]
) -> None:
    (listening,) = smpp34_smsc.wait("listening")
    with lane(listening["port"]) as running:
        happened = running.deliver(TEXTS)
        submits = smpp34_smsc.told("submit")
        receipts = smpp34_smsc.wait("receipt_answered", len(submits))
    smpp34_smsc.wait("unbind")

    assert all(events["delivered"].final for events in happened.values())
    check_submits(submits, happened)
    assert {receipt["id"] for receipt in receipts} == {submit["id"] for submit in submits}
    assert {receipt["status"] for receipt in receipts} == {0}
    (bind,) = smpp34_smsc.told("bind")
    assert (bind["system_id"], bind["can_receive"]) == ("shop", True)


def test_receipts_come_on_the_receiver(smpp34_smsc: Program, lane: Callable[..., Lane]) -> None:
    """smpp34 1.5.0 takes a deliver_sm_resp on a receiver for an unknown PDU and answers it by generic_nack.

    So it never learns that its receipts were taken; for us they count, and the binds stay.
    """
    (listening,) = smpp34_smsc.wait("listening")
    with lane(listening["port"], mode="transmitter+receiver") as running:
        happened = running.deliver(TEXTS)
        check_submits(smpp34_smsc.told("submit"), happened)
        later = running.deliver({"later": LATIN})
        assert smpp34_smsc.told("unbind") == []
    smpp34_smsc.wait("unbind", 2)

    assert all(events["delivered"].final for events in (happened | later).values())
    assert sorted(bind["can_receive"] for bind in smpp34_smsc.told("bind")) == [False, True]
