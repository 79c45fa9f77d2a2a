"""uvloop is an optional extra: the daemon does the same without it."""

from pathlib import Path

import pytest

from tests.daemon.harness import Application, CarrierFile, Lane, Site

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("with_uvloop", [True, False])
async def test_jobs_travel_on_either_event_loop(site: Site, tmp_path: Path, with_uvloop: bool) -> None:
    environment = {}
    if not with_uvloop:
        (tmp_path / "uvloop.py").write_text("raise ImportError('left out for this test')")
        environment["PYTHONPATH"] = str(tmp_path)
    carrier = site.carrier(receipt_delay="fixed:0.01")
    daemon = site.start(Lane((CarrierFile(carrier.port),)), environment=environment)
    assert ("uvloop" in Path(f"/proc/{daemon.pid}/maps").read_text()) is with_uvloop
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(500)])
        for job_id in job_ids:
            assert (await shop.final(job_id)).outcome == "delivered"
    assert daemon.stop() == 0
    assert carrier.stats()["accepted"] == 500
