"""The daemon bound to Jasmin's SMPP server: its own PDU library, sessions, users and receipts, on Twisted."""

from collections.abc import Callable, Iterable

import pytest

from protocols.gsm import alphabet
from tests.peers.lane import DEADLINE_S, SENDER, Lane, recipient
from tests.peers.messages import LATIN, TEXTS, whole_texts
from tests.peers.program import Line, Program

pytestmark = pytest.mark.peer("jasmin")


def part(submit: Line) -> tuple[str, bytes, str]:
    """The handset, the user data header without its length (or sar_ parameters in its form), and the text."""
    octets = bytes.fromhex(submit["short_message"] or submit["payload"])
    begin = 1 + octets[0] if submit["features"] == ["UDHI_INDICATOR_SET"] else 0
    place = octets[1:begin]
    if submit["sar"] != [None, None, None]:
        reference, total, number = submit["sar"]
        place = bytes((0x08, 4, *reference.to_bytes(2, "big"), total, number))
    ucs2 = submit["data_coding"] == "UCS2"
    text = octets[begin:].decode("utf-16-be") if ucs2 else alphabet.decode(octets[begin:])
    return submit["destination"], place, text


def check_submits(submits: Iterable[Line]) -> None:
    submits = list(submits)
    expected = {recipient(number): text for number, text in enumerate(TEXTS.values())}
    assert whole_texts(part(submit) for submit in submits) == expected
    for submit in submits:
        assert (submit["source"], submit["source_ton"]) == (SENDER, "ALPHANUMERIC")
        assert submit["dest_ton"] == "INTERNATIONAL"
        assert submit["receipt"] == "SMSC_DELIVERY_RECEIPT_REQUESTED"
        assert 0 < submit["validity_s"] <= DEADLINE_S


@pytest.mark.rule("text.long-udh", "text.long-sar", "text.long-payload")
@pytest.mark.parametrize(
    ("mode", "long_message"),
    [
        ("transceiver", "udh8"),
        ("transmitter+receiver", "udh16"),
        ("transceiver", "sar"),
        ("transceiver", "payload"),
    ],
)
def test_every_text_arrives_and_its_receipt_comes_back(
    jasmin_smsc: Program, lane: Callable[..., Lane], mode: str, long_message: str
) -> None:
    (listening,) = jasmin_smsc.wait("listening")
    with lane(listening["port"], mode=mode, long_message=long_message) as running:
        happened = running.deliver(TEXTS)
        submits = jasmin_smsc.told("submit")
        receipts = jasmin_smsc.wait("receipt_answered", len(submits))

    check_submits(submits)
    assert all(events["delivered"].final for events in happened.values())
    assert {receipt["id"] for receipt in receipts} == {submit["id"] for submit in submits}
    assert {receipt["status"] for receipt in receipts} == {"ESME_ROK"}
    expected = "bind_transceiver" if mode == "transceiver" else "bind_transmitter"
    assert {submit["bind"] for submit in submits} == {expected}


@pytest.mark.rule("smpp.peer-unbind")
def test_after_its_unbind_the_daemon_binds_again(jasmin_smsc: Program, lane: Callable[..., Lane]) -> None:
    (listening,) = jasmin_smsc.wait("listening")
    with lane(listening["port"]) as running:
        running.deliver({"before": LATIN})
        jasmin_smsc.say(unbind=True)
        jasmin_smsc.wait("unbound")
        assert "delivered" in running.deliver({"after": LATIN})["after"]


@pytest.mark.rule("receipts.by-tlvs")
def test_receipts_may_come_as_data_sm(jasmin_smsc: Program, lane: Callable[..., Lane]) -> None:
    """They have no text then: the TLVs say everything."""
    (listening,) = jasmin_smsc.wait("listening")
    jasmin_smsc.say(receipts="data_sm")
    with lane(listening["port"]) as running:
        happened = running.deliver(TEXTS)
        receipts = jasmin_smsc.wait("receipt_answered", len(jasmin_smsc.told("submit")))
    assert all(events["delivered"].final for events in happened.values())
    assert {receipt["status"] for receipt in receipts} == {"ESME_ROK"}
