"""A carrier's habits in carriers/NAME.toml: addresses, texts, receipts, vendor parameters, limits."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import END, Flag, Npi, SenderId, Ton

__all__ = [
    "Address",
    "Coding",
    "Destination",
    "Limit",
    "National",
    "ReceiptMeaning",
    "Receipts",
    "Source",
    "StatusClass",
    "StatusCode",
    "Supports",
    "Text",
    "TextAlphabet",
    "Tps",
    "Validity",
    "VendorTlv",
]

Tps = Annotated[float, Meta(gt=0, le=1_000_000, title="PDUs a second, more than 0 and at most 1,000,000")]
Octet = Annotated[int, Meta(ge=0, le=255, title="an octet from 0 to 255")]

SenderKind = Literal["numeric", "alphanumeric", "short"]


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6)."""

    ton: Ton
    npi: Npi


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which kinds of sender id this carrier takes, and how each is declared to it."""

    numeric: Address = Address(ton=1, npi=1)
    alphanumeric: Address = Address(ton=5, npi=0)
    short: Address = Address(ton=3, npi=0)
    kinds: Annotated[
        tuple[SenderKind, ...],
        Meta(description="The kinds it takes; a job with another kind goes to another carrier."),
    ] = ("numeric", "alphanumeric", "short")
    alphanumeric_max: Annotated[
        int,
        Meta(
            ge=1, le=11, title="a number of characters from 1 to 11", description="Longer ones are refused."
        ),
    ] = 11
    short_digits: Annotated[
        int,
        Meta(
            ge=1, le=15, title="a number of digits from 1 to 15",
            description="So many digits without + are a short code, more are a number.",
        ),
    ] = 8  # fmt: skip
    replace: Annotated[
        dict[SenderId, SenderId],
        Meta(title="a table of sender ids", description="Our sender id = the one registered here for it."),
    ] = {}

    def of(self, sender: str) -> tuple[int, int, str]:
        """(ton, npi, source_addr) of a sender id. Raises ValueError saying why it is not taken here."""
        shown = self.replace.get(sender, sender)
        digits = shown.removeprefix("+")
        if not digits.isdigit():
            kind: SenderKind = "alphanumeric"
        elif digits == shown and len(digits) <= self.short_digits:
            kind = "short"
        else:
            kind = "numeric"
        if kind not in self.kinds:
            taken = ", ".join(self.kinds) or "none"
            raise ValueError(f"sender {shown!r} is {kind}, this carrier takes {taken}")
        if kind == "alphanumeric" and len(shown) > self.alphanumeric_max:
            raise ValueError(f"sender {shown!r} has more than the {self.alphanumeric_max} characters allowed")
        address: Address = getattr(self, kind)
        return address.ton, address.npi, digits


class National(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of the carrier's own country in national form; others stay international."""

    country_code: Annotated[
        str, Meta(pattern=r"^[1-9][0-9]{0,3}" + END, title="a country code such as 91, without +")
    ]
    prefix: Annotated[str, Meta(pattern=r"^[0-9]{0,3}" + END, title="a trunk prefix of at most 3 digits")] = (
        "0"
    )
    ton: Ton = 2
    npi: Npi = 1


