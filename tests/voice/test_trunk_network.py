"""The way to the carrier: failover, credentials, connections, TLS, registration, OPTIONS."""

import asyncio
import ssl
from contextlib import AsyncExitStack

import pytest
import trustme

from connector.voice.lookup import Answer
from tests.voice.trunk_rig import callee, detail, rig, trunk_config
from tests.voice.uas import HASTY, Answerer, answers

pytestmark = pytest.mark.asyncio


class Names:
    """A DNS that knows one name."""

    def __init__(self, name: str = "sip.example", *addresses: str) -> None:
        self.name, self.addresses = name, addresses or ("127.0.0.1",)
        self.asked: list[str] = []

    async def __call__(self, name: str, kind: str) -> Answer:
        self.asked.append(name)
        return Answer(self.addresses if (name, kind) == (self.name, "A") else (), 60.0)


@pytest.fixture
def password(tmp_path) -> str:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    return str(file)


def account(password: str, **more) -> dict:
    return {"trunk": {"username": "user", "realm": "sip.example", **more}, "password_path": password}


@pytest.mark.rule("sip.status-503")
async def test_503_goes_to_the_next_address_and_retry_after_is_kept() -> None:
    async def full(answerer: Answerer) -> None:
        answerer.reject(503, ("Retry-After", "60"))

    async with callee(full) as first, callee(answers) as second:
        config = trunk_config(first.port, trunk={"standby": [f"127.0.0.1:{second.port}"]})
        async with rig(config) as trunk:
            await trunk.up()
            assert (await trunk.call()).result == "delivered"
            assert len(first.methods("INVITE")) == 1
            assert (await trunk.call()).result == "delivered"
            assert len(first.methods("INVITE")) == 1 and len(second.calls) == 2


@pytest.mark.rule("sip.redial")
async def test_a_telephone_that_rang_is_not_called_by_another_way() -> None:
    async def rings_then_fails(answerer: Answerer) -> None:
        answerer.ring()
        answerer.reject(503)

    async with callee(rings_then_fails) as first, callee(answers) as second:
        config = trunk_config(first.port, trunk={"standby": [f"127.0.0.1:{second.port}"]})
        async with rig(config) as trunk:
            await trunk.up()
            end = await trunk.call()
            assert (end.result, end.status, end.redial_s) == ("undelivered", 503, None) and not second.calls


@pytest.mark.rule("sip.redial")
async def test_a_telephone_that_rang_is_not_called_again_although_it_is_busy() -> None:
    async def rings_and_is_busy(answerer: Answerer) -> None:
        answerer.ring()
        answerer.reject(486)

    async with callee(rings_and_is_busy) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert (end.result, end.reason, end.redial_s) == ("undelivered", "busy", None)


@pytest.mark.rule("sip.redial")
async def test_a_connection_lost_after_ringing_leaves_the_end_unknown() -> None:
    async def rings_and_dies(answerer: Answerer) -> None:
        answerer.ring()
        await asyncio.sleep(0.1)
        for writer in answerer.uas._writers.values():
            writer.transport.abort()

    async with callee(rings_and_dies) as uas:
        port = await uas.listen()
        async with rig(trunk_config(port, trunk={"transport": "tcp"})) as trunk:
            await trunk.up()
            end = await trunk.call()
            assert end.redial_s is None and end.result == "unknown"


async def test_nobody_anywhere_rests_the_trunk() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port), timers=HASTY) as trunk:
        uas.mute = True
        await trunk.up()
        now = trunk.clock.now
        end = await trunk.call()
        assert end.result == "refused" and end.reason == "the carrier did not respond"
        assert trunk.trunk.state(now()) == "down" and trunk.trunk.room(now()) == 0
        assert now() < trunk.trunk.room_at(now()) <= now() + 30


@pytest.mark.rule("sip.options")
async def test_options_find_out_who_is_there() -> None:
    async with callee(answers) as uas:
        uas.mute = True
        async with rig(trunk_config(uas.port, trunk={"options_s": 0.1}), timers=HASTY) as trunk:
            await trunk.book.until(lambda: trunk.trunk.uplink.targets)
            await trunk.book.until(lambda: trunk.trunk.state(trunk.clock.now()) == "down")
            uas.mute = False
            await trunk.up()
            assert (await trunk.call()).result == "delivered"


