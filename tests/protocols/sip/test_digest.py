"""With the examples of RFC 7616 §3.9.1 and RFC 2617 §3.5, and RFC 2069's by its errata."""

import re
from dataclasses import replace
from hashlib import md5, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from protocols.sip.errors import LocalProtocolError, RemoteProtocolError

MUFASA = Credentials("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
RFC_7616 = (
    f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={{}}, nonce="{NONCE}", '
    f'opaque="{OPAQUE}"'
)
PLAIN = Challenge("h", "n", "MD5", ("auth",))


def responses(value: str) -> list[str]:
    return re.findall('response="([0-9a-f]+)"', value)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = Challenge.parse(RFC_7616.format(algorithm))
    value = answer(challenge, MUFASA, "GET", "/dir/index.html", b"", CNONCE, 1)
    assert value == (
        f'Digest username="Mufasa", realm="http-auth@example.org", nonce="{NONCE}", uri="/dir/index.html", '
        f'response="{response}", algorithm={algorithm}, cnonce="{CNONCE}", qop=auth, nc=00000001, '
        f'opaque="{OPAQUE}"'
    )


def test_the_example_of_rfc_2617() -> None:
    value = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    given = answer(
        Challenge.parse(value),
        Credentials("Mufasa", "Circle Of Life", "testrealm@host.com"),
        "GET",
        "/dir/index.html",
        b"",
        "0a4f113b",
        1,
    )
    assert responses(given) == ["6629fae49393a05397450978507c4ef1"]


def test_the_example_of_rfc_2069() -> None:
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    )
    assert challenge.qop == ()
    given = answer(challenge, Credentials("Mufasa", "CircleOfLife"), "GET", "/dir/index.html", b"", "c", 1)
    assert responses(given) == ["1949323746fe6a43ef61f9606e7febea"]
    assert not re.search("qop|nc=|cnonce|opaque", given)


