"""Answering challenges: any header is one or none, and an answer of ours is right for its challenge."""

from protocols.sip.digest import (
    Challenge,
    Credentials,
    answer,
    belongs,
    challenges,
    choose,
    nonce_count,
    nonce_of,
    verify,
)
from protocols.sip.errors import LocalProtocolError

OURS = Credentials("user", "secret", "h")
ANYWHERE = Credentials("user", "secret")
ASKED = Challenge("h", "n", "SHA-256", ("auth", "auth-int"))


def one_input(data: bytes) -> None:
    """The octets are a challenge, and then the answer to one of ours."""
    text = data.decode("utf-8", "surrogateescape")
    found = challenges([text])
    own = choose(found, OURS)
    assert own is None or own.realm == "h"
    best = choose(found, ANYWHERE)
    if best is not None:
        try:
            value = answer(best, ANYWHERE, "INVITE", "sip:h", b"", "c", 1)
        except LocalProtocolError:
            assert "\r" in text or "\n" in text
        else:
            assert verify(value, best, ANYWHERE, "INVITE")
            assert "secret" not in value or "secret" in text
    for each in found:
        if not belongs(each, OURS):
            assert choose([each], OURS) is None
    nonce_of(text)
    nonce_count(text)
    verify(text, ASKED, OURS, "INVITE")
