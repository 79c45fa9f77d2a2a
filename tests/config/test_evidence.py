"""[evidence]: how long it is kept, where its keys are, and what is wrong with them."""

from pathlib import Path

import pytest

from connector.config import load, read_instance, shared_problems
from connector.evidence import keys

from .conftest import Folder, MakeFolder

CHAIN = bytes(range(100, 132))


def with_table(folder: Folder, table: str) -> None:
    folder.edit("connector.toml", "[http]", f"[evidence]\n{table}\n[http]")


def with_keys(folder: Folder, tmp_path: Path) -> tuple[Path, Path]:
    made = keys.load(tmp_path, random=lambda n: CHAIN[:n])
    chain, signing = folder.path / "secrets/chain", folder.path / "secrets/signing"
    chain.write_bytes(CHAIN.hex().encode() + b"\n")
    signing.write_bytes((tmp_path / "evidence/signing.key").read_bytes())
    for file in (chain, signing):
        file.chmod(0o600)
    assert made.chain == CHAIN
    return chain, signing


def faults(folder: Folder) -> list[tuple[str, str]]:
    return [(problem.key, problem.message) for problem in read_instance(folder.path, {}).problems]


def test_without_a_table_keys_are_made_and_evidence_is_on(folder: Folder) -> None:
    evidence = load(folder.path, {}).evidence
    assert (evidence.personal_days, evidence.keep_days) == (90, 1_825)
    assert (evidence.chain_key_path, evidence.signing_key_path) == (None, None)


def test_keys_in_files_and_as_credentials(folder: Folder, tmp_path: Path) -> None:
    chain, signing = with_keys(folder, tmp_path / "made")
    with_table(folder, 'chain_key_file = "secrets/chain"\nsigning_key_credential = "signing"')
    evidence = load(folder.path, {"CREDENTIALS_DIRECTORY": str(signing.parent)}).evidence
    assert (evidence.chain_key_path, evidence.signing_key_path) == (str(chain), str(signing))
    given = keys.load(tmp_path / "state", evidence.chain_key_path, evidence.signing_key_path)
    assert given.chain == CHAIN
    assert not list((tmp_path / "state/evidence").glob("*.key"))
    assert [note.key for note in read_instance(folder.path, {}).notes] == ["evidence.signing_key_credential"]


@pytest.mark.parametrize(
    ("table", "key", "expected"),
    [
        ('chain_key_file = "secrets/none"', "chain_key_file", "expected a file that holds the key"),
        ('chain_key_file = "secrets/signing"', "chain_key_file", "expected 32 octets or these"),
        ('signing_key_file = "secrets/chain"', "signing_key_file", "expected an Ed25519 private key as PEM"),
        (
            'chain_key_file = "secrets/chain"\nchain_key_credential = "chain"',
            "chain_key_file",
            "both are there",
        ),
        ("personal_days = 31\nkeep_days = 30", "personal_days", "expected at most keep_days, which is 30"),
    ],
)
def test_what_is_wrong_is_told(folder: Folder, tmp_path: Path, table: str, key: str, expected: str) -> None:
    with_keys(folder, tmp_path)
    with_table(folder, table)
    ((told, message),) = faults(folder)
    assert told == f"evidence.{key}"
    assert expected in message


def test_a_key_that_others_may_read_is_a_problem(folder: Folder, tmp_path: Path) -> None:
    chain, _ = with_keys(folder, tmp_path)
    chain.chmod(0o640)
    with_table(folder, 'chain_key_file = "secrets/chain"')
    ((key, message),) = faults(folder)
    assert key == "evidence.chain_key_file"
    assert "open to group or others" in message


def test_two_lanes_may_not_share_a_key(make_folder: MakeFolder, tmp_path: Path) -> None:
    one, other = make_folder("verification"), make_folder("marketing")
    chain, _ = with_keys(one, tmp_path)
    for folder in (one, other):
        with_table(folder, f'chain_key_file = "{chain}"')
    instances = [read_instance(folder.path, {}) for folder in (one, other)]
    assert any("evidence.chain_key_file" in problem.key for problem in shared_problems(instances))
