"""Who is let in: digest challenges and the answers to them (RFC 7616, RFC 8760, RFC 3261 §22), 422."""

from __future__ import annotations

import random
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from protocols.sip import digest
from protocols.sip.headers import parse_session_expires

if TYPE_CHECKING:
    from protocols.sip.message import Request

    from .options import CalleeOptions
    from .records import Counters

_NONCE_OCTETS = 12
_NONCES = 10_000
_ALGORITHMS = {"MD5": ("MD5",), "SHA-256": ("SHA-256",), "both": ("SHA-256", "MD5")}
_HEADERS = {
    "401": (401, "Unauthorized", "WWW-Authenticate", "Authorization"),
    "407": (407, "Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
}


class Refusal(NamedTuple):
    """What a request without the right credentials is answered."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]


class _Nonce:
    """One nonce: what was asked with it, how often it was used, how often it has still to be called stale."""

    def __init__(self, challenges: list[digest.Challenge], stale_left: int) -> None:
        self.challenges = challenges
        self.used = 0
        self.stale_left = stale_left


class Gate:
    """Hands out nonces and takes each nonce count of them once."""

    def __init__(self, rng: random.Random, counters: Counters) -> None:
        self._rng = rng
        self._counters = counters
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()

    def refusal(self, request: Request, options: CalleeOptions) -> Refusal | None:
        """What the request is refused with; None when it is let in."""
        if options.challenge == "none":
            return _session_interval(request, options)
        answer = request.headers.get(_HEADERS[options.challenge][3])
        nonce = self._nonces.get(digest.nonce_of(answer) or "") if answer else None
        if answer is None or nonce is None:
            return self._challenge(options, options.stale_nonces, stale=answer is not None)
        credentials = digest.Credentials(options.username, options.password, options.realm)
        right = any(
            digest.verify(answer, challenge, credentials, request.method, request.body)
            for challenge in nonce.challenges
        )
        count = digest.nonce_count(answer) or 0
        if not right:
            return self._challenge(options, nonce.stale_left, stale=False)
        if nonce.stale_left or count <= nonce.used:
            return self._challenge(options, max(0, nonce.stale_left - 1), stale=True)
        nonce.used = count
        return _session_interval(request, options)

    def _challenge(self, options: CalleeOptions, stale_left: int, *, stale: bool) -> Refusal:
        status, reason, header, _ = _HEADERS[options.challenge]
        value = self._rng.randbytes(_NONCE_OCTETS).hex()
        asked = [
            digest.Challenge(options.realm, value, algorithm, ("auth",), stale=stale)
            for algorithm in _ALGORITHMS[options.algorithms]
        ]
        self._nonces[value] = _Nonce(asked, stale_left)
        while len(self._nonces) > _NONCES:
            self._nonces.popitem(last=False)
        self._counters.challenged += 1
        return Refusal(status, reason, tuple((header, str(challenge)) for challenge in asked))


def _session_interval(request: Request, options: CalleeOptions) -> Refusal | None:
    """422 for a session that would be refreshed too often (RFC 4028 §9)."""
    asked = parse_session_expires(request.headers.get("session-expires") or "")
    if asked is None or asked[0] >= options.min_se_s:
        return None
    return Refusal(422, "Session Interval Too Small", (("Min-SE", str(options.min_se_s)),))
