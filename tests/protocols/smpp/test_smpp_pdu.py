"""PDUs as octets, both ways; what is refused going out and what is forgiven coming in."""

from typing import Annotated, ClassVar

import pytest

from protocols.smpp import codec, message
from protocols.smpp.constants import CommandId, Status, Tag, command_name, status_name
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import (
    Address,
    COctets,
    Counted,
    Entry,
    Listed,
    Shown,
    Tlvs,
    UInt8,
    UInt32,
    layout_of,
)
from protocols.smpp.pdu import (
    HEADER,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    DistributionList,
    EnquireLink,
    GenericNack,
    Message,
    Outbind,
    Pdu,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    decode,
    encode,
)

# Each with its sequence_number and command_status.
WIRE = {
    "bind_transceiver": (
        "00000027 00000009 00000000 00000001 61636d6500 73656372657400 564d4100 34 01 01 5e343900",
        1,
        0,
        BindTransceiver(b"acme", b"secret", b"VMA", 0x34, 1, 1, b"^49"),
    ),
    "bind_transceiver_resp": (
        "0000001a 80000009 00000000 00000001 736d736300 0210000134",
        1,
        0,
        BindTransceiverResp(b"smsc", ((0x0210, b"\x34"),)),
    ),
    "submit_sm": (
        (
            "00000052 00000004 00000000 00000002"
            "00 05 00 41636d6500 01 01 3439313531313233343536373800 40 00 00 00"
            "3030303030303030313030303030305200 01 00 08 00 0a 0500030a0201 00480069 140000023131"
        ),
        2,
        0,
        SubmitSm(
            source_addr_ton=5,
            source_addr=b"Acme",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=b"4915112345678",
            esm_class=0x40,
            validity_period=b"000000001000000R",
            registered_delivery=1,
            data_coding=8,
            short_message=b"\x05\x00\x03\x0a\x02\x01\x00H\x00i",
            tlvs=((0x1400, b"11"),),
        ),
    ),
    "submit_sm_resp": (
        "00000021 80000004 00000000 7fffffff 38313246433734373030303030303142 00",
        0x7FFFFFFF,
        0,
        SubmitSmResp(b"812FC7470000001B"),
    ),
    "deliver_sm": (
        (
            "00000032 00000005 00000000 00000000"
            "00 01 01 343900 05 00 4100 44 00 00 00 00 00 00 00 00 02 6869"
            "0427000102 04230003030005"
        ),
        0,
        0,
        DeliverSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"49",
            dest_addr_ton=5,
            destination_addr=b"A",
            esm_class=0x44,
            short_message=b"hi",
            tlvs=((0x0427, b"\x02"), (0x0423, b"\x03\x00\x05")),
        ),
    ),
    "deliver_sm_resp": ("00000011 80000005 00000000 ffffffff 00", 0xFFFFFFFF, 0, DeliverSmResp()),
    "enquire_link": ("00000010 00000015 00000000 00000007", 7, 0, EnquireLink()),
    "unbind": ("00000010 00000006 00000000 00000008", 8, 0, Unbind()),
    "generic_nack": ("00000010 80000000 00000003 00000009", 9, 3, GenericNack()),
}


@pytest.mark.rule("smpp.plain-numbers", "smpp.raw-tlvs")
@pytest.mark.parametrize(("octets", "sequence", "status", "expected"), WIRE.values(), ids=WIRE.keys())
def test_octets_both_ways(octets, sequence, status, expected):
    frame = bytes.fromhex(octets)
    assert len(frame) == int.from_bytes(frame[:4], "big")
    assert encode(expected, sequence=sequence, status=status) == frame
    assert decode(frame) == Message(expected.command_id, status, sequence, expected)


@pytest.mark.rule("text.at-sign")
def test_an_at_sign_is_a_zero_octet_in_the_text():
    text = b"\0 a\0"
    assert decode(encode(SubmitSm(short_message=text), sequence=1)).pdu.short_message == text


# Refused on the way out

REFUSED = [
    ("service_type", b"123456", "at most 5 octets, not 6"),
    ("source_addr", b"1" * 21, "at most 20 octets, not 21"),
    ("destination_addr", b"1" * 21, "at most 20 octets, not 21"),
    ("destination_addr", b"12\x0034", "a string without NUL octets"),
    ("destination_addr", "4915112345678", "bytes, not str"),
    ("schedule_delivery_time", b"0000000010000", "0 or 16 octets, not 13"),
    ("validity_period", b"x" * 17, "0 or 16 octets, not 17"),
    ("short_message", b"x" * 255, "at most 254 octets, not 255"),
    ("short_message", "text", "bytes, not str"),
    ("short_message", None, "bytes, not NoneType"),
    ("esm_class", 256, "an integer from 0 to 255, not 256"),
    ("data_coding", -1, "an integer from 0 to 255, not -1"),
    ("registered_delivery", 1.0, "an integer from 0 to 255, not 1.0"),
    ("tlvs", ((0x10000, b""),), "pairs of a tag 0–0xFFFF and at most 65535 octets"),
    ("tlvs", ((1, b"x" * 65536),), "pairs of a tag 0–0xFFFF and at most 65535 octets"),
    ("tlvs", ((1, "text"),), "pairs of a tag 0–0xFFFF and at most 65535 octets"),
]


