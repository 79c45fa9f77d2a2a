"""The binds of an account against a simulated carrier: order, rates, windows, failover, spacing, outbind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.ports import free_port
from connector.carriers.bind import Bind, BindState
from connector.carriers.contract import Attempt
from connector.carriers.outbind import Allowed
from connector.carriers.smpp import SmppCarrier
from connector.config import Carrier as CarrierConfig
from connector.config.carrier import Account, Backoff, Binds, Outbind, Tls
from connector.metrics import CarrierMetrics
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from protocols.smpp.constants import RESPONSE_BIT, CommandId
from protocols.smpp.message import HEADER
from tests.carriers.stage import PATIENCE_S, Stage, Told, now

SYSTEM_ID = "shop"


def carrier_of(
    port: int,
    folder: Path,
    told: Told,
    *,
    binds: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    **tables: Any,
) -> SmppCarrier:
    password = folder / "password"
    password.write_text("secret")
    config = CarrierConfig(
        name="sim",
        password_path=str(password),
        folder=str(folder),
        account=Account(
            host="127.0.0.1", port=port, system_id=SYSTEM_ID, password_file="password", **account or {}
        ),
        binds=Binds(**{"tps": 1000.0, "window": 50, "bind_timeout_s": 2.0, **(binds or {})}),
        backoff=Backoff(initial_s=0.02, max_s=0.05, ghost_s=0.1),
        **tables,
    )
    return SmppCarrier(
        config, account=1, max_parts=4, outcomes=told, metrics=CarrierMetrics(), now=now, rng=Random(1)
    )


@asynccontextmanager
async def running(
    folder: Path, faults: dict[str, Any] | None = None, standby: int = 0, **settings: Any
) -> AsyncIterator[Stage]:
    """The carrier's ports besides the first become `account.standby`."""
    smsc, told = Smsc(SmscOptions().changed(faults or {}), seed=7), Told()
    port = await smsc.start(standby=standby)
    others = tuple(f"127.0.0.1:{other}" for other in smsc.ports if other != port)
    account = {**settings.pop("account", {}), "standby": others}
    carrier = carrier_of(port, folder, told, account=account, **settings)
    try:
        carrier.start()
        yield Stage(carrier, smsc, told)
    finally:
        await carrier.stop()
        await smsc.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def binds(it: Stage) -> list[Bind]:
    assert isinstance(it.carrier, SmppCarrier)
    return it.carrier.binds.all


def states(it: Stage) -> list[str]:
    return [bind.state.value for bind in binds(it)]


async def all_bound(it: Stage) -> None:
    await until(lambda: set(states(it)) == {"bound"})


# What was turned away


@pytest.mark.asyncio
async def test_what_is_turned_away_goes_back_in_its_order(tmp_path: Path) -> None:
    faults = {"throttle_tps": 100, "throttle_burst": 5, "response_delay": "fixed:0.05"}
    async with running(tmp_path, faults) as it:
        await all_bound(it)
        attempts = it.send(*(it.job() for _ in range(40)))
        await it.told.until(lambda: len(it.told.endings) == len(attempts))
        assert {ending for ending, _ in it.told.endings} == {"sent"}
        assert it.counted("throttled") > 5
        first = {attempt.job.recipient: number for number, attempt in enumerate(attempts)}
        arrived = [first["+" + received.to.removeprefix("+")] for received in it.smsc.handsets]
        # Each round trip in which some are refused again begins anew at the front.
        assert sum(later < earlier for earlier, later in pairwise(arrived)) <= 6
        assert len(arrived) == 40


