"""What happens within a call: PRACK, early media, session timers, re-INVITE and UPDATE, keys, transfers."""

import pytest

from protocols.sip.digest import Credentials
from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import (
    Answered,
    Digit,
    Ended,
    MediaChanged,
    Progress,
    Refused,
    Rejected,
    TransferProgress,
    Transferred,
)
from protocols.sip.message import Request
from tests.protocols.sip.playbook import CHALLENGE, SDP, SESSION, Playbook, answer, of_peer

HOLD = SESSION.replace(b"a=sendrecv", b"a=sendonly")
G729 = SESSION.replace(b"RTP/AVP 8 0 101", b"RTP/AVP 18")
REL = ("Require", "100rel")
UPDATES = ("Allow", "INVITE, ACK, BYE, UPDATE")


def over(play: Playbook, by: str = "peer") -> None:
    play >> of_peer(play.sent, "BYE", 9999) << 200 << Ended
    assert play.told.by == by


def ack_of(invite: Request) -> Request:
    """The peer's ACK of our 2xx to its re-INVITE."""
    ack = Request("ACK", invite.uri, list(invite.headers))
    ack.headers.set("CSeq", f"{invite.cseq.number} ACK")
    ack.headers.set("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKack{invite.cseq.number}")
    return ack


# Provisional answers


@pytest.mark.rule("sip.provisional-no-answer")
def test_early_media_is_agreed_and_no_answer(play):
    call = play.invite()
    play << "INVITE" >> answer(play.sent, 183, body=SESSION) << Progress
    assert play.told.agreed.port == 40000
    assert not call.ended
    play >> answer(play.sent, 180) << Progress
    play >> answer(play.sent, 200, body=SESSION) << "ACK" << Answered
    over(play)


def test_reliable_provisional_answers_are_acknowledged_in_order_and_once(play):
    play.invite()
    play << "INVITE"
    invite = play.sent
    assert "100rel" in invite.headers.all("supported")
    first = answer(invite, 183, REL, ("RSeq", "813520"), body=SESSION)
    play >> first << "PRACK" << Progress
    assert play.sent.headers.get("rack") == "813520 1 INVITE"
    assert (play.sent.cseq.number, play.sent.to.tag) == (2, "bob")
    play >> answer(play.sent, 200)
    play >> first
    play >> answer(invite, 180, REL, ("RSeq", "813522"))  # one is missing before it
    play >> answer(invite, 180, REL, ("RSeq", "813521")) << "PRACK" << Progress
    assert play.sent.headers.get("rack") == "813521 1 INVITE"
    play >> answer(play.sent, 200)
    play >> answer(invite, 180, REL, ("RSeq", "813522")) << "PRACK"
    play >> answer(play.sent, 200) >> answer(invite, 180, REL)
    play >> answer(invite, 200) << "ACK" << Answered
    assert play.told.agreed.port == 40000, "the answer of the reliable 183 is that of the call"
    assert str(play.last.cseq) == "1 ACK"
    over(play)


def test_reliability_can_be_left_out_or_required(play):
    play.invite(reliable="no")
    play << "INVITE"
    assert "100rel" not in play.sent.headers.all("supported")
    play >> answer(play.sent, 486) << "ACK" << Rejected
    play.invite(reliable="required")
    play << "INVITE"
    assert play.sent.headers.all("require") == ("100rel",)
    play >> answer(play.sent, 420) << "ACK" << Rejected


def test_a_provisional_answer_whose_session_cannot_be_read_is_told_without_media(play):
    play.invite()
    play << "INVITE" >> answer(play.sent, 183, body=b"v=0\r\nnonsense") << Progress
    assert play.told.agreed is None
    play >> answer(play.sent, 486) << "ACK" << Rejected


# Session timers (RFC 4028)


@pytest.mark.rule("sip.session-timers")
def test_a_session_that_we_refresh_by_update(play):
    expires = ("Session-Expires", "100;refresher=uac")
    play.answered(expires, UPDATES, session_expires_s=100)
    for _ in range(3):
        play >> 49.9
        play >> 0.2 << "UPDATE"
        assert play.sent.headers.get("session-expires") == "100;refresher=uac"
        play >> answer(play.sent, 200, expires)
    over(play)


