"""A peer, or a stranger, who means harm: what we keep and send stays bounded, and goes nowhere else."""

from __future__ import annotations

import pytest

from protocols.sip import sdp
from protocols.sip.dialog import MOST_REQUESTS
from protocols.sip.digest import Challenge, Credentials
from protocols.sip.errors import SdpError
from protocols.sip.events import Answered, OptionsAnswered, Progress, RegistrationFailed, RegistrationTarget
from protocols.sip.message import Response
from protocols.sip.registration import MOST_LONGER
from protocols.sip.sdp import LocalMedia
from protocols.sip.stream import StreamReader
from protocols.sip.uac import MOST_PRACKS
from tests.protocols.sip.playbook import FLOW, SESSION, Playbook, answer, of_peer

ELSEWHERE = (
    "<sip:x@127.0.0.1:53>", "<sip:x@224.0.0.1>", "<sip:x@255.255.255.255>", "<sip:x@0.0.0.0>",
    "<sip:x@[::1]>", "<sip:x@[2001:db8::1]>", "<sip:x@[::::]>", "<sip:x@192.0.2.010>",
)  # fmt: skip
MEDIA = ("127.0.0.1", "127.8.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "240.0.0.1")


@pytest.mark.parametrize("contact", ELSEWHERE)
def test_what_is_no_address_of_another_host_is_no_way(contact: str) -> None:
    """Of this host, of many, or of none: requests go on to where the call was made to."""
    play = Playbook()
    call = play.invite()
    play << "INVITE"
    response = answer(play.sent, 200, body=SESSION)
    response.headers.set("Contact", contact)
    play >> response << "ACK"
    assert play.to == FLOW
    play << Answered
    call.hang_up(play.now)
    play << "BYE"
    assert play.to == FLOW


@pytest.mark.parametrize("host", MEDIA)
def test_media_go_to_other_hosts_only(host: str) -> None:
    local = LocalMedia("192.0.2.1", 40_000)
    description = sdp.offer(LocalMedia("192.0.2.9", 5004), 1, 1).replace(b"192.0.2.9", host.encode())
    with pytest.raises(SdpError):
        sdp.accept(description, local)
    with pytest.raises(SdpError):
        sdp.answer(description, local, 1, 1)


def test_on_this_host_everything_is_on_this_host() -> None:
    local, far = LocalMedia("127.0.0.1", 40_000), LocalMedia("127.0.0.1", 40_002)
    assert sdp.accept(sdp.offer(far, 1, 1), local).host == "127.0.0.1"


def test_a_reinvite_cannot_move_media_to_this_host() -> None:
    play = Playbook()
    call = play.answered()
    before = call.agreed
    body = SESSION.replace(b"IN IP4 192.0.2.2", b"IN IP4 127.0.0.1")
    assert body != SESSION
    play >> of_peer(play.last, "INVITE", 5, branch="m", body=body) << 488
    assert call.agreed == before


def test_a_flood_of_reliable_answers_gets_few_pracks() -> None:
    play = Playbook()
    play.invite()
    play << "INVITE"
    invite = play.sent
    for number in range(1, 200):
        headers = (("Require", "100rel"), ("RSeq", str(number)))
        play.agent.receive(answer(invite, 180, *headers).encode(), FLOW, play.now)
    play._collect()
    sent = [message.method for _, message in play.out]
    assert sent == ["PRACK"] * MOST_PRACKS
    assert play.agent.transactions == 1 + MOST_PRACKS
    assert [type(event) for event in play.events] == [Progress]


def test_a_flood_within_a_dialog_holds_few_transactions_and_ends_by_bye() -> None:
    play = Playbook()
    play.answered()
    ack = play.last
    for number in range(2, 3 * MOST_REQUESTS):
        play.agent.receive(of_peer(ack, "INFO", number, branch=f"i{number}").encode(), FLOW, play.now)
    play._collect()
    assert len(play.out) == MOST_REQUESTS
    assert play.agent.transactions <= MOST_REQUESTS + 1
    play.out.clear()
    play >> of_peer(ack, "BYE", 5 * MOST_REQUESTS, branch="bye") << 200


def test_a_realm_in_other_letters_is_no_new_challenge() -> None:
    """Else each spelling is answered again, at the speed of the network."""
    play = Playbook()
    play.agent.options("sip:example.com", FLOW, play.now, "x", Credentials("bob", "secret"))
    for number in range(20):
        play << "OPTIONS"
        letters = format(number, "07b")
        realm = "".join(a.upper() if b == "1" else a for a, b in zip("example", letters, strict=True))
        challenge = Challenge(f"{realm}.com", f"n{number}", "MD5", ("auth",))
        play >> answer(play.sent, 401, ("WWW-Authenticate", str(challenge)))
        if play.events:
            break
    assert number == 1
    play << OptionsAnswered("x", 401)


def test_a_nonce_that_is_stale_for_ever_is_a_refusal() -> None:
    play = Playbook()
    play.agent.options("sip:example.com", FLOW, play.now, "x", Credentials("bob", "secret"))
    for number in range(20):
        play << "OPTIONS"
        challenge = Challenge("example.com", f"n{number}", "MD5", ("auth",), stale=True)
        play >> answer(play.sent, 401, ("WWW-Authenticate", str(challenge)))
        if play.events:
            break
    assert number <= 5
    play << OptionsAnswered("x", 401)


def test_a_registrar_that_always_wants_longer_is_a_failure() -> None:
    play = Playbook()
    target = RegistrationTarget(
        registrar="sip:example.com", address_of_record="sip:bob@example.com", contact_user="bob"
    )
    play.agent.register(target, FLOW, play.now)
    for number in range(20):
        play << "REGISTER"
        play >> answer(play.sent, 423, ("Min-Expires", str(4000 + number)))
        if play.events:
            break
    assert number == MOST_LONGER
    play << RegistrationFailed
    assert play.told.retry_after > 0


TINY = b"%s sip:a SIP/2.0\nv:SIP/2.0/UDP a\nf:sip:a;tag=1\nt:sip:a%s\ni:a\nCSeq:1 %s\n\n"


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "BYE", "CANCEL", "REGISTER", "HACK"])
@pytest.mark.parametrize("tag", [b"", b";tag=2"])
def test_a_forged_address_gets_no_more_than_twice_what_came(method: str, tag: bytes) -> None:
    play = Playbook(product="connector/1.2.3")
    name = method.encode()
    for data in (
        TINY % (name, tag, name), TINY % (name, tag, b"X"), TINY % (name, tag, name) + b"x" * 60_000
    ):  # fmt: skip
        play.agent.receive(data, FLOW._replace(remote=("203.0.113.9", 5060)), play.now)
        assert sum(len(answered) for _, answered in play.agent.data_to_send()) <= 2 * len(data)
    assert play.agent.transactions == 0


def test_an_ordinary_question_of_a_stranger_is_answered() -> None:
    play = Playbook(product="connector/1.2.3")
    question = (
        "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKoptions1;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:ping@192.0.2.2>;tag=123\r\nTo: <sip:192.0.2.1>\r\n"
        "Call-ID: abcdef\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    play >> question.encode() << 200
    assert isinstance(play.last, Response)


def test_a_flood_of_line_feeds_takes_no_time() -> None:
    """As much as one read brings, in less steps than it has octets."""
    reader, steps = StreamReader(), 0
    step = reader._step

    def counted() -> bool:
        nonlocal steps
        steps += 1
        return step()

    reader._step = counted  # type: ignore[method-assign]
    reader.receive(b"\n" * 200_000)
    assert reader.failed is None and reader.messages() == []
    assert steps < 10
