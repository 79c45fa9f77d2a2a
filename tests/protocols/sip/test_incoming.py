"""Calls that we are asked to take, and everything nobody asked for."""

import pytest

from protocols.sip.call_state import CallState
from protocols.sip.core import AgentLimits
from protocols.sip.digest import Challenge, Credentials
from protocols.sip.digest import answer as digest_answer
from protocols.sip.errors import LocalProtocolError, SdpError
from protocols.sip.events import (
    Answered,
    Cancelled,
    Ended,
    Flow,
    Invited,
    MediaChanged,
    Refused,
    Rejected,
    RemoteProtocolError,
    TransferAsked,
)
from protocols.sip.message import Request
from tests.protocols.sip.playbook import SESSION, THEIRS, Playbook, answer, from_stranger, of_peer

REL = ("Supported", "100rel, timer")


@pytest.fixture
def callee(playbook) -> Playbook:
    return playbook(accepts_calls=True)


def ring_at(play: Playbook, *headers: tuple[str, str], body: bytes = SESSION) -> Request:
    """An INVITE, answered by 100; the call is ``play.told.call``."""
    invite = from_stranger("INVITE", *headers, body=body)
    play >> invite << 100 << Invited
    return invite


def within(
    play: Playbook, method: str, number: int = 2, *headers: tuple[str, str], body: bytes = b""
) -> Request:
    """A request of the caller in the dialog that our last response has the tag of."""
    branch = f"{method}{number}"
    return from_stranger(method, *headers, branch=branch, to=play.last.to.tag, number=number, body=body)


def hang_up(play: Playbook) -> None:
    play >> within(play, "BYE", 99) << 200 << Ended
    assert play.told.by == "peer"


def test_a_call_is_taken(callee):
    invite = ring_at(callee)
    call = callee.told.call
    assert callee.told.offer == SESSION
    call.ring(180, callee.now)
    callee << 180
    tag = callee.last.to.tag
    callee >> invite << 180
    call.accept(THEIRS, callee.now)
    callee << 200
    assert callee.last.to.tag == tag
    assert callee.last.contact.uri == "sip:alice@192.0.2.1:5060"
    callee >> within(callee, "ACK", 1) << Answered
    assert callee.told.agreed.port == 40000
    callee >> invite
    hang_up(callee)
    assert call.state is CallState.ENDED


def test_the_2xx_is_repeated_until_its_ack_and_then_the_call_is_ended(callee):
    ring_at(callee)
    call = callee.told.call
    call.accept(THEIRS, callee.now)
    callee << 200
    for pause in (0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4):
        callee >> pause << 200
    callee >> 0.5 << "BYE" >> answer(callee.sent, 481) << Ended(call, "transport", None)


def test_hanging_up_before_the_ack_waits_for_it(callee):
    ring_at(callee)
    call = callee.told.call
    call.accept(THEIRS, callee.now)
    callee << 200
    call.hang_up(callee.now, 16)
    callee.nothing_more()
    callee >> within(callee, "ACK", 1) << "BYE"
    callee >> answer(callee.sent, 200) << Ended(call, "us", 16)


def test_a_refusal_is_repeated_until_its_ack(callee):
    invite = ring_at(callee)
    callee.told.call.reject(486, callee.now, (("Retry-After", "5"),))
    callee << 486
    assert callee.last.headers.get("retry-after") == "5"
    callee >> 0.5 << 486
    callee >> invite << 486
    ack = from_stranger("ACK", to=callee.last.to.tag)
    callee >> ack >> ack >> 3


def test_cancel_is_answered_and_the_invite_by_487(callee):
    ring_at(callee)
    call = callee.told.call
    cancel = from_stranger("CANCEL", ("Reason", "Q.850;cause=26"))
    callee >> cancel << 200 << 487 << Cancelled(call, 26)
    callee >> cancel << 200
    callee >> from_stranger("ACK", to="x")


def test_cancel_after_the_answer_changes_nothing(callee):
    ring_at(callee)
    call = callee.told.call
    call.accept(THEIRS, callee.now)
    callee << 200
    tag = callee.last.to.tag
    callee >> from_stranger("CANCEL") << 200
    assert callee.last.to.tag == tag
    callee >> within(callee, "ACK", 1) << Answered
    hang_up(callee)


def test_a_bye_before_the_answer(callee):
    ring_at(callee)
    call = callee.told.call
    call.ring(180, callee.now)
    callee << 180
    callee >> within(callee, "BYE") << 200 << 487 << Cancelled(call, None)
    callee >> from_stranger("ACK", to="x")


