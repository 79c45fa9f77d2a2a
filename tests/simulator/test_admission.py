"""Senders, destinations, TLVs, validity and service types that a carrier takes or refuses."""

from typing import Any

import pytest

from connector.simulator.numbers import Numbers
from connector.simulator.options import Pairs, SmscOptions
from protocols.smpp import validity
from protocols.smpp.constants import Status
from tests.simulator.esme import carrier, text_to
from tests.simulator.test_stories import PREFIX

pytestmark = pytest.mark.asyncio

NUMBER = "4915112345678"
NUMERIC = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": b"4930123456789"}
SHORT = {"source_addr_ton": 3, "source_addr_npi": 0, "source_addr": b"12345"}
ACME = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": b"ACME"}


async def status_of(options: dict[str, Any], number: str = NUMBER, **fields: Any) -> int:
    async with carrier(**options) as running:
        esme = await running.bound()
        return (await esme.ask(text_to(number, **{"registered_delivery": 0, **fields}))).status


@pytest.mark.parametrize(
    ("options", "fields", "status"),
    [
        ({"source_kinds": "alphanumeric"}, ACME, 0),
        ({"source_kinds": "alphanumeric"}, NUMERIC, Status.ESME_RINVSRCADR),
        ({"source_kinds": "alphanumeric"}, SHORT, Status.ESME_RINVSRCADR),
        ({"source_kinds": "numeric,short"}, ACME, Status.ESME_RINVSRCADR),
        ({"source_kinds": "numeric,short"}, SHORT, 0),
        ({"source_kinds": "short", "short_digits": 4}, SHORT, Status.ESME_RINVSRCADR),
        ({"alphanumeric_max": 4}, ACME, 0),
        ({"alphanumeric_max": 3}, ACME, Status.ESME_RINVSRCADR),
        ({"alphanumeric_max": 3}, NUMERIC, 0),
        ({"senders": "ACME,12345"}, ACME, 0),
        ({"senders": "ACME,12345"}, NUMERIC, Status.ESME_RINVSRCADR),
        ({"refused_senders": "ACME"}, ACME, Status.ESME_RINVSRCADR),
        ({"refused_senders": "ACME"}, SHORT, 0),
        ({"source_types": "alphanumeric=5/0,short=3/0"}, ACME, 0),
        ({"source_types": "alphanumeric=5/1"}, ACME, Status.ESME_RINVSRCNPI),
        ({"source_types": "short=0/1"}, SHORT, Status.ESME_RINVSRCTON),
        ({"source_types": "short=0/1"}, NUMERIC, 0),
    ],
)
async def test_senders(options: dict[str, Any], fields: dict[str, Any], status: int) -> None:
    assert await status_of(options, **fields) == status


@pytest.mark.parametrize(
    ("forms", "address", "digits"),
    [
        ("digits", b"4915112345678", b"4915112345678"),
        ("digits", b"+4915112345678", None),
        ("digits", b"004915112345678", None),
        ("plus", b"+4915112345678", b"4915112345678"),
        ("plus", b"4915112345678", None),
        ("zeros", b"004915112345678", b"4915112345678"),
        ("zeros", b"4915112345678", None),
        ("zeros,plus", b"+4915112345678", b"4915112345678"),
        ("national", b"015112345678", b"4915112345678"),
        ("national", b"15112345678", None),
        ("national", b"4915112345678", None),
        ("digits,national", b"015112345678", b"4915112345678"),
        ("digits,national", b"33612345678", b"33612345678"),
        ("digits,national", b"4915112345678", None),
        ("digits", b"12", None),
        ("plus", b"+", None),
    ],
)
async def test_forms_of_destinations(forms: str, address: bytes, digits: bytes | None) -> None:
    options = {"destination_forms": forms, "country_code": "49", "national_prefix": "0"}
    numbers = Numbers(SmscOptions().changed(options))
    assert numbers.digits(address) == digits
    if digits is not None:
        assert numbers.digits(numbers.written(digits).address) == digits
    expected = Status.ESME_RINVDSTADR if digits is None else 0
    assert await status_of(options, address.decode()) == expected


