"""Calls that we make, from the INVITE to the BYE."""

import pytest

from protocols.sip.call_state import CallState
from protocols.sip.digest import Credentials
from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import Answered, Ended, Flow, Progress, Rejected, Trying
from tests.protocols.sip.playbook import CHALLENGE, SESSION, answer, of_peer

BOB = Credentials("bob", "secret")


def test_a_call_from_invite_to_bye(play):
    call = play.invite()
    play << "INVITE"
    invite = play.sent
    assert invite.headers.get("from").startswith("<sip:alice@example.com>;tag=")
    assert invite.contact.uri == "sip:alice@192.0.2.1:5060"
    play >> answer(invite, 100) << Trying(call)
    play >> answer(invite, 180) << Progress(call, 180, "", None)
    assert call.provisional_seen
    play >> answer(invite, 200, body=SESSION) << "ACK" << Answered
    assert (play.told.agreed.host, play.told.agreed.port) == ("192.0.2.2", 40000)
    call.hang_up(play.now, 16)
    play << "BYE"
    assert play.sent.headers.get("reason") == "Q.850;cause=16"
    assert play.sent.cseq.number == 2
    call.hang_up(play.now)
    play >> answer(play.sent, 200) << Ended(call, "us", 16)
    call.hang_up(play.now)


@pytest.mark.rule("sip.ack-2xx", "sip.ack-2xx-repeated")
def test_the_ack_of_a_2xx_is_the_dialogs_and_sent_for_each_repetition(play):
    play.invite()
    play << "INVITE"
    routes = ("Record-Route", "<sip:192.0.2.7;lr>, <sip:192.0.2.8;lr>")
    ok = answer(play.sent, 200, routes, ("Contact", "<sip:bob@192.0.2.9:5070>"), body=SESSION)
    play >> ok << "ACK" << Answered
    ack = play.last
    assert ack.uri == "sip:bob@192.0.2.9:5070"
    assert ack.via.branch != play.sent.via.branch
    assert ack.headers.all("route") == ("<sip:192.0.2.8;lr>", "<sip:192.0.2.7;lr>")
    assert str(ack.cseq) == "1 ACK"
    assert play.to.remote == ("192.0.2.8", 5060)
    for _ in range(3):
        play >> 1.0 >> ok << "ACK"
        assert play.last.encode() == ack.encode()
    bye(play)


def bye(play) -> None:
    """The peer ends it."""
    play >> of_peer(play.sent, "BYE", 99) << 200 << Ended
    assert play.told.by == "peer"


def test_a_strict_router_gets_itself_as_request_uri(play):
    play.invite()
    play << "INVITE"
    play >> answer(play.sent, 200, ("Record-Route", "<sip:192.0.2.7>"), body=SESSION) << "ACK" << Answered
    assert play.last.uri == "sip:192.0.2.7"
    assert play.last.headers.all("route") == ("<sip:bob@192.0.2.2:5060>",)
    bye(play)


def test_the_peer_hangs_up_with_a_cause(play):
    call = play.answered()
    play >> of_peer(play.sent, "BYE", 7, ("Reason", 'Q.850;cause=16;text="normal"')) << 200
    play << Ended(call, "peer", 16)
    play >> of_peer(play.sent, "BYE", 7, ("Reason", 'Q.850;cause=16;text="normal"')) << 200


@pytest.mark.rule("sip.unsolicited-bye")
def test_a_second_bye_finds_no_call(play):
    play.answered()
    bye(play)
    play >> of_peer(play.sent, "BYE", 100) << 481
    assert play.events.pop().why == "no such dialog"


def test_bye_of_both_sides_at_once(play):
    call = play.answered()
    call.hang_up(play.now)
    play << "BYE"
    ours = play.sent
    play >> of_peer(ours, "BYE") << 200 << Ended(call, "us", None)
    play >> answer(ours, 200)


@pytest.mark.parametrize("status", [200, 403, 481, 500])
def test_whatever_answers_the_bye_ends_the_call(play, status):
    call = play.answered()
    call.hang_up(play.now)
    play << "BYE" >> answer(play.sent, status) << Ended(call, "us", None)


def test_a_bye_without_answer_ends_the_call_all_the_same(play):
    call = play.answered()
    call.hang_up(play.now)
    play << "BYE"
    for pause in (0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4):
        play >> pause << "BYE"
    play >> 0.5 << Ended(call, "us", None)


# Giving up


