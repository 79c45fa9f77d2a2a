"""Answering challenges (RFC 3261 §22): which ones, and with whose credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from protocols.sip.digest import Challenge, Credentials, answer, challenges, choose
from protocols.sip.message import Response

MAX_STALE: Final = 3
"""How many nonces may be out of date one after another before we take it for a refusal."""

_HEADERS: Final = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


class Authorization:
    """The credentials of a call or a registration, and the challenges they may answer.

    Only a challenge of the credentials' own realm is answered; where they name none, of a realm that is one
    of ``hosts``, theirs included. A foreign realm never learns anything.
    """

    def __init__(
        self, credentials: Credentials | None, hosts: frozenset[str], token: Callable[[], str]
    ) -> None:
        self._credentials = credentials
        self._hosts = hosts
        self._token = token
        self._known: dict[tuple[int, str], tuple[Challenge, int]] = {}

    def headers(self, method: str, uri: str, body: bytes) -> list[tuple[str, str]]:
        """What a request carries: an answer to every challenge known."""
        if self._credentials is None or not self._known:
            return []
        lines = []
        for (status, realm), (challenge, used) in self._known.items():
            value = answer(challenge, self._credentials, method, uri, body, self._token(), used + 1)
            self._known[status, realm] = (challenge, used + 1)
            lines.append((_HEADERS[status][1], value))
        return lines

    def learn(self, response: Response, answered: dict[tuple[int, str], int]) -> bool:
        """Whether it is worth asking again after a 401 or 407.

        ``answered`` counts what the request was already repeated for. A challenge that comes again is a
        refusal of the credentials, unless it says that only the nonce was stale.
        """
        if self._credentials is None or response.status not in _HEADERS:
            return False
        name = _HEADERS[response.status][0]
        allowed = [each for each in challenges(response.headers.all(name)) if self._may_answer(each)]
        challenge = choose(allowed, self._credentials)
        if challenge is None:
            return False
        key = (response.status, challenge.realm.lower())  # a realm in other letters is no other one
        times = answered.get(key, 0)
        known = self._known.get(key)
        if known is not None and known[0].nonce == challenge.nonce:
            return False
        if times and (not challenge.stale or times > MAX_STALE):
            return False
        answered[key] = times + 1
        self._known[key] = (challenge, 0)
        return True

    def _may_answer(self, challenge: Challenge) -> bool:
        credentials = self._credentials
        if credentials is None:
            return False
        if credentials.realm is not None:
            return challenge.realm == credentials.realm
        return challenge.realm.lower() in self._hosts | credentials.hosts
