"""`connector probe` as a process, against the simulated carrier as another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.config import load_carrier

REPOSITORY = Path(__file__).parents[2]
TO = "+491511234567"


def connector(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connector", *map(str, arguments)],
        cwd=REPOSITORY, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=50,
    )  # fmt: skip


@pytest.fixture
def carrier() -> Iterator[int]:
    """Its port."""
    arguments = ["simulate", "smsc", "--port", "0", "--json", "--mo-loop", TO, "--id-form", "hex_in_response"]
    with subprocess.Popen(
        [sys.executable, "-m", "connector", *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()
            process.stdout.read()


def profile(folder: Path, port: int, password: str = "secret") -> Path:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    path = folder / "north.toml"
    path.write_text(
        f'[account]\nhost = "127.0.0.1"\nport = {port}\nsystem_id = "probe"\npassword_file = "password"\n'
        "[binds]\ntps = 1\n"
    )
    return path


def test_a_probe_writes_a_profile_and_says_the_same_as_json(carrier: int, tmp_path: Path) -> None:
    output = tmp_path / "probed.toml"
    done = connector(
        "probe", profile(tmp_path, carrier), "--to", TO, "--budget", "20", "--patience", "0.5",
        "--output", output, "--json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["schema"], told["ok"], told["failure"]) == (1, True, None)
    assert told["accepted"] <= 20
    findings = {each["key"]: each for each in told["findings"]}
    assert findings["receipts.id_form"]["value"] == "hex_in_response"
    assert findings["text.national_tables"]["confidence"] == "unknown"
    assert load_carrier(output).receipts.id_form == "hex_in_response"
    assert "# found: the ids of" in output.read_text()
    assert "secret" not in output.read_text()


def test_outside_a_terminal_each_step_is_a_line(carrier: int, tmp_path: Path) -> None:
    done = connector("probe", profile(tmp_path, carrier), "--to", TO, "--budget", "4", "--patience", "0.3")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[0] == "[1/15] bind: mode, interface version"
    assert len(lines) == 15
    assert done.stdout.splitlines()[0].split() == ["HABIT", "VALUE", "HOW"]


def test_nobody_there(tmp_path: Path) -> None:
    done = connector("probe", profile(tmp_path, 1), "--to", TO, "--output", tmp_path / "out.toml")
    assert done.returncode == 1
    assert "no bind: 127.0.0.1:1" in done.stderr
    assert not (tmp_path / "out.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "0151123"), "expected E.164"),
        (("--to", TO, "--registered", "id"), "expected NAME=VALUE"),
        (("--to", "+447700900123"), "set aside for tests"),
        ((), "--to"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    path = profile(tmp_path, 1)
    path.write_text(path.read_text().replace("127.0.0.1", "192.0.2.1"))
    done = connector("probe", path, *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_file_with_problems_names_them_all(tmp_path: Path) -> None:
    path = profile(tmp_path, 1)
    path.write_text(path.read_text().replace("tps = 1", "tps = 0\nwindows = 3"))
    done = connector("probe", path, "--to", TO)
    assert done.returncode == 2
    assert "binds.tps" in done.stderr and "binds.windows" in done.stderr


def test_a_password_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = profile(tmp_path, 1)
    (tmp_path / "password").chmod(0o644)
    done = connector("probe", path, "--to", TO)
    assert done.returncode == 2
    assert "mode 0600" in done.stderr
