"""Datagrams and connections: batches, bounds, one connection a peer, TLS that verifies."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme

from connector.voice.datagrams import Datagrams
from connector.voice.resolve import Target
from connector.voice.streams import Streams


class Reader:
    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.gone: list[str] = []
        self.came = asyncio.Event()

    def received(self, data: bytes, flow) -> None:
        self.got.append(data)
        self.came.set()

    def lost(self, flow, reason: str) -> None:
        self.gone.append(reason)
        self.came.set()

    async def until(self, condition) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def server(context: ssl.SSLContext | None = None):
    """Echoes; yields (port, the writers of its connections)."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1], writers
    finally:
        listening.close()
        await cut(writers)


async def cut(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


@pytest.mark.asyncio
async def test_datagrams_that_came_together_are_read_together() -> None:
    batches: list[list[bytes]] = []
    came = asyncio.Event()

    def read(batch) -> None:
        batches.append([data for data, _ in batch])
        came.set()

    datagrams = Datagrams(("127.0.0.1", 0), "", read)
    await datagrams.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        for number in range(50):
            peer.sendto(b"%d" % number, datagrams.local("127.0.0.1"))
        async with asyncio.timeout(10):
            while sum(map(len, batches)) < 50:
                came.clear()
                await came.wait()
        assert [data for batch in batches for data in batch] == [b"%d" % number for number in range(50)]
        assert datagrams.send(b"answer", peer.getsockname())
        peer.settimeout(10)
        assert peer.recv(100) == b"answer"
    await datagrams.close()


@pytest.mark.rule("sip.limits")
@pytest.mark.asyncio
async def test_datagrams_nobody_reads_are_dropped_and_counted() -> None:
    datagrams = Datagrams(("127.0.0.1", 0), "", lambda batch: None)
    await datagrams.open()
    for _ in range(5000):  # no turn of the loop between them: nothing is read
        datagrams._queue.put_nowait((b"x", ("127.0.0.1", 9)))
    assert datagrams._queue.qsize() == 4096 and datagrams.dropped == 5000 - 4096
    await datagrams.close()  # and its end is not among what was dropped


@pytest.mark.asyncio
async def test_what_peers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere = Datagrams(("0.0.0.0", 0), "", lambda batch: None)
    behind_nat = Datagrams(("0.0.0.0", 0), "198.51.100.7", lambda batch: None)
    for datagrams in (anywhere, behind_nat):
        await datagrams.open()
    assert anywhere.local("127.0.0.1")[0] == "127.0.0.1"
    assert behind_nat.local("127.0.0.1")[0] == "198.51.100.7"
    for number in range(1000):
        anywhere.local(f"127.0.{number // 250}.{number % 250}")
    assert len(anywhere._routes) <= 256
    assert not anywhere.send(b"x", ("2001:db8::1", 5060))
    for datagrams in (anywhere, behind_nat):
        await datagrams.close()


@pytest.mark.asyncio
async def test_one_connection_serves_all_and_is_opened_again() -> None:
    reader = Reader()
    streams = Streams(reader, "", "")
    async with server() as (port, writers):
        target = Target("tcp", "127.0.0.1", port, "x")
        flows = await asyncio.gather(*(streams.flow(target, None) for _ in range(5)))
        assert len(set(flows)) == 1 and len(writers) <= 1
        assert streams.send(flows[0], b"one") and streams.send(flows[0], b"two")
        await reader.until(lambda: b"".join(reader.got) == b"onetwo")
        writers[0].transport.abort()
        await reader.until(lambda: reader.gone)
        assert not streams.send(flows[0], b"lost") and len(streams) == 0
        again = await streams.flow(target, None)
        assert again != flows[0] and streams.send(again, b"three")
        await reader.until(lambda: reader.got[-1] == b"three")
    await streams.close()
    assert len(streams) == 0


@pytest.mark.asyncio
async def test_nobody_there() -> None:
    streams = Streams(Reader(), "", "")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        with pytest.raises(ConnectionRefusedError):
            await streams.flow(Target("tcp", *taken.getsockname(), "x"), None)
    await streams.close()


@pytest.mark.asyncio
async def test_a_peer_that_does_not_read_is_cut_off() -> None:
    reader = Reader()
    streams = Streams(reader, "", "")

    writers: list[asyncio.StreamWriter] = []

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.transport.pause_reading()

    listening = await asyncio.start_server(deaf, "127.0.0.1", 0)
    flow = await streams.flow(Target("tcp", *listening.sockets[0].getsockname(), "x"), None)
    while streams.send(flow, bytes(1 << 20)):
        pass
    await reader.until(lambda: reader.gone)
    assert len(streams) == 0
    await streams.close()
    listening.close()
    await cut(writers)


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "trusted"), [("sip.example", True), ("evil.example", False)])
async def test_tls_names_the_trunks_own_domain(name: str, trusted: bool) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(serving)

    def context_of(ca: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context()
        ca.configure_trust(context)
        return context

    reader = Reader()
    streams = Streams(reader, "", "")
    async with server(serving) as (port, _):
        target = Target("tls", "127.0.0.1", port, "sip.example")

        def ours() -> ssl.SSLContext:
            return context_of(authority)

        if trusted:
            streams.send(await streams.flow(target, ours), b"hello")
            await reader.until(lambda: reader.got == [b"hello"])
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await streams.flow(target, ours)
        with pytest.raises(ssl.SSLCertVerificationError):
            await streams.flow(target, lambda: context_of(stranger))
    await streams.close()
