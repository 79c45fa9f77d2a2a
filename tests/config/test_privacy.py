"""[privacy]: where its keys are, and what is wrong with them."""

import os
from base64 import b64encode
from pathlib import Path

import pytest

from connector.config import load, read_instance, shared_problems
from connector.config.privacy import key_octets
from connector.sealing import Seal, SealError
from connector.state_folder import seal_of

from .conftest import Folder, MakeFolder

KEY = bytes(range(200, 232))
BY_FILE = '[privacy]\nkeys = [{ id = "2026-11", file = "secrets/seal" }]\n'
BY_CREDENTIAL = '[privacy]\nkeys = [{ id = "2026-11", credential = "secret_seal" }]\n'


def with_keys(folder: Folder, table: str, content: bytes = KEY, mode: int = 0o600) -> None:
    file = folder.path / "secrets/seal"
    file.write_bytes(content)
    file.chmod(mode)
    folder.edit("connector.toml", "[http]", f"{table}[http]")


def faults(folder: Folder) -> list[tuple[str, str]]:
    return [(problem.key, problem.message) for problem in read_instance(folder.path, {}).problems]


@pytest.mark.parametrize(
    "content",
    [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\n", b64encode(KEY), b64encode(KEY) + b"\r\n"],
)
def test_each_form_of_a_key(folder: Folder, content: bytes) -> None:
    with_keys(folder, BY_FILE, content)
    (key,) = load(folder.path, {}).privacy.keys
    assert (key.id, key.path) == ("2026-11", str(folder.path / "secrets/seal"))
    assert key_octets(Path(key.path).read_bytes()) == KEY


def test_a_key_that_ends_like_a_line() -> None:
    key = b"\n" * 32
    assert key_octets(key) == key


def test_a_credential(folder: Folder, tmp_path: Path) -> None:
    with_keys(folder, BY_CREDENTIAL)
    (tmp_path / "secret_seal").write_bytes(KEY)
    (key,) = load(folder.path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).privacy.keys
    assert key.path == str(tmp_path / "secret_seal")
    instance = read_instance(folder.path, {})
    assert instance.problems == ()
    assert [note.key for note in instance.notes] == ["privacy.keys[0].credential"]


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (KEY[:31], 0o600, "holds no key, expected 32 octets"),
        (b"", 0o600, "holds no key"),
        (b"zz" * 32, 0o600, "holds no key"),
        (b64encode(KEY[:24]), 0o600, "holds no key"),
        (KEY, 0o640, "is open to group or others"),
    ],
)
def test_what_is_no_key(folder: Folder, content: bytes, mode: int, expected: str) -> None:
    with_keys(folder, BY_FILE, content, mode)
    ((key, message),) = faults(folder)
    assert key == "privacy.keys[0].file"
    assert expected in message
    assert not content or content.decode("latin-1") not in message


def test_a_file_that_is_not_there(folder: Folder) -> None:
    with_keys(folder, BY_FILE.replace("seal", "lost"))
    ((key, message),) = faults(folder)
    assert key == "privacy.keys[0].file"
    assert "cannot be read" in message and "that holds the key" in message


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ('{ id = "a" }', "keys[0].file", "neither is there"),
        ('{ id = "a", file = "x", credential = "y" }', "keys[0].file", "both are there"),
        ('{ id = "a", file = "secrets/seal" }, { id = "a", file = "secrets/seal" }', "keys[1].id", "entry 0"),
        ('{ id = "a:b", file = "secrets/seal" }', "keys[0].id", "an id: 1 to 64"),
        ('{ id = "a", key = "0123" }', "keys[0].key", ""),
        ('{ file = "secrets/seal" }', "keys[0].id", ""),
    ],
)
def test_what_contradicts_itself(folder: Folder, keys: str, key: str, expected: str) -> None:
    with_keys(folder, f"[privacy]\nkeys = [{keys}]\n")
    ((found, message),) = faults(folder)
    assert found == f"privacy.{key}"
    assert expected in message


def test_two_lanes_do_not_share_a_key(make_folder: MakeFolder) -> None:
    first, second = make_folder("a"), make_folder("b")
    second.edit("connector.toml", 'lane = "verification"', 'lane = "marketing"')
    second.edit("connector.toml", "9464", "9465")
    second.edit("connector.toml", 'senders = ["Acme", "60312"]', 'senders = ["News"]')
    second.edit("connector.toml", 'default_sender = "Acme"', 'default_sender = "News"')
    second.edit("carriers/north.toml", '"acme"', '"acme_promo"')
    with_keys(first, BY_FILE)
    with_keys(second, BY_FILE.replace("secrets/seal", "../a/secrets/seal"))
    (problem,) = shared_problems([read_instance(each.path, {}) for each in (first, second)])
    assert (problem.code, problem.key) == ("config_shared", "privacy.keys[0].file")


def test_the_keys_of_the_configuration_come_before_the_folders_own(folder: Folder) -> None:
    state = folder.path / "state"
    state.mkdir()
    own = seal_of(state)
    sealed = own.seal(b"text", b"")
    assert (state / "seal.key").stat().st_mode & 0o777 == 0o600
    with_keys(folder, BY_FILE)
    both = seal_of(state, load(folder.path, {}).privacy)
    assert both.key_id == "2026-11"
    assert both.open(sealed, b"") == b"text"
    os.unlink(state / "seal.key")
    alone = seal_of(state, load(folder.path, {}).privacy)
    assert not (state / "seal.key").exists(), "none is made where there is one"
    with pytest.raises(SealError, match="state-folder"):
        alone.open(sealed, b"")
    assert alone.open(both.seal(b"text", b""), b"") == b"text"


def test_half_a_key_in_the_state_folder_is_told(tmp_path: Path) -> None:
    """Another one in its place would make all that was sealed unreadable for ever."""
    (tmp_path / "seal.key").write_bytes(KEY[:16])
    with pytest.raises(SealError, match=r"seal\.key holds no key"):
        seal_of(tmp_path)
    assert (tmp_path / "seal.key").read_bytes() == KEY[:16]
    assert isinstance(seal_of(tmp_path.parent), Seal)
