"""Our octets read by codecs that we did not write, and theirs read by us."""

import json
import subprocess
import sys
from io import BytesIO
from random import Random
from types import SimpleNamespace

import pytest
from smpp.pdu import operations, pdu_types
from smpp.pdu.pdu_encoding import PDUEncoder
from smpplib import smpp

from protocols.smpp.constants import Status, Tag
from protocols.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
)

SM_FIELDS = SubmitSm.__struct_fields__[:-1]


def random_sm(random: Random, pdu_class: type[SubmitSm | DeliverSm], tlvs=()) -> SubmitSm | DeliverSm:
    """A message within what the other codecs allow: numbers they know, no text with a lone zero."""
    time = "000000001000000R" if random.random() < 0.5 and pdu_class is SubmitSm else ""
    return pdu_class(
        service_type=random.choice([b"", b"CMT", b"VMA", b"USSD"]),
        source_addr_ton=random.choice([0, 1, 5]),
        source_addr_npi=random.choice([0, 1]),
        source_addr=random.choice([b"", b"Acme", b"x" * 20, b"1234"]),
        dest_addr_ton=random.choice([0, 1, 2]),
        dest_addr_npi=random.choice([0, 1]),
        destination_addr=str(random.randrange(10**6, 10**20)).encode(),
        esm_class=random.choice([0, 0x40, 0x03]) if pdu_class is SubmitSm else random.choice([0, 0x04, 0x44]),
        protocol_id=random.choice([0, 0x40, 127]),
        priority_flag=random.choice([0, 1, 3]),
        validity_period=time.encode(),
        registered_delivery=random.choice([0, 1, 2]),
        replace_if_present_flag=random.choice([0, 1]),
        data_coding=random.choice([0, 1, 3, 8]),
        sm_default_msg_id=random.choice([0, 1, 254]),
        short_message=random.randbytes(random.choice([0, 1, 140, 254])),
        tlvs=tlvs,
    )


# smpplib