async def test_digest_and_that_a_repeated_challenge_is_no_refusal(password: str) -> None:
    async def plan(answerer: Answerer) -> None:
        if answerer.request.headers.get("Proxy-Authorization") or answerer.request.headers.get(
            "Authorization"
        ):
            await answers(answerer)
        else:
            answerer.challenge("sip.example")

    async with callee(plan) as uas, rig(trunk_config(uas.port, **account(password))) as trunk:
        await trunk.up()
        assert (await trunk.call()).result == "delivered"


@pytest.mark.rule("sip.digest-realm")
async def test_another_realm_gets_no_credentials(password: str) -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.challenge("evil.example")

    async with callee(plan) as uas, rig(trunk_config(uas.port, **account(password))) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert (end.result, end.reason) == ("refused", "not permitted by the carrier")
        assert len(uas.methods("INVITE")) == 1
        assert not any(
            name.lower().endswith("authorization") for request in uas.seen for name, _ in request.headers
        )


@pytest.mark.rule("sip.digest-realm")
@pytest.mark.parametrize(
    ("realm", "answered"),
    [
        ("SIP.example", True),
        ("customers.example", True),
        ("127.0.0.1", True),
        ("sub.sip.example", False),
        ("example", False),
        ("", False),
    ],
)
async def test_without_a_realm_only_the_trunks_own_names_get_credentials(
    password: str, realm: str, answered: bool
) -> None:
    async def plan(answerer: Answerer) -> None:
        if answerer.request.headers.get("Authorization"):
            answerer.reject(486)
        else:
            answerer.challenge(realm)

    names = {"host": "sip.example", "domain": "customers.example", "realm": None}
    async with callee(plan) as uas:
        config = trunk_config(uas.port, **account(password, **names))
        async with rig(config, lookup=Names()) as trunk:
            await trunk.up()
            assert (await trunk.call()).reason == ("busy" if answered else "not permitted by the carrier")


@pytest.mark.rule("sip.no-redirect")
async def test_a_redirection_is_not_followed() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.reject(302, ("Contact", "<sip:+882999@127.0.0.1>"))

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert end.result == "refused" and len(uas.methods("INVITE")) == 1


async def test_calls_leave_through_the_outbound_proxy() -> None:
    async with callee(answers) as proxy:
        config = trunk_config(9, trunk={"host": "sip.example", "outbound_proxy": f"127.0.0.1:{proxy.port}"})
        async with rig(config) as trunk:
            await trunk.up()
            assert (await trunk.call()).result == "delivered"
            (invite,) = proxy.methods("INVITE")
            assert invite.uri.endswith("@sip.example")
            assert invite.headers.get("Route") == f"<sip:127.0.0.1:{proxy.port};lr>"


async def test_over_tcp() -> None:
    async with callee(answers) as uas:
        port = await uas.listen()
        async with rig(trunk_config(port, trunk={"transport": "tcp"})) as trunk:
            await trunk.up()
            ends = await asyncio.gather(trunk.call(), trunk.call())
            assert [end.result for end in ends] == ["delivered"] * 2
            assert trunk.lane.endpoint.connections == 1


async def test_a_connection_that_breaks_ends_its_calls_and_is_opened_anew() -> None:
    async with callee(None) as uas:
        port = await uas.listen()
        async with rig(trunk_config(port, trunk={"transport": "tcp"})) as trunk:
            await trunk.up()
            attempt = trunk.send()
            await uas.until(lambda: uas.calls)
            for writer in uas._writers.values():
                writer.transport.abort()
            end = await trunk.ended(attempt)
            assert end.result == "refused" and trunk.lane.endpoint.connections == 0
            uas.plan = answers
            trunk.trunk.uplink.health = type(trunk.trunk.uplink.health)()
            assert (await trunk.call()).result == "delivered"


async def test_over_tls_with_srtp(tmp_path) -> None:
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("sip.example").configure_cert(serving)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with callee(answers) as uas:
        port = await uas.listen(serving)
        tables = {"trunk": {"transport": "tls", "host": "sip.example"}, "tls": {"ca_file": "ca.pem"}}
        async with rig(trunk_config(port, tmp_path, **tables), lookup=Names()) as trunk:
            await trunk.up()
            end = await trunk.call()
            assert end.result == "delivered" and detail(end)["media"]["encrypted"]