@pytest.mark.rule("smpp.no-truncation", "text.sm-length")
@pytest.mark.parametrize(("field", "value", "expected"), REFUSED)
def test_a_field_that_does_not_fit_is_named(field, value, expected):
    with pytest.raises(LocalProtocolError) as raised:
        encode(SubmitSm(**{field: value}), sequence=1)
    assert raised.value.field == field
    assert raised.value.expected.startswith(expected)


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ({"sequence": -1}, "sequence"),
        ({"sequence": 1 << 32}, "sequence"),
        ({"sequence": 1, "status": 1 << 32}, "status"),
    ],
)
def test_a_header_that_does_not_fit_is_named(numbers, field):
    with pytest.raises(LocalProtocolError) as raised:
        encode(Unbind(), **numbers)
    assert raised.value.field == field


# Forgiven and refused on the way in


def frame_of(command_id: int, body: bytes, status: int = 0) -> bytes:
    return HEADER.pack(16 + len(body), command_id, status, 5) + body


@pytest.mark.rule("smpp.missing-nul", "smpp.error-without-body")
@pytest.mark.parametrize(
    ("command_id", "status", "body", "expected"),
    [
        (CommandId.SUBMIT_SM_RESP, 0x58, b"", None),
        (CommandId.BIND_RECEIVER_RESP, 0x0D, b"", None),
        (CommandId.SUBMIT_SM_RESP, 0x42A, b"id\0", SubmitSmResp(b"id")),
        (CommandId.SUBMIT_SM_RESP, 0, b"", SubmitSmResp()),
        (CommandId.SUBMIT_SM_RESP, 0, b"id", SubmitSmResp(b"id")),
        (CommandId.SUBMIT_SM_RESP, 0, b"9" * 80 + b"\0", SubmitSmResp(b"9" * 80)),
        (CommandId.SUBMIT_SM_RESP, 0, b"id\0\x04\x27", SubmitSmResp(b"id")),
        (CommandId.SUBMIT_SM_RESP, 0, b"id\0\x04\x27\0\x01\x02\x04", SubmitSmResp(b"id", ((0x427, b"\2"),))),
        (CommandId.BIND_RECEIVER_RESP, 0, b"smsc", BindReceiverResp(b"smsc")),
        (CommandId.ENQUIRE_LINK, 0, b"padding", EnquireLink()),
        (CommandId.GENERIC_NACK, 3, b"\0", GenericNack()),
        (
            CommandId.BIND_TRANSCEIVER,
            0,
            b"a\0b\0c\0\x34\1\1^49",
            BindTransceiver(b"a", b"b", b"c", 0x34, 1, 1, b"^49"),
        ),
    ],
)
def test_untidy_bodies_are_read(command_id, status, body, expected):
    assert decode(frame_of(command_id, body, status)) == Message(command_id, status, 5, expected)


DELIVER_BODY = encode(DeliverSm(source_addr=b"49", short_message=b"hi"), sequence=5)[16:]


@pytest.mark.parametrize(
    ("body", "status", "field", "reason"),
    [
        (b"", Status.ESME_RINVCMDLEN, "source_addr_ton", "the body ends before it"),
        (DELIVER_BODY[:5], Status.ESME_RINVCMDLEN, "dest_addr_ton", "the body ends before it"),
        (DELIVER_BODY[:-3], Status.ESME_RINVCMDLEN, "short_message", "the body ends before it"),
        (DELIVER_BODY[:-1], Status.ESME_RINVMSGLEN, "short_message", "sm_length is 2, 1 octets are left"),
        (DELIVER_BODY + b"\4", Status.ESME_RINVOPTPARSTREAM, "tlvs", "1 octets are no whole TLV"),
        (DELIVER_BODY + b"\4\x27\0\2\1", Status.ESME_RINVOPTPARSTREAM, "tlvs", "5 octets are no whole TLV"),
    ],
)
def test_a_body_that_cannot_be_read_is_named(body, status, field, reason):
    with pytest.raises(PduError) as raised:
        decode(frame_of(CommandId.DELIVER_SM, body))
    error = raised.value
    assert (error.status, error.command_id, error.sequence) == (status, CommandId.DELIVER_SM, 5)
    assert (error.field, error.reason) == (field, reason)


@pytest.mark.parametrize(
    ("frame", "status", "command_id", "sequence"),
    [
        (b"", Status.ESME_RINVCMDLEN, 0, 0),
        (HEADER.pack(17, 0x15, 0, 5), Status.ESME_RINVCMDLEN, 0x15, 5),
        (HEADER.pack(16, 0x16, 0, 5), Status.ESME_RINVCMDID, 0x16, 5),
    ],
)
def test_a_header_that_cannot_be_read_is_named(frame, status, command_id, sequence):
    with pytest.raises(PduError) as raised:
        decode(frame)
    error = raised.value
    assert (error.status, error.command_id, error.sequence) == (status, command_id, sequence)