class Destination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a handset's number is written to this carrier."""

    ton: Ton = 1
    npi: Npi = 1
    form: Annotated[
        Literal["digits", "plus", "zeros"],
        Meta(description="International: 4915112345678, +4915112345678 or 004915112345678."),
    ] = "digits"
    national: (
        Annotated[
            National,
            Meta(description="Where numbers of one country must be written without their country code."),
        ]
        | None
    ) = None

    def of(self, number: str) -> tuple[int, int, str]:
        """(ton, npi, destination_addr) of an E.164 number with +."""
        digits, national = number[1:], self.national
        if national is not None and digits.startswith(national.country_code):
            return national.ton, national.npi, national.prefix + digits[len(national.country_code) :]
        return self.ton, self.npi, _INTERNATIONAL_PREFIX[self.form] + digits

    def digits(self, ton: int, address: str) -> str:
        """The digits of the E.164 number that an address of this carrier means, others as they are."""
        national = self.national
        if address.startswith("+"):
            return address[1:]
        if address.startswith("00"):
            return address[2:]
        if national is None or not address.isdigit():
            return address
        prefix = national.prefix
        if national.ton != self.ton and ton in (national.ton, self.ton):
            at_home = ton == national.ton
        else:  # the type does not tell: a trunk prefix may, but is also how other countries' codes begin
            at_home = bool(prefix) and address.startswith(prefix)
        return national.country_code + address.removeprefix(prefix) if at_home else address


_INTERNATIONAL_PREFIX = {"digits": "", "plus": "+", "zeros": "00"}

Coding = Literal["gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2"]

# The languages of TS 23.038 §6.2.1.2.4 by their BCP 47 tags.
NationalTag = Literal["tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur"]


class TextAlphabet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the octets of a text mean under one data_coding (SMPP 3.4 §5.2.19)."""

    data_coding: Octet
    codec: Annotated[
        Coding,
        Meta(
            description="gsm7: one octet a septet. gsm7_packed: TS 23.038 §6.1.2. ucs2: UTF-16, big-endian."
        ),
    ]


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts leave."""

    alphabets: Annotated[
        tuple[TextAlphabet, ...],
        Meta(
            min_length=1, title="a list of { data_coding, codec }",
            description="In order of preference. They also tell how messages of handsets are read.",
        ),
    ] = (TextAlphabet(data_coding=0, codec="gsm7"), TextAlphabet(data_coding=8, codec="ucs2"))  # fmt: skip
    national_tables: Annotated[
        tuple[NationalTag, ...],
        Meta(description="National language tables (TS 23.038 Annex A) that it hands on to handsets."),
    ] = ()
    national_shifts: Annotated[
        Literal["single", "locking", "both"], Meta(description="Which kinds of them.")
    ] = "both"
    long_message: Annotated[
        Literal["udh8", "udh16", "sar", "payload"],
        Meta(
            description="Concatenation header with an 8- or 16-bit reference, sar_ parameters, or "
            "everything in message_payload."
        ),
    ] = "udh8"
    flash: Annotated[
        Literal["data_coding", "dest_addr_subunit", "none"],
        Meta(description="How a text that the handset shows at once is marked; none: it is refused."),
    ] = "data_coding"
    service_type: Annotated[
        str, Meta(pattern=r"^[ -~]{0,5}" + END, title="at most 5 ASCII characters (SMPP 3.4 §5.2.11)")
    ] = ""
    protocol_id: Octet = 0
    priority_flag: Annotated[int, Meta(ge=0, le=4, title="a priority from 0 to 4 (SMPP 3.4 §5.2.14)")] = 0
    substitutions: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=8, title="1 to 8 characters")],
             Annotated[str, Meta(max_length=8, title="at most 8 characters")]],
        Meta(
            title="a table of replacements",
            description="Used only where the text could not leave otherwise, or would take more "
            "parts; told in preview and in the sent event.",
        ),
    ] = {}  # fmt: skip


class Validity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """validity_period: with it the SMSC drops a message whose time is over."""

    form: Annotated[
        Literal["relative", "absolute", "none"],
        Meta(description="SMPP 3.4 §7.1.1; none where the carrier refuses any."),
    ] = "relative"


ReceiptMeaning = Literal["final_delivered", "final_undelivered", "final_expired", "non_final"]

ReceiptWord = Annotated[
    str,
    Meta(pattern=r"^[A-Z][A-Z0-9_-]{1,31}" + END, title="a state word in capitals, such as ACCEPTD"),
]