def test_nobody_decides(callee):
    ring_at(callee)
    callee >> 179.9
    callee >> 0.1 << 480 << Rejected
    callee >> from_stranger("ACK", to="x")


# Reliable provisional answers


def test_a_reliable_provisional_answer_waits_for_its_prack(callee):
    ring_at(callee, REL)
    call = callee.told.call
    call.ring(183, callee.now, THEIRS, reliable=True)
    callee << 183
    rseq = int(callee.last.headers.get("rseq"))
    assert callee.last.headers.get("require") == "100rel"
    callee >> 0.5 << 183
    callee >> 1 << 183
    with pytest.raises(LocalProtocolError):
        call.ring(180, callee.now)
    callee >> within(callee, "PRACK", 2, ("RAck", f"{rseq + 1} 1 INVITE")) << 481
    callee >> within(callee, "PRACK", 3, ("RAck", f"{rseq} 1 INVITE")) << 200
    call.ring(180, callee.now, reliable=True)
    callee << 180
    assert int(callee.last.headers.get("rseq")) == rseq + 1
    call.accept(THEIRS, callee.now)
    callee >> within(callee, "PRACK", 4, ("RAck", f"{rseq + 1} 1 INVITE")) << 200 >> 0.0 << 200
    assert callee.last.cseq.method == "INVITE"
    assert b"m=audio 40000" in callee.last.body
    callee >> within(callee, "ACK", 1) << Answered
    hang_up(callee)


def test_a_reliable_provisional_answer_without_a_prack(callee):
    ring_at(callee, REL)
    callee.told.call.ring(180, callee.now, reliable=True)
    callee << 180
    for pause in (0.5, 1, 2, 4, 8, 16):
        callee >> pause << 180
    callee >> 0.5 << 504 << Rejected
    callee >> from_stranger("ACK", to="x")


def test_a_caller_without_100rel_gets_no_reliable_answers(callee):
    ring_at(callee)
    callee.told.call.ring(180, callee.now, reliable=True)
    callee << 180
    assert callee.last.headers.get("rseq") is None
    callee >> from_stranger("CANCEL") << 200 << 487 << Cancelled
    callee >> from_stranger("ACK", to="x")


# Offers


def test_an_invite_without_an_offer_gets_ours(callee):
    ring_at(callee, body=b"")
    callee.told.call.accept(THEIRS, callee.now)
    callee << 200
    assert b"m=audio 40000" in callee.last.body
    callee >> within(callee, "ACK", 1, body=SESSION) << Answered
    hang_up(callee)


def test_an_ack_without_the_answer_that_it_owes(callee):
    ring_at(callee, body=b"")
    callee.told.call.accept(THEIRS, callee.now)
    callee << 200 >> within(callee, "ACK", 1) << "BYE"
    callee >> answer(callee.sent, 200) << Rejected


