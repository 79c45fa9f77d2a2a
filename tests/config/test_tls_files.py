"""What `[tls]` of a carrier names is tried when the configuration is read."""

import trustme

from connector.config.load import read_instance

from .conftest import Folder


def with_tls(folder: Folder, *lines: str) -> list[str]:
    """The problems and notes of a folder whose carrier has these lines in [tls]."""
    folder.write(
        "carriers/north.toml",
        (folder.path / "carriers/north.toml").read_text() + "\n[tls]\n" + "\n".join(lines),
    )
    instance = read_instance(folder.path, {})
    return [f"{problem.key}: {problem.message}" for problem in instance.problems + instance.notes]


def issue(folder: Folder) -> None:
    authority = trustme.CA()
    ours, other = authority.issue_cert("esme.example"), authority.issue_cert("other.example")
    folder.write("tls/ca.pem", authority.cert_pem.bytes().decode())
    folder.write("tls/ours.pem", ours.cert_chain_pems[0].bytes().decode())
    folder.write("tls/ours.key", ours.private_key_pem.bytes().decode(), 0o600)
    folder.write("tls/other.key", other.private_key_pem.bytes().decode(), 0o600)


def test_files_that_serve(folder: Folder) -> None:
    issue(folder)
    keys = 'ca_file = "tls/ca.pem"', 'certificate_file = "tls/ours.pem"', 'key_file = "tls/ours.key"'
    assert with_tls(folder, *keys) == []


def test_a_table_without_keys_is_enough(folder: Folder) -> None:
    assert with_tls(folder) == []


def test_a_file_that_is_not_there(folder: Folder) -> None:
    (problem,) = with_tls(folder, 'ca_file = "tls/ca.pem"')
    assert problem.startswith("tls.ca_file: ")
    assert "cannot be read: No such file" in problem


def test_a_key_of_another_certificate(folder: Folder) -> None:
    issue(folder)
    (problem,) = with_tls(folder, 'certificate_file = "tls/ours.pem"', 'key_file = "tls/other.key"')
    assert problem.startswith("tls.key_file: ")
    assert "does not belong to" in problem


def test_a_key_without_its_certificate_is_told_once(folder: Folder) -> None:
    issue(folder)
    (problem,) = with_tls(folder, 'key_file = "tls/ours.key"')
    assert problem.startswith("tls.certificate_file: ")


def test_a_credential_is_noted_outside_systemd(folder: Folder) -> None:
    issue(folder)
    (note,) = with_tls(folder, 'certificate_file = "tls/ours.pem"', 'key_credential = "secret_key"')
    assert "CREDENTIALS_DIRECTORY" in note
