"""SIGHUP: the configuration is read again; changes take place while jobs flow, mistakes do not."""

import asyncio
import signal
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ports import free_port
from connector import daemon
from connector.client import RpcError
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, SimulatedCarrier, Site, until

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"
OTHER = "+4915112345679"
NO_BIND = {"what": "room", "until": None, "carriers": {"sim": "no bind"}}


async def reloaded(daemon: Daemon) -> None:
    """Send SIGHUP and wait until the daemon has dealt with it."""
    before = told(daemon)
    daemon.send(signal.SIGHUP)
    await until(lambda: told(daemon) > before, "the configuration is read again, or refused")


def told(daemon: Daemon) -> int:
    return daemon.log.count("configuration read again") + daemon.log.count("configuration refused")


async def bound(carrier: SimulatedCarrier, binds: int) -> None:
    await until(lambda: carrier.stats()["binds"] == binds, f"{binds} binds so far")


async def flow(shop: Application, jobs: int, *, at_once: int = 25) -> list[str]:
    """Submit `jobs`, some at a time, so that they are under way all the time."""
    ids: list[str] = []
    for first in range(0, jobs, at_once):
        numbers = range(first, min(jobs, first + at_once))
        ids += await shop.submit_many(
            [shop.job(f"+49151{number:08}", f"code {number}") for number in numbers]
        )
        await shop.until(lambda: len(shop.finished) >= len(ids) - 2 * at_once)  # noqa: B023
    return ids


async def delivered_once(shop: Application, ids: list[str], *carriers: SimulatedCarrier) -> None:
    outcomes = Counter([(await shop.final(id)).outcome for id in ids])
    assert outcomes == {"delivered": len(ids)}
    submissions = [carrier.ask("submissions") for carrier in carriers]
    assert sum(each["total"] for each in submissions) == len(ids)
    assert [each["repeated"] for each in submissions] == [0] * len(carriers)


@pytest.mark.parametrize("mode", ["transceiver", "transmitter+receiver"])
async def test_new_binds_are_there_before_the_old_ones_go(site: Site, mode: str) -> None:
    carrier = site.carrier(response_delay="uniform:0,0.02", receipt_delay="uniform:0,0.2")
    daemon = site.start(Lane((CarrierFile(carrier.port, binds={"mode": mode, "count": 2}),)))
    each = 2 if mode == "transceiver" else 4
    await bound(carrier, each)
    async with Application(site.socket_path) as shop:
        flowing = asyncio.create_task(flow(shop, 600))
        for change, window in enumerate((20, 30, 40), 1):
            await shop.until(lambda change=change: len(shop.finished) >= 100 * change)
            site.write(Lane((CarrierFile(carrier.port, binds={"mode": mode, "count": 2, "window": window}),)))
            await reloaded(daemon)
            await until(lambda change=change: daemon.log.count("old binds gone") == change, "replaced")
        await delivered_once(shop, await flowing, carrier)
    stats = carrier.stats()
    assert (stats["binds"], stats["connections_open"]) == (4 * each, each)
    assert "refused" not in daemon.log
    assert daemon.stop() == 0


async def test_where_no_more_binds_are_permitted_one_goes_before_one_comes(site: Site) -> None:
    carrier = site.carrier(max_binds=2, response_delay="uniform:0,0.02", receipt_delay="uniform:0,0.2")
    binds: dict[str, object] = {"count": 2}
    daemon = site.start(Lane((CarrierFile(carrier.port, binds=binds),)))
    await bound(carrier, 2)
    async with Application(site.socket_path) as shop:
        flowing = asyncio.create_task(flow(shop, 400))
        await shop.until(lambda: len(shop.finished) >= 100)
        site.write(Lane((CarrierFile(carrier.port, binds={**binds, "window": 20}),)))
        await reloaded(daemon)
        await bound(carrier, 4)
        await delivered_once(shop, await flowing, carrier)
        await until(lambda: carrier.stats()["connections_open"] == 2, "the old ones are gone")
    assert carrier.stats()["binds_refused"] >= 1


