"""What systemd itself says about the units, without running them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
EXPOSURE = 2.0

pytestmark = pytest.mark.peer("systemd-analyze")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The service unit of one lane, with a program that exists on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    program = tmp_path / "connector"
    program.touch(0o755)
    for kind in ("service", "socket"):
        text = (UNITS / f"connector@.{kind}").read_text().replace("/usr/bin/connector", str(program))
        (tmp_path / f"connector@.{kind}").write_text(text)
    return tmp_path / "connector@verification.service"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_verify_finds_nothing(service: Path) -> None:
    both = [str(service), str(service.with_suffix(".socket"))]
    done = analyze("verify", "--recursive-errors=yes", "--man=no", *both)
    assert [line for line in done.stderr.splitlines() if "connector@" in line] == []


def test_verify_would_find_a_mistake(service: Path) -> None:
    template = service.with_name("connector@.service")
    template.write_text(template.read_text().replace("WatchdogSec", "WatchdogSeconds"))
    assert "WatchdogSeconds" in analyze("verify", "--man=no", str(service)).stderr


def test_the_exposure_is_low(service: Path) -> None:
    """Of 10; the threshold counts in tenths, and the findings of the JSON say what to look at."""
    template = str(service.with_name("connector@.service"))
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", "--json=short", template)
    assert done.returncode == 0, [finding for finding in json.loads(done.stdout) if finding["exposure"]]
    assert analyze("security", "--offline=true", "--threshold=5", template).returncode == 1


def test_units_need_no_newer_systemd_than_debian_12s() -> None:
    """Directives of later releases would be ignored there, with nothing but a warning."""
    later = ("RestartSteps", "RestartMaxDelaySec", "ImportCredential", "MemoryZSwapMax", "PrivatePIDs")
    text = (UNITS / "connector@.service").read_text()
    assert [line for line in text.splitlines() if line.startswith(later)] == []


def test_account_and_folder_files_are_well_formed(tmp_path: Path) -> None:
    (sysusers,) = (UNITS / "sysusers.d").iterdir()
    (tmpfiles,) = (UNITS / "tmpfiles.d").iterdir()
    (tmp_path / "etc").mkdir()
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed")
    for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        file = sysusers if "sysusers" in command[0] else tmpfiles
        done = subprocess.run([*command, f"--root={tmp_path}", str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "connector-clients" in (tmp_path / "etc/group").read_text()
    assert (tmp_path / "etc/connector").is_dir()
    assert (tmp_path / "run/connector").is_dir()
