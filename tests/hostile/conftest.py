"""A gateway host, and a carrier whose misdeeds the test chooses."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.daemon.conftest import pytest_runtest_makereport, site
from tests.hostile.smsc import HostileSmsc

__all__ = ["pytest_runtest_makereport", "site", "smsc"]


@pytest_asyncio.fixture
async def smsc() -> AsyncIterator[HostileSmsc]:
    smsc = HostileSmsc()
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()
