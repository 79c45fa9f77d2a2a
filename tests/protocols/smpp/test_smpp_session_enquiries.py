"""query_sm, cancel_sm, data_sm, alert_notification, outbind; what a submit's answer tells of the carrier."""

import pytest

from protocols.smpp.constants import CommandId, MessageState, Status, Tag
from protocols.smpp.enquiries import LIMIT
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.events import (
    AlertReceived,
    Bound,
    CancelAnswered,
    DeliverReceived,
    LinkDead,
    MalformedPdu,
    OutbindReceived,
    PeerUnbound,
    QueryAnswered,
    SubmitAnswered,
    SubmitsLost,
    SubmitTimedOut,
)
from protocols.smpp.pdu import (
    HEADER,
    AlertNotification,
    BindTransceiver,
    BindTransceiverResp,
    BroadcastSm,
    CancelBroadcastSm,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QueryBroadcastSm,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from protocols.smpp.session import MAX_SEQUENCE, Session, SessionConfig
from protocols.smpp.state import State

SM = SubmitSm(destination_addr=b"4915112345678", short_message=b"code 4711")
QUERY = QuerySm(b"id-1", 5, 0, b"ACME")
CANCEL = CancelSm(message_id=b"id-1", source_addr_ton=5, source_addr=b"ACME")
ENROUTE = QuerySmResp(b"id-1", b"", MessageState.ENROUTE, 0)


# query_sm and cancel_sm


def test_a_query_and_its_answer(play):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> (ENROUTE, 2) << QueryAnswered("q", 0, ENROUTE)
    assert play.session.next_timer() == 1030.0


def test_a_cancel_and_its_answer(play):
    play >> ("cancel", CANCEL, "c") << (CANCEL, 2)
    play >> (CancelSmResp(), 2) << CancelAnswered("c", 0)


@pytest.mark.parametrize("status", [Status.ESME_RQUERYFAIL, Status.ESME_RINVMSGID, 0x42A])
def test_a_refused_query_and_a_refused_cancel(play, status):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> ("cancel", CANCEL, "c") << (CANCEL, 3)
    play >> HEADER.pack(16, CommandId.QUERY_SM_RESP, status, 2) << QueryAnswered("q", status, None)
    play >> (CancelSmResp(), 3, status) << CancelAnswered("c", status)


@pytest.mark.parametrize(("status", "told"), [(Status.ESME_RINVCMDID, 3), (0, Status.ESME_RUNKNOWNERR)])
def test_a_generic_nack_answers_them_and_is_never_a_success(play, status, told):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> ("cancel", CANCEL, "c") << (CANCEL, 3)
    play >> (GenericNack(), 3, status) << CancelAnswered("c", told)
    play >> (GenericNack(), 2, status) << QueryAnswered("q", told, None)


def test_an_answer_that_cannot_be_read_ends_the_query_and_is_not_answered(play):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> HEADER.pack(16, CommandId.QUERY_SM_RESP, 0, 2)
    play << QueryAnswered("q", Status.ESME_RUNKNOWNERR, None)
    play << MalformedPdu(CommandId.QUERY_SM_RESP, 2, "message_state: the body ends before it")


def test_an_unreadable_answer_to_nothing_is_counted_and_not_answered(play):
    play >> HEADER.pack(16, CommandId.QUERY_SM_RESP, 0, 9)
    play << MalformedPdu(CommandId.QUERY_SM_RESP, 9, "message_state: the body ends before it")
    play >> HEADER.pack(16, CommandId.SUBMIT_MULTI_RESP, 0, 9)
    play << MalformedPdu(CommandId.SUBMIT_MULTI_RESP, 9, "unsuccess_smes: the body ends before it")
    assert play.session.unmatched == 2


def test_no_answer_in_time_is_an_answer_without_a_status(play):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> 1 >> ("cancel", CANCEL, "c") << (CANCEL, 3)
    assert play.session.next_timer() == 1010.0
    play >> 8.999
    play >> 0.001 << QueryAnswered("q", None, None)
    play >> 1 << CancelAnswered("c", None)
    play >> (ENROUTE, 2) >> (CancelSmResp(), 3)
    assert play.session.unmatched == 2


@pytest.mark.parametrize("ending", ["eof", bytes(16)])
def test_the_link_is_lost_with_enquiries_outstanding(play, ending):
    play >> ("submit", SM, "s") << (SM, 2)
    play >> ("query", QUERY, "q") << (QUERY, 3)
    play >> ("cancel", CANCEL, "c") << (CANCEL, 4)
    play >> ending
    if ending != "eof":
        play << (GenericNack(), 0, Status.ESME_RINVCMDLEN)
        play.events.pop(0)
    play << SubmitsLost(["s"]) << QueryAnswered("q", None, None) << CancelAnswered("c", None)
    assert play.session.next_timer() is None
    play >> "eof"


def test_a_dead_link_ends_them_too(playbook):
    play = playbook(response_timeout_s=100.0).bound()
    play >> 30 << (EnquireLink(), 2)
    play >> ("query", QUERY, "q") << (QUERY, 3)
    play >> 30 << LinkDead("two silent periods, enquire_link unanswered") << QueryAnswered("q", None, None)


def test_answers_are_taken_after_unbind_until_the_end(play):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> ("cancel", CANCEL, "c") << (CANCEL, 3)
    play >> "unbind" << (Unbind(), 4)
    play >> (ENROUTE, 2) << QueryAnswered("q", 0, ENROUTE)
    play >> (Unbind(), 9) << (UnbindResp(), 9) << PeerUnbound()
    play >> (CancelSmResp(), 3) << CancelAnswered("c", 0)


def test_an_answer_of_the_other_kind_answers_nothing(play):
    play >> ("query", QUERY, "q") << (QUERY, 2)
    play >> ("submit", SM, "s") << (SM, 3)
    play >> (CancelSmResp(), 2) >> (SubmitSmResp(b"1"), 2) >> (ENROUTE, 3)
    assert play.session.unmatched == 3
    play >> (ENROUTE, 2) << QueryAnswered("q", 0, ENROUTE)
    play >> (SubmitSmResp(b"1"), 3) << SubmitAnswered("s", 0, b"1", (), 3, 1000.0)


def test_their_window_is_their_own(play):
    for context in "abc":
        play >> ("submit", SM, context)
        play.sent.clear()
    for number in range(LIMIT):
        play >> ("query", QUERY, number)
        play.sent.clear()
    assert (play.session.enquiries_free, play.session.window_free) == (0, 0)
    for verb, pdu in (("query", QUERY), ("cancel", CANCEL)):
        with pytest.raises(LocalProtocolError, match=f"{verb}_sm: fewer than {LIMIT} enquiries outstanding"):
            play >> (verb, pdu, "one too many")
    play >> (SubmitSmResp(b"1"), 2) << SubmitAnswered("a", 0, b"1", (), 2, 1000.0)
    assert (play.session.enquiries_free, play.session.window_free) == (0, 1)
    play >> (ENROUTE, 5) << QueryAnswered(0, 0, ENROUTE)
    assert (play.session.enquiries_free, play.session.window_free, play.session.in_flight) == (1, 1, 2)
    play >> "eof" << SubmitsLost(["b", "c"])
    for number in range(1, LIMIT):
        play << QueryAnswered(number, None, None)


def test_they_need_a_bind_for_sending(playbook):
    """SMPP 3.4 Table 2-1."""
    for play in (playbook(), playbook(mode="receiver")):
        assert play.session.enquiries_free == 0
        for verb, pdu in (("query", QUERY), ("cancel", CANCEL)):
            with pytest.raises(LocalProtocolError, match=f"{verb}_sm: state BOUND_TX, BOUND_TRX, not OPEN"):
                play >> (verb, pdu, "early")


def test_a_wrong_field_sends_nothing(play):
    with pytest.raises(LocalProtocolError, match="message_id: at most 64 octets, not 65"):
        play >> ("query", QuerySm(b"1" * 65), "q")
    assert (play.session.data_to_send(), play.session.enquiries_free) == ([], LIMIT)


def test_numbers_of_outstanding_enquiries_are_not_used_again():
    session = Session(SessionConfig(system_id=b"a", password=b"b"), first_sequence=MAX_SEQUENCE)
    session.bind(0.0)
    session.receive(encode(BindTransceiverResp(), sequence=MAX_SEQUENCE), 0.0)
    assert session.query(QUERY, "q", 0.0) == 1
    session._sequence = MAX_SEQUENCE
    assert [session.submit(SM, n, 0.0) for n in range(2)] == [MAX_SEQUENCE, 2]


# What the peer sends


TEXT = DataSm(source_addr=b"4915112345678", data_coding=8, tlvs=((Tag.MESSAGE_PAYLOAD, b"\0h\0i"),))


def test_data_sm_is_delivered_and_has_an_answer_of_its_own(play):
    play >> (TEXT, 70) << DeliverReceived(70, TEXT)
    play >> (DeliverSm(), 71) << DeliverReceived(71, DeliverSm())
    play >> ("acknowledge", 71) << (DeliverSmResp(), 71)
    play >> ("acknowledge", 70) << (DataSmResp(), 70)
    play >> (DeliverSm(), 70) << DeliverReceived(70, DeliverSm())
    play >> ("acknowledge", 70) << (DeliverSmResp(), 70)


@pytest.mark.rule("smpp.unreadable-body")
def test_a_data_sm_that_cannot_be_read_is_answered(play):
    play >> HEADER.pack(18, CommandId.DATA_SM, 0, 7) + b"\0\0"
    play << (DataSmResp(), 7, Status.ESME_RINVCMDLEN)
    play << MalformedPdu(CommandId.DATA_SM, 7, "source_addr_npi: the body ends before it")


def test_data_sm_on_a_transmitter(playbook):
    play = playbook()
    play >> (TEXT, 7) << (DataSmResp(), 7, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(CommandId.DATA_SM, 7, "data_sm is out of place in state OPEN")


ALERT = AlertNotification(1, 1, b"4915112345678", 5, 0, b"ACME", ((Tag.MS_AVAILABILITY_STATUS, b"\0"),))


def test_an_alert_is_told_and_never_answered(play):
    play >> (ALERT, 70) << AlertReceived(ALERT)


def test_an_alert_out_of_place_or_unreadable_has_no_answer_either(play, playbook):
    early = playbook()
    early >> (ALERT, 70)
    early << MalformedPdu(0x102, 70, "alert_notification is out of place in state OPEN")
    play >> HEADER.pack(17, 0x102, 0, 7) + b"\1"
    play << MalformedPdu(0x102, 7, "source_addr_npi: the body ends before it")


@pytest.mark.parametrize(
    "pdu",
    [
        BroadcastSm(message_id=b"1"),
        QueryBroadcastSm(b"1"),
        CancelBroadcastSm(message_id=b"1"),
        SubmitMulti(short_message=b"x"),
        ReplaceSm(b"1"),
        QuerySm(b"1"),
        CancelSm(message_id=b"1"),
    ],
    ids=lambda pdu: type(pdu).__name__,
)
def test_what_only_an_esme_sends_is_answered_with_an_error_and_the_bind_stays(play, pdu):
    play >> encode(pdu, sequence=70)
    event = play.events.pop(0)
    assert (event.command_id, event.sequence) == (pdu.command_id, 70)
    assert event.reason.endswith("is out of place in state BOUND_TRX")
    answer = play.sent.pop(0)
    assert (answer.command_id, answer.sequence) == (pdu.command_id | 0x80000000, 70)
    assert (answer.status, answer.pdu and answer.pdu.__struct_fields__) in [
        (Status.ESME_RINVBNDSTS, None),
        (Status.ESME_RINVBNDSTS, ()),
    ]
    assert play.session.state is State.BOUND_TRX


# outbind


def test_an_outbind_is_told_and_answered_by_the_bind(playbook):
    play = playbook()
    play >> "await_outbind"
    assert play.session.state is State.AWAITING_OUTBIND
    play >> 5
    play >> (Outbind(b"smsc", b"secret"), 9) << OutbindReceived(b"smsc", b"secret")
    play >> 3600
    play >> "bind" << (BindTransceiver(b"acme", b"secret"), 1)
    play >> (BindTransceiverResp(b"smsc"), 1) << Bound(None, b"smsc")


def test_the_outbind_never_comes(playbook):
    play = playbook(bind_timeout_s=5.0)
    play >> "await_outbind" >> 4.999
    play >> 0.001 << LinkDead("no outbind within 5 s")
    assert play.session.state is State.CLOSED


def test_before_the_outbind_nothing_is_taken_or_done(playbook):
    play = playbook()
    play >> "await_outbind"
    with pytest.raises(LocalProtocolError, match="bind: state OPEN, not AWAITING_OUTBIND"):
        play >> "bind"
    play >> (EnquireLink(), 3) << (EnquireLinkResp(), 3)
    play >> (GenericNack(), 0, Status.ESME_RSYSERR) >> (BindTransceiverResp(), 1)
    assert play.session.unmatched == 2
    play >> (DeliverSm(), 4) << (DeliverSmResp(), 4, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(5, 4, "deliver_sm is out of place in state AWAITING_OUTBIND")
    play >> (Unbind(), 5) << (UnbindResp(), 5) << PeerUnbound()


def test_a_second_outbind_is_out_of_place(playbook):
    play = playbook()
    play >> "await_outbind"
    play >> (Outbind(b"smsc"), 9) << OutbindReceived(b"smsc", b"")
    play >> (Outbind(b"smsc"), 10) << (GenericNack(), 10, Status.ESME_RINVBNDSTS)
    play << MalformedPdu(0x0B, 10, "outbind is out of place in state OPEN")


def test_the_password_of_an_outbind_is_never_shown():
    assert "secret" not in repr(OutbindReceived(b"smsc", b"secret"))


# What the answers tell of the carrier


def test_an_answer_tells_when_its_submit_left(play):
    play >> 2.5 >> ("submit", SM, "a") << (SM, 2)
    play >> 1 >> ("submit", SM, "b") << (SM, 3)
    play >> 1 >> (SubmitSmResp(b"1"), 3) << SubmitAnswered("b", 0, b"1", (), 3, 1003.5)
    play >> (GenericNack(), 2, Status.ESME_RSYSERR)
    play << SubmitAnswered("a", Status.ESME_RSYSERR, b"", (), 2, 1002.5)


@pytest.mark.parametrize(
    ("value", "told"), [(b"\0", 0), (b"\x63", 99), (b"\0\x64", 100), (b"\x65", None), (b"", None)]
)
def test_congestion_state(play, value, told):
    tlvs = ((0x1400, b"x"), (Tag.CONGESTION_STATE, value))
    play >> ("submit", SM, "a") << (SM, 2)
    play >> (SubmitSmResp(b"1", tlvs), 2) << SubmitAnswered("a", 0, b"1", tlvs, 2, 1000.0, told)


@pytest.mark.rule("smpp.window-per-bind")
def test_the_window_opens_and_shuts_while_the_session_runs(play):
    for context in "abc":
        play >> ("submit", SM, context)
        play.sent.clear()
    play.session.set_window(5)
    assert play.session.window_free == 2
    play >> ("submit", SM, "d") << (SM, 5)
    play.session.set_window(2)
    assert (play.session.window_free, play.session.in_flight) == (0, 4)
    with pytest.raises(LocalProtocolError, match="window: fewer than 2 submits outstanding"):
        play >> ("submit", SM, "e")
    play >> 10
    for number, context in enumerate("abcd", 2):
        play << SubmitTimedOut(context, number)
    assert play.session.window_free == 2
    with pytest.raises(LocalProtocolError, match="window: at least 1"):
        play.session.set_window(0)
