"""Passwords live in files of mode 0600 or in systemd credentials, never in TOML."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from msgspec import Struct

from .carrier import Account, CarrierFile
from .problem import Path

__all__ = ["Located", "file_faults", "locate_password", "read_password"]

# SMPP 3.4 §5.2.2: 9 octets with the closing NUL.
_PASSWORD_OCTETS = 8
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
    if (account.password_file is None) == (account.password_credential is None):
        found = "neither is there" if account.password_file is None else "both are there"
        return Located(
            key="password_file", fault=f"{found}, expected either `password_file` or `password_credential`"
        )
    if account.password_file is not None:
        path = folder / account.password_file
        return _tried(path, "password_file", _exposure(path))
    assert account.password_credential is not None
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        note = (
            f"credential {account.password_credential} cannot be found: CREDENTIALS_DIRECTORY is not set, "
            "expected systemd to set it"
        )
        return Located(key="password_credential", note=note)
    # systemd guards the folder and may grant access by ACL, which shows as a group permission.
    return _tried(FilePath(directory) / account.password_credential, "password_credential", "")


def file_faults(carrier: CarrierFile, folder: FilePath) -> Iterator[tuple[Path, str]]:
    """(key, what is wrong) of the other secrets of a carrier that lie in files."""
    tls, outbind = carrier.tls, carrier.outbind
    if tls is not None and tls.key_file is not None and (fault := _exposure(folder / tls.key_file)):
        yield ("tls", "key_file"), fault
    if outbind is not None and outbind.password_file is not None:
        located = _tried(folder / outbind.password_file, "password_file", "")
        if fault := located.fault or _exposure(folder / outbind.password_file):
            yield ("outbind", "password_file"), fault


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


def _tried(path: FilePath, key: str, fault: str) -> Located:
    try:
        password = read_password(str(path))
    except OSError as error:
        reason = error.strerror or str(error)
        return Located(
            str(path), key, f"{path} cannot be read: {reason}, expected a file that holds the password"
        )
    if not fault and not 1 <= len(password) <= _PASSWORD_OCTETS:
        fault = f"{path} holds {len(password)} octets, expected 1 to {_PASSWORD_OCTETS} (SMPP 3.4 §5.2.2)"
    if not fault and (b"\0" in password or b"\n" in password):
        fault = f"{path} holds a NUL or several lines, expected one line"
    return Located(str(path), key, fault)
