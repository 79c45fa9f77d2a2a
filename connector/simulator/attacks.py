"""PDUs and octets that no honest SMSC sends: what an ESME must survive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from protocols.smpp.constants import CommandId, EsmClass, Status, Tag
from protocols.smpp.pdu import (
    HEADER,
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    SubmitSm,
    SubmitSmResp,
    encode,
)

UNKNOWN_SEQUENCE: Final = 0x7FFFFFF0
"""A sequence_number that no ESME has reached."""

_UNKNOWN_COMMAND: Final = 0x00000FFF
_OVERSIZED: Final = 0x7FFFFFFF

_MESSAGE: Final = DeliverSm(
    source_addr_ton=1,
    source_addr_npi=1,
    source_addr=b"447700900000",
    destination_addr=b"12345",
    short_message=b"flood",
)
_ORPHAN: Final = DeliverSm(
    source_addr_ton=1,
    source_addr_npi=1,
    source_addr=b"447700900000",
    destination_addr=b"12345",
    esm_class=EsmClass.DELIVERY_RECEIPT,
    short_message=b"id:0 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:",
)


def _header(length: int, command_id: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(length, command_id, Status.ESME_ROK, sequence) + body


def _broken_body(sequence: int) -> bytes:
    """sm_length says more octets than there are."""
    body = encode(_MESSAGE, sequence=sequence)[HEADER.size :].replace(b"\x05flood", b"\xf0flood")
    return _header(HEADER.size + len(body), CommandId.DELIVER_SM, sequence, body)


def _broken_tlv(sequence: int) -> bytes:
    """The last TLV says more octets than there are."""
    body = encode(_MESSAGE, sequence=sequence)[HEADER.size :] + b"\x04\x24\x01\x00x"
    return _header(HEADER.size + len(body), CommandId.DELIVER_SM, sequence, body)


def _broken_header(sequence: int) -> bytes:
    """The user data header is longer than the user data."""
    pdu = DeliverSm(source_addr=b"447700900000", esm_class=EsmClass.UDHI, short_message=b"\xff\x00\x03")
    return encode(pdu, sequence=sequence)


ATTACKS: Final[dict[str, Callable[[int], bytes]]] = {
    "truncated": lambda sequence: encode(_MESSAGE, sequence=sequence)[:-3],
    "oversized": lambda sequence: _header(_OVERSIZED, CommandId.DELIVER_SM, sequence),
    "undersized": lambda sequence: _header(4, CommandId.DELIVER_SM, sequence),
    "unknown_command": lambda sequence: _header(16, _UNKNOWN_COMMAND, sequence),
    "unknown_response": lambda sequence: _header(16, 0x80000000 | _UNKNOWN_COMMAND, sequence),
    "unknown_sequence": lambda _: encode(SubmitSmResp(b"0"), sequence=UNKNOWN_SEQUENCE),
    "unknown_nack": lambda _: encode(GenericNack(), sequence=UNKNOWN_SEQUENCE, status=Status.ESME_RINVCMDID),
    "enquire_link": lambda sequence: encode(EnquireLink(), sequence=sequence),
    "enquire_link_resp": lambda _: encode(EnquireLinkResp(), sequence=UNKNOWN_SEQUENCE),
    "deliver_sm": lambda sequence: encode(_MESSAGE, sequence=sequence),
    "receipt": lambda sequence: encode(_ORPHAN, sequence=sequence),
    "submit_sm": lambda sequence: encode(SubmitSm(destination_addr=b"447700900000"), sequence=sequence),
    "bind": lambda sequence: encode(BindTransceiver(b"simulator"), sequence=sequence),
    "outbind": lambda sequence: encode(Outbind(b"simulator"), sequence=sequence),
    "bind_resp": lambda sequence: encode(BindTransceiverResp(b"simulator"), sequence=sequence),
    "empty_deliver": lambda sequence: _header(16, CommandId.DELIVER_SM, sequence),
    "broken_body": _broken_body,
    "broken_tlv": _broken_tlv,
    "broken_header": _broken_header,
    "sequence_zero": lambda _: encode(_MESSAGE, sequence=0),
    "sequence_high": lambda _: encode(_MESSAGE, sequence=0xFFFFFFFF),
    "long_text": lambda sequence: encode(
        DeliverSm(source_addr=b"447700900000", tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 60_000),)),
        sequence=sequence,
    ),
    "garbage": lambda sequence: bytes((sequence * 97 + n * n * 31) & 0xFF for n in range(61)),
}
"""By name, the octets to send; the argument is a sequence_number for those that carry one of ours."""
