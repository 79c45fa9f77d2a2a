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
    *table, proof = result.stdout.splitlines()
    rows = [line.split() for line in table]
    assert rows[0] == ["LANE", "OWNS", "WHAT", "WHERE"]
    assert {row[0] for row in rows[1:]} == {"verification", "notification", "marketing"}
    lines = [" ".join(row) for row in rows]
    account = "carrier account north: acme_otp at smsc.north.example:2775, 100 TPS carriers/north.toml:14"
    assert f"verification {account}" in lines
    assert "notification state folder /var/lib/connector/notification connector.toml:23" in lines
    assert proof.startswith("3 instances share none of their 3 state folders, 3 sockets, 3 ports, ")
    assert all(line.startswith("note: ") for line in result.stderr.splitlines())


@pytest.mark.parametrize("lane", ["verification", "notification", "marketing"])
def test_each_shipped_example_with_its_secrets(
    lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("north", "south", "east", "west", "bulk"):
        (tmp_path / f"secret_{name}").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    result = check(CONFIG / lane)
    assert (result.exit_code, result.stderr) == (0, "")


def test_who_owns_what_and_where_it_is_written(make_folder: MakeFolder) -> None:
    first, second = make_folder("a"), make_folder("b")
    first.edit("carriers/north.toml", "port = 2775", 'port = 2775\nstandby = ["smsc2.example:2776"]')
    second.write("connector.toml", 'lane = "verification"\n[[application]]\nname = "x"\nuids = [1]\n')
    second.edit("carriers/north.toml", '"acme"', '"other"')
    result = check(first.path.parent)
    assert result.exit_code == 0
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    things = "2 state folders, 2 sockets, 1 port, 3 carrier accounts, 2 secrets, 2 sender ids"
    assert rows[-1] == f"2 instances share none of their {things}."
    for row in (
        f"verification(a) secret {first.path}/secrets/north carriers/north.toml:6",
        "verification(a) carrier account north: acme at smsc2.example carriers/north.toml:5",
        "verification(a) port 9464 connector.toml:14",
        "verification(b) socket /run/connector/b.sock connector.toml:1",
    ):
        assert row in rows


def test_an_opt_out_list_that_cannot_be_understood(folder: Folder) -> None:
    folder.edit("connector.toml", "[jobs]", '[jobs]\nopt_out_file = "opt-out.txt"')
    listed = folder.write("opt-out.txt", "+4915112345678\n")
    assert "opt-out list" in check(folder.path).stdout
    listed.write_text("+4915112345678\n0151 12345678\n")
    result = check(folder.path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{listed}:2: (file): is no number, expected ")
    found = json.loads(check(folder.path, "--json").stdout)
    assert [problem["line"] for problem in found["problems"]] == [2]
    listed.unlink()
    assert f"{listed}:1: (file): cannot be read" in check(folder.path).stderr


def test_a_leak_is_told_with_both_its_places(make_folder: MakeFolder) -> None:
    first, second = make_folder("a"), make_folder("b")
    result = check(first.path.parent)
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if "carrier account" in line]
    assert line.startswith(
        f"{second.path}/carriers/north.toml:4: account.system_id: the carrier account acme at "
    )
    assert f"belongs to {first.path}/carriers/north.toml:4 too" in line


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
    jsonschema.validate(found, json.loads((CONFIG / "check.schema.json").read_text()))
    main = str(folder.path / "connector.toml")
    assert {"kind": "port", "what": "9464", "file": main, "line": 14, "key": "http.listen"} in instance[
        "owned"
    ]


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
