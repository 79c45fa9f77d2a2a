"""The four transactions of RFC 3261 §17 with the corrections of RFC 6026, as tables.

Each cell is the state to go to and what to do, in that order of doing. What is in no cell does not concern
the state and is dropped: a timer that rings too late, a response that was not expected, a repeated ACK.

With timers D, I, J or K of zero seconds (reliable transports) the states that only wait for repetitions
end as they begin; timers A, E and G repeat nothing there and are not started.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a transaction is. START is ours: the moment before the first message."""

    START = "START"
    CALLING = "CALLING"
    TRYING = "TRYING"
    PROCEEDING = "PROCEEDING"
    ACCEPTED = "ACCEPTED"
    COMPLETED = "COMPLETED"
    CONFIRMED = "CONFIRMED"
    TERMINATED = "TERMINATED"


class Input(StrEnum):
    """What can happen: messages of the peer, of the transaction's user (TU), timers, the transport."""

    SEND = "request from TU"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    FINAL = "200-699"

    RECEIVE = "request"
    REPEATED = "request repeated"
    ACK = "ACK"
    TU_PROVISIONAL = "1xx from TU"
    TU_SUCCESS = "2xx from TU"
    TU_FAILURE = "300-699 from TU"
    TU_FINAL = "200-699 from TU"

    A = "timer A"
    B = "timer B"
    D = "timer D"
    E = "timer E"
    F = "timer F"
    G = "timer G"
    H = "timer H"
    I = "timer I"  # noqa: E741 the RFC's name
    J = "timer J"
    K = "timer K"
    L = "timer L"
    M = "timer M"
    TRANSPORT_ERROR = "transport error"
    ABANDON = "given up by TU"


class Action(StrEnum):
    """What a transaction does."""

    SEND = "send"
    RESEND = "send again"
    ACK = "send ACK"
    TELL = "to TU"
    TIMED_OUT = "timeout to TU"
    LOST = "transport error to TU"
    START_A = "start A"
    DOUBLE_A = "A doubled"
    STOP_A = "stop A"
    START_B = "start B"
    STOP_B = "stop B"
    START_D = "start D"
    START_E = "start E"
    DOUBLE_E = "E doubled up to T2"
    E_IS_T2 = "E is T2"
    STOP_E = "stop E"
    START_F = "start F"
    STOP_F = "stop F"
    START_G = "start G"
    DOUBLE_G = "G doubled up to T2"
    STOP_G = "stop G"
    START_H = "start H"
    STOP_H = "stop H"
    START_I = "start I"
    START_J = "start J"
    START_K = "start K"
    START_L = "start L"
    START_M = "start M"


Table = Mapping[State, Mapping[Input, tuple[State, tuple[Action, ...]]]]
S, N, A = State, Input, Action

INVITE_CLIENT: Table = {
    S.START: {
        N.SEND: (S.CALLING, (A.SEND, A.START_A, A.START_B)),
    },
    S.CALLING: {
        N.A: (S.CALLING, (A.RESEND, A.DOUBLE_A)),
        N.B: (S.TERMINATED, (A.STOP_A, A.TIMED_OUT)),
        N.PROVISIONAL: (S.PROCEEDING, (A.STOP_A, A.STOP_B, A.TELL)),
        N.SUCCESS: (S.ACCEPTED, (A.STOP_A, A.STOP_B, A.START_M, A.TELL)),
        N.FAILURE: (S.COMPLETED, (A.STOP_A, A.STOP_B, A.ACK, A.START_D, A.TELL)),
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.STOP_A, A.STOP_B, A.LOST)),
        N.ABANDON: (S.TERMINATED, (A.STOP_A, A.STOP_B)),
    },
    S.PROCEEDING: {
        N.PROVISIONAL: (S.PROCEEDING, (A.TELL,)),
        N.SUCCESS: (S.ACCEPTED, (A.START_M, A.TELL)),
        N.FAILURE: (S.COMPLETED, (A.ACK, A.START_D, A.TELL)),
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.LOST,)),
        N.ABANDON: (S.TERMINATED, ()),
    },
    S.ACCEPTED: {  # RFC 6026 §7.2
        N.SUCCESS: (S.ACCEPTED, (A.TELL,)),
        N.M: (S.TERMINATED, ()),
    },
    S.COMPLETED: {
        N.FAILURE: (S.COMPLETED, (A.ACK,)),
        N.TRANSPORT_ERROR: (S.TERMINATED, ()),  # the TU has had its answer
        N.D: (S.TERMINATED, ()),
    },
    S.TERMINATED: {},
}