class Receipts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we ask of the carrier after a message, and how we read it."""

    request: Annotated[
        Literal["final", "final_and_intermediate", "none"], Meta(description="registered_delivery.")
    ] = "final"
    id_form: Annotated[
        Literal["learn", "same", "hex_in_response", "decimal_in_response"],
        Meta(description="How the id of a receipt differs from that of the answer; learn: find out."),
    ] = "learn"
    unflagged: Annotated[
        Literal["detect", "always", "mo"],
        Meta(
            description="A text that reads as a receipt, without esm_class saying so, is one (always: none "
            "of its receipts says so), or is a handset's message."
        ),
    ] = "detect"
    prefer: Annotated[
        Literal["tlv", "text"], Meta(description="Which counts where parameters and text disagree.")
    ] = "tlv"
    id_key: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z_]{0,15}" + END, title="a word of letters, such as id")
    ] = "id"
    handset: Annotated[
        Literal["source", "destination"], Meta(description="The address of a receipt that is the handset's.")
    ] = "source"
    states: Annotated[
        dict[ReceiptWord, ReceiptMeaning],
        Meta(
            title="a table of state words",
            description="What a state in a receipt means here, where that differs from the usual.",
        ),
    ] = {}


StatusClass = Literal["throttled", "transient", "ambiguous", "permanent_here", "permanent"]

StatusCode = Annotated[
    str, Meta(pattern=r"^0x[0-9A-Fa-f]{1,8}" + END, title='a command_status such as "0x0000040B"')
]


class VendorTlv(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An optional parameter that this carrier wants with every message; its tag is its own."""

    name: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}" + END, title="a name of letters, digits and _")
    ]
    tag: Annotated[int, Meta(ge=1, le=0xFFFF, title="a tag from 0x0001 to 0xFFFF")]
    type: Annotated[
        Literal["digits", "text", "c_octets", "octets", "uint8", "uint16", "uint32"],
        Meta(
            description="digits and text: ASCII without NUL. c_octets: ASCII with NUL. octets: hexadecimal. "
            "uintN: a number, big-endian."
        ),
    ]
    value: (
        Annotated[
            str,
            Meta(min_length=1, max_length=1_000, title="1 to 1,000 characters", description="A constant."),
        ]
        | None
    ) = None
    registered: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z][a-z0-9_]{0,31}" + END,
                title="a name in the template's [registered], or among the ids of its registration",
            ),
        ]
        | None
    ) = None
    optional: Annotated[Flag, Meta(description="Left out where the template has no such value.")] = False

    def octets(self, value: str) -> bytes:
        """The parameter's value (SMPP 3.4 §3.2.4.1). Raises ValueError saying what is expected."""
        if self.type in _INTEGER_OCTETS:
            size = _INTEGER_OCTETS[self.type]
            if not value.isdecimal() or int(value) >> 8 * size:
                raise ValueError(f"is not allowed here, expected a whole number of {size} octets")
            return int(value).to_bytes(size, "big")
        if self.type == "octets":
            try:
                return bytes.fromhex(value)
            except ValueError:
                raise ValueError("is not allowed here, expected octets in hexadecimal") from None
        wrong = not value.isdecimal() if self.type == "digits" else not value.isprintable()
        if wrong or not value.isascii():
            what = "digits" if self.type == "digits" else "printable ASCII characters"
            raise ValueError(f"is not allowed here, expected {what}")
        return value.encode() + (b"\0" if self.type == "c_octets" else b"")


_INTEGER_OCTETS = {"uint8": 1, "uint16": 2, "uint32": 4}


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate below the account's, for one sender id or for the numbers that begin so."""

    sender: SenderId | None = None
    destination: (
        Annotated[
            str, Meta(pattern=r"^\+[1-9][0-9]{0,14}" + END, title="the beginning of numbers, such as +91")
        ]
        | None
    ) = None
    tps: Tps


class Supports(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Operations beyond submit_sm that the carrier answers truthfully."""

    query_sm: Flag = False
    cancel_sm: Flag = False