class SmpplibClient:
    """What its PDUs want to be made with."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def by_smpplib(frame: bytes):
    return smpp.parse_pdu(frame, client=SmpplibClient(), allow_unknown_opt_params=True)


def as_text(value: bytes | int) -> str | int:
    return value.decode() if isinstance(value, bytes) else value


def smpplib_fields(pdu: SubmitSm | DeliverSm) -> dict:
    given = {name: getattr(pdu, name) for name in SM_FIELDS}
    text = given.pop("short_message")
    return {name: as_text(value) for name, value in given.items()} | {"short_message": text}


@pytest.mark.parametrize("pdu_class", [SubmitSm, DeliverSm])
def test_messages_for_smpplib(random, pdu_class):
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, b"4711\0"), (Tag.MESSAGE_STATE, b"\x02"))
    for sequence in range(1, 200):
        pdu = random_sm(random, pdu_class, tlvs if pdu_class is DeliverSm else ())
        theirs = by_smpplib(encode(pdu, sequence=sequence))
        assert (theirs.sequence, theirs.status) == (sequence, 0)
        read = {name: getattr(theirs, name) for name in SM_FIELDS}
        read["short_message"] = read["short_message"] or b""  # it has None for an empty one at the end
        assert read == {name: getattr(pdu, name) for name in SM_FIELDS}
        assert theirs.sm_length == len(pdu.short_message)
        if pdu_class is DeliverSm:
            assert (theirs.receipted_message_id, theirs.message_state) == (b"4711", 2)


@pytest.mark.parametrize(("name", "pdu_class"), [("submit_sm", SubmitSm), ("deliver_sm", DeliverSm)])
def test_messages_from_smpplib(random, name, pdu_class):
    for _ in range(200):
        pdu = random_sm(random, pdu_class)
        theirs = smpp.make_pdu(name, client=SmpplibClient(), **smpplib_fields(pdu))
        theirs.sequence = 77
        message = decode(theirs.generate())
        assert (message.pdu, message.sequence) == (pdu, 77)


@pytest.mark.rule("smpp.no-truncation")
def test_a_long_address_is_refused_where_smpplib_shortens_it():
    too_long = "1" * 21
    theirs = smpp.make_pdu("submit_sm", client=SmpplibClient(), destination_addr=too_long, short_message=b"x")
    assert decode(theirs.generate()).pdu.destination_addr == b"1" * 20
    with pytest.raises(Exception, match="destination_addr: at most 20 octets, not 21"):
        encode(SubmitSm(destination_addr=too_long.encode(), short_message=b"x"), sequence=1)


SESSION_PDUS = [
    ("bind_transmitter", BindTransmitter(b"acme", b"secret", b"VMA", 0x34, 1, 1, b"^49")),
    ("bind_receiver", BindReceiver(b"acme", b"secret", b"", 0x34)),
    ("bind_transceiver", BindTransceiver(b"acme", b"secret", b"VMA", 0x34, 1, 1, b"^49")),
    ("bind_transceiver_resp", BindTransceiverResp(b"smsc")),
    ("submit_sm_resp", SubmitSmResp(b"812FC7470000001B")),
    ("unbind", Unbind()),
    ("unbind_resp", UnbindResp()),
    ("enquire_link", EnquireLink()),
    ("enquire_link_resp", EnquireLinkResp()),
    ("generic_nack", GenericNack()),
]


@pytest.mark.parametrize(("name", "pdu"), SESSION_PDUS, ids=[name for name, _ in SESSION_PDUS])
def test_the_session_for_smpplib_and_from_it(name, pdu):
    theirs = by_smpplib(encode(pdu, sequence=9))
    assert (theirs.command, theirs.sequence, theirs.status) == (name, 9, 0)
    fields = {field: getattr(pdu, field) for field in pdu.__struct_fields__ if field != "tlvs"}
    assert {field: getattr(theirs, field) for field in fields} == fields
    texts = {field: as_text(value) for field, value in fields.items()}
    made = smpp.make_pdu(name, client=SmpplibClient(), **texts)
    made.sequence = 9
    assert decode(made.generate()).pdu == pdu


# smpp.pdu3


def by_pdu3(frame: bytes):
    return PDUEncoder().decode(BytesIO(frame))


@pytest.mark.parametrize("pdu_class", [SubmitSm, DeliverSm])
def test_messages_read_and_written_again_by_pdu3(random, pdu_class):
    """What it writes shows all that it read."""
    tlvs = ((Tag.MESSAGE_STATE, b"\x02"), (Tag.RECEIPTED_MESSAGE_ID, b"4711\0"))  # its order
    for sequence in range(1, 200):
        pdu = random_sm(random, pdu_class, tlvs if pdu_class is DeliverSm else ())
        if pdu.validity_period:
            continue  # it turns relative times into absolute ones
        frame = encode(pdu, sequence=sequence)
        theirs = by_pdu3(frame)
        assert theirs.seqNum == sequence
        assert theirs.params["destination_addr"] == pdu.destination_addr
        assert theirs.params["short_message"] == pdu.short_message
        assert decode(PDUEncoder().encode(theirs)) == decode(frame)


@pytest.mark.parametrize(("name", "pdu"), SESSION_PDUS, ids=[name for name, _ in SESSION_PDUS])
def test_the_session_read_and_written_again_by_pdu3(name, pdu):
    frame = encode(pdu, sequence=9)
    theirs = by_pdu3(frame)
    assert (theirs.commandId.name, theirs.seqNum) == (name, 9)
    assert PDUEncoder().encode(theirs) == frame


def test_messages_made_by_pdu3():
    theirs = operations.SubmitSM(
        seqNum=5,
        service_type=b"",
        source_addr_ton=pdu_types.AddrTon.ALPHANUMERIC,
        source_addr_npi=pdu_types.AddrNpi.UNKNOWN,
        source_addr=b"Acme",
        dest_addr_ton=pdu_types.AddrTon.INTERNATIONAL,
        dest_addr_npi=pdu_types.AddrNpi.ISDN,
        destination_addr=b"4915112345678",
        registered_delivery=pdu_types.RegisteredDelivery(
            pdu_types.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED
        ),
        data_coding=pdu_types.DataCoding(
            pdu_types.DataCodingScheme.DEFAULT, pdu_types.DataCodingDefault.UCS2
        ),
        short_message="Ihr Code: 4711".encode("utf-16-be"),
    )
    assert decode(PDUEncoder().encode(theirs)).pdu == SubmitSm(
        source_addr_ton=5,
        source_addr=b"Acme",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=b"4915112345678",
        registered_delivery=1,
        data_coding=8,
        short_message="Ihr Code: 4711".encode("utf-16-be"),
    )


def test_an_error_response_for_pdu3_and_from_it():
    theirs = operations.SubmitSMResp(5, status=pdu_types.CommandStatus.ESME_RTHROTTLED)
    message = decode(PDUEncoder().encode(theirs))
    assert (message.status, message.sequence, message.pdu) == (Status.ESME_RTHROTTLED, 5, None)


# smpp34, in a process of its own: its runtime may abort when the interpreter ends

SMPP34 = """
import json, sys
from types import SimpleNamespace
import smpp34