@pytest.mark.rule("sip.session-timers")
def test_a_session_that_we_refresh_by_re_invite(play):
    expires = ("Session-Expires", "100")
    call = play.answered(expires, session_expires_s=100)
    session = call.session
    play >> 50 << "INVITE"
    assert (play.sent.body, play.sent.to.tag) == (session, "bob")
    ok = answer(play.sent, 200, expires, body=SESSION)
    play >> ok << "ACK" >> ok << "ACK"
    moved = answer(play.sent, 200, expires, body=SESSION.replace(b"40000", b"40002"))
    play >> 50 << "INVITE"
    moved.headers.set("Via", str(play.sent.via))
    moved.headers.set("CSeq", str(play.sent.cseq))
    play >> moved << "ACK" << MediaChanged
    assert play.told.agreed.port == 40002
    over(play)


@pytest.mark.rule("sip.session-timers")
def test_a_session_that_the_peer_does_not_refresh_is_ended(play):
    call = play.answered(("Session-Expires", "90;refresher=uas"), session_expires_s=90)
    play >> 59.9
    play >> 0.2 << "BYE" >> answer(play.sent, 200) << Ended(call, "session_timer", None)


@pytest.mark.rule("sip.session-timers")
def test_a_session_that_the_peer_refreshes(play):
    play.answered(("Session-Expires", "90;refresher=uas"), session_expires_s=90)
    for number in range(1, 4):
        play >> 50
        refresh = of_peer(play.sent, "UPDATE", number, ("Session-Expires", "90"), ("Supported", "timer"))
        play >> refresh << 200
        assert play.last.headers.get("session-expires") == "90;refresher=uac"
        assert play.last.headers.get("require") == "timer"
    over(play)


def test_a_refresh_that_nobody_answers_ends_the_call(play):
    call = play.answered(("Session-Expires", "100"), UPDATES, session_expires_s=100)
    play >> 50 << "UPDATE" >> answer(play.sent, 481) << "BYE"
    play >> answer(play.sent, 481) << Ended(call, "transport", None)


def test_a_refresh_is_put_off_by_glare_and_made_longer_by_422(play):
    play.answered(("Session-Expires", "100"), UPDATES, session_expires_s=100)
    play >> 50 << "UPDATE" >> answer(play.sent, 491)
    play >> 2
    for _ in range(20):
        if not play.out:
            play >> 0.1
    play << "UPDATE"
    play >> answer(play.sent, 422, ("Min-SE", "200"))
    play >> 0.01 << "UPDATE"
    assert play.sent.headers.get("session-expires") == "200;refresher=uac"
    assert play.sent.headers.get("min-se") == "200"
    play >> answer(play.sent, 200, ("Session-Expires", "200;refresher=uac"))
    play >> 99
    over(play)


@pytest.mark.rule("sip.status-422")
def test_422_is_answered_by_a_longer_interval(play):
    call = play.invite(session_expires_s=100)
    play << "INVITE"
    assert play.sent.headers.get("session-expires") == "100"
    play >> answer(play.sent, 422, ("Min-SE", "300")) << "ACK" << "INVITE"
    assert play.sent.headers.get("session-expires") == "300"
    assert play.sent.headers.get("min-se") == "300"
    assert play.sent.cseq.number == 2
    play >> answer(play.sent, 422, ("Min-SE", "600")) << "ACK" << Rejected
    assert (play.told.call, play.told.status) == (call, 422)


@pytest.mark.rule("sip.status-422")
@pytest.mark.parametrize("min_se", ["90", "0", "x", "99999999999", ""])
def test_a_422_that_makes_no_sense_is_a_refusal(play, min_se):
    play.invite(session_expires_s=100)
    play << "INVITE" >> answer(play.sent, 422, ("Min-SE", min_se)) << "ACK" << Rejected


def test_a_re_invite_of_ours_is_challenged(play):
    play.answered(("Session-Expires", "100"), session_expires_s=100, credentials=Credentials("b", "s"))
    play >> 50 << "INVITE" >> answer(play.sent, 401, CHALLENGE) << "ACK"
    play >> 0.01 << "INVITE"
    assert play.sent.headers.get("authorization")
    play >> answer(play.sent, 200, body=SESSION) << "ACK"
    over(play)


# The peer changes the session


def test_hold_and_back(play):
    call = play.answered()
    hold = of_peer(play.sent, "INVITE", 1, SDP, body=HOLD)
    play >> hold << 200 << MediaChanged
    assert b"a=recvonly" in play.last.body
    assert not play.told.agreed.send
    play >> 0.5 << 200 >> hold >> ack_of(hold) >> 40
    back = of_peer(play.sent, "UPDATE", 2, SDP, body=SESSION)
    play >> back << 200 << MediaChanged
    assert play.told.agreed.send
    assert call.agreed.send
    over(play)