@pytest.mark.parametrize(("name", "hashed"), [("MD5", md5), ("SHA-256", sha256)])
@pytest.mark.parametrize("session", ["", "-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
def test_every_way(name: str, hashed: type[md5], session: str, qop: str) -> None:
    def of(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    challenge = Challenge("h", "n", name + session, (qop,) if qop else ())
    value = answer(challenge, Credentials("ü", "pä"), "INVITE", "sip:a@h", b"body", "c", 0x1A)
    first = of("ü:h:pä")
    if session:
        first = of(f"{first}:n:c")
    second = of("INVITE:sip:a@h" + (f":{of('body')}" if qop == "auth-int" else ""))
    middle = f"n:0000001a:c:{qop}" if qop else "n"
    assert responses(value) == [of(f"{first}:{middle}:{second}")]
    assert ("cnonce" in value) == bool(session or qop)
    assert verify(value, challenge, Credentials("ü", "pä"), "INVITE", b"body")
    assert nonce_of(value) == "n"
    assert nonce_count(value) == (0x1A if qop else None)


@pytest.mark.parametrize(
    ("value", "challenge"),
    [
        ('Digest realm="a",nonce="b"', Challenge("a", "b")),
        ('digest  NONCE = "b" , Realm = "a" ,', Challenge("a", "b")),
        (
            'Digest realm="a, \\"b\\"", nonce="c", stale=TRUE, qop="auth-int,auth", opaque="", algorithm=md5',
            Challenge('a, "b"', "c", "md5", ("auth-int", "auth"), "", True),
        ),
        ("Digest realm=a, nonce=b==, qop=auth, domain=x", Challenge("a", "b==", qop=("auth",))),
        ('Digest realm="", nonce="b", stale="false"', Challenge("", "b")),
    ],
)
def test_what_a_challenge_says(value: str, challenge: Challenge) -> None:
    assert Challenge.parse(value) == challenge
    assert Challenge.parse(str(challenge)) == challenge


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Digest",
        "Basic realm=a",
        'Digest realm="a"',
        'Digest nonce="b"',
        'Digest realm="a", nonce=""',
        'Digest realm="a", nonce="b", nonce="c"',
        'Digest realm="a, nonce="b"',
        'Digest realm="a" nonce="b"',
        "Digest realm",
    ],
)
def test_what_is_no_challenge(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Challenge.parse(value)
    assert challenges([value]) == ()


def test_several_challenges() -> None:
    assert challenges(
        [
            'Digest realm="a, Digest x=y", nonce="1", Digest realm="b", nonce="2", qop="auth,auth-int"',
            'Basic realm="c", Bearer x=y',
            'Digest realm="d", nonce="3"',
        ]
    ) == (
        Challenge("a, Digest x=y", "1"),
        Challenge("b", "2", qop=("auth", "auth-int")),
        Challenge("d", "3"),
    )


def test_the_best_challenge_is_answered() -> None:
    worst_first = [
        Challenge("h", "8", "SHA-512-256", ("auth",)),
        Challenge("h", "7", "MD5", ("other",)),
        Challenge("h", "6", "MD5"),
        Challenge("h", "5", "MD5-sess", ("auth-int",)),
        Challenge("h", "4", "md5", ("auth", "auth-int")),
        Challenge("h", "3", "SHA-256"),
        Challenge("h", "2", "SHA-256", ("auth-int",)),
        Challenge("h", "1", "SHA-256-sess", ("auth-int", "auth")),
    ]
    for best in ("1", "2", "3", "4", "5", "6"):
        chosen = choose(worst_first)
        assert chosen is not None
        assert chosen.nonce == best
        worst_first.remove(chosen)
    assert choose(worst_first) is None
    first, second = replace(PLAIN, nonce="x"), replace(PLAIN, nonce="y")
    assert choose([first, second]) is first
    for unknown in worst_first:
        with pytest.raises(LocalProtocolError):
            answer(unknown, MUFASA, "INVITE", "sip:h", b"", "c", 1)


@pytest.mark.rule("sip.digest-realm")
def test_another_realm_gets_nothing() -> None:
    ours = Credentials("u", "p", "carrier.example")
    theirs = Challenge("evil.example", "n", "SHA-256", ("auth",))
    assert not belongs(theirs, ours)
    assert choose([theirs], ours) is None
    with pytest.raises(LocalProtocolError):
        answer(theirs, ours, "INVITE", "sip:h", b"", "c", 1)
    own = Challenge("carrier.example", "n")
    assert choose([theirs, own], ours) is own
    assert choose([theirs, own], Credentials("u", "p")) is theirs


def test_an_answer_that_is_wrong_is_not_taken() -> None:
    ours = Credentials("u", "p")
    right = answer(PLAIN, ours, "INVITE", "sip:a@h", b"", "c", 1)
    assert verify(right, PLAIN, ours, "INVITE")
    assert verify(right.replace(", algorithm=MD5", ""), PLAIN, ours, "INVITE")
    assert not verify(right, PLAIN, ours, "BYE")
    assert not verify(right, PLAIN, Credentials("u", "q"), "INVITE")
    assert not verify(right, PLAIN, Credentials("v", "p"), "INVITE")
    assert not verify(right, replace(PLAIN, nonce="m"), ours, "INVITE")
    assert not verify(right, replace(PLAIN, realm="i"), ours, "INVITE")
    assert not verify(right, replace(PLAIN, opaque="o"), ours, "INVITE")
    assert not verify(right, replace(PLAIN, qop=()), ours, "INVITE")
    assert not verify(right, replace(PLAIN, qop=("auth-int",)), ours, "INVITE")
    assert not verify(right, replace(PLAIN, algorithm="SHA-256"), ours, "INVITE")
    for old, new in (
        ("nc=00000001", "nc=00000002"),
        ("nc=00000001", "nc=1"),
        ('cnonce="c"', 'cnonce=""'),
        ("sip:a@h", "sip:b@h"),
        ('response="', 'response="é'),
        (", qop=auth", ""),
        ("Digest", "Basic"),
        ("uri=", "uri"),
    ):
        assert old in right
        assert not verify(right.replace(old, new), PLAIN, ours, "INVITE")
    for wrong in ("", "Basic x=y", "Digest nonce"):
        assert not verify(wrong, PLAIN, ours, "INVITE")
        assert nonce_of(wrong) is None


def test_nothing_can_be_slipped_into_an_answer() -> None:
    value = answer(PLAIN, Credentials('u", x="y', "p"), "INVITE", "sip:h", b"", "c", 1)
    assert value.startswith('Digest username="u\\", x=\\"y", realm="h"')
    with pytest.raises(LocalProtocolError):
        answer(PLAIN, Credentials("u\r\nTo: x", "p"), "INVITE", "sip:h", b"", "c", 1)
    with pytest.raises(LocalProtocolError):
        answer(Challenge("h\n", "n"), Credentials("u", "p"), "INVITE", "sip:h", b"", "c", 1)


def test_secrets_are_hidden() -> None:
    shown = repr((Credentials("ann", "secret", "h"), Challenge("h", "nonce-1", opaque="opaque-1")))
    assert not re.search("ann|secret|nonce-1|opaque-1", shown)


SAFE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), min_size=1, max_size=15)


@given(
    SAFE, SAFE, SAFE, SAFE, st.sampled_from(["MD5", "SHA-256-sess"]), st.sampled_from(["auth", "auth-int"])
)
def test_any_answer_of_ours_is_right(
    user: str, password: str, realm: str, nonce: str, algorithm: str, qop: str
) -> None:
    challenge = Challenge(realm, nonce, algorithm, (qop,), nonce)
    assert Challenge.parse(str(challenge)) == challenge
    assert challenges([str(challenge)]) == (challenge,)
    credentials = Credentials(user, password, realm)
    assert verify(answer(challenge, credentials, "BYE", "sip:h", b"", "c", 1), challenge, credentials, "BYE")


@pytest.mark.parametrize("piece", [" ", ",", '"', "\\", "a ", "a=", "a=b,", "Digest a=", "Digest realm=a,"])
def test_reading_takes_linear_time(piece: str) -> None:
    """A reader that tries every way of cutting these would not come back within the time of a test."""
    flood = piece * (50_000 // len(piece))
    assert challenges([flood, f"Digest {flood}"]) == ()
