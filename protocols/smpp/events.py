"""What a session tells its owner. Contexts are the owner's own objects, handed back untouched."""

from typing import Any

import msgspec

from protocols.smpp.errors import RemoteProtocolError
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import AlertNotification, DataSm, DeliverSm, QuerySmResp


class Bound(msgspec.Struct, frozen=True, gc=False):
    """The bind was accepted. ``sc_interface_version`` (§5.3.2.25) is None from an SMSC older than 3.4."""

    sc_interface_version: int | None
    system_id: bytes


class BindRefused(msgspec.Struct, frozen=True, gc=False):
    """The bind was answered with an error; the connection is of no further use."""

    status: int


class SubmitAnswered(msgspec.Struct, frozen=True, gc=False):
    """submit_sm_resp, or a generic_nack in its place. ``message_id`` is empty where there is none.

    ``sent_at`` is the ``now`` of its submit. ``congestion`` is the SMSC's load in percent (congestion_state,
    5.0 §4.8.4.18), None from one that does not tell.
    """

    context: Any
    status: int
    message_id: bytes
    tlvs: Tlvs
    sequence: int
    sent_at: float
    congestion: int | None = None


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


class QueryAnswered(msgspec.Struct, frozen=True, gc=False):
    """What became of a query, exactly once. ``status`` is None without an answer: too late, or link lost.

    ``pdu`` is None unless a query_sm_resp that could be read came.
    """

    context: Any
    status: int | None
    pdu: QuerySmResp | None


class CancelAnswered(msgspec.Struct, frozen=True, gc=False):
    """What became of a cancel, exactly once. ``status`` is None without an answer: too late, or link lost."""

    context: Any
    status: int | None


class DeliverReceived(msgspec.Struct, frozen=True, gc=False):
    """A receipt or a handset's message. Commit it, then ``acknowledge(sequence)``."""

    sequence: int
    pdu: DeliverSm | DataSm


class AlertReceived(msgspec.Struct, frozen=True, gc=False):
    """A handset that could not be reached is there again (§4.12.1). It has no answer."""

    pdu: AlertNotification


class OutbindReceived(msgspec.Struct, frozen=True, gc=False):
    """An SMSC that has connected to us wants our bind (§2.2.1): check who it is, then ``bind``, or close."""

    system_id: bytes
    password: bytes

    def __repr__(self) -> str:
        return f"OutbindReceived({self.system_id!r})"


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
    """A PDU that could not be read, or was out of place; the bind stays. It was answered with an error,
    unless it is an answer itself or an alert_notification.
    """

    command_id: int
    sequence: int
    reason: str


Event = (
    Bound
    | BindRefused
    | SubmitAnswered
    | SubmitTimedOut
    | LateAnswer
    | QueryAnswered
    | CancelAnswered
    | DeliverReceived
    | AlertReceived
    | OutbindReceived
    | PeerUnbound
    | Unbound
    | SubmitsLost
    | LinkDead
    | ProtocolViolation
    | MalformedPdu
)