async def test_numbers_of_the_country_without_a_prefix() -> None:
    options = {"destination_forms": "digits,national", "country_code": "65", "national_prefix": ""}
    numbers = Numbers(SmscOptions().changed(options))
    assert numbers.written(b"6581234567").address == b"81234567"


async def test_handsets_and_stories_go_by_international_digits() -> None:
    async with carrier(destination_forms="zeros") as running:
        esme = await running.bound()
        assert (await esme.ask(text_to("00" + NUMBER))).status == 0
        receipt = await esme.receipt()
        assert receipt.source_addr == b"00" + NUMBER.encode()
        assert [one.to for one in running.smsc.handsets.inbox(NUMBER)] == ["+" + NUMBER]
        assert (await esme.ask(text_to("00" + PREFIX + "041"))).status == Status.ESME_RINVDSTADR
        assert (await esme.ask(text_to("00" + PREFIX + "042"))).status == Status.ESME_RSUBMITFAIL


@pytest.mark.parametrize(
    ("types", "ton", "npi", "status"),
    [
        ("1/1", 1, 1, 0),
        ("1/1,0/1", 0, 1, 0),
        ("1/1", 0, 1, Status.ESME_RINVDSTTON),
        ("1/1", 1, 0, Status.ESME_RINVDSTNPI),
    ],
)
async def test_types_of_destinations(types: str, ton: int, npi: int, status: int) -> None:
    assert await status_of({"destination_types": types}, dest_addr_ton=ton, dest_addr_npi=npi) == status


@pytest.mark.parametrize(
    ("rule", "value", "status"),
    [
        ("0x1400=any", None, Status.ESME_RMISSINGOPTPARAM),
        ("0x1400=any", b"", 0),
        ("0x1400=digits", b"1101000000000000001", 0),
        ("0x1400=digits", b"1101000000000000001\0", Status.ESME_RINVOPTPARAMVAL),
        ("0x1400=digits:1101", b"1101", 0),
        ("0x1400=digits:1101", b"1102", Status.ESME_RINVOPTPARAMVAL),
        ("0x1400=c_octets", b"one\0", 0),
        ("0x1400=c_octets", b"one", Status.ESME_RINVOPTPARAMVAL),
        ("0x1400=c_octets:one", b"one\0", 0),
        ("0x1400=text", b"one", 0),
        ("0x1400=text", b"one\0", Status.ESME_RINVOPTPARAMVAL),
        ("0x1400=octets:0aff", b"\x0a\xff", 0),
        ("0x1400=octets:0aff", b"\x0a\xfe", Status.ESME_RINVOPTPARAMVAL),
        ("0x1400=uint16", b"\0\x07", 0),
        ("0x1400=uint16:7", b"\0\x07", 0),
        ("0x1400=uint16", b"\x07", Status.ESME_RINVOPTPARAMVAL),
    ],
)
async def test_required_tlvs(rule: str, value: bytes | None, status: int) -> None:
    tlvs = () if value is None else ((0x1400, value),)
    assert await status_of({"required_tlvs": rule}, tlvs=tlvs) == status


async def test_unknown_tlvs_are_ignored_or_refused() -> None:
    tlvs = ((0x1400, b"1"), (0x1500, b"2"))
    options: dict[str, Any] = {"required_tlvs": "0x1400=digits"}
    assert await status_of(options, tlvs=tlvs) == 0
    options["unknown_tlvs"] = "refused"
    assert await status_of(options, tlvs=tlvs) == Status.ESME_ROPTPARNOTALLWD
    assert await status_of(options, tlvs=tlvs[:1]) == 0
    options |= {"tlv_missing_status": 0x45}
    assert await status_of(options) == 0x45


