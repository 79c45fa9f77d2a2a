"""From a trunk's name to addresses (RFC 3263), with a DNS of our own and with made-up answers."""

import asyncio
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.voice.lookup import Answer, Dns, LookupFailed, Naptr, Srv
from connector.voice.resolve import Host, Resolver, Target, Unresolvable, host_of, weighted
from tests.voice.dns_server import dns_server

ZONE = {
    ("sip.example", "NAPTR"): [
        '20 10 "s" "SIP+D2U" "" _sip._udp.far.example.',
        '10 10 "s" "SIP+D2T" "" _sip._tcp.near.example.',
        '10 20 "s" "SIPS+D2T" "" _sips._tcp.near.example.',
        '10 5 "s" "SIP+D2U" "" _sip._udp.near.example.',
    ],
    ("_sip._udp.near.example", "SRV"): ["10 0 5080 a.near.example.", "5 0 5070 b.near.example."],
    ("_sip._tcp.near.example", "SRV"): ["1 0 5066 a.near.example."],
    ("a.near.example", "A"): ["192.0.2.1", "192.0.2.2"],
    ("a.near.example", "AAAA"): ["2001:db8::1"],
    ("b.near.example", "A"): ["192.0.2.3"],
    ("_sip._udp.plain.example", "SRV"): ["0 0 5060 b.near.example."],
    ("bare.example", "A"): ["192.0.2.9"],
    ("_sip._udp.closed.example", "SRV"): ["0 0 0 ."],
    ("empty.example", "TXT"): ["x"],
}


class Fake:
    """Answers from a zone; `failing` names have no answer."""

    def __init__(self, zone: dict[tuple[str, str], list], ttl: float = 60.0) -> None:
        self.zone = zone
        self.ttl = ttl
        self.failing = False
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, name: str, kind: str) -> Answer:
        self.asked.append((name, kind))
        if self.failing:
            raise LookupFailed(kind)
        return Answer(tuple(self.zone.get((name, kind), ())), self.ttl)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def addresses(targets: tuple[Target, ...]) -> list[tuple[str, int]]:
    return [target.remote for target in targets]


@pytest.mark.asyncio
async def test_naptr_then_srv_then_addresses(random: Random) -> None:
    async with dns_server(ZONE) as server:
        resolver = Resolver(Dns([("127.0.0.1", server.port)]), now=Time(), rng=random)
        found = await resolver.targets(Host("sip.example", None), "udp")
        # The NAPTR of the lowest order and preference, and of its SRV the lowest priority first.
        assert [addresses(found)[place] for place in (0, 3)] == [("192.0.2.3", 5070), ("2001:db8::1", 5080)]
        assert set(addresses(found)[1:3]) == {("192.0.2.1", 5080), ("192.0.2.2", 5080)}  # in the DNS's order
        assert {target.server_name for target in found} == {"sip.example"}  # never what the DNS led to
        tcp = addresses(await resolver.targets(Host("sip.example", None), "tcp"))
        assert {port for _, port in tcp} == {5066}


@pytest.mark.asyncio
async def test_what_is_not_there_is_left_out(random: Random) -> None:
    async with dns_server(ZONE) as server:
        resolver = Resolver(Dns([("127.0.0.1", server.port)]), now=Time(), rng=random)
        assert addresses(await resolver.targets(Host("plain.example", None), "udp")) == [("192.0.2.3", 5060)]
        assert addresses(await resolver.targets(Host("bare.example", None), "udp")) == [("192.0.2.9", 5060)]
        assert addresses(await resolver.targets(Host("bare.example", None), "tls")) == [("192.0.2.9", 5061)]
        with pytest.raises(Unresolvable, match="not offered"):
            await resolver.targets(Host("closed.example", None), "udp")
        for name in ("empty.example", "nowhere.example"):
            with pytest.raises(Unresolvable, match="no address"):
                await resolver.targets(Host(name, None), "udp")


@pytest.mark.asyncio
async def test_a_port_or_an_address_asks_for_less(random: Random) -> None:
    async with dns_server(ZONE) as server:
        resolver = Resolver(Dns([("127.0.0.1", server.port)]), now=Time(), rng=random)
        assert addresses(await resolver.targets(Host("bare.example", 5099), "udp")) == [("192.0.2.9", 5099)]
        assert server.asked == Counter({("bare.example", "A"): 1, ("bare.example", "AAAA"): 1})
        assert addresses(await resolver.targets(Host("192.0.2.77", None), "udp")) == [("192.0.2.77", 5060)]
        assert addresses(await resolver.targets(Host("2001:db8::5", 7), "tcp")) == [("2001:db8::5", 7)]
        assert server.asked.total() == 2


