"""From a job to the submit_sm of a carrier, and back as the handset would read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.config.carrier import Account, Address, Binds, Carrier, Receipts, Source, Text
from connector.model import Content, LiveJob
from protocols.gsm import alphabet
from protocols.gsm.udh import Concatenation, parse_udh
from protocols.smpp.pdu import decode, encode
from protocols.smpp.validity import relative_seconds

NOW = 1_700_000_000.0


def carrier(**more: object) -> Carrier:
    return Carrier(
        name="north", password_path="/x", binds=Binds(tps=10.0),
        account=Account(host="smsc.example", port=2775, system_id="acme", password_file="p"),
        **more,
    )  # fmt: skip


def encoder(max_parts: int = 10, first_reference: int = 0, **more: object) -> SubmitEncoder:
    return SubmitEncoder(carrier(**more), max_parts, first_reference)


def job(
    text: str = "Your code is 482917", sender: str = "Acme", life_s: float = 60.0, to: str = "+4915112345678"
) -> LiveJob:
    return LiveJob(
        key=1, app=1, id="j", recipient=to, content=Content(text, sender), accepted_at=NOW,
        deadline_at=NOW + life_s,
    )  # fmt: skip


def test_a_short_message() -> None:
    (pdu,) = encoder().encode(job(), NOW)
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
    encode_for = SubmitEncoder(north, 10, 0).encode
    if leaves:
        assert encode_for(job(to="+447700900123"), NOW)
    else:
        with pytest.raises(Unsendable, match="reserved"):
            encode_for(job(to="+447700900123"), NOW)
    assert encode_for(job(to="+447700901123"), NOW)


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
    (pdu,) = encoder().encode(job(sender=sender), NOW)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == expected


def test_a_sender_that_is_not_ascii() -> None:
    with pytest.raises(Unsendable, match="ASCII is expected"):
        encoder().encode(job(sender="Ämter"), NOW)


def test_the_carriers_own_ways() -> None:
    made = encoder(
        destination=Address(ton=2, npi=8), source=Source(alphanumeric=Address(ton=0, npi=9)),
        receipts=Receipts(request="none"),
    )  # fmt: skip
    (pdu,) = made.encode(job(), NOW)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.source_addr_ton, pdu.source_addr_npi) == (2, 8, 0, 9)
    assert pdu.registered_delivery == 0


@given(life_s=st.floats(0.001, 20 * 86_400))
def test_the_smsc_drops_it_with_us_and_not_earlier(life_s: float) -> None:
    (pdu,) = encoder().encode(job(life_s=life_s), NOW)
    left = job(life_s=life_s).deadline_at - NOW
    if left > 0:
        seconds = relative_seconds(pdu.validity_period)
        assert seconds is not None
        assert min(left, 7 * 86_400) <= seconds < min(left, 7 * 86_400) + 1


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=600), st.booleans())
def test_parts_join_back_and_are_whole_pdus(text: str, wide: bool) -> None:
    text_config = Text(long_message="udh16" if wide else "udh8")
    pdus = encoder(255, 77, text=text_config).encode(job(text), NOW)
    bodies = []
    for number, pdu in enumerate(pdus, 1):
        assert decode(encode(pdu, sequence=number)).pdu == pdu
        body = pdu.short_message
        if len(pdus) > 1:
            assert pdu.esm_class == 0x40
            header, body = parse_udh(body)
            assert header.concatenation == Concatenation(77, len(pdus), number, 16 if wide else 8)
        bodies.append(body)
    joined = b"".join(bodies)
    read = alphabet.decode(joined) if pdus[0].data_coding == 0 else joined.decode("utf-16-be")
    assert read == text


def test_references_count_up_and_wrap() -> None:
    made = encoder(first_reference=254)
    long = job("x" * 200)
    references = []
    for _ in range(4):
        pdus = made.encode(long, NOW)
        assert len({pdu.short_message[3] for pdu in pdus}) == 1
        references.append(pdus[0].short_message[3])
        made.encode(job(), NOW)  # a short one takes none
    assert references == [254, 255, 0, 1]


def test_too_long_for_the_lane() -> None:
    with pytest.raises(Unsendable):
        encoder(max_parts=2).encode(job("x" * 400), NOW)
    assert len(encoder(max_parts=3).encode(job("x" * 400), NOW)) == 3
