"""What handsets show is the carrier's own reading: right by its profile, visibly wrong by another."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.handsets import Arrival, Handsets
from connector.simulator.options import SmscOptions
from connector.simulator.reading import Reading
from protocols.gsm.languages import TAGS, Language
from protocols.gsm.segmentation import Alphabet, Rules, Segments, plan
from protocols.smpp.constants import Status, Tag
from protocols.smpp.pdu import SubmitSm
from tests.simulator.esme import carrier, text_to

NUMBER = "4915112345678"
CODECS = ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2")
FORMS = ("udh8", "udh16", "sar", "payload")
HINDI = "आपका सत्यापन कोड 482917 है। कृपया इसे किसी के साथ साझा न करें। यह कोड दस मिनट तक मान्य है।"


def submits(segments: Segments, number: str = NUMBER, reference: int = 0x1234) -> list[SubmitSm]:
    """What an ESME that goes by the same rules submits."""
    found = []
    for index, octets in enumerate(segments.user_data(reference), 1):
        tlvs: tuple[tuple[int, bytes], ...] = ()
        if segments.form == "sar":
            place = (reference.to_bytes(2, "big"), bytes((len(segments.parts),)), bytes((index,)))
            tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
            tlvs = tuple(zip(tags, place, strict=True))
        if segments.form == "payload":
            octets, tlvs = b"", ((Tag.MESSAGE_PAYLOAD, octets),)
        esm_class = 0x40 if segments.has_header else 0
        more: dict[str, Any] = {"esm_class": esm_class, "data_coding": segments.data_coding, "tlvs": tlvs}
        found.append(text_to(number, octets, **more))
    return found


def shown(options: dict[str, Any], *pdus: SubmitSm) -> list[str]:
    handsets = Handsets(100, Reading(SmscOptions().changed(options)))
    for number, pdu in enumerate(pdus):
        handsets.arrive(Arrival(pdu, b"%d" % number))
    return [received.text for received in handsets]


@given(
    text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=400),
    codec=st.sampled_from(CODECS[:5]),
    form=st.sampled_from(FORMS),
    languages=st.lists(st.sampled_from(sorted(TAGS)), unique=True, max_size=3),
    shuffle=st.randoms(use_true_random=False),
)
def test_an_esme_that_knows_the_carrier_is_read_right(
    text: str, codec: Any, form: Any, languages: list[str], shuffle: Random
) -> None:
    tables = tuple(TAGS[tag] for tag in languages)
    locking = tuple(table for table in tables if table is not Language.SPANISH)
    rules = Rules((Alphabet(0, codec), Alphabet(8, "ucs2")), locking, tables, form)
    options = {
        "alphabets": f"0={codec},8=ucs2",
        "other_coding": "refused",
        "national_tables": languages,
        "long_forms": form,
        "length_checked": True,
    }
    pdus = submits(plan(text, rules))
    shuffle.shuffle(pdus)
    assert shown(options, *pdus) == [text]


@pytest.mark.parametrize(
    ("truth", "believed", "text"),
    [
        ("latin1", "gsm7", "Grüße @ 10€"),
        ("gsm7", "latin1", "Grüße @ 10"),
        ("gsm7_packed", "gsm7", "Your code is 482917"),
        ("ascii", "latin1", "Grüße"),
        ("ucs2", "ascii", "Your code is 482917"),
        ("utf8", "latin1", "Grüße"),
    ],
)
def test_an_esme_that_is_wrong_about_the_alphabet_makes_garbage(truth: str, believed: Any, text: str) -> None:
    pdus = submits(plan(text, Rules((Alphabet(0, believed),))))
    assert shown({"alphabets": f"0={truth}"}, *pdus) != [text]
    assert shown({"alphabets": f"0={believed}"}, *pdus) == [text]


def test_national_tables_are_shown_only_where_they_are_honoured() -> None:
    tables = (Language.HINDI,)
    segments = plan(HINDI, Rules(locking=tables, single=tables))
    assert (segments.encoding, len(segments.parts)) == ("gsm7", 1)
    pdus = submits(segments)
    assert shown({"national_tables": "hi"}, *pdus) == shown({"national_tables": "all"}, *pdus) == [HINDI]
    for ignored in ({}, {"national_tables": "tr"}, {"national_tables": "hi", "national_shifts": "single"}):
        (garbage,) = shown(ignored, *pdus)
        assert garbage != HINDI
        assert len(garbage) >= len(HINDI) // 2


@pytest.mark.parametrize("form", FORMS)
def test_a_long_form_that_is_not_understood_shows_parts_alone(form: Any) -> None:
    text = "0123456789" * 40
    pdus = submits(plan(text, Rules(long_message=form)))
    others = [other for other in FORMS if other != form]
    assert shown({"long_forms": form}, *pdus) == [text]
    alone = shown({"long_forms": others}, *pdus)
    assert len(alone) == len(pdus)
    assert text not in alone
    if form == "payload":
        assert alone == [""]
    if form == "sar":
        assert "".join(alone) == text


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("udh8", Status.ESME_RINVESMCLASS),
        ("udh16", Status.ESME_RINVESMCLASS),
        ("sar", Status.ESME_ROPTPARNOTALLWD),
        ("payload", Status.ESME_ROPTPARNOTALLWD),
    ],
)
async def test_a_long_form_is_refused(form: Any, status: int) -> None:
    others = [other for other in FORMS if other != form]
    pdus = submits(plan("0123456789" * 40, Rules(long_message=form)))
    async with carrier(long_forms=others, other_long_form="refused") as running:
        esme = await running.bound()
        assert {(await esme.ask(pdu)).status for pdu in pdus} == {status}
        assert (await esme.ask(text_to(NUMBER, registered_delivery=0))).status == 0
        running.smsc.set({"long_status": 0x45})
        assert (await esme.ask(pdus[0])).status == 0x45


@pytest.mark.asyncio
async def test_a_data_coding_is_refused_or_read_by_the_first_alphabet() -> None:
    async with carrier(alphabets="0=latin1,8=ucs2", other_coding="refused") as running:
        esme = await running.bound()
        pdu = text_to(NUMBER, "é".encode("latin-1"), data_coding=3, registered_delivery=0)
        assert (await esme.ask(pdu)).status == Status.ESME_RINVDCS
        running.smsc.set({"coding_status": 0x43})
        assert (await esme.ask(pdu)).status == 0x43
        running.smsc.set({"other_coding": "garbled"})
        assert (await esme.ask(pdu)).status == 0
        assert [received.text for received in running.smsc.handsets.inbox(NUMBER)] == ["é"]


@pytest.mark.parametrize(
    ("flash", "fields", "is_flash", "refused"),
    [
        ("data_coding", {"data_coding": 0x10}, True, False),
        ("data_coding", {"data_coding": 0x18}, True, False),
        ("data_coding", {"data_coding": 0xF0}, True, False),
        ("dest_addr_subunit", {"data_coding": 0x10}, False, True),
        ("none", {"data_coding": 0xF0}, False, True),
        ("data_coding", {"data_coding": 0x11}, False, True),
        ("dest_addr_subunit", {"tlvs": ((0x0005, b"\x01"),)}, True, False),
        ("dest_addr_subunit", {"tlvs": ((0x0005, b"\x02"),)}, False, False),
        ("none", {"tlvs": ((0x0005, b"\x01"),)}, False, False),
    ],
)
@pytest.mark.asyncio
async def test_flash_is_shown_where_it_is_understood(
    flash: str, fields: dict[str, Any], is_flash: bool, refused: bool
) -> None:
    async with carrier(flash=flash, alphabets="0=gsm7,8=ucs2", other_coding="refused") as running:
        esme = await running.bound()
        text = "Now!".encode("utf-16-be") if fields.get("data_coding") == 0x18 else b"Now!"
        answer = await esme.ask(text_to(NUMBER, text, registered_delivery=0, **fields))
        assert answer.status == (Status.ESME_RINVDCS if refused else 0)
        inbox = running.smsc.handsets.inbox(NUMBER)
        assert [(one.text, one.flash) for one in inbox] == ([] if refused else [("Now!", is_flash)])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("alphabets", "octets", "esm_class", "fits"),
    [
        ("0=gsm7", b"x" * 160, 0, True),
        ("0=gsm7", b"x" * 161, 0, False),
        ("0=gsm7", b"\x05\x00\x03\x07\x02\x01" + b"x" * 153, 0x40, True),
        ("0=gsm7", b"\x05\x00\x03\x07\x02\x01" + b"x" * 154, 0x40, False),
        ("0=gsm7_packed", b"x" * 140, 0, True),
        ("0=gsm7_packed", b"x" * 141, 0, False),
        ("0=latin1", b"x" * 141, 0, False),
    ],
)
async def test_what_no_short_message_can_hold_is_refused(
    alphabets: str, octets: bytes, esm_class: int, fits: bool
) -> None:
    async with carrier(alphabets=alphabets, length_checked=True) as running:
        esme = await running.bound()
        answer = await esme.ask(text_to(NUMBER, octets, esm_class=esm_class, registered_delivery=0))
        assert answer.status == (0 if fits else Status.ESME_RINVMSGLEN)
