"""Rules for every test: one printed seed for all randomness, and no skipped test in CI."""

import os
from collections.abc import Generator
from random import Random, SystemRandom
from typing import Any

import hypothesis
import pytest

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")

SEED = pytest.StashKey[int]()

# Set by name: Hypothesis would otherwise turn derandomize on when it sees CI, and never find anything new.
hypothesis.settings.register_profile("project", derandomize=False, deadline=None, print_blob=True)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="repeat a run: the seed that its header printed")


def pytest_configure(config: pytest.Config) -> None:
    seed = config.getoption("--seed")
    if hasattr(config, "workerinput"):  # one of several processes: all have the seed of the first
        seed = config.workerinput["seed"]
    config.stash[SEED] = SystemRandom().getrandbits(32) if seed is None else seed
    if config.getoption("--hypothesis-seed", None) is None:
        hypothesis.core.global_force_seed = config.stash[SEED]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist starts a process."""
    node.workerinput["seed"] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.stash[SEED]} (repeat with --seed {config.stash[SEED]})"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(pytest_report_header(config))


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """This test's own generator, seeded by the run's seed and the test's name: alone it repeats itself."""
    return Random(f"{request.config.stash[SEED]} {request.node.nodeid}")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"nothing may be skipped in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI:
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI:
        _refuse_skip(report)
    return report