async def test_another_address_is_gone_over_to(site: Site) -> None:
    first, second = site.carrier(), site.carrier()
    daemon = site.start(Lane((CarrierFile(first.port),)))
    await bound(first, 1)
    async with Application(site.socket_path) as shop:
        flowing = asyncio.create_task(flow(shop, 400))
        await shop.until(lambda: len(shop.finished) >= 100)
        site.write(Lane((CarrierFile(second.port),)))
        await reloaded(daemon)
        await delivered_once(shop, await flowing, first, second)
        await until(lambda: first.stats()["connections_open"] == 0, "nobody is bound to the first")
        # A fast host was done with the others by then.
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"
    assert second.ask("submissions")["total"] > 0


async def test_while_the_new_binds_fail_the_old_ones_go_on(site: Site) -> None:
    carrier = site.carrier(password="secret")
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    await bound(carrier, 1)
    wrong = site.config / "wrong"
    async with Application(site.socket_path) as shop:
        site.write(Lane((CarrierFile(carrier.port, account={"password_file": "wrong"}),)))
        wrong.write_text("wrong")
        wrong.chmod(0o600)
        await reloaded(daemon)
        await until(lambda: "credentials refused" in daemon.log, "the new bind is refused")
        await delivered_once(shop, await flow(shop, 20), carrier)
        assert carrier.stats()["connections_open"] == 1
        # What is mended later takes the place of the one that fails.
        site.write(Lane((CarrierFile(carrier.port, binds={"window": 5}),)))
        await reloaded(daemon)
        await until(lambda: "old binds gone" in daemon.log, "replaced")
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"
    assert daemon.stop() == 0


async def test_a_password_that_was_mended_is_tried_again(site: Site) -> None:
    carrier = site.carrier(password="another")
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    await until(lambda: "credentials refused" in daemon.log, "the bind is given up")
    carrier.set(password="secret")
    await reloaded(daemon)
    await bound(carrier, 1)


async def test_carriers_come_and_go(site: Site) -> None:
    first, second = site.carrier(receipt_delay="fixed:0.3"), site.carrier()
    own = {"system_id": "shop2"}
    files = CarrierFile(first.port, "first"), CarrierFile(second.port, "second", priority=1, account=own)
    daemon = site.start(Lane(files[:1]))
    await bound(first, 1)
    async with Application(site.socket_path) as shop:
        site.write(Lane(files))
        await reloaded(daemon)
        await bound(second, 1)
        assert first.stats()["binds"] == 1, "what did not change is not touched"
        job_id = await shop.submit(NUMBER)
        await shop.event(job_id, "sent")
        (site.config / "carriers" / "first.toml").unlink()
        await reloaded(daemon)
        await until(lambda: first.stats()["connections_open"] == 0, "the first is gone")
        other = await shop.submit("+4915112345679")
        assert (await shop.final(other)).carrier == "second"
        # Its receipt had not come when the carrier was removed; it is read when the carrier is back.
        site.write(Lane(files))
        await reloaded(daemon)
        assert (await shop.final(job_id)).outcome == "delivered"
    assert second.stats()["binds"] == 1


