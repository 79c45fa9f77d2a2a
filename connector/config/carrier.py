"""carriers/NAME.toml as frozen structs: one SMPP account with one carrier."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import END, FileName, Flag, Seconds, SenderId
from .habits import (
    Destination,
    Limit,
    Receipts,
    Source,
    StatusClass,
    StatusCode,
    Supports,
    Text,
    Tps,
    Validity,
    VendorTlv,
)
from .journey import Country, Prefix

__all__ = ["Account", "Backoff", "Binds", "Carrier", "CarrierFile", "Outbind", "Price", "SenderRules", "Tls"]

Window = Annotated[int, Meta(ge=1, le=10_000, title="a whole number from 1 to 10,000")]
BindCount = Annotated[int, Meta(ge=1, le=64, title="a whole number from 1 to 64")]
HostName = Annotated[str, Meta(pattern=r"^\S{1,253}" + END, title="a host name or an IP address")]
Port = Annotated[int, Meta(ge=1, le=65_535, title="a port from 1 to 65,535")]
CredentialName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,255}" + END, title="the name of a systemd credential")
]
SystemId = Annotated[
    str, Meta(pattern=r"^[!-~]{1,15}" + END, title="1 to 15 printable ASCII characters (SMPP 3.4 §5.2.1)")
]
SystemType = Annotated[
    str, Meta(pattern=r"^[ -~]{0,12}" + END, title="at most 12 ASCII characters (SMPP 3.4 §5.2.3)")
]

AddressAndPort = Annotated[
    str, Meta(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:]{1,253}):[0-9]{1,5}" + END, title="HOST:PORT")
]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the carrier's SMSC is and who we are to it. The password never stands here."""

    host: HostName
    port: Port
    standby: Annotated[
        tuple[AddressAndPort, ...],
        Meta(max_length=16, description="Further addresses of the same account, for when the first fails."),
    ] = ()
    system_id: SystemId
    password_file: Annotated[FileName, Meta(description="Holds the password, mode 0600 or less.")] | None = (
        None
    )
    password_credential: (
        Annotated[CredentialName, Meta(description="Name of the systemd credential that holds the password.")]
        | None
    ) = None
    system_type: SystemType = ""
    interface_version: Literal["3.3", "3.4", "5.0"] = "3.4"
    address_range: Annotated[
        str, Meta(pattern=r"^[ -~]{0,40}" + END, title="at most 40 ASCII characters (SMPP 3.4 §5.2.7)")
    ] = ""

    @property
    def interface_octet(self) -> int:
        """`interface_version` as the bind carries it (SMPP 3.4 §5.2.4)."""
        major, minor = self.interface_version.split(".")
        return int(major) << 4 | int(minor)


class Binds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many sessions, and how fast."""

    tps: Annotated[
        Tps, Meta(description="submit_sm PDUs a second over the whole account, all binds together.")
    ]
    mode: Literal["transceiver", "transmitter+receiver"] = "transceiver"
    count: Annotated[BindCount, Meta(description="Transceivers, or transmitter and receiver pairs.")] = 1
    window: Annotated[
        Window, Meta(description="submit_sm without answer, per bind: the most the carrier agreed to.")
    ] = 10
    window_sizing: Annotated[
        Literal["automatic", "fixed"],
        Meta(description="automatic: what rate and round trip need, up to `window`. fixed: always `window`."),
    ] = "automatic"
    rate_scope: Annotated[
        Literal["bind", "account"],
        Meta(description="What is slowed down after an answer that says too fast."),
    ] = "bind"
    spacing_s: Annotated[
        float,
        Meta(ge=0, le=3600, title="seconds, 0 to 3,600", description="Between two binds of this account."),
    ] = 0.0
    response_timeout_s: Annotated[
        Seconds, Meta(description="After it a submit_sm is unknown, not rejected.")
    ] = 10.0
    enquire_link_s: Annotated[Seconds, Meta(description="Silence before we ask; dead after two.")] = 30.0
    bind_timeout_s: Annotated[Seconds, Meta(description="For connecting and for the answer to the bind.")] = (
        10.0
    )


class Backoff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wait between attempts to bind: exponential, full jitter."""

    initial_s: Seconds = 1.0
    max_s: Seconds = 60.0
    ghost_s: Annotated[
        Seconds, Meta(description="After 'already bound': our old session must die first.")
    ] = 45.0


