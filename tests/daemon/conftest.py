"""A gateway host for each test; its logs are part of the report when the test fails."""

from collections.abc import Generator, Iterator
from random import Random

import pytest

from tests.daemon.harness import Site


@pytest.fixture
def site(random: Random) -> Iterator[Site]:
    site = Site(random.getrandbits(32))
    try:
        yield site
    finally:
        site.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.when == "call" and report.failed and isinstance(site, Site):
        report.sections += [(f"log of {name}", text) for name, text in site.logs()]
    return report