def test_a_re_invite_without_a_body_gets_our_offer(play):
    play.answered()
    invite = of_peer(play.sent, "INVITE", 1)
    play >> invite << 200
    assert b"m=audio 30000" in play.last.body
    ack = ack_of(invite)
    ack.headers.add(*SDP)
    ack.body = SESSION.replace(b"40000", b"41000")
    play >> ack << MediaChanged
    assert play.told.agreed.port == 41000
    over(play)


def test_an_impossible_session_is_488_and_changes_nothing(play):
    call = play.answered()
    before = call.agreed
    refused = of_peer(play.sent, "INVITE", 1, SDP, body=G729)
    play >> refused << 488
    ack = ack_of(refused)
    ack.headers.set("Via", str(refused.via))
    play >> ack
    play >> of_peer(play.sent, "UPDATE", 2, SDP, body=b"rubbish") << 488
    assert call.agreed == before
    over(play)


def test_a_re_invite_that_is_never_acknowledged_ends_the_call(play):
    call = play.answered()
    play >> of_peer(play.sent, "INVITE", 1, SDP, body=SESSION) << 200
    for pause in (0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4):
        play >> pause << 200
    play >> 0.5 << "BYE" >> answer(play.sent, 200) << Ended(call, "transport", None)


def test_glare_is_491(play):
    play.answered(("Session-Expires", "100"), session_expires_s=100)
    play >> 50 << "INVITE"
    theirs = of_peer(play.sent, "INVITE", 1, SDP, body=SESSION)
    play >> theirs << 491
    ack = ack_of(theirs)
    ack.headers.set("Via", str(theirs.via))
    play >> ack
    play >> of_peer(play.sent, "UPDATE", 2, SDP, body=SESSION) << 491
    play >> answer(play.sent, 200, body=SESSION) << "ACK"
    over(play)


def test_too_short_a_session_is_422(play):
    play.answered()
    play >> of_peer(play.sent, "UPDATE", 1, ("Session-Expires", "30")) << 422
    assert play.last.headers.get("min-se") == "90"
    over(play)


def test_requests_out_of_order_and_unknown(play):
    play.answered()
    play >> of_peer(play.sent, "OPTIONS", 5) << 200
    assert "BYE" in play.last.headers.all("allow")
    play >> of_peer(play.sent, "INFO", 4) << 500
    play >> of_peer(play.sent, "SUBSCRIBE", 6) << 405
    play >> of_peer(play.sent, "PRACK", 7, ("RAck", "1 1 INVITE")) << 481
    play >> of_peer(play.sent, "INFO", 8, ("Require", "magic")) << 420
    assert play.last.headers.get("unsupported") == "magic"
    over(play)


# Keys


@pytest.mark.rule("rtp.digits-info")
@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal= *\nDuration= 250", "*"),
        ("application/dtmf-relay", b"signal=11", "#"),
        ("application/DTMF-Relay;x=1", b"Signal=10\r\n", "*"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf", b" # \r\n", "#"),
        ("application/dtmf", b"d", "D"),
        ("application/dtmf", b"77", None),
        ("application/dtmf-relay", b"Signal=flash", None),
        ("application/dtmf-relay", b"Signal=55", None),
    ],
)
def test_keys_by_info(play, kind, body, digit):
    call = play.answered()
    info = of_peer(play.sent, "INFO", 1, ("Content-Type", kind), body=body)
    play >> info << 200
    if digit:
        play << Digit(call, digit)
        assert repr(digit) not in repr(play.told)
    play >> info << 200
    over(play)


def test_other_infos(play):
    play.answered()
    play >> of_peer(play.sent, "INFO", 1) << 200
    play >> of_peer(play.sent, "INFO", 2, ("Content-Type", "text/plain"), body=b"5") << 415
    over(play)


def test_a_key_of_ours(play):
    call = play.invite()
    play << "INVITE"
    with pytest.raises(LocalProtocolError):
        call.info_digit("1", play.now)
    play >> answer(play.sent, 200, body=SESSION) << "ACK" << Answered
    call.info_digit("#", play.now)
    play << "INFO"
    assert play.sent.body == b"Signal=#\r\nDuration=160\r\n"
    play >> answer(play.sent, 200)
    with pytest.raises(LocalProtocolError):
        call.info_digit("12", play.now)
    over(play)


# Transfers (RFC 3515)


def notify(play: Playbook, number: int, status: str, state: str = "active") -> Request:
    headers = (
        ("Event", "refer"),
        ("Subscription-State", state),
        ("Content-Type", "message/sipfrag"),
    )
    return of_peer(play.sent, "NOTIFY", number, *headers, body=status.encode())