@pytest.mark.asyncio
async def test_a_dns_that_says_nothing_fails_in_time(random: Random) -> None:
    async with dns_server(ZONE) as server:
        server.mute = True
        resolver = Resolver(Dns([("127.0.0.1", server.port)], timeout_s=0.2), now=Time(), rng=random)
        with pytest.raises(Unresolvable, match="did not answer"):
            async with asyncio.timeout(10):
                await resolver.targets(Host("sip.example", None), "udp")


@pytest.mark.asyncio
async def test_localhost_is_found_by_the_hosts_file(random: Random) -> None:
    found = await Resolver(Dns(), now=Time(), rng=random).targets(Host("localhost", 5060), "udp")
    assert ("127.0.0.1", 5060) in addresses(found)


@pytest.mark.asyncio
async def test_answers_are_kept_for_their_time_and_longer_when_the_dns_fails(random: Random) -> None:
    fake, time = Fake({("bare.example", "A"): ["192.0.2.9"]}, ttl=100), Time()
    resolver = Resolver(fake, now=time, rng=random)

    async def ask() -> list[tuple[str, int]]:
        return addresses(await resolver.targets(Host("bare.example", 1), "udp"))

    assert await ask() == await ask() == [("192.0.2.9", 1)]
    assert len(fake.asked) == 2
    time.now += 101
    fake.zone["bare.example", "A"] = ["192.0.2.10"]
    assert await ask() == [("192.0.2.10", 1)]
    time.now += 101
    fake.failing = True
    assert await ask() == await ask() == [("192.0.2.10", 1)]
    assert len(fake.asked) == 6  # asked once more, then not at once again
    time.now += 90_000
    with pytest.raises(Unresolvable):
        await ask()


@pytest.mark.asyncio
async def test_what_is_kept_has_a_bound(random: Random) -> None:
    fake = Fake({})
    resolver = Resolver(fake, now=Time(), rng=random)
    for number in range(2000):
        with pytest.raises(Unresolvable):
            await resolver.targets(Host(f"n{number}.example", 1), "udp")
    assert len(resolver._known) <= 512


@pytest.mark.asyncio
async def test_targets_have_a_bound(random: Random) -> None:
    many = [f"192.0.2.{number}" for number in range(30)]
    naptr = Naptr(0, 0, "S", "SIP+D2U", "srv.example")
    fake = Fake({("x.example", "NAPTR"): [naptr], ("srv.example", "SRV"): [Srv(0, 0, 1, "a.example")],
                 ("a.example", "A"): many})  # fmt: skip
    found = await Resolver(fake, now=Time(), rng=random).targets(Host("x.example", None), "udp")
    assert len(found) == 16


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 100), st.just(1), st.text("abc", min_size=1))),
    st.randoms(use_true_random=False),
)
def test_weights_only_order_within_a_priority(records: list[Srv], random: Random) -> None:
    ordered = weighted(records, random)
    assert Counter(ordered) == Counter(records)
    assert [record.priority for record in ordered] == sorted(record.priority for record in records)


def test_weights_are_shares(random: Random) -> None:
    records = [Srv(0, 75, 1, "a"), Srv(0, 25, 1, "b"), Srv(0, 0, 1, "c")]
    first = Counter(weighted(records, random)[0].target for _ in range(4000))
    assert 2800 < first["a"] < 3200 and 800 < first["b"] < 1200 and first["c"] < 200


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("sip.example", Host("sip.example", None)),
        ("sip.example:5062", Host("sip.example", 5062)),
        ("[2001:db8::1]:5062", Host("2001:db8::1", 5062)),
        ("[2001:db8::1]", Host("2001:db8::1", None)),
        ("2001:db8::1", Host("2001:db8::1", None)),
        ("192.0.2.1:7", Host("192.0.2.1", 7)),
    ],
)
def test_hosts_as_they_are_written(text: str, host: Host) -> None:
    assert host_of(text) == host
