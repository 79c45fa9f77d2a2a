"""A PDU and its header, as octets and back (SMPP 3.4 §3.2).

What ``decode`` can read is what has been declared: import from ``protocols.smpp.pdu``, where all PDUs are.
"""

from struct import Struct
from struct import error as struct_error
from typing import ClassVar, TypeVar

import msgspec

from protocols.smpp.codec import BodyDecoder, BodyEncoder, body_decoder, body_encoder
from protocols.smpp.constants import RESPONSE_BIT, Status
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import Declared, layout_of

HEADER = Struct(">IIII")
"""command_length, command_id, command_status, sequence_number (§3.2)."""


class Pdu(Declared, frozen=True, gc=False):
    """The mandatory and optional parameters of one PDU, without its header."""

    command_id: ClassVar[int]


class Message(msgspec.Struct, frozen=True, gc=False):
    """A PDU with its header. ``pdu`` is None for an error response that lacks its body (§4.4.2)."""

    command_id: int
    status: int
    sequence: int
    pdu: Pdu | None


AnyPdu = TypeVar("AnyPdu", bound=type[Pdu])

_ENCODERS: dict[int, BodyEncoder] = {}
_DECODERS: dict[int, BodyDecoder] = {}
_BODY_MAY_BE_MISSING: set[int] = set()


def declare(pdu_class: AnyPdu) -> AnyPdu:
    """Class decorator: derive the codec of a PDU from its annotations and register it by command_id."""
    layout = layout_of(pdu_class)
    command_id = pdu_class.command_id
    _ENCODERS[command_id] = body_encoder(layout)
    _DECODERS[command_id] = body_decoder(layout, command_id, pdu_class)
    if command_id & RESPONSE_BIT and layout.fields:
        _BODY_MAY_BE_MISSING.add(command_id)
    return pdu_class


def encode(pdu: Pdu, *, sequence: int, status: int = 0) -> bytes:
    """One frame. LocalProtocolError names a parameter that does not fit; nothing is ever truncated."""
    body = _ENCODERS[pdu.command_id](pdu)
    return header(16 + len(body), pdu.command_id, status, sequence) + body


def header(length: int, command_id: int, status: int, sequence: int) -> bytes:
    """The 16 octets before a body (§3.2); any 32-bit sequence is right where a peer's is answered."""
    try:
        return HEADER.pack(length, command_id, status, sequence)
    except struct_error:
        field = "sequence" if 0 <= status <= 0xFFFFFFFF else "status"
        raise LocalProtocolError(field, "an integer of 32 bits") from None


def decode(frame: bytes) -> Message:
    """Read one whole frame. PduError carries the command_status to answer with."""
    if len(frame) < HEADER.size:
        reason = f"{len(frame)} octets are no header"
        raise PduError(Status.ESME_RINVCMDLEN, 0, 0, "command_length", reason)
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        reason = f"{length} declared, {len(frame)} octets there"
        raise PduError(Status.ESME_RINVCMDLEN, command_id, sequence, "command_length", reason)
    body_of = _DECODERS.get(command_id)
    if body_of is None:
        reason = f"command_id 0x{command_id:08X} is not known"
        raise PduError(Status.ESME_RINVCMDID, command_id, sequence, "command_id", reason)
    if status and length == HEADER.size and command_id in _BODY_MAY_BE_MISSING:
        return Message(command_id, status, sequence, None)
    return Message(command_id, status, sequence, body_of(frame))