@pytest.mark.rule("sip.cancel-after-1xx")
def test_cancel_waits_for_the_first_1xx(play):
    call = play.invite()
    play << "INVITE"
    call.hang_up(play.now, 26)
    play >> 0.5 << "INVITE"
    play >> answer(play.sent, 100) << "CANCEL"
    cancel = play.last
    assert cancel.via == play.sent.via
    assert (cancel.uri, str(cancel.cseq), cancel.to.tag) == (play.sent.uri, "1 CANCEL", None)
    assert cancel.headers.get("reason") == "Q.850;cause=26"
    play >> answer(cancel, 200) >> answer(play.sent, 487) << "ACK" << Ended(call, "us", 26)


def test_a_cancel_while_it_rings(play):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    call.hang_up(play.now)
    play << "CANCEL"
    call.hang_up(play.now)
    play >> answer(play.last, 200) >> answer(play.sent, 180)
    play >> answer(play.sent, 487) << "ACK" << Ended(call, "us", None)


@pytest.mark.rule("sip.cancel-race")
@pytest.mark.parametrize("provisional", [True, False])
def test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended(play, provisional):
    call = play.invite()
    play << "INVITE"
    call.hang_up(play.now, 16)
    if provisional:
        play >> answer(play.sent, 180) << "CANCEL" << Progress
        play >> answer(play.last, 481)
    ok = answer(play.sent, 200, body=SESSION)
    play >> ok << "ACK" << "BYE"
    assert play.sent.headers.get("reason") == "Q.850;cause=16"
    play >> ok << "ACK"
    play >> answer(play.sent, 200) << Ended(call, "us", 16)


def test_another_refusal_that_crosses_the_cancel_is_told(play):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    call.hang_up(play.now)
    play << "CANCEL" >> answer(play.last, 200)
    play >> answer(play.sent, 486) << "ACK" << Rejected(call, 486, "", None, None, False)


def test_a_cancel_that_is_never_followed_by_a_final_answer(play):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    call.hang_up(play.now)
    play << "CANCEL" >> answer(play.last, 200)
    play >> 31.9
    play >> 0.2 << Ended(call, "us", None)
    # a 2xx that comes after that is still ended
    play >> answer(play.sent, 200, body=SESSION) << "ACK" << "BYE" >> answer(play.sent, 200)


@pytest.mark.rule("sip.timer-b")
def test_nobody_answers_at_all(play):
    call = play.invite()
    play << "INVITE"
    for pause in (0.5, 1, 2, 4, 8, 16):
        play >> pause << "INVITE"
    play >> 0.5 << Rejected(call, 408, "no answer", None, None, True)
    assert not call.provisional_seen


@pytest.mark.rule("sip.timer-b")
def test_it_rings_as_long_as_it_rings_but_not_in_silence(play):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    play >> 170 >> answer(play.sent, 180)
    play >> 179
    play >> 1 << "CANCEL" >> answer(play.last, 200)
    play >> answer(play.sent, 487) << "ACK" << Rejected
    assert (play.told.status, play.told.local, play.told.call) == (408, True, call)


# Refusals


@pytest.mark.rule("sip.status-503", "sip.reason-cause")
def test_a_refusal_with_retry_after_and_cause(play):
    call = play.invite()
    play << "INVITE"
    headers = (("Retry-After", "20 (busy)"), ("Reason", "SIP;cause=503"), ("Reason", "Q.850;cause=34"))
    refusal = answer(play.sent, 503, *headers)
    play >> refusal << "ACK" << Rejected(call, 503, "", 20.0, 34, False)
    play >> refusal << "ACK"
    assert call.state is CallState.ENDED


@pytest.mark.rule("sip.no-redirect")
@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
def test_a_redirection_is_not_followed(play, status):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, status, ("Contact", "<sip:+2521234@premium.example>")) << "ACK"
    play << Rejected(call, status, "", None, None, False)


def test_when_the_newest_invite_left(play):
    call = play.invite(credentials=BOB)
    play << "INVITE" >> 0.3 >> answer(play.sent, 401, CHALLENGE) << "ACK" << "INVITE"
    assert call.invited_at == play.now and call.state is CallState.CALLING


def test_a_lost_transport_is_503_of_ours(play):
    call = play.invite()
    play << "INVITE"
    play.agent.flow_lost(play.flow, "refused", play.now)
    play << Rejected(call, 503, "transport lost", None, None, True)