@pytest.mark.rule("sip.transfer-refer")
def test_a_transfer_that_succeeds(play):
    call = play.answered()
    call.refer("sip:agent@example.com", play.now)
    play << "REFER"
    assert play.sent.headers.get("refer-to") == "<sip:agent@example.com>"
    with pytest.raises(LocalProtocolError):
        call.refer("sip:agent@example.com", play.now)
    play >> answer(play.sent, 202)
    play >> notify(play, 1, "SIP/2.0 100 Trying\r\n") << 200 << TransferProgress(call, 100)
    play >> notify(play, 2, "SIP/2.0 180 Ringing") << 200 << TransferProgress(call, 180)
    play >> notify(play, 3, "SIP/2.0 200 OK", "terminated;reason=noresource") << 200
    play << Transferred(call, True, 200)
    play >> notify(play, 4, "SIP/2.0 200 OK") << 481
    over(play)


@pytest.mark.rule("sip.transfer-refer")
def test_transfers_that_fail(play):
    call = play.answered()
    call.refer("sip:agent@example.com", play.now)
    play << "REFER" >> answer(play.sent, 603) << Transferred(call, False, 603)
    call.refer("sip:agent@example.com", play.now)
    play << "REFER" >> answer(play.sent, 202)
    play >> notify(play, 1, "SIP/2.0 486 Busy") << 200 << Transferred(call, False, 486)
    call.refer("sip:agent@example.com", play.now)
    play << "REFER" >> answer(play.sent, 202)
    play >> notify(play, 2, "rubbish", "terminated") << 200 << Transferred(call, False, 0)
    call.refer("sip:agent@example.com", play.now)
    play << "REFER" >> answer(play.sent, 202)
    play >> 120 << Transferred(call, False, 408)
    over(play)


@pytest.mark.rule("sip.transfer-refer")
def test_the_peer_hangs_up_while_it_is_transferred(play):
    call = play.answered()
    call.refer("sip:agent@example.com", play.now)
    play << "REFER" >> answer(play.sent, 202)
    play >> notify(play, 1, "SIP/2.0 100 Trying") << 200 << TransferProgress
    play >> of_peer(play.sent, "BYE", 2) << 200 << Transferred(call, False, 100) << Ended(call, "peer", None)


def test_the_peer_may_not_transfer_us(play):
    play.answered()
    play >> of_peer(play.sent, "REFER", 1, ("Refer-To", "<sip:+2521234@premium.example>")) << 603 << Refused
    over(play)


def test_a_notify_of_something_else(play):
    play.answered()
    play >> of_peer(play.sent, "NOTIFY", 1, ("Event", "presence")) << 489
    over(play)


def test_a_re_invite_that_rings_for_ever_ends_with_the_session(play):
    call = play.answered(("Session-Expires", "100"), session_expires_s=100)
    play >> 50 << "INVITE" >> answer(play.sent, 180)
    play >> 18 << "BYE" >> answer(play.sent, 200) << Ended(call, "session_timer", None)
    assert play.agent.calls == 0


def test_the_session_cannot_be_changed_before_the_answer(play):
    play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    play >> of_peer(play.sent, "UPDATE", 1, SDP, body=SESSION) << 500
    assert play.last.headers.get("retry-after") == "1"
    play >> of_peer(play.sent, "INFO", 2, ("Content-Type", "application/dtmf"), body=b"1") << 200
    play >> answer(play.sent, 486) << "ACK" << Rejected


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("contact", ["<tel:+2521234>", "<mailto:bob@example.com>"])
def test_a_new_target_that_is_none(play, method, contact):
    play.answered()
    request = of_peer(play.sent, method, 1, SDP, body=SESSION)
    request.headers.set("Contact", contact)
    play >> request << 400
    if method == "INVITE":
        ack = ack_of(request)
        ack.headers.set("Via", str(request.via))
        play >> ack
    over(play)


def test_the_peer_moves(play):
    call = play.answered()
    update = of_peer(play.sent, "UPDATE", 1)
    update.headers.set("Contact", "<sip:bob@192.0.2.77:5090>")
    play >> update << 200
    call.info_digit("1", play.now)
    play << "INFO"
    assert (play.sent.uri, play.to.remote) == ("sip:bob@192.0.2.77:5090", ("192.0.2.77", 5090))
    moved = play.flow._replace(remote=("192.0.2.77", 5090))
    play.agent.receive(answer(play.sent, 200).encode(), moved, play.now)
    bye = of_peer(play.sent, "BYE", 2)
    play.agent.receive(bye.encode(), moved, play.now)
    play << 200 << Ended(call, "peer", None)