class Tls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table turns TLS on: 1.2 or newer, the certificate and its host name verified, always."""

    ca_file: (
        Annotated[FileName, Meta(description="The only authorities trusted; without it the system's.")] | None
    ) = None
    server_name: (
        Annotated[HostName, Meta(description="What the certificate must name, where that is not `host`.")]
        | None
    ) = None
    certificate_file: (
        Annotated[FileName, Meta(description="Our own, where the carrier wants one.")] | None
    ) = None
    key_file: Annotated[FileName, Meta(description="Its private key, mode 0600 or less.")] | None = None
    key_credential: (
        Annotated[CredentialName, Meta(description="Name of the systemd credential that holds the key.")]
        | None
    ) = None


class Outbind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table makes us listen for a carrier that connects to us (SMPP 3.4 §2.2.1)."""

    listen: AddressAndPort
    allow: Annotated[
        tuple[
            Annotated[str, Meta(pattern=r"^[0-9A-Fa-f:./]{2,49}" + END, title="an IP address or network")],
            ...,
        ],
        Meta(min_length=1, title="a list of IP addresses or networks", description="Who may connect."),
    ]
    password_file: Annotated[FileName, Meta(description="What its outbind must carry.")] | None = None
    password_credential: CredentialName | None = None


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this carrier costs, in the operator's own currency; the same one for all carriers."""

    sms: Annotated[float, Meta(ge=0, title="a price, 0 or more", description="One SMS part.")] | None = None
    destinations: Annotated[
        dict[Prefix, Annotated[float, Meta(ge=0, title="a price, 0 or more")]],
        Meta(
            title="a table of prices",
            description="The same for numbers that begin so; the longest prefix counts.",
        ),
    ] = {}


class SenderRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where this carrier shows a brand as the sender, and what stands there elsewhere."""

    brands: Annotated[
        Flag, Meta(description="Whether a sender id with letters may go by this carrier at all.")
    ] = True
    no_brands_in: Annotated[
        tuple[Country, ...], Meta(description="Countries whose operators replace or refuse them.")
    ] = ()
    instead: (
        Annotated[
            SenderId,
            Meta(
                title="a number or short code of 3 to 15 digits",
                description="What stands there in place of a brand; absent: it goes to another carrier.",
            ),
        ]
        | None
    ) = None

    def permits(self, sender: str, country: str) -> bool:
        """Whether `sender` may be shown to recipients in `country` (ISO 3166)."""
        if sender.removeprefix("+").isdigit() or not sender:
            return True
        return self.brands and country not in self.no_brands_in


class CarrierFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """carriers/NAME.toml"""

    enabled: Flag = True
    priority: Annotated[int, Meta(title="a whole number", description="Lower goes first.")] = 0
    account: Account
    tls: Tls | None = None
    binds: Binds
    backoff: Backoff = Backoff()
    outbind: Outbind | None = None
    source: Source = Source()
    sender_rules: SenderRules = SenderRules()
    destination: Destination = Destination()
    text: Text = Text()
    validity: Validity = Validity()
    receipts: Receipts = Receipts()
    statuses: Annotated[
        dict[StatusCode, StatusClass],
        Meta(
            title="a table of statuses",
            description="What an answer's command_status means here, where that differs from the usual.",
        ),
    ] = {}
    tlvs: tuple[VendorTlv, ...] = ()
    limits: tuple[Limit, ...] = ()
    supports: Supports = Supports()
    price: Price = Price()


class Carrier(CarrierFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A carrier after loading.

    name           the stem of its file
    password_path  absolute, of the file that holds the password: `read_password(carrier.password_path)`
    folder         CONFIG_DIR, absolute: what relative paths start at
    """

    name: str
    password_path: str
    folder: str = ""