@pytest.mark.asyncio
async def test_several_that_wait_leave_in_the_order_they_were_handed_over(tmp_path: Path) -> None:
    async with running(tmp_path) as it:
        await all_bound(it)
        (bind,) = binds(it)
        attempts = [it.carrier.prepare(it.job(text="long " * 60), now()) for _ in range(4)]
        parts: list[Any] = []
        for attempt in attempts:
            parts += attempt.pdus  # type: ignore[attr-defined]
            it.carrier.send(attempt, now())
        bind._line.clear()
        bind.pending = 0
        Random(3).shuffle(parts)
        for part in parts:
            bind.resend(part, now(), now())
        again = [(part.attempt.order, part.number) for part in bind._line.clear()]
        assert again == sorted(again) == [(n, k) for n in range(1, 5) for k in (1, 2)]
        bind.session.eof(now())  # type: ignore[union-attr]


@pytest.mark.asyncio
@pytest.mark.parametrize("scope", ["bind", "account"])
async def test_what_a_refusal_slows_down(tmp_path: Path, scope: str) -> None:
    async with running(tmp_path, binds={"count": 2, "rate_scope": scope}) as it:
        await all_bound(it)
        one, other = binds(it)
        one.pace.slow(now(), now())
        assert one.pace.rate < 1000
        assert (other.pace.rate < 1000) is (scope == "account")


@pytest.mark.asyncio
async def test_a_carrier_that_says_it_is_nearly_full_is_spared_before_it_refuses(tmp_path: Path) -> None:
    faults = {"throttle_tps": 200, "throttle_burst": 200, "congestion": True}
    async with running(tmp_path, faults, binds={"tps": 250.0}) as it:
        await all_bound(it)
        (bind,) = binds(it)
        while bind.pace.free:
            await it.until_room()
            it.send(it.job())
        assert it.counted("throttled") == 0
        assert bind.pace.rate < 1000


# Windows


@pytest.mark.asyncio
async def test_the_window_shrinks_to_what_the_rate_needs_and_grows_with_the_round_trip(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, binds={"tps": 200.0, "window": 100}) as it:
        await all_bound(it)
        (bind,) = binds(it)
        assert bind.live().window == 100
        for _ in range(60):
            await it.until_room()
            it.send(it.job())
        assert bind.live().window < 60
        it.smsc.set({"response_delay": "fixed:0.2"})
        for _ in range(30):
            await it.until_room()
            it.send(it.job())
        await it.told.until(lambda: len(it.told.endings) == 90)
        assert bind.live().window >= 50


@pytest.mark.asyncio
async def test_a_fixed_window_stays(tmp_path: Path) -> None:
    async with running(tmp_path, binds={"tps": 200.0, "window": 100, "window_sizing": "fixed"}) as it:
        await all_bound(it)
        for _ in range(60):
            await it.until_room()
            it.send(it.job())
        assert binds(it)[0].live().window == 100


# Addresses


@pytest.mark.asyncio
async def test_when_an_address_fails_the_next_one_is_used(tmp_path: Path) -> None:
    async with running(tmp_path, standby=1, binds={"count": 2}) as it:
        await all_bound(it)
        first, second = it.smsc.ports
        await it.smsc.listen(first, False)
        await until(lambda: it.counted("binds") == 4)
        await all_bound(it)
        (attempt,) = it.send(it.job())
        await it.told.until(lambda: it.told.of(attempt))
        assert it.told.of(attempt) == ["sent"]
        # While the standby works the first address is left alone; it is not that long ago.
        await it.smsc.listen(first, True)
        await it.smsc.listen(second, False)
        await until(lambda: it.counted("binds") == 6)
        await all_bound(it)


@pytest.mark.asyncio
async def test_binds_of_an_account_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    faults = {"bind_spacing_s": 0.05}
    async with running(tmp_path, faults, binds={"count": 3, "spacing_s": 0.2}) as it:
        began = now()
        await all_bound(it)
        assert now() - began >= 0.4
        assert it.counted("binds_refused") == 0


# The end of a session


@pytest.mark.asyncio
async def test_a_silent_carrier_is_given_up_after_two_periods(tmp_path: Path) -> None:
    faults = {"silence_after": 1}
    async with running(tmp_path, faults, binds={"enquire_link_s": 0.3, "response_timeout_s": 5.0}) as it:
        await all_bound(it)
        (attempt,) = it.send(it.job())
        await it.until_counted("silences", 1)
        began = now()
        await it.told.until(lambda: it.told.of(attempt))
        assert 0.5 <= now() - began < 3.0
        assert it.told.of(attempt) == ["unknown"]
        await until(lambda: it.counted("binds") == 2)


