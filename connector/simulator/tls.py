"""The carrier's side of TLS, by the options that begin with `tls_`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import SmscOptions

if TYPE_CHECKING:
    import ssl


def context(options: SmscOptions) -> ssl.SSLContext | None:
    """The server's TLS context, None without a certificate. Raises OSError for files that do not serve."""
    if not options.tls_certificate:
        return None
    # Loading OpenSSL takes longer than all of a plain start.
    import ssl

    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(options.tls_certificate, options.tls_key or None)
    if options.tls_client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(options.tls_client_ca)
    return made