@pytest.mark.parametrize("by", ["reload", "restart"])
async def test_what_waits_is_not_sent_to_who_opts_out_meanwhile(site: Site, by: str) -> None:
    port = free_port()
    list_file = site.folder / "opted-out.txt"
    list_file.write_text("# nobody yet\n")
    daemon = site.start(Lane((CarrierFile(port),), jobs={"opt_out_file": str(list_file)}))
    async with Application(site.socket_path) as shop:
        unwanted, other = await shop.submit(NUMBER), await shop.submit(OTHER)
        status = await shop.client.status(unwanted)
        assert (status["state"], status["waiting"]) == ("queued", NO_BIND)
        list_file.write_text(f"{NUMBER}\n")
        if by == "reload":
            await reloaded(daemon)
        else:
            daemon.kill()
            daemon = await asyncio.to_thread(site.start)
        final = await shop.final(unwanted)
        assert (final.outcome, final.reason) == ("rejected", "this number wants nothing of this lane")
        assert shop.types(unwanted) == ["accepted", "failed"]
        assert (await shop.client.status(unwanted))["waiting"] is None
        assert "nothing more is sent to who opted out jobs=1" in daemon.log
        with pytest.raises(RpcError, match="wants nothing"):
            await shop.submit(NUMBER)
        carrier = await asyncio.to_thread(site.carrier, port=port)
        assert (await shop.final(other)).outcome == "delivered"
        assert carrier.inbox(NUMBER) == []


async def test_what_is_wrong_changes_nothing(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    await bound(carrier, 1)
    site.write(Lane((CarrierFile(carrier.port, binds={"windw": 3}),), jobs={"max_deadline_s": 1.0}))
    await reloaded(daemon)
    assert "sim.toml" in daemon.log
    assert "windw" in daemon.log
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER, deadline_s=20.0))).outcome == "delivered"
    assert carrier.stats()["binds"] == 1


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"state": {"folder": "elsewhere"}}, "state"),
        ({"socket": {"path": "elsewhere.sock"}}, "socket"),
        ({"lane": "marketing"}, "lane"),
        ({"evidence": {"keep_days": 90}}, "evidence"),
        ({"orders": {"keep_days": 7, "nodes": [{"node": "collected", "rank": 1}]}}, "orders.keep_days"),
    ],
)
async def test_what_needs_a_restart_is_refused(site: Site, change: dict[str, Any], key: str) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    site.write(Lane((CarrierFile(carrier.port, binds={"window": 3}),), other=change))
    await reloaded(daemon)
    assert "restart to change" in daemon.log
    assert key in daemon.log.partition("restart to change")[2]
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"
    assert carrier.stats()["binds"] == 1


async def test_senders_templates_and_applications_are_read_again(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        with pytest.raises(RpcError, match="sender"):
            await shop.submit(NUMBER, sender="OTHER")
        site.write(Lane((CarrierFile(carrier.port),), jobs={"senders": ["ACME", "OTHER"]}))
        await reloaded(daemon)
        job_id = await shop.submit(NUMBER, sender="OTHER")
        assert (await shop.final(job_id)).outcome == "delivered"
        site.write(
            Lane((CarrierFile(carrier.port),), jobs={"max_deadline_s": 1.0, "default_deadline_s": 1.0})
        )
        await reloaded(daemon)
        with pytest.raises(RpcError, match="deadline"):
            await shop.submit(NUMBER, deadline_s=20.0)
    site.write(Lane((CarrierFile(carrier.port),), application={"name": "till"}))
    await reloaded(daemon)
    async with Application(site.socket_path) as till:
        assert (await till.final(await till.submit(NUMBER))).outcome == "delivered"
        assert till.events[0].seq == 1, "events are another application's"
    assert carrier.stats()["binds"] == 1


async def test_systemd_hears_of_the_end_of_a_reload_that_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else the unit would stay "reloading" until systemd loses its patience."""
    heard: list[str] = []

    def fail(folder: str) -> None:
        raise OSError

    monkeypatch.setattr(daemon.notify, "reloading", heard.append)
    monkeypatch.setattr(daemon, "load", fail)
    reloading = object.__new__(daemon.Daemon)
    reloading._draining, reloading._config = False, Namespace(folder=str(tmp_path))  # type: ignore[assignment]
    monkeypatch.setattr(reloading, "_tell_ready", lambda: heard.append("ready"))
    with pytest.raises(OSError):
        await reloading.reload()
    assert heard == ["reading the configuration", "ready"]
