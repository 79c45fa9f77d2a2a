"""How a session is found dead, and how it ends."""

import pytest

from protocols.smpp.constants import Status
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.events import (
    DeliverReceived,
    LinkDead,
    PeerUnbound,
    ProtocolViolation,
    SubmitsLost,
    SubmitTimedOut,
    Unbound,
)
from protocols.smpp.pdu import (
    HEADER,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from protocols.smpp.state import State
from tests.protocols.smpp.conversation import DLR, SM, answered

# Silence


@pytest.mark.rule("smpp.link-dead", "smpp.link-idle")
def test_silence_is_asked_about_and_then_ends_the_link(play):
    play >> 29.999
    play >> 0.001 << (EnquireLink(), 2)
    play >> 29.999
    play >> 0.001 << LinkDead("two silent periods, enquire_link unanswered")
    assert play.session.state is State.CLOSED


@pytest.mark.rule("smpp.link-any-pdu")
@pytest.mark.parametrize("sign", [(EnquireLinkResp(), 2), (SubmitSmResp(b"late"), 99), (GenericNack(), 2, 3)])
def test_any_pdu_is_a_sign_of_life(play, sign):
    play >> 30 << (EnquireLink(), 2)
    play >> 29 >> sign
    play >> 29.999
    play >> 0.001 << (EnquireLink(), 3)


@pytest.mark.rule("smpp.link-any-pdu")
def test_octets_that_are_no_pdu_yet_are_no_sign_of_life(play):
    play >> 29 >> encode(EnquireLink(), sequence=1)[:9]
    play >> 1 << (EnquireLink(), 2)


@pytest.mark.rule("smpp.link-idle")
def test_a_dead_peer_is_found_while_we_keep_submitting(playbook):
    play = playbook(window=100, response_timeout_s=1000).bound()
    for number in range(29):
        play >> 1 >> ("submit", SM, number) << (SM, number + 2)
    play >> 1 << (EnquireLink(), 31)
    play >> 30 << LinkDead("two silent periods, enquire_link unanswered") << SubmitsLost(list(range(29)))


def test_a_timer_that_fires_late_asks_before_it_gives_up(play):
    play.now += 500
    play >> 0 << (EnquireLink(), 2)
    play >> (EnquireLinkResp(), 2)


def test_our_own_question_counts(play):
    play >> 10 >> "enquire_link" << (EnquireLink(), 2)
    play >> 20 >> "enquire_link" << (EnquireLink(), 3)
    play >> 10 << LinkDead("two silent periods, enquire_link unanswered")


def test_handle_timer_called_early_does_nothing(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> "handle_timer"


# The end


def test_unbind(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> "unbind" << (Unbind(), 3)
    with pytest.raises(LocalProtocolError, match="submit_sm: state BOUND_TX, BOUND_TRX, not UNBINDING"):
        play >> ("submit", SM, "b")
    play >> (DLR, 5) << DeliverReceived(5, DLR)
    play >> ("acknowledge", 5) << (DeliverSmResp(), 5)
    play >> (SubmitSmResp(b"1"), 2) << answered("a", 0, b"1", (), 2)
    play >> (UnbindResp(), 3) << Unbound()
    play >> "eof"
    assert play.session.state is State.CLOSED


def test_unbind_never_answered(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> 1 >> "unbind" << (Unbind(), 3)
    play >> 9 << SubmitTimedOut("a", 2)
    play >> 1 << LinkDead("no unbind_resp within 10 s")


def test_unbind_answered_with_a_generic_nack(play):
    play >> "unbind" << (Unbind(), 2)
    play >> (GenericNack(), 2, Status.ESME_RINVCMDID) << Unbound()


@pytest.mark.rule("smpp.peer-unbind", "smpp.peer-unbind-unknown")
def test_the_peer_unbinds(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    play >> (Unbind(), 50) << (UnbindResp(), 50) << PeerUnbound()
    with pytest.raises(LocalProtocolError, match="not UNBOUND"):
        play >> ("submit", SM, "c")
    play >> (Unbind(), 51) << (UnbindResp(), 51)
    play >> (SubmitSmResp(b"1"), 2) << answered("a", 0, b"1", (), 2)
    play >> "eof" << SubmitsLost(["b"])
    play >> "eof"


def test_unbinds_that_cross(play):
    play >> "unbind" << (Unbind(), 2)
    play >> (Unbind(), 50) << (UnbindResp(), 50) << PeerUnbound()
    play >> (UnbindResp(), 2)
    play >> "eof"


def test_the_link_is_lost_with_submits_outstanding(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    play >> "eof" << SubmitsLost(["a", "b"])
    assert play.session.in_flight == 0
    play >> "eof"
    play >> (SubmitSmResp(b"1"), 2)


def test_a_commit_that_ends_after_the_session_is_no_error(play):
    play >> (DLR, 5) << DeliverReceived(5, DLR)
    play >> (Unbind(), 6) << (UnbindResp(), 6) << PeerUnbound()
    play >> ("acknowledge", 5)
    play >> "eof"
    play >> ("acknowledge", 5)


@pytest.mark.rule("smpp.length-wrong")
@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_connection_after_what_came_before(play, length):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    good, bad = encode(SubmitSmResp(b"1"), sequence=2), HEADER.pack(length, 4, 0, 600)
    play >> good + bad + good
    play << (GenericNack(), 600, Status.ESME_RINVCMDLEN) << answered("a", 0, b"1", (), 2)
    violation = play.events.pop(0)
    assert isinstance(violation, ProtocolViolation)
    assert str(violation.error) == f"command_length is {length}, not between 16 and 70000"
    play << SubmitsLost(["b"])
    assert play.session.state is State.CLOSED
    play >> good
