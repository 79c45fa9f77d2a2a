"""Binds a carrier limits, its further addresses, TLS and outbind."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import trustme

from connector.simulator.control import ControlError
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from protocols.smpp.constants import CommandId, Status
from protocols.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    EnquireLink,
    Outbind,
    Unbind,
)
from tests.simulator.esme import PATIENCE_S, Esme, carrier, text_to
from tests.simulator.test_control import controlled, say

pytestmark = pytest.mark.asyncio


async def test_so_many_binds_and_not_one_more() -> None:
    async with carrier(max_binds=2) as running:
        first, second, third = [await running.esme() for _ in range(3)]
        assert [await esme.bind() for esme in (first, second, third)] == [0, 0, Status.ESME_RALYBND]
        assert await (await running.esme()).bind(account=b"other") == 0
        await first.ask(Unbind())
        assert await third.bind() == 0
        running.smsc.cut()
        assert await second.rest() == b""
        assert await (await running.esme()).bind() == 0


async def test_binds_keep_their_distance() -> None:
    async with carrier(bind_spacing_s=30) as running:
        begun = asyncio.get_running_loop().time()
        first, second = [await running.esme() for _ in range(2)]
        assert [await first.bind(), await second.bind()] == [0, Status.ESME_RALYBND]
        running.smsc.now = lambda: begun + 31
        assert await second.bind() == 0
        assert await (await running.esme()).bind() == Status.ESME_RALYBND


@pytest.mark.parametrize(
    ("options", "kind", "fields", "status"),
    [
        ({"bind_modes": "transmitter,receiver"}, BindTransceiver, {}, Status.ESME_RBINDFAIL),
        ({"bind_modes": "transmitter,receiver"}, BindTransmitter, {}, 0),
        ({"bind_modes": "transceiver"}, BindReceiver, {}, Status.ESME_RBINDFAIL),
        ({"system_type": "OTP"}, BindTransceiver, {"system_type": b"OTP"}, 0),
        ({"system_type": "OTP"}, BindTransceiver, {}, Status.ESME_RINVSYSTYP),
    ],
)
async def test_kinds_and_types_of_binds(options: dict, kind: type, fields: dict, status: int) -> None:
    async with carrier(**options) as running:
        assert (await (await running.esme()).ask(kind(b"acme", **fields))).status == status


@pytest.mark.parametrize(
    ("version", "tlvs"), [("3.3", ()), ("3.4", ((0x0210, b"\x34"),)), ("5.0", ((0x0210, b"\x50"),))]
)
async def test_the_version_is_told(version: str, tlvs: tuple) -> None:
    async with carrier(interface_version=version) as running:
        answer = await (await running.esme()).ask(BindTransceiver(b"acme"))
        assert (answer.status, answer.pdu.tlvs) == (0, tlvs)


async def test_a_carrier_with_several_addresses_loses_one() -> None:
    async with carrier(standby=1) as running:
        smsc = running.smsc
        second = list(smsc.ports)[1]
        assert smsc.ports == {running.port: True, second: True}
        assert smsc.stats()["ports"] == [running.port, second]
        here = await running.bound()
        there = Esme(*await asyncio.open_connection("127.0.0.1", second))
        running.esmes.append(there)
        assert await there.bind() == 0
        await smsc.listen(running.port, on=False)
        assert await here.rest() == b""
        assert (await there.ask(EnquireLink())).command_id == CommandId.ENQUIRE_LINK_RESP
        with pytest.raises(ConnectionRefusedError):
            await running.esme()
        await smsc.listen(running.port, on=True)
        await running.bound()
        await smsc.listen(second, on=False, cut=False)
        assert (await there.ask(EnquireLink())).command_id == CommandId.ENQUIRE_LINK_RESP


async def test_standby_ports_are_the_next_ones(random: Random) -> None:
    first, second = Smsc(), Smsc()
    for _ in range(100):
        port = random.randrange(20_000, 30_000)  # below those the system chooses
        with suppress(OSError):
            assert await first.start(port=port, standby=2) == port
            break
    assert list(first.ports) == [port, port + 1, port + 2]
    with pytest.raises(OSError, match="in use"):
        await second.start(port=port + 2, standby=1)
    assert second.ports == {}
    await first.stop()


async def test_addresses_come_and_go_by_control() -> None:
    async with controlled() as (running, _, port):
        assert await say(port, "listen") == [{"port": running.port, "listens": True}]
        closed = [{"port": running.port, "listens": False}]
        assert await say(port, "listen", port=running.port, on=False) == closed
        with pytest.raises(ConnectionRefusedError):
            await running.esme()
        assert await say(port, "listen", port=running.port, on=True) == [
            {"port": running.port, "listens": True}
        ]
        await running.bound()
        with pytest.raises(ControlError, match="port: expected one of"):
            await say(port, "listen", port=1, on=True)


class EsmeThatListens:
    """An ESME waiting for outbind, as `bind_receiver` would follow it (SMPP 3.4 §2.2.1)."""

    def __init__(self) -> None:
        self.connected: asyncio.Queue[Esme] = asyncio.Queue()

    async def __aenter__(self) -> "EsmeThatListens":
        self.server = await asyncio.start_server(
            lambda reader, writer: self.connected.put_nowait(Esme(reader, writer)), "127.0.0.1", 0
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def next(self) -> Esme:
        async with asyncio.timeout(10):
            return await self.connected.get()


async def test_outbind_asks_for_a_bind() -> None:
    async with EsmeThatListens() as listening:
        options = {"outbind_system_id": "smsc", "outbind_password": "knock"}
        async with carrier(outbind=f"127.0.0.1:{listening.port}", **options) as running:
            esme = await listening.next()
            request = await esme.next()
            assert (request.command_id, request.pdu) == (CommandId.OUTBIND, Outbind(b"smsc", b"knock"))
            assert await esme.bind() == 0
            assert (await esme.ask(text_to("4915112345678"))).status == 0
            await esme.receipt()
            await running.smsc.outbind("127.0.0.1", listening.port)
            again = await listening.next()
            assert (await again.next()).command_id == CommandId.OUTBIND
            await esme.close()
            await again.close()


async def test_outbind_waits_for_an_esme_that_is_not_there_yet() -> None:
    async with EsmeThatListens() as listening:
        address = ("127.0.0.1", listening.port)
    async with carrier(outbind=f"{address[0]}:{address[1]}"):
        await asyncio.sleep(0)
        connected: asyncio.Queue[Esme] = asyncio.Queue()
        server = await asyncio.start_server(
            lambda reader, writer: connected.put_nowait(Esme(reader, writer)), *address
        )
        async with server, asyncio.timeout(PATIENCE_S):
            esme = await connected.get()
            assert (await esme.next()).command_id == CommandId.OUTBIND
            await esme.close()


async def test_outbind_by_control() -> None:
    async with EsmeThatListens() as listening, controlled() as (_, _, port):
        assert await say(port, "outbind", host="127.0.0.1", port=listening.port) is None
        esme = await listening.next()
        assert (await esme.next()).command_id == CommandId.OUTBIND
        await esme.close()
        with pytest.raises(ControlError, match="port as a whole number"):
            await say(port, "outbind", host="127.0.0.1", port="2775")
    with pytest.raises(ControlError, match="cannot connect"):
        async with controlled() as (_, _, port):
            await say(port, "outbind", host="127.0.0.1", port=listening.port)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> dict[str, str]:
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "carrier.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return {"tls_certificate": str(tmp_path / "carrier.pem"), "tls_client_ca": str(tmp_path / "ca.pem")}


async def test_tls(files: dict[str, str], authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with carrier(tls_certificate=files["tls_certificate"]) as running:
        esme = Esme(*await asyncio.open_connection("127.0.0.1", running.port, ssl=context))
        assert await esme.bind() == 0
        assert (await esme.ask(text_to("4915112345678"))).status == 0
        await esme.receipt()
        await esme.close()


@pytest.mark.parametrize("ours", [False, True])
async def test_tls_with_our_certificate(files: dict[str, str], authority: trustme.CA, ours: bool) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if ours:
        authority.issue_cert("esme.example").configure_cert(context)
    async with carrier(**files) as running:
        # With TLS 1.3 the handshake ends before the carrier has looked at the certificate.
        esme = Esme(*await asyncio.open_connection("127.0.0.1", running.port, ssl=context))
        try:
            if ours:
                assert await esme.bind() == 0
            else:
                with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
                    await esme.bind()
        finally:
            esme.writer.transport.abort()


async def test_files_that_do_not_serve_are_an_error(tmp_path: Path) -> None:
    smsc = Smsc(SmscOptions(tls_certificate=str(tmp_path / "missing.pem")))
    with pytest.raises(OSError, match="No such file"):
        await smsc.start()
    assert smsc.ports == {}
