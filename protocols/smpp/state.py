"""The states of an ESME's session as a table (SMPP 3.4 §2.2, and Table 2-1 in §2.3).

AWAITING_OUTBIND, BINDING, UNBINDING and UNBOUND are ours: the specification has a session change with the
response, and says nothing of the time between request and response, between unbind_resp and the end of the
connection, or before the outbind of an SMSC that has connected to us.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a session is."""

    OPEN = "OPEN"
    AWAITING_OUTBIND = "AWAITING_OUTBIND"
    BINDING = "BINDING"
    BOUND_TX = "BOUND_TX"
    BOUND_RX = "BOUND_RX"
    BOUND_TRX = "BOUND_TRX"
    UNBINDING = "UNBINDING"
    UNBOUND = "UNBOUND"
    CLOSED = "CLOSED"


class Input(StrEnum):
    """What can happen to a session. The first eight are our doing: out of place they are our error.

    A PDU of the peer out of place is answered with ESME_RINVBNDSTS when it is a request, and dropped when
    it is a response or an alert_notification.
    """

    AWAIT_OUTBIND = "await outbind"
    BIND = "bind"
    SUBMIT = "submit_sm"
    QUERY = "query_sm"
    CANCEL = "cancel_sm"
    ACKNOWLEDGE = "deliver_sm_resp"
    ENQUIRE = "enquire_link"
    UNBIND = "unbind"

    OUTBIND = "outbind received"
    BIND_TX_ACCEPTED = "bind_transmitter_resp received"
    BIND_RX_ACCEPTED = "bind_receiver_resp received"
    BIND_TRX_ACCEPTED = "bind_transceiver_resp received"
    BIND_REFUSED = "bind refused"
    SUBMIT_ANSWER = "submit_sm_resp received"
    QUERY_ANSWER = "query_sm_resp received"
    CANCEL_ANSWER = "cancel_sm_resp received"
    DELIVER = "deliver_sm or data_sm received"
    ALERT = "alert_notification received"
    ENQUIRED = "enquire_link received"
    UNBIND_ANSWER = "unbind_resp received"
    PEER_UNBIND = "unbind received"

    BROKEN = "frames lost"
    SILENT = "silence"
    EOF = "end of connection"


LOCAL = frozenset(
    (
        Input.AWAIT_OUTBIND,
        Input.BIND,
        Input.SUBMIT,
        Input.QUERY,
        Input.CANCEL,
        Input.ACKNOWLEDGE,
        Input.ENQUIRE,
        Input.UNBIND,
    )
)

TABLE: Mapping[State, Mapping[Input, State]] = {
    State.OPEN: {
        Input.AWAIT_OUTBIND: State.AWAITING_OUTBIND,
        Input.BIND: State.BINDING,
        Input.ENQUIRED: State.OPEN,  # §2.3 wants a bind first; SMSCs that ask before it want an answer
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.AWAITING_OUTBIND: {
        Input.OUTBIND: State.OPEN,
        Input.ENQUIRED: State.AWAITING_OUTBIND,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.BINDING: {
        Input.BIND_TX_ACCEPTED: State.BOUND_TX,
        Input.BIND_RX_ACCEPTED: State.BOUND_RX,
        Input.BIND_TRX_ACCEPTED: State.BOUND_TRX,
        Input.BIND_REFUSED: State.OPEN,
        Input.ENQUIRED: State.BINDING,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.BOUND_TX: {
        Input.SUBMIT: State.BOUND_TX,
        Input.SUBMIT_ANSWER: State.BOUND_TX,
        Input.QUERY: State.BOUND_TX,
        Input.QUERY_ANSWER: State.BOUND_TX,
        Input.CANCEL: State.BOUND_TX,
        Input.CANCEL_ANSWER: State.BOUND_TX,
        Input.ENQUIRE: State.BOUND_TX,
        Input.ENQUIRED: State.BOUND_TX,
        Input.UNBIND: State.UNBINDING,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.BOUND_RX: {
        Input.DELIVER: State.BOUND_RX,
        Input.ACKNOWLEDGE: State.BOUND_RX,
        Input.ALERT: State.BOUND_RX,
        Input.ENQUIRE: State.BOUND_RX,
        Input.ENQUIRED: State.BOUND_RX,
        Input.UNBIND: State.UNBINDING,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.BOUND_TRX: {
        Input.SUBMIT: State.BOUND_TRX,
        Input.SUBMIT_ANSWER: State.BOUND_TRX,
        Input.QUERY: State.BOUND_TRX,
        Input.QUERY_ANSWER: State.BOUND_TRX,
        Input.CANCEL: State.BOUND_TRX,
        Input.CANCEL_ANSWER: State.BOUND_TRX,
        Input.DELIVER: State.BOUND_TRX,
        Input.ACKNOWLEDGE: State.BOUND_TRX,
        Input.ALERT: State.BOUND_TRX,
        Input.ENQUIRE: State.BOUND_TRX,
        Input.ENQUIRED: State.BOUND_TRX,
        Input.UNBIND: State.UNBINDING,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.UNBINDING: {
        Input.SUBMIT_ANSWER: State.UNBINDING,
        Input.QUERY_ANSWER: State.UNBINDING,
        Input.CANCEL_ANSWER: State.UNBINDING,
        Input.DELIVER: State.UNBINDING,  # it crossed our unbind
        Input.ACKNOWLEDGE: State.UNBINDING,
        Input.ALERT: State.UNBINDING,
        Input.ENQUIRED: State.UNBINDING,
        Input.UNBIND_ANSWER: State.UNBOUND,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.SILENT: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.UNBOUND: {
        Input.SUBMIT_ANSWER: State.UNBOUND,  # an answer is worth having as long as the connection lasts
        Input.QUERY_ANSWER: State.UNBOUND,
        Input.CANCEL_ANSWER: State.UNBOUND,
        Input.ACKNOWLEDGE: State.UNBOUND,  # dropped, as in CLOSED: a commit may end after the session
        Input.ENQUIRED: State.UNBOUND,
        Input.PEER_UNBIND: State.UNBOUND,
        Input.BROKEN: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
    State.CLOSED: {
        Input.ACKNOWLEDGE: State.CLOSED,
        Input.EOF: State.CLOSED,
    },
}
