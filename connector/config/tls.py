"""TLS to a carrier: 1.2 or newer, certificate and host name verified; there is no way to switch that off."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath

from .carrier import Tls

__all__ = ["CredentialAbsent", "TlsError", "context_of"]


class TlsError(ValueError):
    """A file that TLS needs cannot be used. `key` is the key of `[tls]` at fault."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        super().__init__(reason)


class CredentialAbsent(TlsError):
    """Only systemd provides the key, and this process is not its service."""


def context_of(tls: Tls, folder: str, environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """What connections of this carrier are made with; `folder` is CONFIG_DIR. Raises TlsError."""
    ca_file = tls.ca_file
    context = ssl.create_default_context() if ca_file is None else _pinned(FilePath(folder, ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate_file is None:
        if tls.key_file is not None or tls.key_credential is not None:
            raise TlsError("certificate_file", "is missing, expected the certificate that the key belongs to")
        return context
    certificate = FilePath(folder, tls.certificate_file)
    _readable("certificate_file", certificate)
    name, key = _key(tls, folder, environment)
    _readable(name, key)
    try:
        context.load_cert_chain(certificate, key, _no_passphrase(name))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f"{key} does not belong to {certificate}, expected its key"
        else:
            message = f"{key} and {certificate} cannot be used, expected PEM"
        raise TlsError(name, message) from None
    return context


def _pinned(file: FilePath) -> ssl.SSLContext:
    _readable("ca_file", file)
    try:
        # With a file of our own no authority of the system is loaded.
        context = ssl.create_default_context(cafile=str(file))
    except ssl.SSLError:
        raise TlsError("ca_file", f"{file} holds no certificate, expected PEM") from None
    # The same with every Python: since 3.13 what is pinned need be no root, and an authority without the
    # extensions of RFC 5280, as carriers' own ones often are, would not count.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _key(tls: Tls, folder: str, environment: Mapping[str, str]) -> tuple[str, FilePath]:
    if (tls.key_file is None) == (tls.key_credential is None):
        raise TlsError("key_file", "expected either `key_file` or `key_credential` with a certificate")
    if tls.key_file is not None:
        return "key_file", FilePath(folder, tls.key_file)
    assert tls.key_credential is not None
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise CredentialAbsent(
            "key_credential",
            f"credential {tls.key_credential} cannot be found: CREDENTIALS_DIRECTORY is not set, "
            "expected systemd to set it",
        )
    return "key_credential", FilePath(directory, tls.key_credential)


def _readable(key: str, file: FilePath) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        raise TlsError(key, f"{file} cannot be read: {error.strerror}, expected a readable file") from None


def _no_passphrase(key: str) -> Callable[[], str]:
    """OpenSSL would ask on the terminal."""

    def refuse() -> str:
        raise TlsError(key, "the key is encrypted, expected one without a passphrase")

    return refuse
