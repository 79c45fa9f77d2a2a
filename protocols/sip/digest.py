"""Digest authentication, both sides (RFC 7616, RFC 8760, RFC 3261 §22): MD5 and SHA-256, plain and -sess."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from protocols.sip.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip.grammar import QUOTED, checked, is_token, quoted, split_list, unquoted

_HASHES: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""The better one first."""

_QOPS: Final = ("auth", "auth-int")
_PARAM: Final = re.compile(
    rf"""\s*+([A-Za-z0-9\-.!%*_+`'~]++)\s*+=\s*+({QUOTED}|[^\s,"]*+)\s*+(?:,[\s,]*+|$)""",
    re.VERBOSE | re.DOTALL,
)
_SCHEME: Final = re.compile(r"[A-Za-z0-9\-]+\s+[A-Za-z0-9\-]+\s*=")
_NONCE_COUNT: Final = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """``realm`` is the only one that they may be used for; None leaves that to who asks for an answer, and to
    ``hosts``: further names of his, in small letters.
    """

    username: str
    password: str = field(repr=False)
    realm: str | None = None
    hosts: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Credentials for {'any realm' if self.realm is None else repr(self.realm)}>"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What WWW-Authenticate or Proxy-Authenticate asks for. ``qop`` is () where the peer knows none."""

    realm: str
    nonce: str = field(repr=False)
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = field(default=None, repr=False)
    stale: bool = False

    @classmethod
    def parse(cls, value: str) -> "Challenge":
        """Raises:
        RemoteProtocolError: it is none of the scheme Digest, or has no realm or nonce.
        """
        params = _params(value)
        if "realm" not in params or not params.get("nonce"):
            raise RemoteProtocolError("a challenge has no realm or no nonce")
        return cls(
            params["realm"],
            params["nonce"],
            params.get("algorithm") or "MD5",
            tuple(qop for each in params.get("qop", "").split(",") if (qop := each.strip().lower())),
            params.get("opaque"),
            params.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        """As a UAS sends it."""
        parts = [f"realm={quoted(self.realm)}", f"nonce={quoted(self.nonce)}", f"algorithm={self.algorithm}"]
        if self.qop:
            parts.append(f"qop={quoted(','.join(self.qop))}")
        if self.opaque is not None:
            parts.append(f"opaque={quoted(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        return checked("challenge", "Digest " + ", ".join(parts))


def challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Those that can be read, of all header lines of one name; a line may hold several."""
    found: list[Challenge] = []
    for value in values:
        several: list[list[str]] = []
        for element in split_list(value):
            if not several or _SCHEME.match(element):
                several.append([])
            several[-1].append(element)
        for each in several:
            try:
                found.append(Challenge.parse(",".join(each)))
            except RemoteProtocolError:
                continue
    return tuple(found)


def belongs(challenge: Challenge, credentials: Credentials) -> bool:
    """Whether the credentials may be used there at all: a realm that was named is the only one."""
    return credentials.realm is None or credentials.realm == challenge.realm


def choose(among: Iterable[Challenge], credentials: Credentials | None = None) -> Challenge | None:
    """The best that can be answered, with these credentials if some are given: SHA-256 before MD5, then qop
    auth, auth-int, none; the peer's order otherwise.
    """
    best: Challenge | None = None
    best_rank = (0, 0)
    for each in among:
        rank = _rank(each)
        if rank is None or (credentials is not None and not belongs(each, credentials)):
            continue
        if best is None or rank < best_rank:
            best, best_rank = each, rank
    return best


def answer(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    nc: int,
) -> str:
    """The value of Authorization or Proxy-Authorization. ``uri`` is the request URI as it is sent, ``nc`` how
    often this nonce was answered, this time included.

    Raises:
        LocalProtocolError: the credentials are for another realm, the algorithm or qop is none we have, or
            a line end stands in a value.
    """
    if not belongs(challenge, credentials):
        raise LocalProtocolError("credentials", "a challenge of their own realm")
    if _rank(challenge) is None:
        raise LocalProtocolError("challenge", "an algorithm and a qop that we have")
    qop = next((each for each in _QOPS if each in challenge.qop), None)
    response = _response(challenge, credentials, method, uri, body, cnonce, f"{nc:08x}", qop)
    parts = [
        f"username={quoted(credentials.username)}",
        f"realm={quoted(challenge.realm)}",
        f"nonce={quoted(challenge.nonce)}",
        f"uri={quoted(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if qop is not None or challenge.algorithm.upper().endswith("-SESS"):
        parts.append(f"cnonce={quoted(cnonce)}")
    if qop is not None:
        parts += f"qop={qop}", f"nc={nc:08x}"
    if challenge.opaque is not None:
        parts.append(f"opaque={quoted(challenge.opaque)}")
    return checked("credentials", "Digest " + ", ".join(parts))


def verify(
    value: str, challenge: Challenge, credentials: Credentials, method: str, body: bytes = b""
) -> bool:
    """Whether a request's Authorization answers that challenge with those credentials.

    The URI is taken as the peer names it; that a nonce count is used once is the caller's to see to
    (``nonce_count``).
    """
    try:
        params = _params(value)
    except RemoteProtocolError:
        return False
    qop = params.get("qop", "").lower() or None
    cnonce, nc = params.get("cnonce", ""), params.get("nc", "")
    if (
        _rank(challenge) is None
        or params.get("username") != credentials.username
        or params.get("realm") != challenge.realm
        or params.get("nonce") != challenge.nonce
        or params.get("opaque") != challenge.opaque
        or params.get("algorithm", "MD5").upper() != challenge.algorithm.upper()
        or (qop is None) != (not challenge.qop)
        or (qop is not None and (qop not in challenge.qop or not cnonce or not _NONCE_COUNT.fullmatch(nc)))
    ):
        return False
    uri = params.get("uri", "")
    expected = _response(challenge, credentials, method, uri, body, cnonce, nc, qop)
    given = params.get("response", "").lower()
    return compare_digest(expected.encode("ascii"), given.encode("utf-8", "surrogateescape"))


def nonce_of(value: str) -> str | None:
    """The nonce that an Authorization answers."""
    try:
        return _params(value).get("nonce")
    except RemoteProtocolError:
        return None


def nonce_count(value: str) -> int | None:
    """How often its nonce was used, by an Authorization's own account."""
    try:
        count = _params(value).get("nc", "")
    except RemoteProtocolError:
        return None
    return int(count, 16) if _NONCE_COUNT.fullmatch(count) else None


def _rank(challenge: Challenge) -> tuple[int, int] | None:
    """Smaller is better; None where it cannot be answered."""
    name = challenge.algorithm.upper().removesuffix("-SESS")
    if name not in _HASHES or not is_token(challenge.algorithm):
        return None
    if not challenge.qop:
        return list(_HASHES).index(name), len(_QOPS)
    for rank, qop in enumerate(_QOPS):
        if qop in challenge.qop:
            return list(_HASHES).index(name), rank
    return None


def _response(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    nc: str,
    qop: str | None,
) -> str:
    """RFC 7616 §3.4.1–§3.4.3; without qop RFC 2069's, which RFC 3261 §22.4 still asks for."""
    name = challenge.algorithm.upper()
    hashed = _HASHES[name.removesuffix("-SESS")]

    def of(*parts: str) -> str:
        return hashed(":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    secret = of(credentials.username, challenge.realm, credentials.password)
    if name.endswith("-SESS"):
        secret = of(secret, challenge.nonce, cnonce)
    asked = of(method, uri, hashed(body).hexdigest()) if qop == "auth-int" else of(method, uri)
    if qop is None:
        return of(secret, challenge.nonce, asked)
    return of(secret, challenge.nonce, nc, cnonce, qop, asked)


def _params(value: str) -> dict[str, str]:
    """Names in lower case, values without quotes.

    Raises:
        RemoteProtocolError: another scheme, or not a list of parameters, each there once.
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise RemoteProtocolError("the scheme of authentication is not Digest")
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAM.match(rest, at)
        if match is None:
            if not rest[at:].strip(" \t,"):
                break
            raise RemoteProtocolError("a parameter of authentication cannot be read")
        name = match[1].lower()
        if name in found:
            raise RemoteProtocolError("a parameter of authentication is there twice")
        found[name] = unquoted(match[2])
        at = match.end()
    return found
