"""Registrations that keep themselves, and OPTIONS."""

import pytest

from protocols.sip.digest import Credentials
from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import OptionsAnswered, Registered, RegistrationFailed, RegistrationTarget
from tests.protocols.sip.playbook import CHALLENGE, Playbook, answer

BOB = Credentials("bob", "secret")
OURS = ("Contact", "<sip:bob@192.0.2.1:5060>;expires=100")


def register(play: Playbook, **changes: object) -> object:
    usual = {
        "registrar": "sip:example.com",
        "address_of_record": "sip:bob@example.com",
        "contact_user": "bob",
        "credentials": BOB,
    }
    registration = play.agent.register(RegistrationTarget(**{**usual, **changes}), play.flow, play.now)
    play << "REGISTER"
    return registration


def end(play: Playbook, registration: object) -> None:
    registration.end(play.now)
    play << "REGISTER"
    assert play.sent.headers.get("expires") == "0"
    play >> answer(play.sent, 200) << Registered(registration, 0)
    registration.end(play.now)


def test_a_registration_is_refreshed_before_its_end_until_it_is_removed(play):
    registration = register(play)
    first = play.sent
    assert (first.uri, first.from_.uri, first.to.uri) == ("sip:example.com", *["sip:bob@example.com"] * 2)
    assert first.headers.get("expires") == "300"
    play >> answer(first, 401, CHALLENGE) << "REGISTER"
    second = play.sent
    assert (second.call_id, second.cseq.number) == (first.call_id, 2)
    assert second.headers.get("authorization")
    others = ("Contact", '"x" <sip:bob@192.0.2.66>;expires=9, <sip:bob@192.0.2.1:5060>;expires=100')
    play >> answer(second, 200, others) << Registered(registration, 100)
    play >> 79
    play >> 1 << "REGISTER"
    assert "nc=00000002" in play.sent.headers.get("authorization")
    play >> answer(play.sent, 200, OURS) << Registered(registration, 100)
    end(play, registration)


def test_a_nonce_that_grew_old_is_replaced(play):
    registration = register(play)
    play >> answer(play.sent, 401, CHALLENGE) << "REGISTER"
    play >> answer(play.sent, 200, OURS) << Registered
    play >> 80 << "REGISTER"
    new = ("WWW-Authenticate", 'Digest realm="example.com", nonce="n2", qop="auth"')
    play >> answer(play.sent, 401, new) << "REGISTER"
    play >> answer(play.sent, 200, OURS) << Registered
    end(play, registration)


def test_an_interval_too_brief_is_made_longer(play):
    registration = register(play, expires_s=60)
    play >> answer(play.sent, 423, ("Min-Expires", "600")) << "REGISTER"
    assert play.sent.headers.get("expires") == "600"
    play >> answer(play.sent, 200, ("Contact", "<sip:other@x>"), ("Expires", "600"))
    play << Registered(registration, 600)
    end(play, registration)


def test_wrong_credentials_are_not_tried_for_ever(play):
    registration = register(play)
    play >> answer(play.sent, 401, CHALLENGE) << "REGISTER"
    other = ("WWW-Authenticate", 'Digest realm="example.com", nonce="n2"')
    play >> answer(play.sent, 401, other) << RegistrationFailed(registration, 401, None)
    play >> 4000


@pytest.mark.rule("sip.digest-realm")
def test_a_foreign_realm_gets_nothing(play):
    registration = register(play)
    other = ("WWW-Authenticate", 'Digest realm="evil.example", nonce="n2"')
    play >> answer(play.sent, 401, other) << RegistrationFailed(registration, 401, None)


def test_failures_are_tried_again_ever_later(play):
    registration = register(play)
    pauses = []
    for _ in range(12):
        play >> answer(play.sent, 500) << RegistrationFailed
        pauses.append(play.told.retry_after)
        play >> play.told.retry_after + 0.001 << "REGISTER"
    assert all(1 <= pause <= 300 for pause in pauses)
    assert pauses[0] <= 2
    assert pauses[-1] >= 150
    play >> answer(play.sent, 503, ("Retry-After", "400")) << RegistrationFailed(registration, 503, 400.0)
    play >> 400 << "REGISTER"
    play >> answer(play.sent, 200, OURS) << Registered
    end(play, registration)


def test_no_answer_and_no_transport(play):
    registration = register(play)
    play.agent.flow_lost(play.flow, "gone", play.now)
    play << RegistrationFailed
    assert play.told.status == 503
    play >> play.told.retry_after << "REGISTER"
    for _ in range(10):
        play._pass(3.2)
        play._collect()
        play.out.clear()
    play << RegistrationFailed
    assert play.told.status == 408
    registration.end(play.now)
    play << "REGISTER" >> answer(play.sent, 500) << RegistrationFailed(registration, 500, None)


def test_the_end_while_it_is_still_asking(play):
    registration = register(play)
    registration.end(play.now)
    play >> answer(play.sent, 200, OURS) << "REGISTER"
    assert play.sent.headers.get("expires") == "0"
    play >> answer(play.sent, 200) << Registered(registration, 0)


def test_repr_and_wrong_uris(play):
    registration = register(play, address_of_record="sip:+49151@example.com")
    assert "49151" not in repr(registration)
    play >> answer(play.sent, 403) << RegistrationFailed
    for field in ("registrar", "address_of_record"):
        with pytest.raises(LocalProtocolError):
            register(play, **{field: "no uri"})


@pytest.mark.rule("sip.options")
def test_options_of_ours(play):
    play.agent.options("sip:example.com", play.flow, play.now, "context", BOB)
    play << "OPTIONS" >> answer(play.sent, 200) << OptionsAnswered("context", 200)
    play.agent.options("sip:example.com", play.flow, play.now, 2, BOB)
    play << "OPTIONS" >> answer(play.sent, 401, CHALLENGE) << "OPTIONS"
    play >> answer(play.sent, 404) << OptionsAnswered(2, 404)
    play.agent.options("sip:example.com", play.flow, play.now, 3)
    play << "OPTIONS"
    play.agent.flow_lost(play.flow, "refused", play.now)
    play << OptionsAnswered(3, None)
    with pytest.raises(LocalProtocolError):
        play.agent.options("no uri", play.flow, play.now)
