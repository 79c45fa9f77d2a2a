"""The asyncio shell: what a peer that does not read costs, and that a connection always ends."""

import asyncio
from typing import Any

import pytest

from connector.carriers import link as link_module
from connector.carriers.link import Link

pytestmark = pytest.mark.asyncio


class Quiet:
    """A core that says nothing but that the connection has ended."""

    def receive(self, data: bytes, now: float) -> None: ...
    def eof(self, now: float) -> None: ...
    def events(self) -> list[Any]:
        return ["ended"]

    def data_to_send(self) -> list[bytes]:
        return []

    def next_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None: ...


class Socket:
    def setsockopt(self, *_: int) -> None: ...


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"socket": Socket()})
        self.reading = True
        self.aborted = asyncio.Event()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None: ...
    def abort(self) -> None:
        self.aborted.set()


def connected(transport: Transport, on_events: Any = lambda events, now: None) -> Link:
    link = Link(Quiet(), asyncio.get_running_loop().time, on_events)
    link.connection_made(transport)
    return link


async def test_from_a_peer_that_does_not_read_nothing_is_read() -> None:
    transport = Transport()
    link = connected(transport)
    link.pause_writing()
    assert not transport.reading
    link.pause()
    link.resume_writing()
    assert not transport.reading, "the bind has not resumed"
    link.pause_writing()
    link.resume()
    assert not transport.reading, "the peer does not read yet"
    link.resume_writing()
    assert transport.reading


async def test_a_peer_that_does_not_read_cannot_keep_a_closed_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "_CLOSE_S", 0.01)
    transport = Transport()
    connected(transport).close()
    assert not transport.aborted.is_set()
    await asyncio.wait_for(transport.aborted.wait(), 5)


async def test_it_ends_even_where_its_owner_fails() -> None:
    def fail(events: list[Any], now: float) -> None:
        raise RuntimeError

    link = connected(Transport(), fail)
    with pytest.raises(RuntimeError):
        link.connection_lost(None)
    assert link.closed.done()