@pytest.mark.asyncio
async def test_when_the_carrier_unbinds_it_is_answered_and_nothing_more_is_submitted(tmp_path: Path) -> None:
    faults = {"response_delay": "fixed:0.3"}
    async with running(tmp_path, faults, binds={"window": 2, "tps": 1000.0}) as it:
        await all_bound(it)
        under_way = it.send(it.job(), it.job())
        waiting = it.send(it.job())
        it.smsc.unbind()
        await it.told.until(lambda: len(it.told.endings) == 3)
        assert [it.told.of(attempt) for attempt in (*under_way, *waiting)] == [
            ["unknown"],
            ["unknown"],
            ["unsent"],
        ]
        assert it.counted("submits") == 2
        await until(lambda: it.counted("binds") == 2)
        assert it.counted("cuts") == 0


# A bind that makes room for another


@pytest.mark.asyncio
async def test_a_bind_that_is_accepted_while_we_stop_is_unbound(tmp_path: Path) -> None:
    """Else the carrier would keep it, and refuse the next one for minutes."""
    asked, accept, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    commands: list[int] = []

    async def smsc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                length, command, _, sequence = HEADER.unpack(await reader.readexactly(16))
                await reader.readexactly(length - 16)
                commands.append(command)
                asked.set()
                await accept.wait()
                writer.write(HEADER.pack(17, command | RESPONSE_BIT, 0, sequence) + b"\0")
        writer.close()
        ended.set()

    server = await asyncio.start_server(smsc, "127.0.0.1", 0)
    carrier = carrier_of(server.sockets[0].getsockname()[1], tmp_path, Told())
    carrier.start()
    await asked.wait()
    stop = asyncio.create_task(carrier.stop())
    await until(lambda: carrier.binds.all[0].state == "closing")
    accept.set()
    await stop
    await asyncio.wait_for(ended.wait(), PATIENCE_S)
    server.close()
    assert commands == [CommandId.BIND_TRANSCEIVER, CommandId.UNBIND]


@pytest.mark.asyncio
async def test_a_bind_that_is_replaced_finishes_what_is_under_way(tmp_path: Path) -> None:
    async with running(tmp_path, {"response_delay": "fixed:0.2"}) as it:
        await all_bound(it)
        (bind,) = binds(it)
        attempts = it.send(it.job(), it.job())
        announced = it.carrier.prepare(it.job(), now())
        retiring = asyncio.create_task(bind.retire(5.0))
        await asyncio.sleep(0)
        assert bind.state is BindState.DRAINING
        assert it.carrier.room(now()) == 0
        it.carrier.send(announced, now())
        it.carrier.pump(now())
        await retiring
        assert [it.told.of(attempt) for attempt in (*attempts, announced)] == [["sent"]] * 3
        assert it.smsc.stats()["connections_open"] == 0


@pytest.mark.asyncio
async def test_a_bind_that_is_replaced_does_not_wait_without_end(tmp_path: Path) -> None:
    async with running(tmp_path, {"response_missing": 1}) as it:
        await all_bound(it)
        (bind,) = binds(it)
        (attempt,) = it.send(it.job())
        await it.until_counted("submits", 1)
        await bind.retire(0.05)
        assert it.told.of(attempt) == ["unknown"]


# The carrier comes to us


