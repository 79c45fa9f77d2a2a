import os
import pwd
import subprocess
import sys

import pytest

from connector.config import ConfigError, load, read_instance, read_password

from .conftest import CARRIER, CONNECTOR, Folder


def test_a_complete_instance(folder: Folder) -> None:
    config = load(folder.path, {})
    assert config.lane == "verification"
    assert config.folder == str(folder.path)
    assert config.socket.path == str(folder.path / "run/jobs.sock")
    assert config.socket.mode_bits == 0o660
    assert config.state_folder == str(folder.path / "state")
    assert config.http is not None
    assert config.http.address == ("127.0.0.1", 9464)
    assert config.jobs.max_queued == 100_000
    (carrier,) = config.carriers
    assert (carrier.name, carrier.account.interface_octet, carrier.binds.tps) == ("north", 0x34, 100.0)
    assert read_password(carrier.password_path) == b"s3cret"
    assert [template.name for template in config.templates] == ["login-code"]


def test_ipv6_listen(folder: Folder) -> None:
    folder.edit("connector.toml", "127.0.0.1:9464", "[::1]:9464")
    config = load(folder.path, {})
    assert config.http is not None
    assert config.http.address == ("::1", 9464)


def test_a_relative_config_dir_gives_absolute_paths(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path.parent)
    config = load(folder.path.name, {})
    assert config.state_folder == str(folder.path / "state")
    assert config.carriers[0].password_path == str(folder.path / "secrets/north")


def test_carriers_come_by_priority_then_name(folder: Folder) -> None:
    folder.write("carriers/a-late.toml", "priority = 5\n" + CARRIER.replace('"acme"', '"late"'))
    folder.write("carriers/z-first.toml", "priority = -1\n" + CARRIER.replace('"acme"', '"first"'))
    folder.write("carriers/b-off.toml", "enabled = false\n" + CARRIER.replace("secrets/north", "lost"))
    folder.write("carriers/notes.txt", "not a carrier")
    carriers = load(folder.path, {}).carriers
    assert [carrier.name for carrier in carriers] == ["z-first", "b-off", "north", "a-late"]
    assert [carrier.password_path == "" for carrier in carriers] == [False, True, False, False]


def test_user_names_become_uids(folder: Folder) -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    folder.edit("connector.toml", "uids = [2001]", f'uids = ["{name}", 2001]')
    config = load(folder.path, {})
    assert config.applications[0].uids == (os.getuid(), 2001)
    assert config.application_of(2001) is config.applications[0]
    assert config.application_of(2002) is None


def test_an_application_without_senders_has_the_lanes(folder: Folder) -> None:
    folder.edit(
        "connector.toml", "[state]", '[[application]]\nname = "b"\nuids = [1]\nsenders = ["60312"]\n[state]'
    )
    config = load(folder.path, {})
    assert [config.senders_of(application) for application in config.applications] == [
        ("Acme", "60312"),
        ("60312",),
    ]


def test_the_state_folder_from_systemd(folder: Folder) -> None:
    folder.write("connector.toml", CONNECTOR.replace('folder = "state"', ""))
    assert load(folder.path, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}).state_folder == "/var/lib/a"
    instance = read_instance(folder.path, {})
    assert instance.problems == ()
    assert [note.key for note in instance.notes] == ["state.folder"]
    with pytest.raises(ConfigError, match="STATE_DIRECTORY is not set"):
        load(folder.path, {})


def test_a_password_from_systemd(folder: Folder) -> None:
    folder.edit(
        "carriers/north.toml", 'password_file = "secrets/north"', 'password_credential = "secret_north"'
    )
    instance = read_instance(folder.path, {})
    assert instance.problems == ()
    assert [str(note).startswith(f"{folder.path}/carriers/north.toml:5: ") for note in instance.notes] == [
        True
    ]
    credentials = folder.path / "credentials"
    folder.write("credentials/secret_north", "s3cret", 0o440)
    config = load(folder.path, {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert read_password(config.carriers[0].password_path) == b"s3cret"
    with pytest.raises(ConfigError, match="elsewhere/secret_north cannot be read"):
        load(folder.path, {"CREDENTIALS_DIRECTORY": "/elsewhere"})


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Acme", (5, 0, "Acme")),
        ("60312", (3, 0, "60312")),
        ("+4915112345678", (1, 1, "4915112345678")),
        ("4915112345678", (1, 1, "4915112345678")),
        ("+60312", (1, 1, "60312")),
        ("1st", (5, 0, "1st")),
    ],
)
def test_how_a_sender_is_declared(folder: Folder, sender: str, expected: tuple[int, int, str]) -> None:
    assert load(folder.path, {}).carriers[0].source.of(sender) == expected


def test_a_right_configuration_never_imports_jsonschema(folder: Folder) -> None:
    code = f"""
import sys
from connector.config import load
load({str(folder.path)!r}, {{}})
print(sorted({{"jsonschema", "rich", "click", "asyncio"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