# A further PDU is one declaration


def declared(monkeypatch: pytest.MonkeyPatch, pdu_class: type[Pdu]) -> type[Pdu]:
    """Declared for one test only."""
    for registry in ("_ENCODERS", "_DECODERS"):
        monkeypatch.setattr(message, registry, dict(getattr(message, registry)))
    return message.declare(pdu_class)


class Pair(Entry, frozen=True):
    number: UInt32 = 0
    name: Address = b""


class BeginningWithOctets(Pdu, frozen=True, gc=False):
    command_id: ClassVar[int] = 0x00000999
    ton: UInt8 = 0
    npi: UInt8 = 0
    name: Annotated[bytes, COctets(65, shown=Shown.TAIL)] = b""
    tlvs: Tlvs = ()


class EndingInOctets(Pdu, frozen=True, gc=False):
    command_id: ClassVar[int] = 0x00000998
    name: Address = b""
    date: Annotated[bytes, COctets(17, fixed=True)] = b""
    state: UInt8 = 0
    error_code: UInt8 = 0


class WithLongNumbersAndAList(Pdu, frozen=True, gc=False):
    command_id: ClassVar[int] = 0x00000997
    price: UInt32 = 0
    pairs: Annotated[tuple[Pair, ...], Listed(2, (Pair,))] = ()
    error_code: UInt8 = 0


@pytest.mark.parametrize(
    ("made", "body"),
    [
        (BeginningWithOctets(1, 1, b"49", ((0x424, b"x"),)), b"\1\1" + b"49\0" + b"\4\x24\0\1x"),
        (EndingInOctets(b"id", b"", 2, 7), b"id\0\0\x02\x07"),
        (
            WithLongNumbersAndAList(258, (Pair(1, b"a"), Pair(2, b"")), 7),
            b"\0\0\1\2" + b"\2" + b"\0\0\0\1a\0" + b"\0\0\0\2\0" + b"\7",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_further_pdu_is_one_declaration(monkeypatch, made, body):
    declared(monkeypatch, type(made))
    frame = encode(made, sequence=5)
    assert frame[16:] == body
    assert decode(frame).pdu == made
    if not hasattr(made, "tlvs"):
        with pytest.raises(PduError, match="error_code: the body ends before it"):
            decode(frame_of(made.command_id, body[:-1]))


class NoKind(Pdu, frozen=True):
    number: int = 0


class CountedInTheMiddle(Pdu, frozen=True):
    text: Annotated[bytes, Counted(254, "length")] = b""
    number: UInt8 = 0


@pytest.mark.parametrize(
    ("pdu_class", "message"),
    [
        (NoKind, "NoKind.number must be annotated with one kind of field"),
        (CountedInTheMiddle, "CountedInTheMiddle: a counted string must be the last mandatory parameter"),
    ],
)
def test_a_declaration_that_the_codec_cannot_follow_is_refused(pdu_class, message):
    with pytest.raises(TypeError, match=message):
        codec.body_encoder(layout_of(pdu_class))


# For people


def test_a_repr_shows_no_text_and_no_number():
    message = SubmitSm(
        source_addr=b"Acme Bank",
        destination_addr=b"4915112345678",
        data_coding=8,
        validity_period=b"000000001000000R",
        short_message=b"code 4711",
        tlvs=((Tag.MESSAGE_PAYLOAD, b"code 4711"),),
    )
    assert repr(decode(encode(message, sequence=7)).pdu) == (
        "SubmitSm(source_addr=…b'nk', destination_addr=…b'78', validity_period=b'000000001000000R',"
        " data_coding=8, short_message=[9 octets], tlv_0x0424=[9 octets])"
    )


@pytest.mark.parametrize(
    ("pdu", "shown"),
    [
        (
            BindTransceiver(b"acme", b"secret", b"VMA"),
            "BindTransceiver(system_id=b'acme', password=…, system_type=b'VMA', interface_version=52)",
        ),
        (Outbind(b"smsc", b"secret"), "Outbind(system_id=b'smsc', password=…)"),
        (DeliverSm(source_addr=b"1234"), "DeliverSm(source_addr=…)"),
        (
            SubmitMulti(dest_addresses=(SmeAddress(1, 1, b"4915112345678"), DistributionList(b"customers"))),
            (
                "SubmitMulti(dest_addresses=(SmeAddress(dest_addr_ton=1, dest_addr_npi=1,"
                " destination_addr=…b'78'), DistributionList(dl_name=…b'rs')))"
            ),
        ),
        (GenericNack(), "GenericNack()"),
    ],
)
def test_repr(pdu, shown):
    assert repr(pdu) == shown


def test_names():
    assert (status_name(0), status_name(0x14), status_name(0x42A)) == (
        "ESME_ROK",
        "ESME_RMSGQFUL",
        "0x0000042A",
    )
    assert (command_name(0x80000004), command_name(0x999)) == ("submit_sm_resp", "0x00000999")
