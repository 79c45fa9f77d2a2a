"""The PDUs beyond binds and messages as octets, both ways, and the lists of submit_multi."""

import pytest

from protocols.smpp.constants import CommandId, Status
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.pdu import (
    HEADER,
    AlertNotification,
    BroadcastSm,
    BroadcastSmResp,
    CancelBroadcastSm,
    CancelBroadcastSmResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DistributionList,
    Message,
    Outbind,
    QueryBroadcastSm,
    QueryBroadcastSmResp,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    UnsuccessSme,
    decode,
    encode,
)

# Each with its sequence_number and command_status.
WIRE = {
    "outbind": (
        "0000001c 0000000b 00000000 00000001 736d736300 73656372657400",
        1,
        0,
        Outbind(b"smsc", b"secret"),
    ),
    "query_sm": (
        "00000019 00000003 00000000 00000003 69643100 05 00 416200",
        3,
        0,
        QuerySm(b"id1", 5, 0, b"Ab"),
    ),
    "query_sm_resp": (
        "00000027 80000003 00000000 00000003 69643100 3236303130353039333030303030302b00 02 07",
        3,
        0,
        QuerySmResp(b"id1", b"260105093000000+", 2, 7),
    ),
    "query_sm_resp of a message under way": (
        "00000017 80000003 00000000 00000003 69643100 00 01 00",
        3,
        0,
        QuerySmResp(b"id1", b"", 1, 0),
    ),
    "cancel_sm": (
        "00000022 00000008 00000000 00000003 564d4100 69643100 05 00 416200 01 01 343900",
        3,
        0,
        CancelSm(b"VMA", b"id1", 5, 0, b"Ab", 1, 1, b"49"),
    ),
    "cancel_sm_resp": ("00000010 80000008 00000011 00000003", 3, 0x11, CancelSmResp()),
    "replace_sm": (
        (
            "00000030 00000007 00000000 00000003 69643100 05 00 416200 00"
            "3030303030303030313030303030305200 01 00 02 6869"
        ),
        3,
        0,
        ReplaceSm(b"id1", 5, 0, b"Ab", b"", b"000000001000000R", 1, 0, b"hi"),
    ),
    "replace_sm_resp": ("00000010 80000007 00000013 00000003", 3, 0x13, ReplaceSmResp()),
    "submit_multi": (
        (
            "0000003d 00000021 00000000 00000004 00 05 00 416200"
            "03 01 01 01 343900 02 667269656e647300 01 02 08 3500"
            "00 00 00 00 00 01 00 00 00 02 6869 140000023131"
        ),
        4,
        0,
        SubmitMulti(
            source_addr_ton=5,
            source_addr=b"Ab",
            dest_addresses=(SmeAddress(1, 1, b"49"), DistributionList(b"friends"), SmeAddress(2, 8, b"5")),
            registered_delivery=1,
            short_message=b"hi",
            tlvs=((0x1400, b"11"),),
        ),
    ),
    "submit_multi_resp": (
        "00000026 80000021 00000000 00000004 69643100 02 01 01 343900 0000000b 02 08 3500 00000400",
        4,
        0,
        SubmitMultiResp(b"id1", (UnsuccessSme(1, 1, b"49", 0x0B), UnsuccessSme(2, 8, b"5", 0x400))),
    ),
    "data_sm": (
        "00000027 00000103 00000000 00000005 00 01 01 343900 05 00 416200 40 01 08 0424 0005 0480020101",
        5,
        0,
        DataSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"49",
            dest_addr_ton=5,
            destination_addr=b"Ab",
            esm_class=0x40,
            registered_delivery=1,
            data_coding=8,
            tlvs=((0x0424, b"\x04\x80\x02\x01\x01"),),
        ),
    ),
    "data_sm_resp": (
        "00000019 80000103 000000fe 00000005 69643100 0425 0001 01",
        5,
        0xFE,
        DataSmResp(b"id1", ((0x0425, b"\x01"),)),
    ),
    "alert_notification": (
        "0000001f 00000102 00000000 00000006 01 01 343900 05 00 416200 0422 0001 00",
        6,
        0,
        AlertNotification(1, 1, b"49", 5, 0, b"Ab", ((0x0422, b"\x00"),)),
    ),
    "broadcast_sm": (
        (
            "00000029 00000111 00000000 00000007 00 05 00 416200 00 01 00 00 00 00 00"
            "0606 0002 0041 0604 0002 0003"
        ),
        7,
        0,
        BroadcastSm(
            source_addr_ton=5, source_addr=b"Ab", priority_flag=1, tlvs=((0x0606, b"\0A"), (0x0604, b"\0\3"))
        ),
    ),
    "broadcast_sm_resp": (
        "0000001c 80000111 00000000 00000007 69643100 0607 0004 0000010d",
        7,
        0,
        BroadcastSmResp(b"id1", ((0x0607, b"\0\0\1\x0d"),)),
    ),
    "query_broadcast_sm": (
        "0000001f 00000112 00000000 00000008 69643100 05 00 416200 0204 0002 0001",
        8,
        0,
        QueryBroadcastSm(b"id1", 5, 0, b"Ab", ((0x0204, b"\0\1"),)),
    ),
    "query_broadcast_sm_resp": (
        "00000023 80000112 00000000 00000008 69643100 0427 0001 01 0606 0002 0041 0608 0000",
        8,
        0,
        QueryBroadcastSmResp(b"id1", ((0x0427, b"\1"), (0x0606, b"\0A"), (0x0608, b""))),
    ),
    "cancel_broadcast_sm": (
        "00000021 00000113 00000000 00000009 564d4100 69643100 05 00 416200 0601 0000",
        9,
        0,
        CancelBroadcastSm(b"VMA", b"id1", 5, 0, b"Ab", ((0x0601, b""),)),
    ),
    "cancel_broadcast_sm_resp": (
        "00000010 80000113 0000010f 00000009",
        9,
        Status.ESME_RBCASTCANCELFAIL,
        CancelBroadcastSmResp(),
    ),
}


