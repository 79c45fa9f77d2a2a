"""A request other than INVITE that is asked again when it is challenged."""

from __future__ import annotations

from collections.abc import Callable

from protocols.sip.authorization import Authorization
from protocols.sip.core import Core
from protocols.sip.events import Flow
from protocols.sip.message import Request, Response
from protocols.sip.transactions import ClientTransaction

Build = Callable[[], Request]
"""Makes the request anew, with its own branch and the next CSeq."""

Done = Callable[[Response | None, int, float], None]
"""The final answer (None where there was none), its status or 408 or 503, and when."""


class Inquiry:
    """The user of the transactions of one request; ``done`` is called once."""

    __slots__ = ("_answered", "_authorization", "_build", "_core", "_done", "_flow")

    def __init__(
        self, core: Core, flow: Flow, build: Build, done: Done, authorization: Authorization | None
    ) -> None:
        self._core = core
        self._flow = flow
        self._build = build
        self._done = done
        self._authorization = authorization
        self._answered: dict[tuple[int, str], int] = {}

    def send(self, now: float) -> None:
        request = self._build()
        if self._authorization is not None:
            for name, value in self._authorization.headers(request.method, request.uri, request.body):
                request.headers.add(name, value)
        self._core.transactions.request(request, self._flow, self, now)

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if self._authorization is not None and self._authorization.learn(response, self._answered):
            self.send(now)
            return
        self._done(response, response.status, now)

    def failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        self._done(None, status, now)


def no_matter(response: Response | None, status: int, now: float) -> None:
    """Of a request whose answer changes nothing."""
