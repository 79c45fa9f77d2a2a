"""What the daemon and the simulated carrier say to each other, as Wireshark's dissector reads it."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from connector.cli.demo import cast
from protocols.smpp.constants import CommandId
from tests.peers.capture import Capture
from tests.peers.dissection import Dissection, Pdu
from tests.peers.lane import DEADLINE_S, PASSWORD, SENDER, Lane, recipient
from tests.peers.messages import TEXTS, whole_texts
from tests.peers.program import REPOSITORY, Program

pytestmark = pytest.mark.peer("tshark")

ENQUIRE_LINK = bytes.fromhex("00000010 00000015 00000000")
UNBIND_RESP = bytes.fromhex("00000010 80000006 00000000")
DELIVERED = 2
DEMO_S = 100.0
COMMANDS = {value for name, value in vars(CommandId).items() if name.isupper()}


@pytest.fixture
def smsc() -> Iterator[Program]:
    command = (sys.executable, "-m", "connector", "simulate", "smsc", "--json", "--port", "0")
    with Program(*command, "--receipt-delay", "fixed:0.05", "--enquire-link-s", "0.0001") as program:
        yield program


def unanswered(dissection: Dissection) -> list[Pdu]:
    """Requests without a response, after a look at the rest: all octets are PDUs that the dissector and we
    know, and every response belongs to one request.
    """
    assert dissection.faults == []
    assert dissection.undissected == 0
    assert {pdu.command_id for pdu in dissection.pdus} <= COMMANDS
    waiting: dict[object, Pdu] = {}
    for pdu in dissection.pdus:
        key = (pdu.link, pdu.from_smsc ^ pdu.is_response, pdu.command_id & 0x7FFFFFFF, pdu.sequence)
        if pdu.is_response:
            del waiting[key]
        else:
            assert waiting.setdefault(key, pdu) is pdu
    return list(waiting.values())


def statuses(dissection: Dissection) -> set[int]:
    return {pdu.number("smpp.command_status") for pdu in dissection.pdus if pdu.is_response}


def header_of(submit: Pdu) -> bytes:
    """The concatenation as the dissector names it, put together again; empty without one."""
    if submit.number("smpp.esm.submit.features") == 0:
        return b""
    element = submit.number("gsm_sms.ie_identifier")
    width = 2 if element == 0x08 else 1
    reference = submit.number("gsm_sms.udh.mm.msg_id").to_bytes(width, "big")
    total, number = submit.number("gsm_sms.udh.mm.msg_parts"), submit.number("gsm_sms.udh.mm.msg_part")
    return bytes((element, width + 2, *reference, total, number))


def text_of(submit: Pdu) -> str:
    """The text as the dissector shows it; UCS2 beyond its reach is read from the octets."""
    shown = submit.fields["smpp.message_text"]
    if submit.number("smpp.data_coding") != 8:
        return shown
    begin = submit.octets[0] + 1 if submit.number("smpp.esm.submit.features") else 0
    text = submit.octets[begin:].decode("utf-16-be")
    assert shown == text or max(text) > "\uffff"
    return text


def texts_of(submits: Iterable[Pdu]) -> dict[str, str]:
    return whole_texts(
        (submit.fields["smpp.destination_addr"], header_of(submit), text_of(submit)) for submit in submits
    )


@pytest.mark.parametrize(
    ("mode", "long_message", "binds"),
    [
        ("transceiver", "udh8", {CommandId.BIND_TRANSCEIVER}),
        ("transmitter+receiver", "udh16", {CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER}),
    ],
)
def test_a_whole_session_is_dissected_without_a_fault(
    smsc: Program, lane: Callable[..., Lane], tmp_path: Path, mode: str, long_message: str, binds: set[int]
) -> None:
    port = smsc.wait("listening")[0]["port"]
    file = tmp_path / "session.pcapng"
    with Capture(file, f"tcp port {port}") as capture:
        with lane(port, mode=mode, long_message=long_message, enquire_link_s=0.7) as running:
            running.deliver(TEXTS)
            # Three of ours alone last longer than the second within which the carrier asks as well.
            capture.wait(ENQUIRE_LINK, 3 * len(binds))
        capture.wait(UNBIND_RESP, len(binds))
        capture.stop()
    dissection = Dissection(file, port)

    assert unanswered(dissection) == []
    assert statuses(dissection) == {0}
    submits = dissection.of(CommandId.SUBMIT_SM)
    assert texts_of(submits) == {recipient(n): text for n, text in enumerate(TEXTS.values())}
    assert {pdu.command_id for pdu in dissection.pdus if not pdu.is_response} == binds | {
        CommandId.SUBMIT_SM,
        CommandId.DELIVER_SM,
        CommandId.ENQUIRE_LINK,
        CommandId.UNBIND,
    }
    assert {pdu.from_smsc for pdu in dissection.of(CommandId.ENQUIRE_LINK)} == {True, False}
    for bind in dissection.of(*binds):
        assert (bind.fields["smpp.system_id"], bind.fields["smpp.password"]) == ("shop", PASSWORD)
        assert bind.number("smpp.interface_version") == 0x34
    for submit in submits:
        assert (submit.fields["smpp.source_addr"], submit.number("smpp.source_addr_ton")) == (SENDER, 5)
        assert (submit.number("smpp.dest_addr_ton"), submit.number("smpp.dest_addr_npi")) == (1, 1)
        assert submit.number("smpp.regdel.receipt") == 1
        assert 0 < float(submit.fields["smpp.validity_period_r"]) <= DEADLINE_S


def test_every_receipt_is_dissected_and_names_its_message(
    smsc: Program, lane: Callable[..., Lane], tmp_path: Path
) -> None:
    port = smsc.wait("listening")[0]["port"]
    file = tmp_path / "receipts.pcapng"
    with Capture(file, f"tcp port {port}") as capture:
        with lane(port) as running:
            running.deliver(TEXTS)
        capture.wait(UNBIND_RESP)
        capture.stop()
    dissection = Dissection(file, port)

    ids = {pdu.fields["smpp.message_id"] for pdu in dissection.of(CommandId.SUBMIT_SM_RESP)}
    receipts = dissection.of(CommandId.DELIVER_SM)
    assert len(ids) == len(receipts) == len(dissection.of(CommandId.SUBMIT_SM))
    assert {receipt.fields["smpp.receipted_message_id"] for receipt in receipts} == ids
    for receipt in receipts:
        assert receipt.number("smpp.esm.submit.msg_type") == 1  # bits 5–2 of esm_class: SMSC delivery receipt
        assert receipt.number("smpp.message_state") == DELIVERED
        assert "stat:DELIVRD" in receipt.fields["smpp.message_text"]


@pytest.mark.peer("unshare")
@pytest.mark.timeout(120)
def test_the_demo_is_dissected_without_a_fault(tmp_path: Path) -> None:
    """In a network namespace of its own: whatever passes over that loopback is the demo's."""
    file, keep = tmp_path / "demo.pcapng", tmp_path / "kept"
    script = Path(__file__).with_name("record_demo.py")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, str(script), str(file), str(keep)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=DEMO_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    demo = json.loads(done.stdout)
    assert demo["ok"]
    carriers = (keep / "config" / "carriers").glob("*.toml")
    dissection = Dissection(file, *(tomllib.loads(path.read_text())["account"]["port"] for path in carriers))

    # A carrier that repeats a receipt while we unbind gets no answer; it will repeat it again.
    assert {pdu.command_id for pdu in unanswered(dissection)} <= {CommandId.DELIVER_SM}
    accepted = {
        (pdu.link, pdu.sequence)
        for pdu in dissection.of(CommandId.SUBMIT_SM_RESP)
        if pdu.number("smpp.command_status") == 0
    }
    submits = [pdu for pdu in dissection.of(CommandId.SUBMIT_SM) if (pdu.link, pdu.sequence) in accepted]
    # One is superseded after a silent carrier has taken it, the next is sent once more by the other carrier.
    silent = cast.FOLLOWED.to[1:]
    asked = [re.sub(r"[0-9]{6}", "CODE", text_of(pdu)) for pdu in submits
             if pdu.fields["smpp.destination_addr"] == silent]  # fmt: skip
    assert len(asked) == 3
    assert len(set(asked)) == 1
    submits = [pdu for pdu in submits if pdu.fields["smpp.destination_addr"] != silent]
    delivered = [
        job for job in demo["jobs"]
        if (job["outcome"], job["channel"]) == ("delivered", "sms") and job["id"] != cast.FOLLOWED.id
    ]  # fmt: skip
    assert len(submits) == sum(job["parts"] for job in delivered)
    wordings = cast.wordings()
    messages = [message for message in (*cast.BURST, cast.AFTERWARDS) if message.expected == "delivered"]
    # The codes were drawn by another process.
    expected = {message.to[1:]: message.text(wordings).replace(message.code, "CODE") for message in messages}
    sent = {to: re.sub(r"[0-9]{6}", "CODE", text) for to, text in texts_of(submits).items()}
    assert sent == expected
