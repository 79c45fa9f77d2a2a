"""One bind of the probe: a session over a connection, or two where the carrier has no transceivers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any

from connector.carriers.link import Link
from connector.probe.reading import Delivery
from connector.probe.trial import Answer, Asked, BindMode, Opened
from protocols.smpp import events as smpp
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.pdu import CancelSm, QuerySm, SubmitSm
from protocols.smpp.session import Mode, Session
from protocols.smpp.session_config import SessionConfig
from protocols.smpp.state import State

__all__ = ["Bind", "Slot"]

_CLOSE_S = 3.0

_MODES: dict[BindMode, tuple[Mode, ...]] = {
    "transceiver": ("transceiver",),
    "transmitter+receiver": ("transmitter", "receiver"),
}


class Slot:
    """Where the answer to one request will stand; `answer` None means not yet."""

    __slots__ = ("answer", "asked", "sent_at")

    def __init__(self, sent_at: float) -> None:
        self.sent_at = sent_at
        self.answer: Answer | None = None
        self.asked: Asked | None = None

    def silent(self, now: float) -> None:
        self.answer = Answer(None, b"", (), self.sent_at, now)


class _Connection:
    """One session and its connection; `opened` is set once the carrier has answered the bind."""

    def __init__(self, config: SessionConfig, now: Callable[[], float], on_change: Callable[[], None],
                 on_delivery: Callable[[Delivery], None]) -> None:  # fmt: skip
        self.session = Session(config)
        self.opened: Opened | None = None
        self.link: Link | None = None
        self._bind_timeout_s = config.bind_timeout_s
        self._settled = asyncio.Event()
        self._now = now
        self._on_change = on_change
        self._on_delivery = on_delivery
        self._takers: dict[type[Any], Callable[[Any, float], None]] = {
            smpp.Bound: self._on_bound,
            smpp.BindRefused: self._on_refused,
            smpp.SubmitAnswered: self._on_answer,
            smpp.LateAnswer: self._on_answer,
            smpp.SubmitTimedOut: self._on_timeout,
            smpp.SubmitsLost: self._on_lost,
            smpp.DeliverReceived: self._on_deliver,
            smpp.QueryAnswered: self._on_asked,
            smpp.CancelAnswered: self._on_asked,
            smpp.PeerUnbound: self._on_end,
            smpp.Unbound: self._on_end,
            smpp.LinkDead: self._on_end,
            smpp.ProtocolViolation: self._on_end,
        }

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None, name: str | None) -> Opened:
        """Connect and bind. Errors of the connection become the reason."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._bind_timeout_s):
                _, self.link = await loop.create_connection(
                    lambda: Link(self.session, self._now, self._on_events), host, port,
                    ssl=tls, server_hostname=name if tls else None,
                )  # fmt: skip
        except TimeoutError:
            return Opened(None, None, f"{host}:{port}: no connection within {self._bind_timeout_s:g} s")
        except OSError as error:
            return Opened(None, None, f"{host}:{port}: {error}")
        self.session.bind(self._now())
        self.link.flush()
        self.link.closed.add_done_callback(lambda _: self._settled.set())
        await self._settled.wait()
        return self.opened or Opened(None, None, "the connection ended without an answer to the bind")

    @property
    def alive(self) -> bool:
        return self.session.window_free > 0 or self.session.state is State.BOUND_RX

    async def close(self) -> None:
        """Unbind, and close whether that is answered or not."""
        if self.link is None:
            return
        if not self.link.closed.done():
            with contextlib.suppress(LocalProtocolError):
                self.session.unbind(self._now())
                self.link.flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await asyncio.shield(self.link.closed)
        self.link.abort()

    def abort(self) -> None:
        if self.link is not None:
            self.link.abort()

    def _on_events(self, happened: list[Any], now: float) -> None:
        for event in happened:
            taker = self._takers.get(type(event))
            if taker is not None:
                taker(event, now)
        self._on_change()

    def _on_bound(self, event: smpp.Bound, now: float) -> None:
        self.opened = Opened(0, event.sc_interface_version)
        self._settled.set()

    def _on_refused(self, event: smpp.BindRefused, now: float) -> None:
        self.opened = Opened(event.status, None)
        self._settled.set()
        self._end()

    def _on_answer(self, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None:
        slot: Slot = event.context
        tlvs = event.tlvs if isinstance(event, smpp.SubmitAnswered) else ()
        slot.answer = Answer(event.status, event.message_id, tlvs, slot.sent_at, now)

    def _on_timeout(self, event: smpp.SubmitTimedOut, now: float) -> None:
        event.context.silent(now)

    def _on_lost(self, event: smpp.SubmitsLost, now: float) -> None:
        for slot in event.contexts:
            slot.silent(now)

    def _on_deliver(self, event: smpp.DeliverReceived, now: float) -> None:
        self._on_delivery(event.pdu)
        self.session.acknowledge(event.sequence, now)

    def _on_asked(self, event: smpp.QueryAnswered | smpp.CancelAnswered, now: float) -> None:
        event.context.asked = Asked(event.status, getattr(event, "pdu", None))

    def _on_end(self, event: object, now: float) -> None:
        self._end()

    def _end(self) -> None:
        if self.link is not None:
            self.link.flush()
            self.link.close()


class Bind:
    """A transceiver, or a transmitter and a receiver."""

    def __init__(self, configs: Callable[[Mode], SessionConfig], mode: BindMode, now: Callable[[], float],
                 on_change: Callable[[], None], on_delivery: Callable[[Delivery], None]) -> None:  # fmt: skip
        self._now = now
        self._connections = [_Connection(configs(each), now, on_change, on_delivery) for each in _MODES[mode]]

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None, name: str | None) -> Opened:
        """The first answer that is no success, else the transmitter's."""
        answers = []
        for connection in self._connections:
            answers.append(await connection.open(host, port, tls, name))
            if answers[-1].status != 0:
                await self.close()
                return answers[-1]
        return answers[0]

    def abort(self) -> None:
        """Cut the connections without a word."""
        for connection in self._connections:
            connection.abort()

    async def close(self) -> None:
        for connection in reversed(self._connections):
            await connection.close()

    @property
    def alive(self) -> bool:
        return all(connection.alive for connection in self._connections)

    def submit(self, pdu: SubmitSm) -> Slot:
        """Send with the next `flush`; with the connection gone the answer is silence at once."""
        now = self._now()
        slot = Slot(now)
        if self.alive:
            self._connections[0].session.submit(pdu, slot, now)
        else:
            slot.silent(now)
        return slot

    def ask(self, pdu: QuerySm | CancelSm) -> Slot:
        now = self._now()
        slot = Slot(now)
        session = self._connections[0].session
        (session.query if isinstance(pdu, QuerySm) else session.cancel)(pdu, slot, now)  # type: ignore[arg-type]
        self.flush()
        return slot

    def flush(self) -> None:
        link = self._connections[0].link
        if link is not None:
            link.flush()
