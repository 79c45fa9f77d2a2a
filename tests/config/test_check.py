import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from connector.cli.check import command

from .conftest import Folder, MakeFolder

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(autouse=True)
def _outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_shipped_examples_together() -> None:
    result = check(CONFIG)
    assert result.exit_code == 0, result.output
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert rows[0] == ["LANE", "OWNS", "WHAT"]
    assert {row[0] for row in rows[1:]} == {"verification", "notification", "marketing"}
    assert (
        "verification  carrier account  north: acme_otp at smsc.north.example:2775, 100 TPS" in result.stdout
    )
    assert all(line.startswith("note: ") for line in result.stderr.splitlines())


@pytest.mark.parametrize("lane", ["verification", "notification", "marketing"])
def test_each_shipped_example_with_its_secrets(
    lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("north", "south", "bulk"):
        (tmp_path / f"secret_{name}").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    result = check(CONFIG / lane)
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_profile_makes_an_instance(folder: Folder) -> None:
    shutil.copy(CONFIG / "profiles/plain-smpp34.toml", folder.path / "carriers/plain.toml")
    assert check(folder.path).exit_code == 0


def test_problems_are_one_line_each_and_exit_2(folder: Folder) -> None:
    folder.edit("connector.toml", "[jobs]", "[jobs]\nmax_prts = 1\nfree_text = 0")
    result = check(folder.path)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{folder.path}/connector.toml:17", "jobs.max_prts"],
        [f"{folder.path}/connector.toml:18", "jobs.free_text"],
    ]


def test_json_follows_its_schema(make_folder: MakeFolder) -> None:
    make_folder("a")
    broken = make_folder("b")
    broken.edit("carriers/north.toml", "tps = 100", "tps = 0")
    result = check(broken.path.parent, "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads((CONFIG / "check.schema.json").read_text()))
    assert (found["schema"], found["ok"]) == (1, False)
    assert found["problems"][0] == {
        "code": "config_wrong_value",
        "file": f"{broken.path}/carriers/north.toml",
        "line": 8,
        "key": "binds.tps",
        "message": "0 is not allowed here, expected PDUs a second, more than 0 and at most 1,000,000",
    }
    # What could be read of the two is compared all the same: b is a copy of a.
    assert {problem["key"] for problem in found["problems"][1:]} == {
        "jobs.senders[0]", "jobs.senders[1]", "http.listen",
    }  # fmt: skip
    assert [instance["lane"] for instance in found["instances"]] == ["verification", "verification"]


def test_json_of_a_good_instance(folder: Folder) -> None:
    found = json.loads(check(folder.path, "--json").stdout)
    assert (found["ok"], found["problems"], found["notes"]) == (True, [], [])
    (instance,) = found["instances"]
    assert instance["senders"] == ["Acme", "60312"]
    assert instance["applications"] == {"login": [2001]}
    assert instance["carriers"][0]["system_id"] == "acme"
    assert "s3cret" not in json.dumps(found)


def test_an_instance_without_connector_toml_is_not_passed_over(make_folder: MakeFolder) -> None:
    make_folder("a")
    other = make_folder("b")
    (other.path / "connector.toml").unlink()
    result = check(other.path.parent)
    assert result.exit_code == 2
    assert f"{other.path}/connector.toml:1: (file): cannot be read" in result.stderr


@pytest.mark.parametrize("make", [True, False])
def test_nothing_there(tmp_path: Path, make: bool) -> None:
    path = tmp_path / "x"
    if make:
        path.mkdir()
    result = check(path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{path}:1: (folder): ")
    assert result.stderr.rstrip().endswith("expected one instance or a folder of instances")


def test_a_terminal_gets_a_table(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from connector.cli import check as module

    console = Console(record=True, width=200, force_terminal=True)
    monkeypatch.setattr("rich.console.Console", lambda: console)
    monkeypatch.setattr(module, "_stdout_is_terminal", lambda: True)
    assert check(folder.path).exit_code == 0
    text = console.export_text()
    assert "north: acme at smsc.example:2775, 100 TPS" in text
    assert text.count("verification") == 1


def test_help_has_an_example() -> None:
    result = check("--help")
    assert result.exit_code == 0
    assert "connector check /etc/connector" in result.stdout
