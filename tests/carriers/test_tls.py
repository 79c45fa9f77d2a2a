"""TLS to a carrier: verified or not at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from connector.carriers.smpp import SmppCarrier
from connector.config import Carrier as CarrierConfig
from connector.config.carrier import Account, Backoff, Binds, Tls
from connector.config.tls import CredentialAbsent, TlsError, context_of
from connector.metrics import CarrierMetrics
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from tests.carriers.stage import Told, now


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def folder(tmp_path: Path, authority: trustme.CA) -> Path:
    """ca.pem; ours.pem and ours.key for our side; other.key of another certificate; locked.key, encrypted."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ours, other = authority.issue_cert("esme.example"), authority.issue_cert("other.example")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "ours.pem")
    ours.private_key_pem.write_to_path(tmp_path / "ours.key")
    other.private_key_pem.write_to_path(tmp_path / "other.key")
    key = load_pem_private_key(ours.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "locked.key").write_bytes(locked)
    (tmp_path / "rubbish.pem").write_text("no certificate")
    return tmp_path


# What a context permits


def test_modern_and_verified_by_default() -> None:
    context = context_of(Tls(), "/")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not [key for key in Tls.__struct_fields__ if "verif" in key or "insecure" in key]


def test_pinned_authorities_are_the_only_ones(folder: Path) -> None:
    assert len(context_of(Tls(ca_file="ca.pem"), str(folder)).get_ca_certs()) == 1


def test_what_is_pinned_counts_alike_with_every_python(folder: Path) -> None:
    """3.13 changed the defaults; an authority of a carrier's own often lacks extensions of RFC 5280."""
    flags = context_of(Tls(ca_file="ca.pem"), str(folder)).verify_flags
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not flags & ssl.VERIFY_X509_STRICT


def test_a_certificate_of_ours(folder: Path) -> None:
    context_of(Tls(certificate_file="ours.pem", key_file=str(folder / "ours.key")), str(folder))
    environment = {"CREDENTIALS_DIRECTORY": str(folder)}
    context_of(Tls(certificate_file="ours.pem", key_credential="ours.key"), str(folder), environment)


def test_a_credential_outside_systemd_is_another_matter(folder: Path) -> None:
    with pytest.raises(CredentialAbsent, match="CREDENTIALS_DIRECTORY"):
        context_of(Tls(certificate_file="ours.pem", key_credential="ours.key"), str(folder), {})


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({"ca_file": "none.pem"}, "ca_file", "none.pem cannot be read: No such file"),
        ({"ca_file": "rubbish.pem"}, "ca_file", "holds no certificate"),
        ({"certificate_file": "ours.pem"}, "key_file", "either `key_file` or `key_credential`"),
        ({"key_file": "ours.key"}, "certificate_file", "is missing"),
        ({"certificate_file": "none.pem", "key_file": "ours.key"}, "certificate_file", "cannot be read"),
        ({"certificate_file": "ours.pem", "key_file": "none.key"}, "key_file", "cannot be read"),
        ({"certificate_file": "ours.pem", "key_file": "other.key"}, "key_file", "does not belong to"),
        ({"certificate_file": "ours.pem", "key_file": "locked.key"}, "key_file", "encrypted"),
        ({"certificate_file": "rubbish.pem", "key_file": "ours.key"}, "key_file", "expected PEM"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, keys: Mapping[str, str], key: str, reason: str) -> None:
    with pytest.raises(TlsError, match=reason) as raised:
        context_of(Tls(**keys), str(folder))
    assert raised.value.key == key


# A carrier behind TLS


@asynccontextmanager
async def carrier_behind_tls(context: ssl.SSLContext) -> AsyncIterator[tuple[Smsc, int]]:
    """The simulated carrier, and the port of a TLS server in front of it."""
    smsc = Smsc(SmscOptions(), seed=7)
    port = await smsc.start()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65_536):
                    target.write(data)
                target.close()
            except OSError:
                target.transport.abort()

        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    try:
        yield smsc, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await smsc.stop()


def server_side(authority: trustme.CA, name: str, *, wants_ours: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    if wants_ours:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def carrier_of(port: int, folder: Path, tls: Tls, told: Told) -> SmppCarrier:
    password = folder / "password"
    password.write_text("secret")
    config = CarrierConfig(
        name="sim",
        password_path=str(password),
        folder=str(folder),
        account=Account(host="127.0.0.1", port=port, system_id="shop", password_file="password"),
        tls=tls,
        binds=Binds(tps=1000.0),
        backoff=Backoff(initial_s=0.02, max_s=0.05),
    )
    return SmppCarrier(
        config, account=1, max_parts=4, outcomes=told, metrics=CarrierMetrics(), now=now, rng=Random(1)
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "tls"),
    [
        ("127.0.0.1", {}),
        ("smsc.example", {"server_name": "smsc.example"}),
        ("127.0.0.1", {"certificate_file": "ours.pem", "key_file": "ours.key"}),
    ],
    ids=["host", "server name", "client certificate"],
)
async def test_it_binds(folder: Path, authority: trustme.CA, name: str, tls: Mapping[str, str]) -> None:
    told = Told()
    context = server_side(authority, name, wants_ours="key_file" in tls)
    async with carrier_behind_tls(context) as (smsc, port):
        carrier = carrier_of(port, folder, Tls(ca_file="ca.pem", **tls), told)
        carrier.start()
        try:
            await told.until(lambda: carrier.room(now()) > 0)
            assert smsc.records.counters.binds == 1
        finally:
            await carrier.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "tls", "reason"),
    [
        ("other.example", {"ca_file": "ca.pem"}, "IP address mismatch"),
        ("other.example", {"ca_file": "ca.pem", "server_name": "smsc.example"}, "Hostname mismatch"),
        ("127.0.0.1", {}, "certificate verify failed"),
    ],
    ids=["another host", "another name", "unknown authority"],
)
async def test_it_says_nothing_to_who_is_not_the_carrier(
    folder: Path,
    authority: trustme.CA,
    caplog: pytest.LogCaptureFixture,
    name: str,
    tls: Mapping[str, str],
    reason: str,
) -> None:
    async with carrier_behind_tls(server_side(authority, name)) as (smsc, port):
        carrier = carrier_of(port, folder, Tls(**tls), Told())
        carrier.start()
        try:
            async with asyncio.timeout(10):
                while not caplog.records or len(caplog.records) < 2:
                    await asyncio.sleep(0.01)
        finally:
            await carrier.stop()
        assert reason in str(caplog.records[0].__dict__)
        assert smsc.records.counters.binds == 0
    assert "secret" not in caplog.text