fields = json.loads(sys.stdin.readline())
for line in sys.stdin:
    frame = bytes.fromhex(line)
    pdu = smpp34.decode(frame)
    read = {name: getattr(pdu, name, None) for name in fields}
    if pdu.command_id & 0x80000000 or pdu.command_id not in (4, 5):
        again = frame[:16] + bytes(pdu.body)
        read = {}
        tlvs = []
    else:
        tlvs = [(tlv.tag, bytes(tlv.value).hex()) for tlv in pdu.tlvs]
        again = bytes(pdu.encode())
        addresses = ("source_addr", "destination_addr")
        rest = {name: value for name, value in read.items() if name not in addresses}
        rest["short_message"] = bytes(rest["short_message"])
        made = type(pdu)(pdu.source_addr, pdu.destination_addr, **rest,
                         tlvs=[smpp34.Tlv(tlv.tag, bytes(tlv.value)) for tlv in pdu.tlvs],
                         sequence_number=pdu.sequence_number)
        assert bytes(made.encode()) == again
        read["short_message"] = bytes(pdu.short_message).hex()
    head = [pdu.command_id, getattr(pdu, "command_status", 0), pdu.sequence_number]
    print(json.dumps([head, read, tlvs, again.hex()]), flush=True)
print("complete", flush=True)
"""


def by_smpp34(frames: list[bytes]) -> list[SimpleNamespace]:
    lines = [json.dumps(SM_FIELDS), *[frame.hex() for frame in frames]]
    run = subprocess.run(
        [sys.executable, "-c", SMPP34], input="\n".join(lines), capture_output=True, text=True, timeout=50
    )
    *answers, last = run.stdout.splitlines() or [""]
    assert last == "complete", run.stderr
    return [
        SimpleNamespace(head=head, fields=fields, tlvs=tlvs, again=bytes.fromhex(again))
        for head, fields, tlvs, again in map(json.loads, answers)
    ]


def test_messages_for_smpp34_and_from_it(random):
    """It reads our octets, makes the same PDU anew from what it read, and we read the octets of that."""
    vendor = ((0x1400, b"1101\xff"), (Tag.MESSAGE_PAYLOAD, b"p" * 300), (Tag.MESSAGE_STATE, b"\x02"))
    pdus = [random_sm(random, kind, vendor) for kind in (SubmitSm, DeliverSm) for _ in range(150)]
    answers = by_smpp34([encode(pdu, sequence=number + 1) for number, pdu in enumerate(pdus)])
    assert len(answers) == len(pdus)
    for number, (pdu, theirs) in enumerate(zip(pdus, answers, strict=True)):
        assert theirs.head == [pdu.command_id, 0, number + 1]
        texts = {name: value for name in SM_FIELDS if type(value := getattr(pdu, name)) is bytes}
        shown = {name: value.decode() for name, value in texts.items() if name != "short_message"}
        shown["short_message"] = pdu.short_message.hex()
        assert theirs.fields == {name: shown.get(name, getattr(pdu, name)) for name in SM_FIELDS}
        assert theirs.tlvs == [[tag, value.hex()] for tag, value in pdu.tlvs]
        assert decode(theirs.again).pdu == pdu


def test_the_session_for_smpp34():
    pdus = [pdu for _, pdu in SESSION_PDUS] + [DeliverSmResp()]
    answers = by_smpp34([encode(pdu, sequence=7, status=3) for pdu in pdus])
    assert [theirs.head for theirs in answers] == [[pdu.command_id, 3, 7] for pdu in pdus]
    assert [decode(theirs.again).pdu for theirs in answers] == pdus