def outbind_of(port: int, **more: Any) -> Outbind:
    return Outbind(listen=f"127.0.0.1:{port}", **{"allow": ("127.0.0.1",), **more})


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["transceiver", "transmitter+receiver"])
async def test_an_outbind_is_answered_with_a_bind(tmp_path: Path, mode: str) -> None:
    (tmp_path / "carriers-password").write_text("theirs\n")
    port = free_port()
    outbind = outbind_of(port, password_file="carriers-password")
    async with running(tmp_path, {"outbind_password": "theirs"}, outbind=outbind, binds={"mode": mode}) as it:
        await until(lambda: states(it).count("bound") == (1 if mode == "transceiver" else 2))
        await it.smsc.outbind("127.0.0.1", port)
        await all_bound(it)
        assert binds(it)[-1].name == "sim/outbind-1"
        attempts: list[Attempt] = []
        while it.counted("receipts_sent") < 20:
            await it.until_room()
            attempts += it.send(it.job())
            it.commit_receipts()
        it.commit_receipts()


@pytest.mark.asyncio
async def test_an_outbind_with_a_wrong_password_gets_no_bind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "carriers-password").write_text("theirs\n")
    port = free_port()
    outbind = outbind_of(port, password_file="carriers-password")
    async with running(tmp_path, {"outbind_password": "guessed"}, outbind=outbind) as it:
        await until(lambda: states(it)[0] == "bound")
        await it.smsc.outbind("127.0.0.1", port)
        await until(lambda: "outbind refused: wrong password" in caplog.text)
        assert it.counted("binds") == 1
    assert "theirs" not in caplog.text
    assert "guessed" not in caplog.text


@pytest.mark.asyncio
async def test_who_only_knocks_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "carriers-password").write_text("theirs\n")
    port = free_port()
    outbind = outbind_of(port, password_file="carriers-password")
    async with running(tmp_path, {"outbind_password": "guessed"}, outbind=outbind) as it:
        await until(lambda: states(it)[0] == "bound")
        for _ in range(30):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await it.smsc.outbind("127.0.0.1", port)
            await asyncio.sleep(0.005)
        assert 1 <= caplog.text.count("outbind refused: wrong password") <= 2


@pytest.mark.asyncio
async def test_an_outbind_whose_bind_was_refused_is_taken_again(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path, outbind=outbind_of(port)) as it:
        await until(lambda: states(it)[0] == "bound")
        it.smsc.set({"bind_status": 0x0E})
        await it.smsc.outbind("127.0.0.1", port)
        await until(lambda: states(it)[-1] == "refused")
        it.smsc.set({"bind_status": 0})
        assert isinstance(it.carrier, SmppCarrier)
        it.carrier.binds.again()
        await until(lambda: states(it)[-1] == "connecting")
        await it.smsc.outbind("127.0.0.1", port)
        await all_bound(it)


@pytest.mark.asyncio
async def test_who_is_not_listed_is_hung_up_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with running(tmp_path, outbind=outbind_of(port, allow=("192.0.2.0/24",))) as it:
        await until(lambda: states(it)[0] == "bound")
        for _ in range(50):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        assert caplog.text.count("outbind connection refused") == 1
        assert it.carrier._metrics.outbinds_refused == 50  # type: ignore[attr-defined]
        assert states(it) == ["bound", "connecting"]


@pytest.mark.asyncio
async def test_nobody_listens_unless_asked_to_and_never_beside_tls(tmp_path: Path) -> None:
    plain = carrier_of(1, tmp_path, Told())
    assert [bind.name for bind in plain.binds.all] == ["sim/transceiver-1"]
    secured = carrier_of(1, tmp_path, Told(), outbind=outbind_of(1), tls=Tls())
    assert [bind.name for bind in secured.binds.all] == ["sim/transceiver-1"]


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("192.0.2.10", ["192.0.2.10", "::ffff:192.0.2.10"], ["192.0.2.11", "", "x", "2001:db8::1"]),
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.3.0"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8::1%eth0"], ["2001:db9::1", "192.0.2.1"]),
    ],
)
def test_allowed(entry: str, inside: list[str], outside: list[str]) -> None:
    allowed = Allowed([entry])
    assert all(host in allowed for host in inside)
    assert not any(host in allowed for host in outside)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="example"):
        Allowed(["smsc.example"])