@pytest.mark.parametrize(("octets", "sequence", "status", "expected"), WIRE.values(), ids=WIRE.keys())
def test_octets_both_ways(octets, sequence, status, expected):
    frame = bytes.fromhex(octets)
    assert len(frame) == int.from_bytes(frame[:4], "big")
    assert encode(expected, sequence=sequence, status=status) == frame
    assert decode(frame) == Message(expected.command_id, status, sequence, expected)


TWO_ADDRESSES = (SmeAddress(1, 1, b"49"), SmeAddress(1, 1, b"1" * 21))


@pytest.mark.parametrize(
    ("pdu", "field", "expected"),
    [
        (
            SubmitMulti(dest_addresses=TWO_ADDRESSES),
            "dest_addresses",
            "in entry 2 destination_addr: at most 20 octets",
        ),
        (
            SubmitMulti(dest_addresses=(DistributionList(b"a\0b"),)),
            "dest_addresses",
            "in entry 1 dl_name: a string without NUL octets",
        ),
        (SubmitMulti(dest_addresses=(SmeAddress(),) * 255), "dest_addresses", "at most 254 entries, not 255"),
        (
            SubmitMulti(dest_addresses=(UnsuccessSme(),)),
            "dest_addresses",
            "a tuple of SmeAddress and DistributionList",
        ),
        (SubmitMulti(dest_addresses=b"49"), "dest_addresses", "a tuple of SmeAddress and DistributionList"),
        (SubmitMulti(short_message=b"x" * 255), "short_message", "at most 254 octets, not 255"),
        (SubmitMulti(tlvs=((1 << 16, b""),)), "tlvs", "pairs of a tag"),
        (
            SubmitMultiResp(unsuccess_smes=(UnsuccessSme(error_status_code=1 << 32),)),
            "unsuccess_smes",
            "in entry 1 error_status_code: an integer from 0 to 4294967295, not 4294967296",
        ),
        (DataSm(destination_addr=b"1" * 65), "destination_addr", "at most 64 octets, not 65"),
        (QuerySm(b"1" * 65), "message_id", "at most 64 octets, not 65"),
        (Outbind(b"s" * 16), "system_id", "at most 15 octets, not 16"),
        (Outbind(password=b"p" * 9), "password", "at most 8 octets, not 9"),
    ],
)
def test_a_field_of_the_other_pdus_that_does_not_fit_is_named(pdu, field, expected):
    with pytest.raises(LocalProtocolError) as raised:
        encode(pdu, sequence=1)
    assert raised.value.field == field
    assert raised.value.expected.startswith(expected)


def frame_of(command_id: int, body: bytes) -> bytes:
    return HEADER.pack(16 + len(body), command_id, 0, 5) + body


MULTI_BODY = encode(SubmitMulti(dest_addresses=TWO_ADDRESSES[:1] * 2), sequence=5)[16:]


@pytest.mark.parametrize(
    ("body", "status", "field", "reason"),
    [
        (MULTI_BODY[:4], Status.ESME_RINVCMDLEN, "dest_addresses", "the body ends before it"),
        (MULTI_BODY[:5], Status.ESME_RINVCMDLEN, "dest_addresses[0]", "the body ends before it"),
        (MULTI_BODY[:7], Status.ESME_RINVCMDLEN, "dest_addr_npi", "the body ends before it"),
        (MULTI_BODY[:11], Status.ESME_RINVCMDLEN, "dest_addresses[1]", "the body ends before it"),
        (
            MULTI_BODY[:5] + b"\3" + MULTI_BODY[6:],
            Status.ESME_RINVDESTFLAG,
            "dest_addresses[0]",
            "3 is no kind of entry",
        ),
        (MULTI_BODY[:-1], Status.ESME_RINVCMDLEN, "short_message", "the body ends before it"),
        (MULTI_BODY + b"\4", Status.ESME_RINVOPTPARSTREAM, "tlvs", "1 octets are no whole TLV"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(body, status, field, reason):
    with pytest.raises(PduError) as raised:
        decode(frame_of(CommandId.SUBMIT_MULTI, body))
    error = raised.value
    assert (error.status, error.sequence, error.field, error.reason) == (status, 5, field, reason)


def test_a_list_that_claims_too_much_ends_with_the_body():
    with pytest.raises(PduError, match=r"dest_addresses\[2\]: the body ends before it"):
        decode(frame_of(CommandId.SUBMIT_MULTI, b"\0\0\0\0\xff\2a\0\2b\0"))


def test_a_success_without_what_was_asked_for_is_no_answer():
    with pytest.raises(PduError, match="message_state: the body ends before it"):
        decode(frame_of(CommandId.QUERY_SM_RESP, b""))
