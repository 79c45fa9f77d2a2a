"""A state folder whose chain was made by hand, and the command as a process reads it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connector.cli.evidence import command
from tests.evidence_cli import samples
from tests.evidence_cli.ledger import Ledger

DAY_S = 86_400.0


def run(state: Path, name: str, *arguments: object) -> Result:
    """`connector evidence NAME --state STATE …`."""
    return CliRunner().invoke(command, [name, "--state", str(state), *map(str, arguments)])


class Evidence:
    """Days of a ledger, and the commands on them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ledger = Ledger(state)

    def run(self, name: str, *arguments: object) -> Result:
        return run(self.state, name, *arguments)


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """Two closed days: five jobs, and what was said of one of them when it had ended."""
    opened = Evidence(tmp_path / "state")
    first = [samples.start(), samples.job(), samples.three_attempts(), samples.called()]
    opened.ledger.close_day(first)
    later = [samples.feedback(samples.job(), DAY_S), samples.strange(), samples.unsent()]
    opened.ledger.close_day([samples.moved(line, DAY_S) for line in later])
    return opened


@pytest.fixture
def pango() -> None:
    """Skips where PDF cannot be made."""
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"weasyprint needs Debian's libpangoft2-1.0-0: {error}")
