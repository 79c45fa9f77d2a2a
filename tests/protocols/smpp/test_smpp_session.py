"""Conversations between an ESME and its SMSC, with a clock of our own."""

import pytest

from protocols.smpp.constants import CommandId, Status, Tag
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.events import (
    BindRefused,
    Bound,
    DeliverReceived,
    LateAnswer,
    LinkDead,
    MalformedPdu,
    SubmitTimedOut,
    Unbound,
)
from protocols.smpp.pdu import (
    HEADER,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from protocols.smpp.session import MAX_SEQUENCE, Session, SessionConfig
from protocols.smpp.state import State
from tests.protocols.smpp.conversation import DLR, SM, answered

# Binding


@pytest.mark.parametrize(
    ("mode", "request_class", "response_class", "state"),
    [
        ("transmitter", BindTransmitter, BindTransmitterResp, State.BOUND_TX),
        ("receiver", BindReceiver, BindReceiverResp, State.BOUND_RX),
        ("transceiver", BindTransceiver, BindTransceiverResp, State.BOUND_TRX),
    ],
)
def test_bind(playbook, mode, request_class, response_class, state):
    play = playbook(mode=mode, system_type=b"VMA", addr_ton=1, addr_npi=1, address_range=b"^49")
    request = request_class(b"acme", b"secret", b"VMA", 0x34, 1, 1, b"^49")
    play >> "bind" << (request, 1)
    assert play.session.state is State.BINDING
    response = response_class(b"smsc", ((Tag.SC_INTERFACE_VERSION, b"\x34"),))
    play >> (response, 1) << Bound(0x34, b"smsc")
    assert play.session.state is state


def test_bind_to_an_smsc_older_than_3_4(playbook):
    play = playbook()
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    play >> (BindTransceiverResp(b"old"), 1) << Bound(None, b"old")


@pytest.mark.rule("smpp.error-without-body")
@pytest.mark.parametrize("status", [Status.ESME_RALYBND, Status.ESME_RBINDFAIL, Status.ESME_RINVPASWD, 0x42A])
@pytest.mark.parametrize("body", [b"", b"smsc\0"])
def test_refused_bind_with_and_without_a_body(playbook, status, body):
    play = playbook()
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    response = HEADER.pack(16 + len(body), CommandId.BIND_TRANSCEIVER_RESP, status, 1) + body
    play >> response << BindRefused(status)
    assert play.session.state is State.OPEN


@pytest.mark.parametrize("sequence", [0, 1])
def test_bind_answered_with_a_generic_nack(playbook, sequence):
    play = playbook()
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    nack = (GenericNack(), sequence, Status.ESME_RINVCMDID)
    play >> nack << BindRefused(Status.ESME_RINVCMDID)


def test_bind_never_answered(playbook):
    play = playbook(bind_timeout_s=5.0)
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    play >> 4.999
    play >> 0.001 << LinkDead("no bind_resp within 5 s")
    assert play.session.state is State.CLOSED
    assert play.session.next_timer() is None


@pytest.mark.rule("smpp.match-by-number")
def test_bind_resp_with_another_number_is_not_ours(playbook):
    play = playbook()
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    play >> (BindTransceiverResp(b"smsc"), 2)
    assert play.session.unmatched == 1
    play >> (BindTransceiverResp(b"smsc"), 1) << Bound(None, b"smsc")


def test_a_response_of_the_wrong_kind_answers_nothing(playbook):
    play = playbook()
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    play >> (UnbindResp(), 1)
    play >> (BindTransceiverResp(b"smsc"), 1) << Bound(None, b"smsc")
    play >> "unbind" << (Unbind(), 2)
    play >> (BindTransceiverResp(b"smsc"), 2) >> (BindTransceiverResp(), 2, Status.ESME_RBINDFAIL)
    assert play.session.unmatched == 3
    play >> (UnbindResp(), 2) << Unbound()


@pytest.mark.rule("smpp.link-once-bound", "smpp.link-both-sides")
def test_enquire_link_before_the_bind_is_answered_but_never_sent(playbook):
    play = playbook()
    play >> (EnquireLink(), 9) << (EnquireLinkResp(), 9)
    play >> 3600
    with pytest.raises(
        LocalProtocolError, match=r"enquire_link: state BOUND_TX, BOUND_RX, BOUND_TRX, not OPEN"
    ):
        play >> "enquire_link"


def test_outbind_is_not_wanted(playbook):
    play = playbook()
    reason = "outbind is out of place in state OPEN"
    play >> (Outbind(b"smsc", b"secret"), 77) << (GenericNack(), 77, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(0x0B, 77, reason)
    assert play.session.state is State.OPEN


# Submitting


@pytest.mark.rule("smpp.any-order", "smpp.submit-resp-tlvs", "smpp.match-by-number")
def test_submit_and_its_answers_in_any_order(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    play >> ("submit", SM, "c") << (SM, 4)
    tlvs = ((0x1401, b"x"),)
    play >> (SubmitSmResp(b"id-c"), 4) << answered("c", 0, b"id-c", (), 4)
    play >> (SubmitSmResp(b"id-a", tlvs), 2) << answered("a", 0, b"id-a", tlvs, 2)
    play >> (SubmitSmResp(b"id-b"), 3) << answered("b", 0, b"id-b", (), 3)
    assert play.session.in_flight == 0


@pytest.mark.rule("smpp.window-per-bind")
def test_the_window_is_the_senders(play):
    for context in "abc":
        play >> ("submit", SM, context)
        play.sent.clear()
    assert (play.session.window_free, play.session.in_flight) == (0, 3)
    with pytest.raises(LocalProtocolError, match="window: fewer than 3 submits outstanding"):
        play >> ("submit", SM, "d")
    play >> (SubmitSmResp(b"1"), 3) << answered("b", 0, b"1", (), 3)
    assert play.session.window_free == 1
    play >> ("submit", SM, "d") << (SM, 5)


@pytest.mark.rule("smpp.error-without-body")
def test_error_response_without_a_body(play):
    play >> ("submit", SM, "a") << (SM, 2)
    response = HEADER.pack(16, CommandId.SUBMIT_SM_RESP, Status.ESME_RTHROTTLED, 2)
    play >> response << answered("a", Status.ESME_RTHROTTLED, b"", (), 2)


def test_success_without_a_body_is_still_a_success(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> HEADER.pack(16, CommandId.SUBMIT_SM_RESP, 0, 2) << answered("a", 0, b"", (), 2)


def test_response_without_the_last_nul_and_with_broken_tlvs(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    no_nul = HEADER.pack(19, CommandId.SUBMIT_SM_RESP, 0, 2) + b"123"
    play >> no_nul << answered("a", 0, b"123", (), 2)
    broken = HEADER.pack(23, CommandId.SUBMIT_SM_RESP, 0, 3) + b"4\0" + b"\x04\x27\x00\x09\x01"
    play >> broken << answered("b", 0, b"4", (), 3)


@pytest.mark.parametrize(("status", "told"), [(Status.ESME_RINVCMDLEN, 2), (0, Status.ESME_RUNKNOWNERR)])
def test_generic_nack_answers_a_submit_and_is_never_a_success(play, status, told):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> (GenericNack(), 2, status) << answered("a", told, b"", (), 2)


def test_an_answer_to_nothing_is_counted(play):
    play >> (SubmitSmResp(b"1"), 900)
    play >> (GenericNack(), 0, Status.ESME_RINVCMDLEN)
    play >> (DeliverSmResp(), 900)
    play >> (UnbindResp(), 900)
    assert play.session.unmatched == 4
    assert play.session.state is State.BOUND_TRX


def test_a_second_answer_is_counted_not_told(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> (SubmitSmResp(b"1"), 2) << answered("a", 0, b"1", (), 2)
    play >> (SubmitSmResp(b"1"), 2)
    assert play.session.unmatched == 1


def test_a_wrong_field_sends_nothing_and_takes_no_slot(play):
    with pytest.raises(LocalProtocolError, match="destination_addr: at most 20 octets, not 21"):
        play >> ("submit", SubmitSm(destination_addr=b"1" * 21), "a")
    assert play.session.in_flight == 0
    assert play.session.data_to_send() == []


@pytest.mark.rule("smpp.tombstones")
def test_context_may_be_none(play):
    play >> ("submit", SM, None) << (SM, 2)
    play >> 10.0 << SubmitTimedOut(None, 2)
    play >> (SubmitSmResp(b"7"), 2) << LateAnswer(None, 0, b"7", 2)


@pytest.mark.rule("smpp.answers-first")
def test_answers_to_submits_come_before_the_rest_of_a_read(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> ("submit", SM, "b") << (SM, 3)
    read = (
        encode(DLR, sequence=70)
        + encode(EnquireLink(), sequence=71)
        + encode(SubmitSmResp(b"1"), sequence=2)
        + encode(DLR, sequence=72)
        + encode(GenericNack(), sequence=3, status=Status.ESME_RSYSERR)
    )
    play >> read << (EnquireLinkResp(), 71)
    play << answered("a", 0, b"1", (), 2) << answered("b", Status.ESME_RSYSERR, b"", (), 3)
    play << DeliverReceived(70, DLR) << DeliverReceived(72, DLR)


# Response timers


@pytest.mark.rule("smpp.time-out")
def test_timeouts_come_in_the_order_of_sending(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> 1 >> ("submit", SM, "b") << (SM, 3)
    assert play.session.next_timer() == 1010.0
    play >> 8.999
    play >> 0.001 << SubmitTimedOut("a", 2)
    assert play.session.window_free == 2
    play >> 1 << SubmitTimedOut("b", 3)


@pytest.mark.rule("smpp.tombstones")
def test_a_late_answer_still_brings_the_message_id_once(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> 10 << SubmitTimedOut("a", 2)
    play >> (SubmitSmResp(b"id"), 2) << LateAnswer("a", 0, b"id", 2)
    play >> (SubmitSmResp(b"id"), 2)
    assert play.session.unmatched == 1


def test_a_late_generic_nack_is_a_late_answer(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play >> 10 << SubmitTimedOut("a", 2)
    play >> (GenericNack(), 2, Status.ESME_RSYSERR) << LateAnswer("a", Status.ESME_RSYSERR, b"", 2)


@pytest.mark.rule("smpp.tombstones")
def test_tombstones_are_bounded_and_the_oldest_goes_first(playbook):
    play = playbook(tombstones=2).bound()
    for number, context in enumerate("abc"):
        play >> ("submit", SM, context) << (SM, number + 2)
    play >> 10 << SubmitTimedOut("a", 2) << SubmitTimedOut("b", 3) << SubmitTimedOut("c", 4)
    play >> (SubmitSmResp(b"1"), 2)
    play >> (SubmitSmResp(b"1"), 3) << LateAnswer("b", 0, b"1", 3)
    assert play.session.unmatched == 1


def test_no_tombstones_at_all(playbook):
    play = playbook(tombstones=0).bound()
    play >> ("submit", SM, "a") << (SM, 2)
    play >> 10 << SubmitTimedOut("a", 2)
    play >> (SubmitSmResp(b"1"), 2)
    assert play.session.unmatched == 1


def test_an_answer_in_the_same_instant_as_its_timer_wins_when_it_is_read_first(play):
    play >> ("submit", SM, "a") << (SM, 2)
    play.now += 10.0
    play >> (SubmitSmResp(b"1"), 2) << answered("a", 0, b"1", (), 2)
    play >> 0


# Numbers


@pytest.mark.rule("smpp.sequence-range")
def test_numbers_wrap_to_one_and_skip_those_outstanding():
    session = Session(SessionConfig(system_id=b"a", password=b"b", window=5), first_sequence=MAX_SEQUENCE - 1)
    assert session.bind(0.0) == MAX_SEQUENCE - 1
    session.receive(encode(BindTransceiverResp(), sequence=MAX_SEQUENCE - 1), 0.0)
    assert [session.submit(SM, n, 0.0) for n in range(3)] == [MAX_SEQUENCE, 1, 2]


@pytest.mark.rule("smpp.sequence-per-session")
def test_each_session_counts_from_the_beginning(playbook):
    for _ in range(2):
        play = playbook()
        play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
        play >> (BindTransceiverResp(b"smsc"), 1) << Bound(None, b"smsc")
        play >> ("submit", SM, "a") << (SM, 2)


@pytest.mark.rule("smpp.sequence-range")
def test_numbers_of_outstanding_and_expired_submits_are_not_used_again(play):
    play >> ("submit", SM, "expires") << (SM, 2)
    play >> 10 << SubmitTimedOut("expires", 2)
    play >> ("submit", SM, "waits") << (SM, 3)
    play.session._sequence = 2
    play >> ("submit", SM, "next") << (SM, 4)


@pytest.mark.rule("smpp.sequence-inbound", "smpp.sequence-of-our-own")
def test_inbound_requests_use_no_number_and_may_carry_any(play):
    for sequence in (0, 1, 2, 0x80000000, 0xFFFFFFFF):
        play >> (EnquireLink(), sequence) << (EnquireLinkResp(), sequence)
        play >> (DLR, sequence) << DeliverReceived(sequence, DLR)
        play >> ("acknowledge", sequence) << (DeliverSmResp(), sequence)
    play >> ("submit", SM, "a") << (SM, 2)


# Delivering


def test_deliver_is_answered_only_when_told_to(play):
    play >> (DLR, 5) << DeliverReceived(5, DLR)
    play >> 29
    play.session.acknowledge(5, play.now, Status.ESME_RX_T_APPN)
    play >> 0 << (DeliverSmResp(), 5, Status.ESME_RX_T_APPN)


@pytest.mark.rule("smpp.unreadable-body")
def test_a_body_that_cannot_be_read_is_answered_and_the_bind_stays(play):
    frame = encode(DLR, sequence=8)
    cut = HEADER.pack(len(frame) - 3, CommandId.DELIVER_SM, 0, 8) + frame[16:-3]
    reason = "short_message: sm_length is 17, 14 octets are left"
    play >> cut << (DeliverSmResp(), 8, Status.ESME_RINVMSGLEN)
    play << MalformedPdu(CommandId.DELIVER_SM, 8, reason)
    play >> (DLR, 9) << DeliverReceived(9, DLR)


@pytest.mark.rule("smpp.unknown-command")
def test_an_unknown_command_is_answered_and_the_bind_stays(play):
    unknown = HEADER.pack(20, 0x00010203, 0, 0xDEADBEEF) + b"body"
    play >> unknown << (GenericNack(), 0xDEADBEEF, Status.ESME_RINVCMDID)
    play << MalformedPdu(0x00010203, 0xDEADBEEF, "command_id: command_id 0x00010203 is not known")
    assert play.session.state is State.BOUND_TRX


def test_requests_out_of_place_are_answered_with_an_error(play):
    play >> encode(SM, sequence=4)
    message = play.sent.pop()
    status = Status.ESME_RINVBNDSTS
    assert (message.command_id, message.status, message.sequence) == (CommandId.SUBMIT_SM_RESP, status, 4)
    play << MalformedPdu(CommandId.SUBMIT_SM, 4, "submit_sm is out of place in state BOUND_TRX")


def test_deliver_sm_before_the_bind_and_on_a_transmitter(playbook):
    play = playbook(mode="transmitter")
    play >> (DLR, 3) << (DeliverSmResp(), 3, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(CommandId.DELIVER_SM, 3, "deliver_sm is out of place in state OPEN")
    play >> "bind" << (BindTransmitter(b"acme", b"secret"), 1)
    play >> (BindTransmitterResp(b"smsc"), 1) << Bound(None, b"smsc")
    play >> (DLR, 3) << (DeliverSmResp(), 3, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(CommandId.DELIVER_SM, 3, "deliver_sm is out of place in state BOUND_TX")


def test_a_receiver_does_not_submit_and_a_transmitter_does_not_acknowledge(playbook):
    receiver, transmitter = playbook(mode="receiver"), playbook(mode="transmitter")
    receiver >> "bind" << (BindReceiver(b"acme", b"secret"), 1)
    receiver >> (BindReceiverResp(), 1) << Bound(None, b"")
    assert receiver.session.window_free == 0
    with pytest.raises(LocalProtocolError, match="submit_sm: state BOUND_TX, BOUND_TRX, not BOUND_RX"):
        receiver >> ("submit", SM, "a")
    transmitter >> "bind" << (BindTransmitter(b"acme", b"secret"), 1)
    transmitter >> (BindTransmitterResp(), 1) << Bound(None, b"")
    with pytest.raises(LocalProtocolError, match="deliver_sm_resp: state BOUND_RX"):
        transmitter >> ("acknowledge", 1)


# Configuration


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window", 0),
        ("response_timeout_s", 0.0),
        ("enquire_link_s", -1.0),
        ("max_pdu", 15),
        ("tombstones", -1),
        ("password", b"nine octs"),
        ("system_id", b"x" * 16),
        ("interface_version", 256),
    ],
)
def test_a_wrong_configuration_names_the_field(playbook, field, value):
    with pytest.raises(LocalProtocolError) as raised:
        playbook(**{field: value})
    assert raised.value.field == field


def test_the_password_is_never_shown():
    config = SessionConfig(system_id=b"acme", password=b"hunter2")
    assert "hunter2" not in repr(config) + repr(BindTransceiver(b"acme", b"hunter2"))
