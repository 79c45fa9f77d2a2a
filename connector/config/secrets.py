"""Passwords live in files of mode 0600 or in systemd credentials, never in TOML."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath

from msgspec import Struct

from .carrier import Account, CarrierFile, Tls
from .evidence import EvidenceFile
from .privacy import SealKeyFile, key_octets
from .problem import Path
from .trunk import TrunkAccount

__all__ = [
    "Located",
    "file_faults",
    "key_fault",
    "locate_evidence_key",
    "locate_password",
    "locate_seal_key",
    "locate_trunk_password",
    "read_password",
]

# SMPP 3.4 §5.2.2: 9 octets with the closing NUL.
_PASSWORD_OCTETS = 8
_CHAIN_KEY_OCTETS = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Located(Struct, frozen=True):
    """Where a password is.

    path  absolute, "" when that cannot be known here
    key   the key of [account] at fault
    fault what is wrong and what is expected
    note  what could not be checked here and why that may be right
    """

    path: str = ""
    key: str = ""
    fault: str = ""
    note: str = ""


def locate_password(account: Account, folder: FilePath, environment: Mapping[str, str]) -> Located:
    """Find and try the password of an account; `folder` is CONFIG_DIR."""
    return _located(account, folder, environment, _smpp_fault)


def locate_trunk_password(account: TrunkAccount, folder: FilePath, environment: Mapping[str, str]) -> Located:
    """The same for a trunk; nothing where it has no username."""
    if account.username is None:
        return Located()
    return _located(account, folder, environment, _sip_fault)


def locate_seal_key(key: SealKeyFile, folder: FilePath, environment: Mapping[str, str]) -> Located:
    """Find and try a key of [privacy]."""
    return _found(key.file, key.credential, ("file", "credential"), folder, environment, _seal_key_fault)


def locate_evidence_key(
    settings: EvidenceFile, name: str, folder: FilePath, environment: Mapping[str, str]
) -> Located | None:
    """Find and try the "chain_key" or "signing_key" of [evidence]; None where it is made here."""
    names = (f"{name}_file", f"{name}_credential")
    file, credential = (getattr(settings, key) for key in names)
    if file is None and credential is None:
        return None
    fault_of = _chain_key_fault if name == "chain_key" else _signing_key_fault
    return _found(file, credential, names, folder, environment, fault_of)


def _located(
    account: Account | TrunkAccount,
    folder: FilePath,
    environment: Mapping[str, str],
    fault_of: Callable[[bytes], str],
) -> Located:
    names = ("password_file", "password_credential")
    return _found(account.password_file, account.password_credential, names, folder, environment, fault_of)


def _found(
    file: str | None,
    credential: str | None,
    names: tuple[str, str],
    folder: FilePath,
    environment: Mapping[str, str],
    fault_of: Callable[[bytes], str],
) -> Located:
    """`names`: of the keys that have given `file` and `credential`."""
    for_file, for_credential = names
    if (file is None) == (credential is None):
        found = "neither is there" if file is None else "both are there"
        return Located(key=for_file, fault=f"{found}, expected either `{for_file}` or `{for_credential}`")
    if file is not None:
        path = folder / file
        return _tried(path, for_file, _exposure(path), fault_of)
    assert credential is not None
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        note = (
            f"credential {credential} cannot be found: CREDENTIALS_DIRECTORY is not set, "
            "expected systemd to set it"
        )
        return Located(key=for_credential, note=note)
    # systemd guards the folder and may grant access by ACL, which shows as a group permission.
    return _tried(FilePath(directory) / credential, for_credential, "", fault_of)


def file_faults(carrier: CarrierFile, folder: FilePath) -> Iterator[tuple[Path, str]]:
    """(key, what is wrong) of the other secrets of a carrier that lie in files."""
    tls, outbind = carrier.tls, carrier.outbind
    if tls is not None and (fault := key_fault(tls, folder)):
        yield ("tls", "key_file"), fault
    if outbind is not None and outbind.password_file is not None:
        located = _tried(folder / outbind.password_file, "password_file", "", _smpp_fault)
        if fault := located.fault or _exposure(folder / outbind.password_file):
            yield ("outbind", "password_file"), fault


def key_fault(tls: Tls, folder: FilePath) -> str:
    """What is wrong with the protection of our private key."""
    return _exposure(folder / tls.key_file) if tls.key_file is not None else ""


def read_password(path: str) -> bytes:
    """The password without the newline editors add. Raises OSError."""
    return FilePath(path).read_bytes().rstrip(b"\r\n")


def _exposure(path: FilePath) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return ""
    if mode & _OTHERS:
        return f"{path} is open to group or others (mode {mode:04o}), expected mode 0600 or less"
    return ""


def _tried(path: FilePath, key: str, fault: str, fault_of: Callable[[bytes], str]) -> Located:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        what = "password" if fault_of in (_smpp_fault, _sip_fault) else "key"
        return Located(
            str(path), key, f"{path} cannot be read: {reason}, expected a file that holds the {what}"
        )
    if not fault and (wrong := fault_of(content)):
        fault = f"{path} {wrong}"
    return Located(str(path), key, fault)


def _smpp_fault(content: bytes) -> str:
    password = content.rstrip(b"\r\n")
    if not 1 <= len(password) <= _PASSWORD_OCTETS:
        return f"holds {len(password)} octets, expected 1 to {_PASSWORD_OCTETS} (SMPP 3.4 §5.2.2)"
    if b"\0" in password or b"\n" in password:
        return "holds a NUL or several lines, expected one line"
    return ""


def _sip_fault(content: bytes) -> str:
    password = content.rstrip(b"\r\n")
    if not password or b"\0" in password or b"\n" in password:
        return "holds nothing, a NUL or several lines, expected one line"
    return ""


def _seal_key_fault(content: bytes) -> str:
    try:
        key_octets(content)
    except ValueError as error:
        return str(error)
    return ""


def _chain_key_fault(key: bytes) -> str:
    try:
        right = len(key) == _CHAIN_KEY_OCTETS or len(bytes.fromhex(key.decode("ascii"))) == _CHAIN_KEY_OCTETS
    except ValueError:
        right = False
    return "" if right else f"holds no key, expected {_CHAIN_KEY_OCTETS} octets or these in hexadecimal"


def _signing_key_fault(key: bytes) -> str:
    if not key.startswith(b"-----BEGIN PRIVATE KEY-----"):
        return "holds no key, expected an Ed25519 private key as PEM (PKCS #8), without a password"
    return ""
