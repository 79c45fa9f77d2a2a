"""carriers/NAME.toml as frozen structs: one SMPP account with one carrier."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import END, FileName, Flag, Npi, Seconds, Ton

__all__ = [
    "Account",
    "Address",
    "Backoff",
    "Binds",
    "Carrier",
    "CarrierFile",
    "Price",
    "ReceiptMeaning",
    "Receipts",
    "Source",
    "Text",
]

Window = Annotated[int, Meta(ge=1, le=10_000, title="a whole number from 1 to 10,000")]
BindCount = Annotated[int, Meta(ge=1, le=64, title="a whole number from 1 to 64")]
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
Tps = Annotated[float, Meta(gt=0, le=1_000_000, title="PDUs a second, more than 0 and at most 1,000,000")]

ReceiptMeaning = Literal["final_delivered", "final_undelivered", "non_final"]

# The words of SMPP 3.4 Appendix B, and FAILED, which several carriers write.
_WORDS = ("ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "FAILED")
ReceiptWord = Annotated[
    str,
    Meta(
        pattern=f"^({'|'.join(_WORDS)}){END}",
        title=f"one of {', '.join(_WORDS)}",
        extra_json_schema={"enum": list(_WORDS)},
    ),
]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the carrier's SMSC is and who we are to it. The password never stands here."""

    host: Annotated[str, Meta(pattern=r"^\S{1,253}" + END, title="a host name or an IP address")]
    port: Port
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
    window: Annotated[Window, Meta(description="submit_sm without answer, per bind.")] = 10
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


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6)."""

    ton: Ton
    npi: Npi


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How each kind of sender id is declared to this carrier."""

    numeric: Address = Address(ton=1, npi=1)
    alphanumeric: Address = Address(ton=5, npi=0)
    short: Address = Address(ton=3, npi=0)

    def of(self, sender: str) -> tuple[int, int, str]:
        """(ton, npi, source_addr) of a sender id; up to 8 digits without `+` are a short code."""
        digits = sender.removeprefix("+")
        if not digits.isdigit():
            kind = self.alphanumeric
        elif digits == sender and len(digits) <= _SHORT_CODE_DIGITS:
            kind = self.short
        else:
            kind = self.numeric
        return kind.ton, kind.npi, digits


_SHORT_CODE_DIGITS = 8


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts leave."""

    long_message: Annotated[
        Literal["udh8", "udh16"], Meta(description="Concatenation header with an 8- or 16-bit reference.")
    ] = "udh8"


class Receipts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we ask of the carrier after a message, and how we read it."""

    request: Literal["final", "none"] = "final"
    states: Annotated[
        dict[ReceiptWord, ReceiptMeaning],
        Meta(description="What a state in a receipt means here, where that differs from the usual."),
    ] = {}


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this carrier costs, in the operator's own currency; the same one for all carriers."""

    sms: Annotated[float, Meta(ge=0, title="a price, 0 or more", description="One SMS part.")] | None = None


class CarrierFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """carriers/NAME.toml"""

    enabled: Flag = True
    priority: Annotated[int, Meta(title="a whole number", description="Lower goes first.")] = 0
    account: Account
    binds: Binds
    backoff: Backoff = Backoff()
    source: Source = Source()
    destination: Address = Address(ton=1, npi=1)
    text: Text = Text()
    receipts: Receipts = Receipts()
    price: Price = Price()


class Carrier(CarrierFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A carrier after loading.

    name           the stem of its file
    password_path  absolute, of the file that holds the password: `read_password(carrier.password_path)`
    """

    name: str
    password_path: str