def test_a_lost_connection_ends_an_answered_call(playbook):
    play = playbook(flow=Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 5060)))
    call = play.answered()
    play.agent.flow_lost(play.flow, "closed", play.now)
    play << Ended(call, "transport", None)
    again = play.flow._replace(local=("192.0.2.1", 5061))
    assert call.severed
    call.leave_over(again, play.now)
    play << "BYE"
    assert not call.severed and play.sent.headers.get("call-id") == call.call_id
    call.leave_over(again, play.now)  # once


def test_an_answer_without_media_in_common_is_ended(play):
    call = play.invite()
    body = SESSION.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 18")
    play << "INVITE" >> answer(play.sent, 200, body=body) << "ACK" << "BYE"
    play >> answer(play.sent, 200) << Rejected(call, 488, "no media in common", None, None, True)


# Challenges


def test_a_challenge_is_answered_once(play):
    call = play.invite(credentials=BOB)
    play << "INVITE"
    first = play.sent
    refusal = answer(first, 401, CHALLENGE)
    play >> refusal << "ACK" << "INVITE"
    second = play.sent
    assert second.cseq.number == 2
    assert second.via.branch != first.via.branch
    assert (second.call_id, second.from_, second.to.tag) == (first.call_id, first.from_, None)
    assert 'username="bob"' in second.headers.get("authorization")
    assert "secret" not in str(second.encode())
    play >> answer(second, 200, body=SESSION) << "ACK" << Answered
    assert play.last.headers.get("authorization") == second.headers.get("authorization")
    bye(play)
    assert call.ended


@pytest.mark.rule("sip.repeated-401")
def test_a_repeated_401_after_the_retry_is_absorbed(play):
    play.invite(credentials=BOB)
    play << "INVITE"
    refusal = answer(play.sent, 401, CHALLENGE)
    play >> refusal << "ACK" << "INVITE"
    play >> refusal << "ACK"
    play >> answer(play.sent, 180) << Progress >> refusal << "ACK"
    play >> answer(play.sent, 200, body=SESSION) << "ACK" << Answered
    bye(play)


def test_a_stale_nonce_is_answered_again_and_wrong_credentials_are_not(play):
    call = play.invite(credentials=BOB)
    play << "INVITE" >> answer(play.sent, 401, CHALLENGE) << "ACK" << "INVITE"
    stale = ("WWW-Authenticate", 'Digest realm="example.com", nonce="n2", stale=true, qop="auth"')
    play >> answer(play.sent, 401, stale) << "ACK" << "INVITE"
    assert 'nonce="n2"' in play.sent.headers.get("authorization")
    third = ("WWW-Authenticate", 'Digest realm="example.com", nonce="n3", qop="auth"')
    play >> answer(play.sent, 401, third) << "ACK" << Rejected(call, 401, "", None, None, False)


def test_a_nonce_that_is_always_stale_is_a_refusal_in_the_end(play):
    play.invite(credentials=BOB)
    play << "INVITE"
    for number in range(5):
        value = f'Digest realm="example.com", nonce="n{number}", stale=true'
        play >> answer(play.sent, 401, ("WWW-Authenticate", value)) << "ACK"
        if play.events:
            break
        play << "INVITE"
    play << Rejected
    assert play.sent.cseq.number <= 5


def test_proxy_and_callee_both_challenge(play):
    play.invite(credentials=BOB)
    play << "INVITE"
    proxy = ("Proxy-Authenticate", 'Digest realm="example.com", nonce="p", qop="auth"')
    play >> answer(play.sent, 407, proxy) << "ACK" << "INVITE"
    play >> answer(play.sent, 401, CHALLENGE) << "ACK" << "INVITE"
    assert 'nonce="p"' in play.sent.headers.get("proxy-authorization")
    assert "nc=00000002" in play.sent.headers.get("proxy-authorization")
    assert 'nonce="n1"' in play.sent.headers.get("authorization")
    play >> answer(play.sent, 486) << "ACK" << Rejected