NON_INVITE_CLIENT: Table = {
    S.START: {
        N.SEND: (S.TRYING, (A.SEND, A.START_E, A.START_F)),
    },
    S.TRYING: {
        N.E: (S.TRYING, (A.RESEND, A.DOUBLE_E)),
        N.F: (S.TERMINATED, (A.STOP_E, A.TIMED_OUT)),
        N.PROVISIONAL: (S.PROCEEDING, (A.TELL,)),
        N.FINAL: (S.COMPLETED, (A.STOP_E, A.STOP_F, A.START_K, A.TELL)),
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.STOP_E, A.STOP_F, A.LOST)),
    },
    S.PROCEEDING: {
        N.E: (S.PROCEEDING, (A.RESEND, A.E_IS_T2)),
        N.F: (S.TERMINATED, (A.STOP_E, A.TIMED_OUT)),
        N.PROVISIONAL: (S.PROCEEDING, (A.TELL,)),
        N.FINAL: (S.COMPLETED, (A.STOP_E, A.STOP_F, A.START_K, A.TELL)),
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.STOP_E, A.STOP_F, A.LOST)),
    },
    S.COMPLETED: {
        N.K: (S.TERMINATED, ()),
    },
    S.TERMINATED: {},
}

INVITE_SERVER: Table = {
    S.START: {
        N.RECEIVE: (S.PROCEEDING, ()),
    },
    S.PROCEEDING: {
        N.REPEATED: (S.PROCEEDING, (A.RESEND,)),
        N.TU_PROVISIONAL: (S.PROCEEDING, (A.SEND,)),
        N.TU_SUCCESS: (S.ACCEPTED, (A.SEND, A.START_L)),
        N.TU_FAILURE: (S.COMPLETED, (A.SEND, A.START_G, A.START_H)),
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.LOST,)),
    },
    S.ACCEPTED: {  # RFC 6026 §7.1: the TU repeats its 2xx, and the ACK is the dialog's
        N.REPEATED: (S.ACCEPTED, ()),
        N.TU_SUCCESS: (S.ACCEPTED, (A.SEND,)),
        N.ACK: (S.ACCEPTED, (A.TELL,)),
        N.TRANSPORT_ERROR: (S.ACCEPTED, (A.LOST,)),
        N.L: (S.TERMINATED, ()),
    },
    S.COMPLETED: {
        N.REPEATED: (S.COMPLETED, (A.RESEND,)),
        N.G: (S.COMPLETED, (A.RESEND, A.DOUBLE_G)),
        N.ACK: (S.CONFIRMED, (A.STOP_G, A.STOP_H, A.START_I)),
        N.H: (S.TERMINATED, (A.STOP_G,)),  # the TU has nothing to end: its INVITE was refused
        N.TRANSPORT_ERROR: (S.TERMINATED, (A.STOP_G, A.STOP_H)),
    },
    S.CONFIRMED: {
        N.I: (S.TERMINATED, ()),
    },
    S.TERMINATED: {},
}

NON_INVITE_SERVER: Table = {
    S.START: {
        N.RECEIVE: (S.TRYING, ()),
    },
    S.TRYING: {
        N.TU_PROVISIONAL: (S.PROCEEDING, (A.SEND,)),
        N.TU_FINAL: (S.COMPLETED, (A.SEND, A.START_J)),
        N.TRANSPORT_ERROR: (S.TERMINATED, ()),
    },
    S.PROCEEDING: {
        N.REPEATED: (S.PROCEEDING, (A.RESEND,)),
        N.TU_PROVISIONAL: (S.PROCEEDING, (A.SEND,)),
        N.TU_FINAL: (S.COMPLETED, (A.SEND, A.START_J)),
        N.TRANSPORT_ERROR: (S.TERMINATED, ()),
    },
    S.COMPLETED: {
        N.REPEATED: (S.COMPLETED, (A.RESEND,)),
        N.TRANSPORT_ERROR: (S.TERMINATED, ()),
        N.J: (S.TERMINATED, ()),
    },
    S.TERMINATED: {},
}

TABLES: Mapping[str, Table] = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": NON_INVITE_SERVER,
}
