"""What a deliver_sm or data_sm from a handset says, and whose it is."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.inbound import InboundDecoder, Receivers
from connector.config import CarrierFile
from connector.config.model import Application, Config, Jobs
from connector.journal.inbound import text_or_data
from connector.journal.ops import InboundPart
from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Alphabet, Rules, plan
from protocols.gsm.udh import body_of, concatenation, header, shifts
from protocols.smpp.constants import EsmClass, Tag
from protocols.smpp.pdu import DataSm, DeliverSm
from protocols.smpp.receipt import parse


def carrier(**tables: Any) -> CarrierFile:
    account = {"host": "smsc.example", "port": 2775, "system_id": "shop", "password_file": "password"}
    return msgspec.convert({"account": account, "binds": {"tps": 10.0}, **tables}, CarrierFile)


def alphabets(*pairs: tuple[int, str]) -> CarrierFile:
    return carrier(text={"alphabets": [{"data_coding": number, "codec": codec} for number, codec in pairs]})


PLAIN = carrier()
TAGS = (
    Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM, Tag.MESSAGE_PAYLOAD,
    Tag.USER_MESSAGE_REFERENCE,
)  # fmt: skip


def deliver(**fields: Any) -> DeliverSm:
    base: dict[str, Any] = {
        "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": b"4915112345678",
        "dest_addr_ton": 3, "destination_addr": b"12345", "short_message": b"Hello",
    }  # fmt: skip
    return DeliverSm(**{**base, **fields})


def part_of(pdu: DeliverSm | DataSm, profile: CarrierFile = PLAIN) -> InboundPart:
    part = InboundDecoder(profile).part_of(pdu)
    assert part is not None
    return part


def text(pdu: DeliverSm | DataSm, profile: CarrierFile = PLAIN) -> str | None:
    return text_or_data([part_of(pdu, profile)])[0]


# Alphabets


@pytest.mark.rule("text.default-alphabet", "text.at-sign", "text.ucs2")
@pytest.mark.parametrize(
    ("profile", "data_coding", "octets", "shown"),
    [
        (PLAIN, 0, b"\x00 \x02 \x1be", "@ $ €"),
        (PLAIN, 1, b"@ $", "@ $"),
        (PLAIN, 3, b"\xe4", "ä"),
        (PLAIN, 8, "नमस्ते 🙂".encode("utf-16-be"), "नमस्ते 🙂"),
        (alphabets((0, "latin1")), 0, b"\xe4@", "ä@"),
        (alphabets((0, "ascii")), 0, b"@", "@"),
        (alphabets((0, "utf8")), 0, "ü".encode(), "ü"),
        (alphabets((8, "ucs2")), 0, b"\0A", "A"),  # 0 is the carrier's first alphabet
        (alphabets((0, "gsm7_packed")), 0, bytes.fromhex("c8329bfd06"), "Hello"),
        (alphabets((0, "gsm7"), (3, "utf8")), 3, "ü".encode(), "ü"),  # the file, before the specification
        (alphabets((0, "latin1"), (0, "gsm7")), 0, b"@", "@"),  # the first one of the same number
    ],
)  # fmt: skip
def test_text_is_read_with_the_carriers_alphabets(
    profile: CarrierFile, data_coding: int, octets: bytes, shown: str
) -> None:
    assert text(deliver(data_coding=data_coding, short_message=octets), profile) == shown


@pytest.mark.parametrize("data_coding", [0x10, 0x11, 0x13, 0xF0, 0xF1, 0xF3])
def test_septets_with_a_message_class(data_coding: int) -> None:
    assert text(deliver(data_coding=data_coding, short_message=b"\x00")) == "@"
    packed = alphabets((0, "gsm7_packed"))
    assert (
        text(deliver(data_coding=data_coding, short_message=bytes.fromhex("c8329bfd06")), packed) == "Hello"
    )
    # Whose default is another alphabet has the GSM one only where a class is named.
    assert text(deliver(data_coding=data_coding, short_message=b"\x00"), alphabets((0, "latin1"))) == "@"


@pytest.mark.parametrize("data_coding", [0x18, 0x19, 0x1B])
def test_ucs2_with_a_message_class(data_coding: int) -> None:
    assert text(deliver(data_coding=data_coding, short_message=b"\x20\xac")) == "€"


@pytest.mark.parametrize("data_coding", [2, 4, 5, 9, 14, 0x14, 0x17, 0x1C, 0x30, 0xC8, 0xF4, 0xF7, 0xFF])
def test_what_is_no_text_stays_octets(data_coding: int) -> None:
    part = part_of(deliver(data_coding=data_coding, short_message=b"\x00\xff"))
    assert text_or_data([part]) == (None, "00ff")


# Parts


@pytest.mark.parametrize("bits", [8, 16])
def test_a_header_of_concatenation(bits: int) -> None:
    octets = concatenation(0x42, 3, 2, bits) + b"two"
    part = part_of(deliver(esm_class=EsmClass.UDHI, short_message=octets))
    assert (part.form, part.reference, part.total, part.index) == (f"udh{bits}", 0x42, 3, 2)
    assert part.octets == b"two"


def sar(reference: int, total: int, index: int) -> tuple[tuple[int, bytes], ...]:
    return (
        (Tag.SAR_MSG_REF_NUM, reference.to_bytes(2, "big")),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((index,))),
    )


def test_sar_parameters() -> None:
    part = part_of(deliver(tlvs=sar(0xABCD, 2, 1)))
    assert (part.form, part.reference, part.total, part.index) == ("sar", 0xABCD, 2, 1)


@pytest.mark.parametrize(
    "tlvs", [sar(1, 2, 3), sar(1, 2, 0), sar(1, 0, 0), sar(1, 2, 1)[:2], sar(1, 2, 1)[1:], sar(1, 2, 1)[::2]]
)
def test_sar_parameters_that_do_not_agree_are_none(tlvs: tuple[tuple[int, bytes], ...]) -> None:
    part = part_of(deliver(tlvs=tlvs))
    assert (part.form, part.total, part.index) == ("", 1, 1)


def test_the_header_counts_where_there_are_both() -> None:
    octets = concatenation(7, 3, 2) + b"x"
    part = part_of(deliver(esm_class=EsmClass.UDHI, short_message=octets, tlvs=sar(9, 2, 1)))
    assert (part.form, part.reference, part.total) == ("udh8", 7, 3)


def test_a_text_in_message_payload() -> None:
    long = "Ein langer Text. " * 40
    pdu = deliver(short_message=b"", tlvs=((Tag.MESSAGE_PAYLOAD, long.encode()),))
    assert text(pdu) == long
    assert part_of(pdu).total == 1


def test_data_sm_carries_the_same() -> None:
    pdu = DataSm(
        source_addr_ton=1, source_addr=b"4915112345678", destination_addr=b"12345", esm_class=EsmClass.UDHI,
        data_coding=8, tlvs=((Tag.MESSAGE_PAYLOAD, concatenation(7, 2, 1) + "é".encode("utf-16-be")),),
    )  # fmt: skip
    part = part_of(pdu)
    assert (part.handset, part.recipient, part.form, part.index) == ("+4915112345678", "12345", "udh8", 1)
    assert text_or_data([part]) == ("é", None)


def test_what_no_short_message_can_hold_is_no_part() -> None:
    octets = concatenation(7, 200, 1) + bytes(60_000)
    part = part_of(deliver(esm_class=EsmClass.UDHI, short_message=b"", tlvs=((Tag.MESSAGE_PAYLOAD, octets),)))
    assert (part.form, part.total) == ("", 1)


@pytest.mark.parametrize("octets", [b"\x05\x00\x03\x01", b"\xff" * 20, b""])
def test_a_broken_header_leaves_the_octets(octets: bytes) -> None:
    part = part_of(deliver(esm_class=EsmClass.UDHI, short_message=octets))
    assert (part.codec, part.octets, part.total) == (None, octets, 1)


@pytest.mark.rule("text.national-header")
def test_national_tables_of_the_header() -> None:
    octets = header(shifts(Language.TURKISH, Language.TURKISH)) + b"\x1b\x53\x0b"
    part = part_of(deliver(esm_class=EsmClass.UDHI, short_message=octets))
    assert (part.locking, part.single) == (Language.TURKISH, Language.TURKISH)
    assert text_or_data([part]) == ("ŞĞ", None)


def test_a_reference_of_its_own() -> None:
    assert part_of(deliver()).reference is None
    assert part_of(deliver(tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\x05"),))).reference == 5
    assert part_of(deliver(tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\0"),))).reference is None


@pytest.mark.parametrize("octets", [5, 8, 9, 60_000])
def test_a_reference_of_any_length_fits_into_the_journal(octets: int) -> None:
    """One that does not would end the daemon, and come again after its start."""
    reference = b"\xff" * octets
    assert part_of(deliver(tlvs=((Tag.USER_MESSAGE_REFERENCE, reference),))).reference is None
    _, total, index = sar(1, 2, 1)
    part = part_of(deliver(tlvs=((Tag.SAR_MSG_REF_NUM, reference), total, index)))
    assert (part.form, part.total, part.octets) == ("", 1, b"Hello")
    padded = b"\0" * octets + b"\x05"
    assert part_of(deliver(tlvs=((Tag.USER_MESSAGE_REFERENCE, padded),))).reference == 5


@given(
    words=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400),
    codec=st.sampled_from(["gsm7", "gsm7_packed"]),
    form=st.sampled_from(["udh8", "udh16", "sar"]),
    tables=st.booleans(),
)
def test_what_we_would_send_is_what_we_read(words: str, codec: Any, form: Any, tables: bool) -> None:
    languages = (Language.HINDI, Language.TURKISH) if tables else ()
    rules = Rules(
        alphabets=(Alphabet(0, codec), Alphabet(8, "ucs2")), locking=languages, single=languages,
        long_message=form,
    )  # fmt: skip
    segments = plan(words, rules)
    profile = alphabets((0, codec), (8, "ucs2"))
    total = len(segments.parts)
    parts = [
        part_of(
            deliver(
                esm_class=EsmClass.UDHI if segments.has_header else 0, data_coding=segments.data_coding,
                short_message=octets, tlvs=sar(77, total, index) if form == "sar" and total > 1 else (),
            ),
            profile,
        )
        for index, octets in enumerate(segments.user_data(77), 1)
    ]  # fmt: skip
    assert [(part.index, part.total) for part in parts] == [(n, total) for n in range(1, total + 1)]
    assert text_or_data(parts) == (words, None)


@given(
    esm_class=st.sampled_from([0, EsmClass.UDHI]), data_coding=st.integers(0, 255),
    octets=st.binary(max_size=255), tlvs=st.lists(st.tuples(st.sampled_from(TAGS), st.binary(max_size=4))),
)  # fmt: skip
def test_any_octets_become_a_message(
    esm_class: int, data_coding: int, octets: bytes, tlvs: list[tuple[int, bytes]]
) -> None:
    pdu = deliver(esm_class=esm_class, data_coding=data_coding, short_message=octets, tlvs=tuple(tlvs))
    part = part_of(pdu)
    assert 1 <= part.index <= part.total <= 255
    written, data = text_or_data([part])
    assert (written is None) != (data is None)


# Receipts


@pytest.mark.rule("receipts.never-mo")
@pytest.mark.parametrize("kind", [0x04, 0x08, 0x10, 0x18, 0x20, 0x44])
def test_what_acknowledges_is_no_message(kind: int) -> None:
    assert InboundDecoder(PLAIN).part_of(deliver(esm_class=kind)) is None


@pytest.mark.parametrize(
    "words",
    [
        "STOP",
        "id:1 please",
        "my stat: fine",
        "stat:DELIVRD",
        "id: 5 stat:ok",
        "text: id:1 stat:DELIVRD done date:1",
    ],
)
def test_a_message_that_only_resembles_a_receipt_is_a_message(words: str) -> None:
    pdu = deliver(short_message=words.encode())
    assert parse(pdu) is None
    assert text(pdu) == words


# Numbers


NATIONAL = {"country_code": "91", "prefix": "0"}


@pytest.mark.parametrize(
    ("destination", "ton", "address", "handset"),
    [
        ({}, 1, b"4915112345678", "+4915112345678"),
        ({}, 1, b"+4915112345678", "+4915112345678"),
        ({}, 1, b"004915112345678", "+4915112345678"),
        ({}, 0, b"4915112345678", "+4915112345678"),
        ({}, 0, b"+4915112345678", "+4915112345678"),
        ({}, 0, b"004915112345678", "+4915112345678"),
        ({}, 0, b"015112345678", "015112345678"),  # national, and nobody says of which country
        ({}, 2, b"15112345678", "15112345678"),
        ({}, 2, b"004915112345678", "+4915112345678"),
        ({}, 5, b"ACME", "ACME"),
        ({}, 0, b"", ""),
        ({}, 0, b"12345", "12345"),
        ({}, 1, b"1234567890123456", "1234567890123456"),
        ({"national": NATIONAL}, 2, b"09812345678", "+919812345678"),
        ({"national": NATIONAL}, 2, b"9812345678", "+919812345678"),
        ({"national": NATIONAL}, 0, b"09812345678", "+919812345678"),
        ({"national": NATIONAL}, 1, b"4915112345678", "+4915112345678"),
        ({"national": NATIONAL}, 1, b"919812345678", "+919812345678"),
    ],
)  # fmt: skip
def test_the_handsets_number(destination: dict[str, Any], ton: int, address: bytes, handset: str) -> None:
    profile = carrier(destination=destination)
    assert part_of(deliver(source_addr_ton=ton, source_addr=address), profile).handset == handset


@pytest.mark.parametrize(
    ("ton", "address", "ours"),
    [
        (3, b"12345", "12345"), (0, b"12345", "12345"), (1, b"12345", "12345"), (0, b"12345678", "12345678"),
        (1, b"447700900999", "+447700900999"), (0, b"447700900999", "+447700900999"), (5, b"ACME", "ACME"),
    ],
)  # fmt: skip
def test_the_number_of_ours(ton: int, address: bytes, ours: str) -> None:
    assert part_of(deliver(dest_addr_ton=ton, destination_addr=address)).recipient == ours


def test_an_address_is_not_kept_without_bound() -> None:
    assert len(part_of(deliver(source_addr_ton=5, source_addr=b"x" * 5000)).handset) == 64


def config(*applications: dict[str, Any], senders: tuple[str, ...] = ()) -> Config:
    return Config(
        lane="verification", folder="/", state_folder="/", carriers=(), templates=(),
        journeys={}, classes={},
        applications=tuple(Application(uids=(n,), **each) for n, each in enumerate(applications)),
        jobs=Jobs(senders=senders),
    )  # fmt: skip


def test_whose_a_number_is() -> None:
    receivers = Receivers(
        config(
            {"name": "votes", "inbound": ("12345", "+447700900999"), "senders": ("777",)},
            {"name": "shop", "senders": ("888", "12345")},
            {"name": "rest", "inbound": ("*",), "senders": ("777",)},
            senders=("777", "888", "12345"),
        )
    )
    assert receivers.of("12345") == "votes"
    assert receivers.of("+447700900999") == receivers.of("447700900999") == "votes"
    assert receivers.of("888") == "shop"
    assert receivers.of("777") == "rest"  # two may send from it
    assert receivers.of("999") == "rest"


def test_the_lanes_senders_are_the_only_applications() -> None:
    receivers = Receivers(config({"name": "shop"}, senders=("60312", "+491234567")))
    assert receivers.of("60312") == receivers.of("491234567") == "shop"
    assert receivers.of("60313") is None


@pytest.mark.rule("text.packed-fill")
def test_packed_parts_begin_at_a_septet() -> None:
    """TS 23.040 §9.2.3.24: fill bits follow the header."""
    segments = plan("x" * 200, Rules(alphabets=(Alphabet(0, "gsm7_packed"),)))
    first, second = segments.user_data(1)
    assert body_of(first, "gsm7_packed", True).octets == b"x" * 153
    assert body_of(second, "gsm7_packed", True).octets == b"x" * 47
