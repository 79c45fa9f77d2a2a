"""trunks/NAME.toml as frozen structs: one SIP trunk of one carrier."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .carrier import CredentialName, HostName, Port, Tls
from .fields import END, FileName, Flag, Seconds
from .journey import Prefix

__all__ = [
    "CallOutcome",
    "Calls",
    "Media",
    "NationalForm",
    "Trunk",
    "TrunkAccount",
    "TrunkDestination",
    "TrunkFile",
    "TrunkPrice",
]

HostAndPort = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:]{1,253})(:[0-9]{1,5})?" + END,
        title='a host, with or without a port, such as "sip2.example:5060"',
    ),
]
Username = Annotated[str, Meta(pattern=r"^[!-~]{1,128}" + END, title="1 to 128 printable ASCII characters")]
CallerId = Annotated[
    str, Meta(pattern=r"^\+?[0-9]{3,15}" + END, title="a number of 3 to 15 digits, with or without +")
]
SipStatus = Annotated[str, Meta(pattern=r"^[3-6][0-9]{2}" + END, title='a final SIP status such as "486"')]
CallOutcome = Literal[
    "busy", "no_answer", "unreachable", "bad_number", "never_again", "congested", "forbidden", "declined",
    "peer_fault",
]  # fmt: skip


class TrunkAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the carrier takes calls and who we are to it. The password never stands here."""

    host: Annotated[
        HostName, Meta(description="A domain, found by NAPTR and SRV when no port is given, or an address.")
    ]
    port: Port | None = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    standby: Annotated[
        tuple[HostAndPort, ...],
        Meta(max_length=16, description="Further hosts of the same account, for when the first fails."),
    ] = ()
    domain: (
        Annotated[HostName, Meta(description="In From, To and the request URI; absent: `host`.")] | None
    ) = None
    username: (
        Annotated[Username, Meta(description="For digest authentication; absent: the address is enough.")]
        | None
    ) = None
    password_file: Annotated[FileName, Meta(description="Holds the password, mode 0600 or less.")] | None = (
        None
    )
    password_credential: (
        Annotated[CredentialName, Meta(description="Name of the systemd credential that holds the password.")]
        | None
    ) = None
    realm: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                title="a realm",
                description="The only one that gets credentials; absent: `domain` or `host`.",
            ),
        ]
        | None
    ) = None
    outbound_proxy: (
        Annotated[HostAndPort, Meta(description="Calls leave through it, with a Route.")] | None
    ) = None
    register: Annotated[
        Flag, Meta(description="Whether the carrier wants a REGISTER before it takes calls.")
    ] = False
    register_s: Annotated[Seconds, Meta(description="How long a registration is asked for.")] = 300.0
    options_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            title="seconds, 0 to 3,600",
            description="Between two OPTIONS that ask whether it is alive; 0: none.",
        ),
    ] = 30.0


class Media(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the voice travels."""

    codecs: Annotated[
        tuple[Literal["PCMU", "PCMA"], ...],
        Meta(min_length=1, max_length=2, title='a list of "PCMA" and "PCMU", the preferred first'),
    ] = ("PCMA", "PCMU")
    srtp: Annotated[
        Literal["off", "required"] | None,
        Meta(description="Encryption by SDES (RFC 4568); absent: required where `transport` is tls."),
    ] = None
    timeout_s: Annotated[Seconds, Meta(description="No packet for so long: the call is dead.")] = 20.0
    digits: Annotated[
        Literal["rfc4733", "info"],
        Meta(description="How keys are sent to an agent's leg; what comes is understood either way."),
    ] = "rfc4733"


class Calls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many, how fast, how long."""

    max: Annotated[int, Meta(ge=1, le=5_000, title="a number of calls from 1 to 5,000")]
    per_s: Annotated[float, Meta(gt=0, le=1_000, title="calls a second, more than 0 and at most 1,000")]
    caller_ids: Annotated[
        tuple[CallerId, ...],
        Meta(
            min_length=1, title="a list of numbers", description="What handsets see; the first is the usual."
        ),
    ]
    ring_s: Annotated[
        Seconds, Meta(description="Not answered so long after the first 1xx: the call is cancelled.")
    ] = 30.0
    max_s: Annotated[Seconds, Meta(description="No call is longer, an agent's included.")] = 600.0
    reliable: Annotated[
        Literal["no", "supported", "required"], Meta(description="100rel (RFC 3262) of provisional answers.")
    ] = "supported"
    session_expires_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            title="0, or seconds from 90 to 86,400",
            description="Session timer (RFC 4028); 0: none.",
        ),
    ] = 1_800


class NationalForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of one country as they are dialled within it."""

    country_code: Annotated[
        str, Meta(pattern=r"^[1-9][0-9]{0,2}" + END, title='a country code without +, such as "49"')
    ]
    prefix: Annotated[str, Meta(pattern=r"^[0-9]{0,5}" + END, title="up to 5 digits in front")] = "0"


class TrunkDestination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which numbers it is for, and how it wants them."""

    prefixes: Annotated[tuple[Prefix, ...], Meta(description="Only numbers that start so; empty: all.")] = ()
    form: Annotated[
        Literal["plus", "digits", "zeros", "national"],
        Meta(description="+4930…, 4930…, 004930…, or as within the country."),
    ] = "plus"
    national: NationalForm | None = None

    def takes(self, number: str) -> bool:
        """Whether an E.164 number with + may be called over this trunk."""
        return not self.prefixes or number.startswith(self.prefixes)

    def of(self, number: str) -> str:
        """The user part of the URI for an E.164 number with +."""
        digits, national = number[1:], self.national
        if self.form == "national" and national is not None and digits.startswith(national.country_code):
            return national.prefix + digits[len(national.country_code) :]
        return _INTERNATIONAL_PREFIX[self.form] + digits


_INTERNATIONAL_PREFIX = {"plus": "+", "digits": "", "zeros": "00", "national": "+"}


class TrunkPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What calls cost, in the operator's own currency; the same one for all carriers."""

    call: Annotated[float, Meta(ge=0, title="a price, 0 or more", description="Each answered call.")] = 0.0
    minute: Annotated[float, Meta(ge=0, title="a price, 0 or more", description="Each minute begun.")] = 0.0
    destinations: Annotated[
        dict[Prefix, Annotated[float, Meta(ge=0, title="a price, 0 or more")]],
        Meta(
            title="a table of prices",
            description="Of a whole call to numbers that begin so; the longest prefix counts.",
        ),
    ] = {}


class TrunkFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """trunks/NAME.toml"""

    enabled: Flag = True
    priority: Annotated[int, Meta(title="a whole number", description="Lower goes first.")] = 0
    trunk: TrunkAccount
    tls: Tls | None = None
    media: Media = Media()
    calls: Calls
    destination: TrunkDestination = TrunkDestination()
    outcomes: Annotated[
        dict[SipStatus, CallOutcome],
        Meta(
            title="a table of SIP statuses",
            description="What a final status means here, where that differs from the usual.",
        ),
    ] = {}
    price: TrunkPrice = TrunkPrice()

    @property
    def srtp(self) -> bool:
        """Whether media are encrypted."""
        wanted = self.media.srtp or ("required" if self.trunk.transport == "tls" else "off")
        return wanted == "required"


class Trunk(TrunkFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trunk after loading.

    name           the stem of its file
    password_path  absolute, of the file that holds the password; "" where none is needed
    folder         CONFIG_DIR, absolute: what relative paths start at
    """

    name: str
    password_path: str = ""
    folder: str = ""
