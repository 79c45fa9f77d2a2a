"""Each step alone: what it concludes from what a carrier of a few lines sends back."""

from __future__ import annotations

import itertools

import pytest

from connector.config import Coding
from connector.probe.codecs import CODECS, decode, encode
from connector.probe.finding import Confidence
from connector.probe.known import Known
from connector.probe.steps.alphabets import SAMPLES, Echo, alphabets, survivors
from connector.probe.steps.binding import bind_count
from connector.probe.steps.conditions import destinations, senders, validities, vendor_parameters
from connector.probe.steps.first_message import first_message
from connector.probe.steps.national import characteristic, national
from connector.probe.steps.operations import operations
from connector.probe.steps.receipts import receipts
from connector.probe.trial import CarrierGone
from protocols.gsm.languages import TAGS
from protocols.smpp.constants import Status
from protocols.smpp.pdu import DeliverSm, SubmitSm
from protocols.smpp.tlv import of_uint
from tests.probe.playing import TO, known, loop, play, receipt

INVALID_CODING = 0x104


def reads(codecs: dict[int, Coding]):
    """A carrier that reads each data_coding so, and refuses others; what its handset shows comes back."""

    def behaves(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        codec = codecs.get(pdu.data_coding)
        if codec is None:
            return INVALID_CODING, []
        return 0, [loop(decode(pdu.short_message, codec))]

    return behaves


@pytest.mark.parametrize("codec", CODECS)
def test_the_default_alphabet_is_found_whatever_it_is(codec: Coding) -> None:
    found = play(alphabets(known()), reads({0: codec, 8: "ucs2"}))["text.alphabets"]
    assert found.confidence is Confidence.FOUND
    by_codec = {each["codec"]: each["data_coding"] for each in found.value}
    assert by_codec == ({codec: 0, "ucs2": 8} if codec != "ucs2" else {"ucs2": 8})


@pytest.mark.parametrize(("sent", "read"), list(itertools.product(CODECS, CODECS)))
def test_every_codec_is_told_from_every_other_by_its_own_sample(sent: Coding, read: Coding) -> None:
    """The codec that a carrier reads by is never ruled out, and its own sample leaves no other."""
    octets = encode(SAMPLES[sent], sent)
    able = survivors([Echo(0, octets, (loop(decode(octets, read)),))], {8: "ucs2"})
    assert read in able
    # ASCII is part of other alphabets, so that it takes their samples to rule it in.
    if sent == read != "ascii":
        assert able == [read]


def test_data_codings_that_are_read_as_the_default_add_nothing() -> None:
    found = play(alphabets(known()), reads({0: "gsm7", 1: "gsm7", 3: "latin1", 4: "gsm7", 8: "ucs2"}))
    assert found["text.alphabets"].value == [
        {"data_coding": 0, "codec": "gsm7"},
        {"data_coding": 3, "codec": "latin1"},
        {"data_coding": 8, "codec": "ucs2"},
    ]


def test_without_a_loop_only_what_is_refused_is_known() -> None:
    found = play(alphabets(known()), lambda pdu, _: (INVALID_CODING if pdu.data_coding != 8 else 0, []))
    assert found["text.alphabets"].confidence is Confidence.ASSUMED
    assert found["text.alphabets"].value == [{"data_coding": 8, "codec": "ucs2"}]
    found = play(alphabets(known()), lambda pdu, _: (0, []))
    assert found["text.alphabets"].confidence is Confidence.UNKNOWN


def test_a_loop_that_hands_back_the_very_octets_proves_nothing() -> None:
    def mirrors(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        return 0, [DeliverSm(data_coding=pdu.data_coding, short_message=pdu.short_message)]

    found = play(alphabets(known()), mirrors)["text.alphabets"]
    assert "gsm7 or as" in found.how


def test_a_quoted_text_that_was_translated_tells_the_alphabet() -> None:
    def quotes(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        shown = decode(pdu.short_message, "ucs2" if pdu.data_coding == 8 else "gsm7").encode()
        return 0, [receipt(b"id:%d stat:DELIVRD text:%b" % (1000 + number, shown[:20]))]

    found = play(alphabets(known()), quotes)["text.alphabets"]
    assert {"data_coding": 0, "codec": "gsm7"} in found.value


@pytest.mark.parametrize("tag", TAGS)
def test_each_language_has_characters_of_its_own(tag: str) -> None:
    assert characteristic(TAGS[tag], "single")
    assert bool(characteristic(TAGS[tag], "locking")) == (tag != "es")


def test_a_carrier_without_the_gsm_alphabet_has_no_tables() -> None:
    state = known()
    state.note(play(alphabets(state), reads({0: "latin1", 8: "ucs2"})).values())
    found = play(national(state), lambda pdu, _: (0, []))["text.national_tables"]
    assert (found.value, found.confidence) == ([], Confidence.FOUND)


def test_a_word_that_no_profile_can_name_is_left_out() -> None:
    odd = b"message id:%d status:gone;away done:1"
    found = play(receipts(known()), lambda _, n: (0, [receipt(odd % (1000 + n))]))
    assert found["receipts.id_key"].confidence is Confidence.UNKNOWN
    assert found["receipts.states"].value == {}


def test_tables_need_a_loop() -> None:
    state = known()
    state.codecs = {0: "gsm7"}
    found = play(national(state), lambda pdu, _: (0, []))
    assert found["text.national_tables"].confidence is Confidence.UNKNOWN


@pytest.mark.parametrize(
    ("text", "parameters", "expected"),
    [
        (b"id:%d sub:001 stat:DELIVRD", {}, {"id_form": "same", "id_key": "id", "handset": "source"}),
        (b"msgid:%d stat:DELIVRD", {"source_addr": b"1", "destination_addr": TO[1:].encode()},
         {"id_key": "msgid", "handset": "destination", "prefer": "text"}),
        (b"id:%d stat:DELIVRD", {"esm_class": 0}, {"unflagged": "always"}),
        (b"id:%X stat:DELIVRD", {}, {"id_form": "decimal_in_response"}),
        (b"id:%d stat:OKAY", {"tlvs": (of_uint(0x427, 2, 1),)}, {"states": {"OKAY": "final_delivered"}}),
    ],
)  # fmt: skip
def test_receipts(text: bytes, parameters: dict[str, object], expected: dict[str, object]) -> None:
    found = play(receipts(known()), lambda _, n: (0, [receipt(text % (1000 + n), **parameters)]))
    assert {key: found[f"receipts.{key}"].value for key in expected} == expected


def test_the_last_word_on_a_message_that_arrived_means_delivered() -> None:
    def says(word: bytes):
        return lambda _, n: (0, [receipt(b"id:%d stat:%b" % (1000 + n, word)), loop("probe")])

    found = play(receipts(known()), says(b"ACCEPTD"))["receipts.states"]
    assert (found.value, found.confidence) == ({"ACCEPTD": "final_delivered"}, Confidence.FOUND)
    assert play(receipts(known()), says(b"DELIVRD"))["receipts.states"].value == {}


def test_parameters_about_another_message_are_not_preferred() -> None:
    lies = {"tlvs": ((0x1E, b"77\0"), of_uint(0x427, 7, 1))}
    found = play(receipts(known()), lambda _, n: (0, [receipt(b"id:%d stat:DELIVRD" % (1000 + n), **lies)]))
    assert found["receipts.prefer"].value == "text"
    assert found["receipts.states"].value == {}


def test_no_receipts_at_all() -> None:
    found = play(receipts(known()), lambda pdu, n: (0, []))
    assert found["receipts.request"].confidence is Confidence.UNKNOWN
    found = play(receipts(known()), lambda pdu, n: (0, [loop("probe")]))
    assert found["receipts.request"].value == "none"
    assert found["receipts.id_form"].confidence is Confidence.UNKNOWN


def test_a_first_message_is_found_where_three_things_have_to_change() -> None:
    def strict(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        if pdu.source_addr_ton != 5:
            return Status.ESME_RINVSRCADR, []
        if not pdu.destination_addr.startswith(b"+"):
            return Status.ESME_RINVDSTADR, []
        return (0 if pdu.data_coding == 8 else INVALID_CODING), []

    state = known()
    play(first_message(state), strict)
    assert (state.use_source, state.use_form, state.use_data_coding) == ("alphanumeric", "plus", 8)


def test_a_carrier_that_takes_nothing_ends_the_probe() -> None:
    with pytest.raises(CarrierGone, match="ESME_RINVSRCADR"):
        play(first_message(known()), lambda pdu, n: (Status.ESME_RINVSRCADR, []))


def test_conditions_by_status() -> None:
    def strict(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        if pdu.validity_period and not pdu.validity_period.endswith(b"+"):
            return Status.ESME_RINVEXPIRY, []
        if pdu.source_addr_ton == 5 and len(pdu.source_addr) > 7:
            return Status.ESME_RINVSRCADR, []
        if pdu.source_addr_ton == 3:
            return Status.ESME_RINVSRCTON, []
        return (Status.ESME_RINVDSTADR if pdu.destination_addr.startswith(b"00") else 0), []

    assert play(validities(known()), strict)["validity.form"].value == "absolute"
    found = play(senders(known()), strict)
    assert found["source.kinds"].value == ["numeric", "alphanumeric", "short"]
    assert found["source.short"].value == {"ton": 1, "npi": 1}
    assert found["source.alphanumeric_max"].value == 7
    assert play(destinations(known()), strict)["destination.form"].value == "digits"


def test_a_kind_of_sender_is_refused_for_sure_only_by_a_sender_that_is_registered() -> None:
    def names_only(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        return (0 if pdu.source_addr.isalpha() else Status.ESME_RINVSRCADR), []

    found = play(senders(known()), names_only)["source.kinds"]
    assert (found.value, found.confidence) == (["alphanumeric"], Confidence.ASSUMED)
    state = Known(known().profile, to=TO, senders=("+491511", "12345"), now_unix=0.0)
    assert play(senders(state), names_only)["source.kinds"].confidence is Confidence.FOUND


def test_vendor_parameters_that_may_be_left_out_are_optional() -> None:
    listed = [
        {"name": "a", "tag": 0x1400, "type": "digits", "value": "1"},
        {"name": "b", "tag": 0x1401, "type": "digits", "value": "2"},
    ]
    state: Known = known(tlvs=listed)

    def strict(pdu: SubmitSm, number: int) -> tuple[int, list[DeliverSm]]:
        return (0 if 0x1400 in dict(pdu.tlvs) else Status.ESME_RMISSINGOPTPARAM), []

    found = play(vendor_parameters(state), strict)["tlvs"]
    assert found.value == [listed[0], {**listed[1], "optional": True}]


def test_operations() -> None:
    found = play(operations(known()), lambda pdu, n: (0, []), asked=0)
    assert (found["supports.query_sm"].value, found["supports.cancel_sm"].value) == (True, True)
    found = play(operations(known()), lambda pdu, n: (0, []), asked=Status.ESME_RINVCMDID)
    assert (found["supports.query_sm"].value, found["supports.cancel_sm"].value) == (False, False)


def test_the_number_of_binds() -> None:
    answers = iter((0, 0, Status.ESME_RALYBND))
    found = play(bind_count(known()), lambda pdu, n: (0, []), opens=lambda: next(answers))
    assert (found["binds.count"].value, found["binds.count"].confidence) == (3, Confidence.FOUND)
    found = play(bind_count(known()), lambda pdu, n: (0, []))
    assert found["binds.count"].confidence is Confidence.UNKNOWN
