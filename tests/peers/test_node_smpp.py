"""The daemon bound to node-smpp's server: another codec, another decoder of texts, another's receipts."""

from collections.abc import Callable

import pytest

from protocols.smpp.constants import Status
from tests.peers.lane import DEADLINE_S, PASSWORD, SENDER, Lane, recipient
from tests.peers.messages import LATIN, TEXTS, whole_texts
from tests.peers.program import Line, Program

pytestmark = pytest.mark.peer("node")

TROUBLE = ("error", "unknown", "generic_nack")


def header_of(submit: Line) -> bytes:
    return b"".join(bytes.fromhex(element) for element in submit["udh"])


@pytest.mark.parametrize(
    ("mode", "long_message", "commands"),
    [
        ("transceiver", "udh8", ["bind_transceiver"]),
        ("transmitter+receiver", "udh16", ["bind_receiver", "bind_transmitter"]),
    ],
)
def test_every_text_arrives_and_its_receipt_comes_back(
    node_smsc: Program, lane: Callable[..., Lane], mode: str, long_message: str, commands: list[str]
) -> None:
    (listening,) = node_smsc.wait("listening")
    with lane(listening["port"], mode=mode, long_message=long_message) as running:
        happened = running.deliver(TEXTS)
        submits = node_smsc.told("submit")
        receipts = node_smsc.wait("receipt_answered", len(submits))
    node_smsc.wait("unbind", len(commands))
    node_smsc.wait("close", len(commands))

    assert all(events["delivered"].final for events in happened.values())
    parts = [(submit["destination"], header_of(submit), submit["text"]) for submit in submits]
    assert whole_texts(parts) == {recipient(n): text for n, text in enumerate(TEXTS.values())}
    for number, name in enumerate(TEXTS):
        own = [submit for submit in submits if submit["destination"] == recipient(number)]
        assert happened[name]["sent"].parts == len(own)
        assert {submit["esm_class"] for submit in own} == {0x40 if len(own) > 1 else 0}
        assert {submit["data_coding"] for submit in own} == {8 if "chinese" in name else 0}
        assert (len(own) > 1) == name.startswith("long")
    for submit in submits:
        assert (submit["source"], submit["source_ton"], submit["source_npi"]) == (SENDER, 5, 0)
        assert (submit["dest_ton"], submit["dest_npi"], submit["registered_delivery"]) == (1, 1, 1)
        assert 0 < submit["validity_s"] <= DEADLINE_S
    assert {receipt["id"] for receipt in receipts} == {submit["id"] for submit in submits}
    assert {receipt["status"] for receipt in receipts} == {0}
    binds = node_smsc.told("bind")
    assert sorted(bind["command"] for bind in binds) == commands
    for bind in binds:
        assert (bind["system_id"], bind["password"], bind["interface_version"]) == ("shop", PASSWORD, 0x34)
    assert [line for event in TROUBLE for line in node_smsc.told(event)] == []


@pytest.mark.rule("smpp.link-both-sides")
def test_both_sides_ask_whether_the_other_is_alive(node_smsc: Program, lane: Callable[..., Lane]) -> None:
    (listening,) = node_smsc.wait("listening")
    with lane(listening["port"], enquire_link_s=0.7):
        node_smsc.wait("enquire_link", 2)
        answers = node_smsc.wait("enquire_link_answered", 2)
    assert {answer["status"] for answer in answers} == {0}
    assert len(node_smsc.told("bind")) == 1


@pytest.mark.rule("smpp.peer-unbind")
def test_after_its_unbind_the_daemon_binds_again(node_smsc: Program, lane: Callable[..., Lane]) -> None:
    (listening,) = node_smsc.wait("listening")
    with lane(listening["port"]) as running:
        node_smsc.wait("bind")
        node_smsc.say(command="unbind")
        (answer,) = node_smsc.wait("answered")
        assert (answer["command"], answer["status"]) == ("unbind_resp", 0)
        assert running.deliver({"later": LATIN})["later"]["delivered"].final
    assert len(node_smsc.told("bind")) == 2
    assert [submit["text"] for submit in node_smsc.told("submit")] == [LATIN]


@pytest.mark.rule("smpp.unreadable-body", "receipts.never-mo")
@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(
            {"command": "deliver_sm", "fields": {"source_addr": "4915112345000", "short_message": "STOP"}},
            ("deliver_sm_resp", 0),
            id="a message of a subscriber is taken",
        ),
        pytest.param(
            {"command": "data_sm", "fields": {"source_addr": "4915112345000", "message_payload": "STOP"}},
            ("data_sm_resp", 0),
            id="a message that comes as data_sm too",
        ),
        pytest.param(
            {"command": "query_sm", "fields": {"message_id": "1", "source_addr": "4915112345000"}},
            ("query_sm_resp", Status.ESME_RINVBNDSTS),
            id="a request that no SMSC may make is refused",
        ),
    ],
)
def test_what_a_carrier_sends_besides_receipts_leaves_the_bind_up(
    node_smsc: Program, lane: Callable[..., Lane], request_: Line, answer: tuple[str, int]
) -> None:
    (listening,) = node_smsc.wait("listening")
    with lane(listening["port"]) as running:
        node_smsc.wait("bind")
        node_smsc.say(**request_)
        (answered,) = node_smsc.wait("answered")
        assert (answered["command"], answered["status"]) == answer
        assert running.deliver({"later": LATIN})["later"]["delivered"].final
    assert len(node_smsc.told("bind")) == 1