@pytest.mark.parametrize(
    ("forms", "text", "status"),
    [
        ("none", b"", 0),
        ("none", validity.relative(60), Status.ESME_RINVEXPIRY),
        ("none", validity.absolute(4_000_000_000), Status.ESME_RINVEXPIRY),
        ("relative", validity.relative(60), 0),
        ("relative", b"", 0),
        ("relative", validity.absolute(4_000_000_000), Status.ESME_RINVEXPIRY),
        ("absolute", validity.absolute(4_000_000_000), 0),
        ("absolute", validity.relative(60), Status.ESME_RINVEXPIRY),
        ("absolute", b"269999000000000+", Status.ESME_RINVEXPIRY),
        ("relative,absolute", validity.relative(60), 0),
    ],
)
async def test_forms_of_validity(forms: str, text: bytes, status: int) -> None:
    assert await status_of({"validity_forms": forms}, validity_period=text) == status


@pytest.mark.parametrize("form", ["relative", "absolute"])
async def test_a_message_whose_validity_has_passed_expires(form: str) -> None:
    passed = validity.absolute(946_684_800) if form == "absolute" else b"000000000000000R"
    lasting = validity.absolute(4_000_000_000) if form == "absolute" else validity.relative(3600)
    async with carrier(validity_honoured=True, receipt_delay="0.01") as running:
        esme = await running.bound()
        for text, stat, amount in ((passed, b"stat:EXPIRED", 0), (lasting, b"stat:DELIVRD", 1)):
            await esme.ask(text_to(NUMBER, validity_period=text))
            assert stat in (await esme.receipt()).short_message
            assert len(running.smsc.handsets.inbox(NUMBER)) == amount
        # Whoever never sends a receipt sends none for this, either.
        await esme.ask(text_to(PREFIX + "002", validity_period=passed))
        assert await esme.settled() == []
        running.smsc.set({"validity_honoured": False})
        await esme.ask(text_to(NUMBER, validity_period=passed))
        assert b"stat:DELIVRD" in (await esme.receipt()).short_message


async def test_an_undeliverable_message_does_not_expire_after_its_end() -> None:
    async with carrier(validity_honoured=True, receipt_undelivered=1) as running:
        esme = await running.bound()
        await esme.ask(text_to(NUMBER, validity_period=validity.relative(60)))
        assert b"stat:UNDELIV" in (await esme.receipt()).short_message


async def test_service_types() -> None:
    options = {"service_types": "OTP,BULK"}
    assert await status_of(options, service_type=b"OTP") == 0
    assert await status_of(options, service_type=b"") == Status.ESME_RINVSERTYP


async def test_limits_below_the_rate_of_the_account() -> None:
    async with carrier(limits=Pairs((("ACME", "0.001"), ("+91", "0.001"))), receipt_missing=1) as running:
        esme = await running.bound()
        sent = [
            text_to(NUMBER),
            text_to(NUMBER),
            text_to(NUMBER, **NUMERIC),
            text_to("919812345678", **NUMERIC),
            text_to("919812345679", **NUMERIC),
            text_to("929812345679", **NUMERIC),
        ]
        answers = [(await esme.ask(pdu)).status for pdu in sent]
        assert answers == [0, 0x58, 0, 0, 0x58, 0]
        assert running.smsc.records.counters.throttled == 2


async def test_a_share_of_submits_is_refused() -> None:
    async with carrier(refused_share=1, refused_status=0x40B) as running:
        esme = await running.bound()
        answer = await esme.ask(text_to(NUMBER))
        assert (answer.status, await esme.settled()) == (0x40B, [])


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ({"window_limit": 4}, [25, 50, 75, 100]),
        ({"throttle_tps": 0.001, "throttle_burst": 4}, [25, 50, 75, 100]),
        ({}, [1, 2, 3, 4]),
    ],
)
async def test_congestion_is_told(options: dict[str, Any], states: list[int]) -> None:
    async with carrier(congestion=True, receipt_missing=1, **options) as running:
        esme = await running.bound()
        esme.burst(*[text_to(NUMBER)] * 4)
        answers = await esme.take(4)
        assert [dict(answer.pdu.tlvs)[0x0428][0] for answer in answers] == states
        assert all(answer.pdu.message_id.isdigit() for answer in answers)
