"""How a carrier reads user data: its handsets show the result, right or wrong."""

from __future__ import annotations

from typing import NamedTuple, cast

from protocols.gsm import alphabet, packing
from protocols.gsm.coding import SEPTETS, Coding, text_of
from protocols.gsm.errors import UdhError
from protocols.gsm.languages import TAGS, Language
from protocols.gsm.udh import UserDataHeader, parse_udh
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Tag
from protocols.smpp.pdu import SubmitSm

from .options import SmscOptions

USUAL_ALPHABETS: dict[int, Coding] = {0: "gsm7", 1: "ascii", 3: "latin1", 8: "ucs2"}

_SAR_TAGS = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)


class Place(NamedTuple):
    """Where a part belongs: number (from 1) of `total` of the message `reference`; by which form."""

    reference: int
    total: int
    number: int
    form: str


class UserData(NamedTuple):
    """One part without its header, whose octets (with its length octet) were `header_octets`."""

    octets: bytes
    header_octets: int = 0
    locking: Language | None = None
    single: Language | None = None


class Reading:
    """Reads what submits carry by the carrier's alphabets, national tables and long-message forms."""

    def __init__(self, options: SmscOptions) -> None:
        alphabets = {int(coding, 0): cast(Coding, codec) for coding, codec in options.alphabets}
        self.alphabets = alphabets or USUAL_ALPHABETS
        self._first = next(iter(self.alphabets.values()))
        every = "all" in options.national_tables
        languages = {language for tag, language in TAGS.items() if every or tag in options.national_tables}
        self._locking = languages if options.national_shifts != "single" else set()
        self._single = languages if options.national_shifts != "locking" else set()
        self._forms = frozenset(options.long_forms)
        self._flash = frozenset(options.flash)

    def codec(self, data_coding: int) -> Coding | None:
        """What a data_coding means here; None when it means nothing."""
        found = self.alphabets.get(data_coding)
        if found is None and "data_coding" in self._flash and _is_flash(data_coding):
            return self.alphabets.get(data_coding & 0x0C if data_coding < 0x20 else data_coding & 0x04)
        return found

    def is_flash(self, submit: SubmitSm) -> bool:
        """Whether the handset shows the message at once and keeps nothing (TS 23.038 §4, class 0)."""
        if _is_flash(submit.data_coding) and submit.data_coding not in self.alphabets:
            return "data_coding" in self._flash
        subunit = tlv.uint(submit.tlvs, Tag.DEST_ADDR_SUBUNIT)
        return subunit == 1 and "dest_addr_subunit" in self._flash

    def content(self, submit: SubmitSm) -> bytes:
        """The user data, from message_payload only where that is understood."""
        if submit.short_message or not submit.tlvs or "payload" not in self._forms:
            return submit.short_message
        return tlv.get(submit.tlvs, Tag.MESSAGE_PAYLOAD) or b""

    def placed(self, submit: SubmitSm) -> tuple[Place | None, UserData]:
        """Where this part belongs (None: it stands alone), and its user data."""
        octets = self.content(submit)
        if not submit.esm_class and not submit.tlvs:
            return None, UserData(octets)
        if submit.esm_class & EsmClass.UDHI:
            try:
                header, body = parse_udh(octets)
            except UdhError:
                return None, UserData(octets)
            found = header.concatenation
            form = f"udh{found.bits}" if found else ""
            if found and form not in self._forms:
                return None, UserData(octets)
            place = Place(found.reference, found.total, found.index, form) if found else None
            return place, self._user_data(header, body, len(octets) - len(body))
        reference, total, index = (tlv.uint(submit.tlvs, tag) for tag in _SAR_TAGS)
        if reference is None or not total or not index or index > total or "sar" not in self._forms:
            return None, UserData(octets)
        return Place(reference, total, index, "sar"), UserData(octets)

    def text(self, parts: list[UserData], data_coding: int) -> str:
        """What the handset shows of the parts of one message, in their order."""
        codec = self.codec(data_coding) or self._first
        bodies = [_unpacked(part) if codec == "gsm7_packed" else part.octets for part in parts]
        first = parts[0]
        if codec not in SEPTETS or all(part[2:] == first[2:] for part in parts):
            return text_of(b"".join(bodies), codec, first.locking, first.single)
        pairs = zip(bodies, parts, strict=True)
        return "".join(alphabet.decode(body, part.locking, part.single) for body, part in pairs)

    def _user_data(self, header: UserDataHeader, body: bytes, header_octets: int) -> UserData:
        locking = header.locking if header.locking in self._locking else None
        single = header.single if header.single in self._single else None
        return UserData(body, header_octets, locking, single)


def _is_flash(data_coding: int) -> bool:
    """Class 0 in the general group (0x10, 0x18) or in the group of classes (0xF0, 0xF4): TS 23.038 §4."""
    return data_coding & 0xF3 == 0x10 or data_coding & 0xFB == 0xF0


def _unpacked(part: UserData) -> bytes:
    """Septets of packed user data, which begin at the first septet boundary after the header."""
    return packing.unpack(part.octets, fill_bits=packing.fill_after(part.header_octets))
