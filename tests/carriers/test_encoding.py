"""From a job to the submit_sm of a carrier, and back as the handset would read it."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import References, SubmitEncoder
from connector.config import (
    Account,
    Address,
    Binds,
    Carrier,
    Coding,
    Destination,
    National,
    Receipts,
    Source,
    Text,
    TextAlphabet,
    Validity,
    VendorTlv,
)
from connector.model import Content, Guise, LiveJob
from protocols.gsm import alphabet
from protocols.gsm.udh import Concatenation, parse_udh
from protocols.smpp import tlv
from protocols.smpp.constants import Tag
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import SubmitSm, decode, encode
from protocols.smpp.validity import relative_seconds

NOW = 1_700_000_000.0


def carrier(**more: object) -> Carrier:
    return Carrier(
        name="north", password_path="/x", binds=Binds(tps=10.0),
        account=Account(host="smsc.example", port=2775, system_id="acme", password_file="p"),
        **more,
    )  # fmt: skip


class Encoder(SubmitEncoder):
    """Without what is told of substitutions, for the tests that have none."""

    def pdus(self, job: LiveJob, now: float = NOW) -> list[SubmitSm]:
        return self.encode(job, now)[0]


def encoder(max_parts: int = 10, seed: int = 0, **more: object) -> Encoder:
    return Encoder(carrier(**more), max_parts, Random(seed))


def job(
    text: str = "Your code is 482917",
    sender: str = "Acme",
    life_s: float = 60.0,
    to: str = "+4915112345678",
    **content: Any,
) -> LiveJob:
    return LiveJob(
        key=1, app=1, id="j", recipient=to, content=Content(text, sender, **content), accepted_at=NOW,
        deadline_at=NOW + life_s,
    )  # fmt: skip


def test_a_short_message() -> None:
    (pdu,) = encoder().pdus(job())
    assert pdu.destination_addr == b"4915112345678"
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi) == (1, 1)
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0, 0, 1)
    assert pdu.short_message == b"Your code is 482917"
    assert pdu.validity_period == b"000000000100000R"


@pytest.mark.parametrize(("host", "leaves"), [
    ("smsc.example", False), ("192.0.2.7", False), ("127.0.0.1", True), ("::1", True), ("localhost", True),
])  # fmt: skip
def test_numbers_reserved_for_fiction_leave_for_simulated_carriers_only(host: str, leaves: bool) -> None:
    account = Account(host=host, port=2775, system_id="acme", password_file="p")
    north = Carrier(name="north", password_path="/x", binds=Binds(tps=10.0), account=account)
    encode_for = SubmitEncoder(north, 10, Random(0)).encode
    if leaves:
        assert encode_for(job(to="+447700900123"), NOW)
    else:
        with pytest.raises(Unsendable, match="reserved"):
            encode_for(job(to="+447700900123"), NOW)
    assert encode_for(job(to="+447700901123"), NOW)


def test_a_carrier_that_needs_another_sender_or_other_ids() -> None:
    tlvs = (VendorTlv(name="pe_id", tag=0x1400, type="digits", registered="pe_id", optional=True),)
    by_carrier = {"north": Guise("60312", {"pe_id": "1101"}), "south": Guise("Other")}
    said = job(registered={"pe_id": "9"}, by_carrier=by_carrier)
    (pdu,) = encoder(tlvs=tlvs).pdus(said)
    assert (pdu.source_addr_ton, pdu.source_addr) == (3, b"60312")
    assert pdu.tlvs == ((0x1400, b"1101"),)
    (pdu,) = encoder(tlvs=tlvs).pdus(job(registered={"pe_id": "9"}, by_carrier={"south": Guise("Other")}))
    assert (pdu.source_addr, pdu.tlvs) == (b"Acme", ((0x1400, b"9"),))
    with pytest.raises(Unsendable, match="no brand") as caught:
        encoder().pdus(job(by_carrier={"north": Guise(refused="this carrier takes no brand")}))
    assert caught.value.field == "sender"


@pytest.mark.rule("regulation.registered-unchanged")
def test_a_registered_text_is_not_changed() -> None:
    text = Text(substitutions={"’": "'"})
    said = "Don’t share 482917. Whoever asks you for it is not from Acme, whatever they say."
    for flash in (False, True):
        (pdu,) = encoder(text=text).pdus(job(said, flash=flash))
        assert pdu.short_message == said.replace("’", "'").encode()  # which saves a part
        exact = {"north": Guise("Acme", exact=True)}
        parts = encoder(text=text).pdus(job(said, by_carrier=exact, flash=flash))
        assert "".join(part.short_message[6:].decode("utf-16-be") for part in parts) == said


def test_a_standby_address_makes_a_simulated_carrier_a_real_one() -> None:
    account = Account(
        host="localhost", port=2775, standby=("smsc.example:2775",), system_id="acme", password_file="p"
    )
    north = Carrier(name="north", password_path="/x", binds=Binds(tps=10.0), account=account)
    with pytest.raises(Unsendable, match="reserved"):
        SubmitEncoder(north, 10, Random(0)).encode(job(to="+447700900123"), NOW)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Acme", (5, 0, b"Acme")),
        ("60312", (3, 0, b"60312")),
        ("+4930123456", (1, 1, b"4930123456")),
        ("4930123456", (1, 1, b"4930123456")),
        ("", (0, 0, b"")),
    ],
)
def test_senders(sender: str, expected: tuple[int, int, bytes]) -> None:
    (pdu,) = encoder().pdus(job(sender=sender))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == expected


def test_a_sender_that_is_not_ascii() -> None:
    with pytest.raises(Unsendable, match="ASCII is expected"):
        encoder().pdus(job(sender="Ämter"))


def test_the_carriers_own_ways() -> None:
    made = encoder(
        destination=Destination(ton=2, npi=8), source=Source(alphanumeric=Address(ton=0, npi=9)),
        receipts=Receipts(request="none"),
    )  # fmt: skip
    (pdu,) = made.pdus(job())
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.source_addr_ton, pdu.source_addr_npi) == (2, 8, 0, 9)
    assert pdu.registered_delivery == 0


@pytest.mark.rule("smpp.validity")
@given(life_s=st.floats(0.001, 20 * 86_400))
def test_the_smsc_drops_it_with_us_and_not_earlier(life_s: float) -> None:
    (pdu,) = encoder().pdus(job(life_s=life_s))
    left = job(life_s=life_s).deadline_at - NOW
    if left > 0:
        seconds = relative_seconds(pdu.validity_period)
        assert seconds is not None
        assert min(left, 7 * 86_400) <= seconds < min(left, 7 * 86_400) + 1


@pytest.mark.rule("text.long-udh", "text.lossless")
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=600), st.booleans())
def test_parts_join_back_and_are_whole_pdus(text: str, wide: bool) -> None:
    text_config = Text(long_message="udh16" if wide else "udh8")
    pdus = encoder(255, text=text_config).pdus(job(text))
    bodies = []
    references = set()
    for number, pdu in enumerate(pdus, 1):
        assert decode(encode(pdu, sequence=number)).pdu == pdu
        body = pdu.short_message
        if len(pdus) > 1:
            assert pdu.esm_class == 0x40
            header, body = parse_udh(body)
            place = header.concatenation
            assert place is not None
            references.add(place.reference)
            assert place == Concatenation(place.reference, len(pdus), number, 16 if wide else 8)
        bodies.append(body)
    joined = b"".join(bodies)
    read = alphabet.decode(joined) if pdus[0].data_coding == 0 else joined.decode("utf-16-be")
    assert read == text
    assert len(references) == (len(pdus) > 1)


@pytest.mark.rule("receipts.references")
def test_a_handset_sees_every_other_reference_before_one_again() -> None:
    made = encoder()
    references: dict[str, list[int]] = {}
    for n in range(600):
        to = f"+491511234567{n % 2}"
        pdus = made.pdus(job("x" * 200, to=to))
        assert len({pdu.short_message[3] for pdu in pdus}) == 1
        references.setdefault(to, []).append(pdus[0].short_message[3])
        made.pdus(job(to=to))  # a short one takes none
    for seen in references.values():
        assert set(seen[:256]) == set(range(256))
        assert seen[256:] == seen[: len(seen) - 256]


def test_references_remember_so_many_handsets() -> None:
    references = References(16, Random(3), handsets=2)
    first = references.next("a")
    assert references.next("a") == (first + 1) % 65536
    references.next("b")
    assert references.next("a") == (first + 2) % 65536
    references.next("c")
    assert len(references._last) == 2
    assert references.next("a") == (first + 3) % 65536, "the one longest not written to goes first"


def test_too_long_for_the_lane() -> None:
    with pytest.raises(Unsendable):
        encoder(max_parts=2).pdus(job("x" * 400))
    assert len(encoder(max_parts=3).pdus(job("x" * 400))) == 3


@pytest.mark.rule("text.long-sar")
def test_sar_parameters_keep_parts_together() -> None:
    pdus = encoder(text=Text(long_message="sar")).pdus(job("x" * 400))
    places = []
    for pdu in pdus:
        assert (pdu.esm_class, len(pdu.short_message) <= 153) == (0, True)
        tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
        places.append(tuple(tlv.uint(pdu.tlvs, tag) for tag in tags))
    assert [place[1:] for place in places] == [(3, 1), (3, 2), (3, 3)]
    assert len({place[0] for place in places}) == 1
    assert b"".join(pdu.short_message for pdu in pdus) == b"x" * 400
    (alone,) = encoder(text=Text(long_message="sar")).pdus(job())
    assert alone.tlvs == ()


@pytest.mark.rule("text.long-payload")
def test_a_payload_holds_all_of_a_long_text() -> None:
    (pdu,) = encoder(text=Text(long_message="payload")).pdus(job("ж" * 300))
    assert (pdu.short_message, pdu.esm_class, pdu.data_coding) == (b"", 0, 8)
    assert pdu.tlvs == ((Tag.MESSAGE_PAYLOAD, ("ж" * 300).encode("utf-16-be")),)
    (short,) = encoder(text=Text(long_message="payload")).pdus(job())
    assert (short.short_message, short.tlvs) == (b"Your code is 482917", ())


@pytest.mark.rule("text.default-alphabet")
@pytest.mark.parametrize(
    ("codec", "octets"),
    [("gsm7", b"\x00 482"), ("latin1", b"@ 482"), ("ascii", b"@ 482"), ("utf8", b"@ 482"),
     ("gsm7_packed", bytes.fromhex("00100d2703"))],
)  # fmt: skip
def test_data_coding_0_is_the_carriers_own_alphabet(codec: Coding, octets: bytes) -> None:
    alphabets = (TextAlphabet(data_coding=0, codec=codec), TextAlphabet(data_coding=8, codec="ucs2"))
    (pdu,) = encoder(text=Text(alphabets=alphabets)).pdus(job("@ 482"))
    assert (pdu.data_coding, pdu.short_message) == (0, octets)


@pytest.mark.rule("text.substitution-reported")
def test_substitutions_are_reported() -> None:
    made = encoder(text=Text(substitutions={"’": "'"}))
    text = "x’" * 50
    pdus, substituted = made.encode(job(text), NOW)
    assert (pdus[0].short_message, substituted) == (b"x'" * 50, (("’", "'", 50),))
    assert made.encode(job("’"), NOW)[1] == (), "nothing is gained"


@pytest.mark.parametrize(
    ("text", "data_coding", "tlvs"),
    [("code 1", 0x10, ()), ("код 1", 0x18, ())],
)
def test_flash_by_message_class(text: str, data_coding: int, tlvs: Tlvs) -> None:
    (pdu,) = encoder().pdus(job(text, flash=True))
    assert (pdu.data_coding, pdu.tlvs) == (data_coding, tlvs)


@pytest.mark.parametrize(("codec", "octets"), [("gsm7", 400), ("gsm7_packed", 350), ("ucs2", 800)])
def test_a_payload_is_written_in_its_alphabet(codec: Coding, octets: int) -> None:
    text = Text(alphabets=(TextAlphabet(data_coding=1, codec=codec),), long_message="payload")
    (pdu,) = encoder(text=text).pdus(job("x" * 400))
    ((tag, value),) = pdu.tlvs
    assert (tag, len(value), pdu.short_message) == (Tag.MESSAGE_PAYLOAD, octets, b"")
    assert value[:2] == {"gsm7": b"xx", "gsm7_packed": b"\x78\x3c", "ucs2": b"\x00x"}[codec]


def test_a_message_is_cancelled_by_its_id_alone() -> None:
    pdu = encoder(text=Text(service_type="OTP")).cancel_of(b"A1", "Acme", "+4915112345678")
    assert (pdu.message_id, pdu.service_type) == (b"A1", b"")
    assert (pdu.source_addr, pdu.destination_addr) == (b"Acme", b"4915112345678")


def test_no_text_in_what_is_logged() -> None:
    shown = repr(encoder().draft(job("Your code is 482917").content))
    assert "482917" not in shown
    assert "code" not in shown


def test_flash_leaves_in_an_alphabet_that_has_message_classes() -> None:
    latin1 = TextAlphabet(data_coding=0, codec="latin1")
    both = Text(alphabets=(latin1, TextAlphabet(data_coding=8, codec="ucs2")))
    (pdu,) = encoder(text=both).pdus(job("code 1", flash=True))
    assert (pdu.data_coding, pdu.short_message) == (0x18, "code 1".encode("utf-16-be"))
    with pytest.raises(Unsendable, match="flash"):
        encoder(text=Text(alphabets=(latin1,))).pdus(job(flash=True))


def test_flash_by_subunit_and_not_at_all() -> None:
    (pdu,) = encoder(text=Text(flash="dest_addr_subunit")).pdus(job(flash=True))
    assert (pdu.data_coding, pdu.tlvs) == (0, ((Tag.DEST_ADDR_SUBUNIT, b"\x01"),))
    with pytest.raises(Unsendable, match="flash"):
        encoder(text=Text(flash="none")).pdus(job(flash=True))


@pytest.mark.rule("smpp.time-none", "smpp.validity")
def test_validity_forms() -> None:
    (absolute,) = encoder(validity=Validity(form="absolute")).pdus(job(life_s=100))
    assert absolute.validity_period == b"231114221500000+"
    (none,) = encoder(validity=Validity(form="none")).pdus(job())
    assert none.validity_period == b""


@pytest.mark.parametrize(("request_", "octet"), [("none", 0), ("final", 1), ("final_and_intermediate", 0x11)])
def test_receipts_asked_for(request_: Any, octet: int) -> None:
    (pdu,) = encoder(receipts=Receipts(request=request_)).pdus(job())
    assert pdu.registered_delivery == octet


DLT = (
    VendorTlv(name="pe_id", tag=0x1400, type="digits", value="1101"),
    VendorTlv(name="template_id", tag=0x1401, type="digits", registered="dlt_template_id"),
    VendorTlv(name="chain", tag=0x1402, type="c_octets", registered="dlt_chain", optional=True),
)


@pytest.mark.rule("regulation.dlt")
def test_vendor_parameters_come_from_the_file_and_from_the_template() -> None:
    made = encoder(tlvs=DLT)
    (pdu,) = made.pdus(job(registered={"dlt_template_id": "1107"}))
    assert pdu.tlvs == ((0x1400, b"1101"), (0x1401, b"1107"))
    (pdu,) = made.pdus(job(registered={"dlt_template_id": "1107", "dlt_chain": "a,b"}))
    assert pdu.tlvs[2] == (0x1402, b"a,b\0")
    for pdu in made.pdus(job("x" * 200, registered={"dlt_template_id": "1107"})):
        assert pdu.tlvs == ((0x1400, b"1101"), (0x1401, b"1107"))
    with pytest.raises(Unsendable, match=r"registered\.dlt_template_id") as caught:
        made.pdus(job())
    assert caught.value.field == "template"
    with pytest.raises(Unsendable, match="expected digits"):
        made.pdus(job(registered={"dlt_template_id": "110x"}))


@pytest.mark.parametrize(
    ("form", "address"),
    [("digits", b"4915112345678"), ("plus", b"+4915112345678"), ("zeros", b"004915112345678")],
)
def test_forms_of_numbers(form: Any, address: bytes) -> None:
    (pdu,) = encoder(destination=Destination(form=form)).pdus(job())
    assert pdu.destination_addr == address


def test_national_numbers() -> None:
    national = National(country_code="91", prefix="0", ton=2, npi=1)
    made = encoder(destination=Destination(national=national))
    (home,) = made.pdus(job(to="+919876543210"))
    assert (home.dest_addr_ton, home.destination_addr) == (2, b"09876543210")
    (abroad,) = made.pdus(job())
    assert (abroad.dest_addr_ton, abroad.destination_addr) == (1, b"4915112345678")


@pytest.mark.parametrize(
    ("to", "ton", "written"),
    [
        ("919876543210", 2, "09876543210"), ("919876543210", 1, "919876543210"),
        ("919876543210", 1, "+919876543210"), ("4915112345678", 1, "004915112345678"),
        ("4915112345678", 1, "4915112345678"), ("919876543210", 2, "9876543210"),
        ("919876543210", 0, "09876543210"), ("0815", 1, "0815"),
    ],
)  # fmt: skip
def test_numbers_are_read_back(to: str, ton: int, written: str) -> None:
    national = National(country_code="91", prefix="0", ton=2, npi=1)
    assert Destination(national=national).digits(ton, written) == to


def test_senders_that_a_carrier_does_not_take() -> None:
    brands = Source(kinds=("alphanumeric",), alphanumeric_max=6, replace={"Acme": "ACMEIN"})
    (pdu,) = encoder(source=brands).pdus(job())
    assert pdu.source_addr == b"ACMEIN"
    for sender, reason in (("60312", "is short"), ("+4930123456", "is numeric"), ("Acme News", "more than")):
        with pytest.raises(Unsendable, match=reason) as caught:
            encoder(source=brands).pdus(job(sender=sender))
        assert caught.value.field == "sender"


@pytest.mark.rule("text.national-saves", "text.national-profile")
def test_a_table_of_its_own_halves_a_hindi_text() -> None:
    text = "आपका सत्यापन कोड 482917 है। इसे किसी के साथ साझा न करें। धन्यवाद, आपका बैंक"
    (pdu,) = encoder(text=Text(national_tables=("hi",))).pdus(job(text))
    assert (pdu.data_coding, pdu.esm_class) == (0, 0x40)
    header, _ = parse_udh(pdu.short_message)
    assert [identifier for identifier, _ in header.elements] == [0x24, 0x25]
    assert len(encoder().pdus(job(text))) == 2