def test_an_offer_without_anything_in_common(callee):
    ring_at(callee, body=SESSION.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 18"))
    call = callee.told.call
    with pytest.raises(SdpError):
        call.accept(THEIRS, callee.now)
    call.reject(488, callee.now)
    callee << 488 >> from_stranger("ACK", to="x")


def test_the_caller_holds_and_transfers(callee):
    ring_at(callee)
    call = callee.told.call
    call.accept(THEIRS, callee.now)
    callee << 200 >> within(callee, "ACK", 1) << Answered
    hold = within(callee, "UPDATE", 2, body=SESSION.replace(b"sendrecv", b"inactive"))
    callee >> hold << 200 << MediaChanged
    callee >> within(callee, "REFER", 3, ("Refer-To", "<sip:agent@example.com>")) << 202
    callee << TransferAsked(call, "sip:agent@example.com")
    callee >> within(callee, "REFER", 4, ("Refer-To", "nonsense <")) << 400
    call.transfer_status(180, callee.now)
    callee << "NOTIFY"
    assert (callee.sent.headers.get("event"), callee.sent.body) == ("refer", b"SIP/2.0 180 Status\r\n")
    callee >> answer(callee.sent, 200)
    call.transfer_status(200, callee.now)
    callee << "NOTIFY"
    assert callee.sent.headers.get("subscription-state") == "terminated;reason=noresource"
    callee >> answer(callee.sent, 200)
    call.hang_up(callee.now)
    callee << "BYE" >> answer(callee.sent, 200) << Ended(call, "us", None)


@pytest.mark.rule("sip.session-timers")
def test_the_caller_asks_for_a_session_timer(callee):
    ring_at(callee, REL, ("Session-Expires", "90"))
    call = callee.told.call
    call.accept(THEIRS, callee.now)
    callee << 200
    assert callee.last.headers.get("session-expires") == "90;refresher=uac"
    callee >> within(callee, "ACK", 1) << Answered
    callee >> 59
    callee >> 1.1 << "BYE" >> answer(callee.sent, 200) << Ended(call, "session_timer", None)


# Verbs out of place


def test_verbs_out_of_place_raise_and_change_nothing(callee):
    ring_at(callee)
    call = callee.told.call
    for verb, *arguments in (
        (call.ring, 100, 0.0),
        (call.ring, 200, 0.0),
        (call.reject, 200, 0.0),
        (call.refer, "sip:x@y", 0.0),
        (call.info_digit, "1", 0.0),
        (call.transfer_status, 200, 0.0),
    ):
        with pytest.raises(LocalProtocolError):
            verb(*arguments)
    call.hang_up(callee.now)
    callee << 480 >> from_stranger("ACK", to="x")
    for verb, *arguments in ((call.ring, 180, 0.0), (call.accept, THEIRS, 0.0), (call.reject, 486, 0.0)):
        with pytest.raises(LocalProtocolError):
            verb(*arguments)


# Digest


@pytest.mark.parametrize(("password", "good"), [("secret", True), ("wrong", False)])
def test_a_caller_is_challenged_and_its_answer_checked(callee, password, good):
    ring_at(callee)
    challenge = callee.told.call.challenge("example.com", callee.now)
    callee << 401 >> from_stranger("ACK", to=callee.last.to.tag)
    shown = Challenge.parse(callee.last.headers.get("www-authenticate"))
    uri = "sip:alice@192.0.2.1:5060"
    value = digest_answer(shown, Credentials("carol", password), "INVITE", uri, SESSION, "c", 1)
    second = from_stranger("INVITE", ("Authorization", value), branch="s2", number=2, body=SESSION)
    callee >> second << 100 << Invited
    call = callee.told.call
    assert call.verified(challenge, Credentials("carol", "secret")) is good
    call.reject(403, callee.now)
    callee << 403 >> from_stranger("ACK", branch="s2", number=2, to="x")


# Unsolicited


@pytest.mark.rule("sip.unsolicited-invite")
def test_an_unsolicited_invite_is_refused_and_nothing_kept(play):
    (
        play
        >> from_stranger("INVITE", body=SESSION)
        << 403
        << Refused("INVITE", play.flow, "calls are not taken")
    )
    tag = play.last.to.tag
    play >> from_stranger("INVITE", body=SESSION) << 403 << Refused
    assert play.last.to.tag == tag
    assert play.agent.transactions == play.agent.calls == play.agent.alarms == 0
    play >> from_stranger("ACK", to=tag) >> 40


@pytest.mark.rule("sip.unsolicited-bye")
@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK", "INFO", "NOTIFY", "REFER", "CANCEL"])
@pytest.mark.parametrize("to", ["", "nothing"])
def test_requests_of_no_dialog(play, method, to):
    play >> from_stranger(method, to=to) << 481 << Refused
    assert play.agent.transactions == 0


@pytest.mark.parametrize(("method", "status"), [("REGISTER", 405), ("MESSAGE", 405), ("HACK", 501)])
def test_methods_that_are_not_ours(play, method, status):
    play >> from_stranger(method) << status << Refused
    assert play.told.method == ("other" if status == 501 else method)


@pytest.mark.rule("sip.options")
def test_options_are_answered(play):
    play >> from_stranger("OPTIONS") << 200
    assert {"INVITE", "BYE", "UPDATE"} <= set(play.last.headers.all("allow"))
    assert play.last.to.tag


@pytest.mark.rule("sip.unsolicited-bye")
def test_a_bye_from_another_host_ends_nothing(play):
    call = play.answered()
    invite = play.sent
    elsewhere = play.flow._replace(remote=("203.0.113.9", 5060))
    play.agent.receive(of_peer(invite, "BYE").encode(), elsewhere, play.now)
    play << 403 << Refused
    assert play.to.remote == ("203.0.113.9", 5060)
    assert call.state is CallState.ANSWERED
    play >> of_peer(invite, "BYE", tag="mallory") << 481 << Refused
    play >> of_peer(invite, "BYE") << 200 << Ended(call, "peer", None)


def test_a_merged_request_is_482(callee):
    ring_at(callee)
    call = callee.told.call
    callee >> from_stranger("INVITE", branch="other", body=SESSION) << 482 << Refused
    call.reject(486, callee.now)
    callee << 486 >> from_stranger("ACK", to="x")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("Require", "magic"),), 420),
        ((("Content-Type", "text/plain"),), 415),
    ],
)
def test_invites_that_cannot_be_had(callee, headers, status):
    invite = from_stranger("INVITE", *headers)
    invite.body = b"hello" if status == 415 else b""
    callee >> invite << status
    callee.events.clear()


