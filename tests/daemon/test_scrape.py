"""A scrape comes in a thread of its own; what it reads belongs to the event loop."""

import asyncio
import threading
import urllib.request

import pytest

from benchmarks.ports import free_port
from connector.config import load
from connector.daemon import Daemon
from connector.queue import DeadlineQueue
from tests.daemon.harness import CarrierFile, Lane, Site

pytestmark = pytest.mark.asyncio


async def test_a_scrape_does_not_touch_the_queue(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue drops cancelled jobs as it answers: from two threads at once it would lose others."""
    asked: set[int] = set()
    next_deadline = DeadlineQueue.next_deadline

    def noted(queue: DeadlineQueue) -> float | None:
        asked.add(threading.get_ident())
        return next_deadline(queue)

    monkeypatch.setattr(DeadlineQueue, "next_deadline", noted)
    site.write(Lane((CarrierFile(free_port()),), http=True))
    daemon = Daemon(load(str(site.config)))
    await daemon.start()
    try:
        url = f"http://127.0.0.1:{site.http_port}/metrics"
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read())
        assert b"connector_queue_depth 0.0" in page
        assert asked == {threading.get_ident()}
    finally:
        await daemon.stop()
