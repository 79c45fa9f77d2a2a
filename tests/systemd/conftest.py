"""The container that the tests of this folder share."""

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.systemd.container import INSTALLATION, REPOSITORY, Container, installation, missing


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A booted system with the units and the console script installed, and an application's account.

    `shop` belongs to connector-clients; `stranger` does not.
    """
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machine")
    units = REPOSITORY / "systemd"
    lanes = shutil.copytree(Path(__file__).with_name("lanes"), folder / "lanes")
    files = {
        **installation(folder / "installation"),
        "/usr/lib/systemd/system/connector@.service": units / "connector@.service",
        "/usr/lib/systemd/system/connector@.socket": units / "connector@.socket",
        "/usr/share/doc/carrier-connector/realtime.conf": units / "realtime.conf",
        "/usr/lib/sysusers.d/carrier-connector.conf": units / "sysusers.d/carrier-connector.conf",
        "/usr/lib/tmpfiles.d/carrier-connector.conf": units / "tmpfiles.d/carrier-connector.conf",
        "/opt/lanes": lanes,
        "/opt/programs": Path(__file__).with_name("programs"),
    }
    with Container(files, folder) as booted:
        booted.run("ln", "-s", f"{INSTALLATION}/bin/connector", "/usr/bin/connector")
        if "/opt/python" in files:
            booted.write("/etc/ld.so.conf.d/python.conf", "/opt/python/lib\n")
            booted.run("ldconfig")
        booted.write("/etc/hosts", "127.0.0.1 localhost\n")
        booted.run("systemd-sysusers")
        booted.run("systemd-tmpfiles", "--create", "carrier-connector.conf")
        accounts = ("u shop -", "u stranger -", "m shop connector-clients")
        booted.run("systemd-sysusers", "--inline", *accounts)
        yield booted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the container's journal says."""
    report = yield
    if report.failed and isinstance(booted := item.funcargs.get("machine"), Container):
        journal = booted.run("journalctl", "--no-pager", "--lines=60", "--unit=connector@*", check=False)
        report.sections.append(("journal of the container", journal))
    return report