async def test_a_stranger_with_a_certificate_gets_no_call(tmp_path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    stranger.issue_cert("sip.example").configure_cert(serving)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with callee(answers) as uas:
        port = await uas.listen(serving)
        tables = {"trunk": {"transport": "tls", "host": "sip.example"}, "tls": {"ca_file": "ca.pem"}}
        async with rig(trunk_config(port, tmp_path, **tables), lookup=Names()) as trunk:
            await trunk.up()
            end = await trunk.call()
            assert end.result == "refused" and not uas.seen
            assert trunk.trunk.state(trunk.clock.now()) == "down"


async def test_a_trunk_takes_calls_when_it_is_registered_and_leaves_politely(password: str) -> None:
    granted = [(401, [("WWW-Authenticate", 'Digest realm="sip.example", nonce="n", qop="auth"')])]

    def registrar(request):
        if request.headers.get("Authorization") is None:
            return granted[0]
        return 200, [(name, request.headers.get(name) or "") for name in ("Contact", "Expires")]

    async with callee(answers) as uas:
        uas.registrar = registrar
        async with rig(trunk_config(uas.port, **account(password, register=True))) as trunk:
            await trunk.up()
            assert (await trunk.call()).result == "delivered"
        expires = [request.headers.get("Expires") for request in uas.methods("REGISTER")]
        assert expires[0] == "300" and expires[-1] == "0"


async def test_refused_registration_stops(password: str) -> None:
    async with callee(answers) as uas:
        uas.registrar = lambda request: (403, [])
        async with rig(trunk_config(uas.port, **account(password, register=True))) as trunk:
            await trunk.book.until(lambda: trunk.trunk.state(trunk.clock.now()) == "refused")
            assert trunk.trunk.room(trunk.clock.now()) == 0
            assert len(uas.methods("REGISTER")) == 1


async def test_registration_moves_to_the_address_that_answers(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.voice.registrar._AGAIN_S", 0.05)
    async with callee(answers) as dead, callee(answers) as alive:
        dead.mute = True
        alive.registrar = lambda request: (200, [("Expires", "60")])
        standby = {"standby": [f"127.0.0.1:{alive.port}"], "register": True}
        async with rig(trunk_config(dead.port, **account(password, **standby)), timers=HASTY) as trunk:
            await trunk.up()
            assert alive.methods("REGISTER") and (await trunk.call()).result == "delivered"


async def test_a_name_that_leads_nowhere_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.voice.keepalive._UNRESOLVED_S", 0.05)
    names = Names("other.example")
    async with callee(answers) as uas, AsyncExitStack() as stack:
        config = trunk_config(uas.port, trunk={"host": "sip.example"})
        trunk = await stack.enter_async_context(rig(config, lookup=names))
        while len(names.asked) < 2:
            await asyncio.sleep(0.01)
        assert trunk.trunk.state(trunk.clock.now()) == "down"
        names.name = "sip.example"
        trunk.lane.resolver._known.clear()
        await trunk.up()
        assert (await trunk.call()).result == "delivered"


@pytest.mark.rule("sip.unsolicited-invite", "sip.unsolicited-bye")
async def test_strangers_are_refused_and_counted() -> None:
    class Stranger(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.answers: asyncio.Queue[bytes] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr) -> None:
            self.answers.put_nowait(data)

    async with AsyncExitStack() as stack:
        uas = await stack.enter_async_context(callee(answers))
        trunk = await stack.enter_async_context(rig(trunk_config(uas.port)))
        await trunk.up()
        local = trunk.lane.endpoint._datagrams.local("127.0.0.1")
        transport, stranger = await asyncio.get_running_loop().create_datagram_endpoint(
            Stranger, remote_addr=local
        )
        for method, status in (("INVITE", b"40"), ("BYE", b"481")):
            request = (
                f"{method} sip:x@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{method};rport\r\n"
                f"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>{';tag=2' if method == 'BYE' else ''}\r\n"
                f"Call-ID: {method}\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.1:9>\r\n"
                "Max-Forwards: 70\r\n"
                "Content-Length: 0\r\n\r\n"
            )
            transport.sendto(request.encode())
            async with asyncio.timeout(10):
                assert (await stranger.answers.get()).startswith(b"SIP/2.0 " + status)
        transport.sendto(b"\xff\x00 nonsense")
        await trunk.call()
        assert trunk.lane.endpoint.strangers == {"INVITE": 1, "BYE": 1, "unreadable": 1}
        transport.close()
