"""Options of the link and of binds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .takes import STATUS_MAX
from .takes import Takes as _T
from .values import Names, check_address, check_length

BIND_MODES = Names(("transmitter", "receiver", "transceiver"))


@dataclass(frozen=True)
class BindOptions:
    """Who may bind, how often, and over what."""

    system_id: Annotated[str, _T("The only account accepted; empty accepts every account.")] = ""
    password: Annotated[str, _T("The password binds must carry; empty accepts any.")] = ""
    system_type: Annotated[str, _T("The system_type binds must carry; empty accepts any.")] = ""
    bind_modes: Annotated[Names, _T("Binds that are offered; others get 0x0D.", choices=BIND_MODES)] = (
        BIND_MODES
    )
    interface_version: Annotated[
        str,
        _T("The version told in bind responses; 3.3 tells none.", choices=("3.3", "3.4", "5.0")),
    ] = "3.4"
    bind_status: Annotated[int, _T("Refuse binds with this status, e.g. 0x0D.", high=STATUS_MAX)] = 0
    bind_refuse_first: Annotated[
        int, _T("With bind-status: refuse only the first N binds; 0 refuses all.")
    ] = 0
    max_binds: Annotated[int, _T("Binds of an account at one time; one more gets 0x05. 0: any number.")] = 0
    bind_spacing_s: Annotated[
        float, _T("Refuse with 0x05 a bind that comes sooner after the account's last one.")
    ] = 0.0
    ghost_s: Annotated[
        float,
        _T(
            "Ghost session: after a connection ends without unbind, refuse the account's binds so many "
            "seconds with 0x05 (already bound)."
        ),
    ] = 0.0
    enquire_link_s: Annotated[float, _T("Send enquire_link after so many silent seconds.")] = 0.0

    tls_certificate: Annotated[str, _T("TLS: file with the carrier's certificate chain (PEM).")] = ""
    tls_key: Annotated[str, _T("TLS: file with its private key; empty takes the certificate's file.")] = ""
    tls_client_ca: Annotated[
        str, _T("TLS: require a client certificate of an authority in this file (PEM).")
    ] = ""

    outbind: Annotated[
        str, _T("Connect to this HOST:PORT at the start and send outbind there.", check=check_address)
    ] = ""
    outbind_system_id: Annotated[str, _T("The system_id of the outbind.", check=check_length(15))] = (
        "simulator"
    )
    outbind_password: Annotated[str, _T("The password of the outbind.", check=check_length(8))] = ""