@pytest.mark.rule("sip.digest-realm")
@pytest.mark.parametrize(
    ("credentials", "realm", "given"),
    [
        (BOB, "evil.example", False),
        (BOB, "example.com", True),
        (BOB, "192.0.2.2", True),
        (Credentials("bob", "secret", "carrier"), "carrier", True),
        (Credentials("bob", "secret", "carrier"), "example.com", False),
        (Credentials("bob", "secret", "carrier"), "Carrier", False),
        (None, "example.com", False),
    ],
)
@pytest.mark.parametrize(("status", "name"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_credentials_go_to_their_own_realm_only(play, credentials, realm, given, status, name):
    play.invite(credentials=credentials)
    play << "INVITE" >> answer(play.sent, status, (name, f'Digest realm="{realm}", nonce="x"')) << "ACK"
    if given:
        play << "INVITE" >> answer(play.sent, 486) << "ACK"
    play << Rejected
    assert play.told.status == (486 if given else status)


@pytest.mark.rule("sip.digest-realm")
def test_an_answer_from_another_host_is_none(play):
    call = play.invite(credentials=BOB)
    play << "INVITE"
    elsewhere = play.flow._replace(remote=("203.0.113.9", 5060))
    for status in (401, 200, 486):
        play.agent.receive(answer(play.sent, status, CHALLENGE).encode(), elsewhere, play.now)
    play.nothing_more()
    assert (call.state, play.agent.dropped) == (CallState.CALLING, 3)
    play >> answer(play.sent, 486) << "ACK" << Rejected


def test_a_challenge_after_hanging_up_is_not_answered(play):
    call = play.invite(credentials=BOB)
    play << "INVITE"
    call.hang_up(play.now)
    play >> answer(play.sent, 401, CHALLENGE) << "ACK" << Rejected


@pytest.mark.rule("sip.digest-realm")
def test_a_bye_is_challenged_too(play):
    call = play.answered(credentials=BOB)
    call.hang_up(play.now)
    play << "BYE" >> answer(play.sent, 407, ("Proxy-Authenticate", CHALLENGE[1])) << "BYE"
    assert play.sent.headers.get("proxy-authorization")
    assert play.sent.cseq.number == 3
    play >> answer(play.sent, 200) << Ended(call, "us", None)


# Forks


def test_a_second_2xx_from_another_fork_is_acknowledged_and_ended(play):
    call = play.invite()
    play << "INVITE"
    invite = play.sent
    play >> answer(invite, 180, tag="a") << Progress
    play >> answer(invite, 180, tag="b") << Progress
    play >> answer(invite, 180, tag="b")
    play >> answer(invite, 200, tag="b", body=SESSION) << "ACK" << Answered
    assert play.last.to.tag == "b"
    other = answer(invite, 200, ("Contact", "<sip:bob@192.0.2.3>"), tag="a", body=SESSION)
    play >> other << "ACK"
    assert (play.last.to.tag, play.to.remote) == ("a", ("192.0.2.3", 5060))
    play << "BYE"
    stray = play.sent
    assert (stray.to.tag, stray.uri) == ("a", "sip:bob@192.0.2.3")
    play >> other << "ACK"
    assert play.last.to.tag == "a"
    ended = answer(stray, 200)
    play.agent.receive(ended.encode(), play.flow._replace(remote=("192.0.2.3", 5060)), play.now)
    assert call.state is CallState.ANSWERED
    play >> of_peer(invite, "BYE", tag="b") << 200 << Ended(call, "peer", None)


def test_many_forks_are_bounded(play):
    call = play.invite()
    play << "INVITE"
    for number in range(1000):
        play.agent.receive(answer(play.sent, 180, tag=f"t{number}").encode(), play.flow, play.now)
    assert len(call.dialogs) == 16
    play._collect()
    play.events.clear()
    play >> answer(play.sent, 486) << "ACK" << Rejected


def test_a_2xx_without_contact_is_ended_all_the_same(play):
    call = play.invite()
    play << "INVITE"
    ok = answer(play.sent, 200, body=SESSION)
    ok.headers.remove("contact")
    play >> ok << "ACK" << Answered
    call.hang_up(play.now)
    play << "BYE" >> answer(play.sent, 200) << Ended


# What cannot be sent


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("X-A", "1\r\nX-B: 2"),)},
        {"headers": (("X A", "1"),)},
        {"request_uri": "sip:bob@192.0.2.2 SIP/2.0\r\nX: 1"},
    ],
)
def test_what_would_break_the_message_is_our_error(play, changes):
    with pytest.raises(LocalProtocolError):
        play.invite(**changes)


def test_repr_tells_no_number(play):
    call = play.invite(request_uri="sip:+4915112345678@192.0.2.2", to="<sip:+4915112345678@example.com>")
    play << "INVITE"
    assert "4915" not in repr(call) + repr(play.sent)
    play >> answer(play.sent, 486) << "ACK" << Rejected
    assert "4915" not in repr(play.told)
