"""What a session tells its owner. Contexts are the owner's own objects, handed back untouched."""

from typing import Any

import msgspec

from protocols.smpp.errors import RemoteProtocolError
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import DeliverSm


class Bound(msgspec.Struct, frozen=True, gc=False):
    """The bind was accepted. ``sc_interface_version`` (§5.3.2.25) is None from an SMSC older than 3.4."""

    sc_interface_version: int | None
    system_id: bytes


class BindRefused(msgspec.Struct, frozen=True, gc=False):
    """The bind was answered with an error; the connection is of no further use."""

    status: int


class SubmitAnswered(msgspec.Struct, frozen=True, gc=False):
    """submit_sm_resp, or a generic_nack in its place. ``message_id`` is empty where there is none."""

    context: Any
    status: int
    message_id: bytes
    tlvs: Tlvs
    sequence: int


class SubmitTimedOut(msgspec.Struct, frozen=True, gc=False):
    """No answer in time. That is not a rejection: the message may have been taken."""

    context: Any
    sequence: int


class LateAnswer(msgspec.Struct, frozen=True, gc=False):
    """The answer to a submit that had been reported as timed out."""

    context: Any
    status: int
    message_id: bytes
    sequence: int


class DeliverReceived(msgspec.Struct, frozen=True, gc=False):
    """A receipt or a handset's message. Commit it, then ``acknowledge(sequence)``."""

    sequence: int
    pdu: DeliverSm


class PeerUnbound(msgspec.Struct, frozen=True, gc=False):
    """The peer ended the session and has its answer: write it, then close the connection."""


class Unbound(msgspec.Struct, frozen=True, gc=False):
    """Our unbind was answered: close the connection."""


class SubmitsLost(msgspec.Struct, frozen=True, gc=False):
    """The connection ended with these submits unanswered; what became of them is unknown."""

    contexts: list[Any]


class LinkDead(msgspec.Struct, frozen=True, gc=False):
    """The peer no longer answers: close the connection."""

    reason: str


class ProtocolViolation(msgspec.Struct, frozen=True, gc=False):
    """The connection cannot go on: write what is left to send, then close it."""

    error: RemoteProtocolError


class MalformedPdu(msgspec.Struct, frozen=True, gc=False):
    """A PDU that could not be read, or was out of place; it was answered with an error, the bind stays."""

    command_id: int
    sequence: int
    reason: str


Event = (
    Bound
    | BindRefused
    | SubmitAnswered
    | SubmitTimedOut
    | LateAnswer
    | DeliverReceived
    | PeerUnbound
    | Unbound
    | SubmitsLost
    | LinkDead
    | ProtocolViolation
    | MalformedPdu
)
