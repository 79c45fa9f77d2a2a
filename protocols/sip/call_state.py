"""The states of a call as tables: of one we make, and of one that we are asked to take (RFC 3261 §13–§15)."""

from collections.abc import Mapping
from enum import StrEnum


class CallState(StrEnum):
    """Where a call is."""

    CALLING = "CALLING"  # INVITE sent, nothing heard
    PROCEEDING = "PROCEEDING"  # a 1xx has come: from here on it can be cancelled
    GIVING_UP = "GIVING_UP"  # to be cancelled as soon as a 1xx comes (§9.1)
    CANCELLING = "CANCELLING"  # CANCEL sent; a 200 may still cross it
    INVITED = "INVITED"  # asked, not answered
    ACCEPTED = "ACCEPTED"  # 2xx sent, ACK awaited
    ACCEPTED_IN_VAIN = "ACCEPTED_IN_VAIN"  # the same, and BYE follows the ACK (§15.1.1)
    ANSWERED = "ANSWERED"
    LEAVING = "LEAVING"  # BYE sent
    ENDED = "ENDED"


class CallInput(StrEnum):
    """What happens to a call."""

    PROVISIONAL = "1xx"
    ANSWER = "2xx"
    REFUSAL = "300-699"
    ASKED_AGAIN = "INVITE repeated for 401, 407 or 422"
    HANG_UP = "hang up"
    SILENCE = "no 1xx for long"
    FAILURE = "no answer, or transport lost"
    BYE = "BYE"
    BYE_ANSWERED = "BYE answered or given up"
    ACCEPT = "accepted by us"
    REJECT = "rejected by us"
    CANCEL = "CANCEL"
    ACK = "ACK"
    NO_ACK = "no ACK"
    EXPIRED = "session expired"


S, I = CallState, CallInput  # noqa: E741

OUTGOING: Mapping[CallState, Mapping[CallInput, CallState]] = {
    S.CALLING: {
        I.PROVISIONAL: S.PROCEEDING,
        I.ANSWER: S.ANSWERED,
        I.REFUSAL: S.ENDED,
        I.ASKED_AGAIN: S.CALLING,
        I.HANG_UP: S.GIVING_UP,
        I.FAILURE: S.ENDED,
    },
    S.GIVING_UP: {
        I.PROVISIONAL: S.CANCELLING,
        I.ANSWER: S.LEAVING,
        I.REFUSAL: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.PROCEEDING: {
        I.PROVISIONAL: S.PROCEEDING,
        I.ANSWER: S.ANSWERED,
        I.REFUSAL: S.ENDED,
        I.ASKED_AGAIN: S.CALLING,
        I.HANG_UP: S.CANCELLING,
        I.SILENCE: S.CANCELLING,
        I.FAILURE: S.ENDED,
    },
    S.CANCELLING: {
        I.PROVISIONAL: S.CANCELLING,
        I.ANSWER: S.LEAVING,
        I.REFUSAL: S.ENDED,
        I.SILENCE: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.ANSWERED: {
        I.HANG_UP: S.LEAVING,
        I.BYE: S.ENDED,
        I.EXPIRED: S.LEAVING,
        I.FAILURE: S.ENDED,
    },
    S.LEAVING: {
        I.BYE: S.ENDED,
        I.BYE_ANSWERED: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.ENDED: {},
}

INCOMING: Mapping[CallState, Mapping[CallInput, CallState]] = {
    S.INVITED: {
        I.ACCEPT: S.ACCEPTED,
        I.REJECT: S.ENDED,
        I.CANCEL: S.ENDED,
        I.BYE: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.ACCEPTED: {
        I.ACK: S.ANSWERED,
        I.HANG_UP: S.ACCEPTED_IN_VAIN,
        I.NO_ACK: S.LEAVING,
        I.BYE: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.ACCEPTED_IN_VAIN: {
        I.ACK: S.LEAVING,
        I.NO_ACK: S.LEAVING,
        I.BYE: S.ENDED,
        I.FAILURE: S.ENDED,
    },
    S.ANSWERED: OUTGOING[S.ANSWERED],
    S.LEAVING: OUTGOING[S.LEAVING],
    S.ENDED: {},
}