def test_limits_refuse_what_is_too_much(playbook):
    play = playbook(accepts_calls=True, limits=AgentLimits(calls=1, events=3))
    ring_at(play)
    call = play.told.call
    other = from_stranger("INVITE", branch="other", body=SESSION)
    other.headers.set("Call-ID", "another")
    play >> other << 503
    with pytest.raises(LocalProtocolError):
        play.invite()
    for number in range(10):
        play.agent.receive(from_stranger("BYE", branch=f"b{number}").encode(), play.flow, play.now)
    play._collect()
    assert (len(play.events), play.agent.dropped) == (3, 7)
    play.events.clear()
    play.out.clear()
    call.reject(486, play.now)
    play << 486 >> from_stranger("ACK", to="x")


# Transport


def test_the_answer_goes_where_the_request_came_from(play):
    natted = from_stranger("OPTIONS")
    natted.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5099;rport;branch=z9hG4bKn")
    play >> natted << 200
    assert play.to.remote == ("192.0.2.2", 5060)
    assert (play.last.via.received, play.last.via.rport) == ("192.0.2.2", 5060)
    plain = from_stranger("OPTIONS")
    plain.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5099;branch=z9hG4bKp")
    play >> plain << 200
    assert play.to.remote == ("192.0.2.2", 5099)
    assert play.last.via.received == "192.0.2.2"


def test_a_connection_that_loses_its_framing_is_to_be_closed(playbook):
    flow = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 40000))
    play = playbook(flow=flow)
    play.agent.receive(b"\r\n\r\n", flow, play.now)
    play._collect_raw = play.agent.data_to_send()
    assert play._collect_raw == [(flow, b"\r\n")]
    request = from_stranger("OPTIONS").encode()
    for at in range(0, len(request), 7):
        play.agent.receive(request[at : at + 7], flow, play.now)
    play << 200
    play >> b"OPTIONS sip:x SIP/2.0\r\nnonsense\r\n\r\n"
    assert any(isinstance(each, RemoteProtocolError) and each.close for each in play.events)
    play.events.clear()
    play.out.clear()


def test_what_cannot_be_read_is_told_and_answered_where_it_can(play):
    play >> b"rubbish" << RemoteProtocolError
    broken = from_stranger("OPTIONS").encode().replace(b"To: <sip", b"To: <<sip")
    play.agent.receive(broken, play.flow, play.now)
    ((flow, data),) = play.agent.data_to_send()
    assert (flow, data[:11]) == (play.flow, b"SIP/2.0 400")
    play << RemoteProtocolError
    play >> b"\r\n\r\n" >> b"\0" >> b""


def test_connections_are_bounded(playbook):
    play = playbook(limits=AgentLimits(connections=1))
    flow = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 40000))
    play.agent.receive(b"OPTIONS", flow, play.now)
    other = flow._replace(remote=("192.0.2.2", 40001))
    play.agent.receive(b"OPTIONS", other, play.now)
    play << RemoteProtocolError(other, "too many connections", True)
    play.agent.flow_lost(flow, "closed", play.now)
    play.agent.receive(b"OPTIONS", other, play.now)
    play.nothing_more()


def test_the_caller_is_gone_with_its_connection(playbook):
    flow = Flow("tls", ("192.0.2.1", 5061), ("192.0.2.2", 40000))
    play = playbook(flow=flow, accepts_calls=True)
    invite = from_stranger("INVITE", body=SESSION)
    play >> invite << 100 << Invited
    call = play.told.call
    assert call.contact == "<sip:alice@192.0.2.1:5061;transport=tls>"
    play.agent.flow_lost(flow, "closed", play.now)
    play << Cancelled(call, None)
