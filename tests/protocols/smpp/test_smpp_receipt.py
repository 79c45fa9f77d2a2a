"""Receipts as carriers really write them, and what must not be taken for one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp import receipt
from protocols.smpp.constants import Tag
from protocols.smpp.id_keys import lookup_keys, stored_key
from protocols.smpp.pdu import DataSm, DeliverSm
from protocols.smpp.receipt import FINAL, Grammar, ReceiptState, parse, read_date, state_of


def dlr(text: bytes, esm_class: int = 0x04, tlvs=()) -> DeliverSm:
    return DeliverSm(esm_class=esm_class, short_message=text, tlvs=tuple(tlvs))


# (text, message_id, state, err, submit date, done date)
SEEN = [
    (
        (
            b"id:0911897980 sub:001 dlvrd:000 submit date:1201121551 done date:1201121551 stat:UNDELIV"
            b" err:075 text:-PROFILE"
        ),
        (b"0911897980", "UNDELIVERABLE", "075", b"1201121551", b"1201121551"),
    ),
    (
        (
            b"id:1216080510463401720 sub:001 dlvrd:001 submit date:1608051046 done date:0000000000 stat:"
            b"FAILED err:002 Text:"
        ),
        (b"1216080510463401720", "FAILED", "002", b"1608051046", b"0000000000"),
    ),
    (
        (
            b"id:0118Z-0122I-2309U-57DGB sub:000 dlvrd:000 submitdate:180122230957 donedate:000000000000"
            b" stat:REJECTD err:375 text:"
        ),
        (b"0118Z-0122I-2309U-57DGB", "REJECTED", "375", b"180122230957", b"000000000000"),
    ),
    (
        (
            b"id:c87c2273-7edb-4bc7-8d3a-7f57f21b625e submit date:201506201641 done date:201506201641"
            b" stat:DELIVRD err:000"
        ),
        (b"c87c2273-7edb-4bc7-8d3a-7f57f21b625e", "DELIVERED", "000", b"201506201641", b"201506201641"),
    ),
    (
        (
            b"id:9308878062554710043 sub:001 dlvrd:001 submit date:2001121551 done date:2001121552 stat:"
            b"DELIVRD err:0A1 text:Your code is"
        ),
        (b"9308878062554710043", "DELIVERED", "0A1", b"2001121551", b"2001121552"),
    ),
]


SEEN_NAMES = [
    "UNDELIV with the carrier's words after text",
    "FAILED without a done date",
    "REJECTD with submitdate in one word",
    "UUID without sub, dlvrd and text",
    "decimal for a hexadecimal response, err with a letter",
]


@pytest.mark.rule(
    "receipts.vectors",
    "receipts.spelling",
    "receipts.esm-class",
    "receipts.id-length",
    "receipts.id-raw",
)
@pytest.mark.parametrize(("text", "expected"), SEEN, ids=SEEN_NAMES)
@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0x00, 0x84])
def test_receipts_seen_in_the_wild(text, expected, esm_class):
    found = parse(dlr(text, esm_class))
    assert (found.message_id, found.state.value, found.err, found.submit_date, found.done_date) == expected
    assert (found.final, found.intermediate, found.network_error) == (True, False, None)
    assert found.raw == text


@pytest.mark.rule("receipts.vectors", "receipts.id-base")
def test_the_same_number_in_hexadecimal_and_in_decimal():
    kept = stored_key(b"812FC7470000001B")
    assert ("hex_in_response", kept) in lookup_keys(b"9308878062554710043")
    kept = stored_key(b"9308878062554710043")
    assert ("decimal_in_response", kept) in lookup_keys(b"812FC7470000001B")


# The text is the subscriber's from "text:" on


@pytest.mark.rule("receipts.no-injection")
@pytest.mark.parametrize(
    "text",
    [
        b"sub:001 dlvrd:001 err:000 text:id:666 stat:DELIVRD done date:2001121551",
        b"TEXT:id:666 submit date:2001121551 done date:2001121551 stat:DELIVRD err:000",
        b"sub:001 Text: id:666 stat:DELIVRD err:000",
    ],
)
def test_the_subscribers_text_injects_nothing(text):
    found = parse(dlr(text))
    assert (found.message_id, found.state, found.done_date) == (b"", ReceiptState.UNKNOWN, b"")


def test_the_first_of_each_field_counts():
    text = b"id:1 id:2 stat:UNDELIV stat:DELIVRD err:001 err:000 text:id:3 stat:DELIVRD"
    found = parse(dlr(text))
    assert (found.message_id, found.state, found.err) == (b"1", ReceiptState.UNDELIVERABLE, "001")


def test_a_field_name_inside_another_word_is_none():
    found = parse(dlr(b"mid:1 xid:2 restat:DELIVRD id:3 stat:EXPIRED"))
    assert (found.message_id, found.state) == (b"3", ReceiptState.EXPIRED)


def test_an_empty_field_does_not_swallow_the_next():
    found = parse(dlr(b"id: sub:001 dlvrd:001 submit date: done date: stat: err:000 text:"))
    assert (found.message_id, found.state, found.err) == (b"", ReceiptState.UNKNOWN, "000")


@pytest.mark.rule("receipts.esm-class")
def test_a_header_of_octets_before_the_text_with_0x44():
    found = parse(dlr(b"\x05\x00\x03\x07\x01\x01id:77 stat:DELIVRD done date:2001121551", 0x44))
    assert (found.message_id, found.state) == (b"77", ReceiptState.DELIVERED)


# TLVs before text

STATE_TLV = (Tag.MESSAGE_STATE, b"\x05")
ID_TLV = (Tag.RECEIPTED_MESSAGE_ID, b"AB-12\0")
ERROR_TLV = (Tag.NETWORK_ERROR_CODE, b"\x03\x00\x0b")


@pytest.mark.rule("receipts.by-tlvs", "receipts.by-text")
def test_tlvs_win_over_the_text():
    found = parse(
        dlr(b"id:999 stat:DELIVRD err:011 done date:2001121551", 0x04, [STATE_TLV, ID_TLV, ERROR_TLV])
    )
    assert (found.message_id, found.state) == (b"AB-12", ReceiptState.UNDELIVERABLE)
    assert (found.network_error, found.err, found.done_date) == (b"\x03\x00\x0b", "011", b"2001121551")


@pytest.mark.rule("receipts.by-tlvs")
@pytest.mark.parametrize("tlvs", [[ID_TLV], [STATE_TLV], [ID_TLV, STATE_TLV]])
def test_tlvs_make_a_receipt_without_the_flag_and_without_text(tlvs):
    found = parse(dlr(b"", 0x00, tlvs))
    assert found.message_id == (b"AB-12" if ID_TLV in tlvs else b"")
    assert found.state == (ReceiptState.UNDELIVERABLE if STATE_TLV in tlvs else ReceiptState.UNKNOWN)


def test_the_first_of_repeated_tlvs_counts_and_an_id_needs_no_nul():
    found = parse(dlr(b"", 0x04, [(Tag.RECEIPTED_MESSAGE_ID, b"1"), (Tag.RECEIPTED_MESSAGE_ID, b"2")]))
    assert found.message_id == b"1"


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x09", b"\xff"])
def test_a_state_that_3_4_does_not_know_leaves_it_to_the_text(value):
    found = parse(dlr(b"id:1 stat:EXPIRED", 0x04, [(Tag.MESSAGE_STATE, value)]))
    assert found.state is ReceiptState.EXPIRED


def test_a_state_in_more_octets_than_one():
    assert parse(dlr(b"", 0x04, [(Tag.MESSAGE_STATE, b"\x00\x02")])).state is ReceiptState.DELIVERED


def test_the_text_may_be_in_message_payload():
    found = parse(dlr(b"", 0x04, [(Tag.MESSAGE_PAYLOAD, SEEN[0][0])]))
    assert (found.message_id, found.raw) == (b"0911897980", SEEN[0][0])


# What is a receipt


@pytest.mark.rule("receipts.by-text", "receipts.esm-class")
@pytest.mark.parametrize(
    ("esm_class", "text"),
    [
        (0x00, b"Hello"),
        (0x00, b""),
        (0x00, b"my id:1 stat:DELIVRD done date:2001121551"),
        (0x00, b"id:1 stat:DELIVRD"),
        (0x00, b"id:1 text: stat:DELIVRD done date:2001121551"),
        (0x40, b"\x05\x00\x03\x07\x02\x01Hello"),
        (0x08, SEEN[0][0]),
        (0x10, SEEN[0][0]),
        (0x18, SEEN[0][0]),
    ],
)
def test_a_message_from_a_handset_is_none(esm_class, text):
    assert parse(dlr(text, esm_class)) is None


@pytest.mark.rule("receipts.esm-class")
@pytest.mark.parametrize("esm_class", [0x20, 0x60])
def test_an_intermediate_notification_is_never_final(esm_class):
    found = parse(dlr(b"id:1 stat:UNDELIV err:001", esm_class))
    assert (found.state, found.final, found.intermediate) == (ReceiptState.UNDELIVERABLE, False, True)


@pytest.mark.rule("receipts.states", "receipts.meaning")
@pytest.mark.parametrize(
    ("word", "state", "final"),
    [
        (b"ENROUTE", "ENROUTE", False),
        (b"BUFFRED", "ENROUTE", False),
        (b"DELIVRD", "DELIVERED", True),
        (b"delivered", "DELIVERED", True),
        (b"EXPIRED", "EXPIRED", True),
        (b"DELETED", "DELETED", True),
        (b"UNDELIV", "UNDELIVERABLE", True),
        (b"Undeliverable", "UNDELIVERABLE", True),
        (b"ACCEPTD", "ACCEPTED", False),
        (b"UNKNOWN", "UNKNOWN", False),
        (b"REJECTD", "REJECTED", True),
        (b"FAILED", "FAILED", True),
        (b"SEVENTH", "UNKNOWN", False),
        (b"", "UNKNOWN", False),
    ],
)
def test_states_and_which_are_final(word, state, final):
    found = parse(dlr(b"id:1 stat:" + word))
    assert (found.state.value, found.final) == (state, final)


@pytest.mark.rule("receipts.meaning")
def test_a_carriers_own_table_of_final_states():
    final_too = {**FINAL, ReceiptState.ACCEPTED: True}
    assert parse(dlr(b"id:1 stat:ACCEPTD"), Grammar(final=final_too)).final
    assert not parse(dlr(b"id:1 stat:ACCEPTD")).final
    assert set(FINAL) == set(ReceiptState)


@given(st.binary(max_size=254), st.sampled_from([0, 4, 0x20, 0x44]))
def test_any_text_is_read_or_left_alone(text, esm_class):
    found = parse(dlr(text, esm_class))
    assert found is None if esm_class == 0 and text[:3].lower() != b"id:" else True
    if found is not None:
        assert found.message_id in text


WORDS = st.sampled_from(
    [
        *b"id:|ID:|12ab|a-b| |sub:001|dlvrd:001|submit date:|done date:|stat:|DELIVRD".split(b"|"),
        *(b"err:", b"000", b" text:", b"Text:", b"\n", b"\xff", b":"),
    ]
)


STANDARD = b"id:1-a sub:001 dlvrd:001 submit date:2001121551 done date:2001121552 stat:DELIVRD err:0A1"


@given(st.lists(WORDS, max_size=20).map(b"".join) | st.builds(
    lambda position, cut, word, end: STANDARD[:position] + word + STANDARD[position + cut :] + end,
    st.integers(0, len(STANDARD)), st.integers(0, 6), WORDS, st.just(b"") | st.just(b" text:id:9") | WORDS,
))  # fmt: skip
def test_the_short_cut_for_appendix_b_reads_what_the_long_way_reads(text):
    quick = receipt._fields(text, b"id")
    cut = receipt._TEXT_KEY.search(text)
    slow = {}
    for key, name, value in receipt._patterns(b"id")[1].findall(text[: cut.start()] if cut else text):
        slow.setdefault(b"id" if key else name.lower().replace(b" ", b""), value)
    assert list(quick) == [slow.get(name) for name in (b"id", b"submitdate", b"donedate", b"stat", b"err")]


def test_the_short_cut_is_taken():
    quick, _ = receipt._patterns(b"id")
    assert quick.match(SEEN[0][0])
    assert quick.match(STANDARD)


# A carrier's own grammar


@pytest.mark.rule("receipts.spelling")
@pytest.mark.parametrize("id_key", [b"msgid", b"message id", b"ID", b"i.d"])
def test_another_word_in_front_of_the_id(id_key):
    grammar = Grammar(id_key=id_key)
    for text in (id_key + STANDARD[2:], id_key.upper() + b":1-a err:0A1 stat:DELIVRD done date:2001121552"):
        found = parse(dlr(text, 0x00), grammar)
        assert (found.message_id, found.state, found.err) == (b"1-a", ReceiptState.DELIVERED, "0A1")
    assert parse(dlr(b"xx:1-a stat:DELIVRD done date:2001121552", 0x00), grammar) is None


def test_a_key_is_no_pattern():
    grammar = Grammar(id_key=b"i.d")
    assert parse(dlr(b"ixd:1 stat:DELIVRD"), grammar).message_id == b""
    assert parse(dlr(b"ixd:1 stat:DELIVRD done date:2001121552", 0x00), grammar) is None


def test_the_usual_word_does_not_count_where_the_carrier_has_another():
    assert parse(dlr(b"id:7 msgid:8 stat:DELIVRD"), Grammar(id_key=b"msgid")).message_id == b"8"
    assert parse(dlr(b"id:7 msgid:8 stat:DELIVRD")).message_id == b"7"


@pytest.mark.rule("receipts.by-tlvs")
@pytest.mark.parametrize(
    ("prefer", "tlvs", "text", "expected"),
    [
        ("tlv", [STATE_TLV, ID_TLV], b"id:9 stat:DELIVRD", (b"AB-12", "UNDELIVERABLE", "UNDELIV")),
        ("text", [STATE_TLV, ID_TLV], b"id:9 stat:DELIVRD", (b"9", "DELIVERED", "DELIVRD")),
        ("text", [STATE_TLV, ID_TLV], b"", (b"AB-12", "UNDELIVERABLE", "UNDELIV")),
        ("text", [STATE_TLV], b"id: stat:WHATEVER", (b"", "UNDELIVERABLE", "UNDELIV")),
        ("tlv", [(Tag.MESSAGE_STATE, b"\xff")], b"stat:whatever", (b"", "UNKNOWN", "WHATEVER")),
        ("text", [], b"stat:delivered", (b"", "DELIVERED", "DELIVERED")),
        ("tlv", [], b"", (b"", "UNKNOWN", "")),
    ],
)
def test_which_of_tlv_and_text_is_believed(prefer, tlvs, text, expected):
    found = parse(dlr(text, 0x04, tlvs), Grammar(prefer=prefer))
    assert (found.message_id, found.state.value, found.word) == expected


@pytest.mark.rule("receipts.never-mo")
def test_an_unflagged_text_may_be_a_handsets():
    text = b"id:1 sub:001 dlvrd:001 submit date:2001121551 done date:2001121552 stat:DELIVRD err:000"
    mo = Grammar(unflagged="mo")
    assert parse(dlr(text, 0x00)).state is ReceiptState.DELIVERED
    assert parse(dlr(text, 0x00), mo) is None
    assert parse(dlr(text, 0x04), mo).state is ReceiptState.DELIVERED
    assert parse(dlr(text, 0x00, [ID_TLV]), mo).message_id == b"AB-12"


WORDS_OF_A_CARRIER = {
    b"SEENRD": ReceiptState.DELIVERED,
    b"ACCEPTED": ReceiptState.DELIVERED,
    b"UNKNOWN": ReceiptState.EXPIRED,
    b"DELIVRD": ReceiptState.ENROUTE,
}


@pytest.mark.rule("receipts.meaning")
@pytest.mark.parametrize(
    ("text", "tlvs", "expected"),
    [
        (b"stat:Seenrd", [], ("DELIVERED", True, "SEENRD")),
        (b"stat:ACCEPTD", [], ("DELIVERED", True, "ACCEPTD")),
        (b"", [(Tag.MESSAGE_STATE, b"\x06")], ("DELIVERED", True, "ACCEPTD")),
        (b"stat:UNKNOWN", [], ("EXPIRED", True, "UNKNOWN")),
        (b"stat:DELIVRD", [], ("ENROUTE", False, "DELIVRD")),
        (b"stat:DELIVERED", [], ("DELIVERED", True, "DELIVERED")),
        (b"stat:EXPIRED", [], ("EXPIRED", True, "EXPIRED")),
        (b"stat:OTHER", [], ("UNKNOWN", False, "OTHER")),
    ],
)
def test_a_carriers_own_words(text, tlvs, expected):
    found = parse(dlr(text, 0x04, tlvs), Grammar(words=WORDS_OF_A_CARRIER))
    assert (found.state.value, found.final, found.word) == expected


def test_a_receipt_in_a_data_sm():
    tlvs = ((Tag.MESSAGE_PAYLOAD, SEEN[0][0]), STATE_TLV, ID_TLV)
    found = parse(DataSm(esm_class=0x04, tlvs=tlvs))
    assert (found.message_id, found.state, found.err) == (b"AB-12", ReceiptState.UNDELIVERABLE, "075")
    assert parse(DataSm(tlvs=tlvs[:1])).message_id == b"0911897980"
    assert parse(DataSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"hello"),))) is None


@pytest.mark.parametrize(
    ("number", "state"),
    [
        *((0, "ENROUTE"), (1, "ENROUTE"), (2, "DELIVERED"), (3, "EXPIRED"), (4, "DELETED")),
        *((5, "UNDELIVERABLE"), (6, "ACCEPTED"), (7, "UNKNOWN"), (8, "REJECTED"), (9, "UNDELIVERABLE")),
        *((10, "UNKNOWN"), (255, "UNKNOWN")),
    ],
)
def test_the_state_that_a_query_names(number, state):
    assert state_of(number) == state


def test_a_repr_shows_nothing_of_the_message():
    assert "4711" not in repr(parse(dlr(b"id:1 stat:DELIVRD text:your code is 4711")))


# Dates


@pytest.mark.rule("receipts.dates")
@pytest.mark.parametrize(
    ("raw", "near", "expected"),
    [
        (b"1201121551", (2012, 1, 13), (2012, 1, 12, 15, 51)),
        (b"180122230957", (2018, 1, 23), (2018, 1, 22, 23, 9, 57)),
        (b"201506201641", (2015, 6, 20), (2015, 6, 20, 16, 41)),
        # either: 2020-11-12 10:11:12 or 2011-12-10 ... is settled by the time of the message
        (b"201112101112", (2020, 11, 12), (2020, 11, 12, 10, 11, 12)),
        (b"201112101112", (2011, 12, 10), (2011, 12, 10, 11, 12)),
        (b"20180122230957", (2018, 1, 23), (2018, 1, 22, 23, 9, 57)),
    ],
)
def test_dates_of_ten_twelve_and_fourteen_digits(raw, near, expected):
    assert read_date(raw, datetime(*near, tzinfo=UTC)) == datetime(*expected, tzinfo=UTC)


@pytest.mark.rule("receipts.dates")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"0000000000",
        b"000000000000",
        b"00000000000000",
        b"2013451200",
        b"12011215",
        b"12-01-12 15",
        b"\xb2" * 10,
    ],
)
def test_what_is_no_date(raw):
    assert read_date(raw, datetime(2020, 1, 1, tzinfo=UTC)) is None


# Ids


@pytest.mark.rule("receipts.id-case", "receipts.id-zeros", "receipts.id-dashes")
@pytest.mark.parametrize(
    ("message_id", "key"),
    [
        (b"812FC7470000001B", "812fc7470000001b"),
        (b"0000812fc747", "812fc747"),
        (b"c87c2273-7EDB-4bc7-8d3a-7f57f21b625e", "c87c22737edb4bc78d3a7f57f21b625e"),
        (b"000", "0"),
        (b"0", "0"),
        (b"", ""),
        (b"---", ""),
        (b"ab_ Z!", "ab_ z!"),
        (b"\xc4\xff", "\xe4\xff"),
    ],
)
def test_the_key_of_a_response(message_id, key):
    assert stored_key(message_id) == key


@pytest.mark.rule("receipts.id-base", "receipts.id-dashes", "receipts.id-zeros")
@pytest.mark.parametrize(
    ("message_id", "keys"),
    [
        (
            b"812FC747-0000001B",
            [("same", "812fc7470000001b"), ("decimal_in_response", "9308878062554710043")],
        ),
        (b"0010", [("same", "10"), ("hex_in_response", "a"), ("decimal_in_response", "16")]),
        (b"7", [("same", "7")]),
        (b"0", [("same", "0")]),
        (b"", [("same", "")]),
        (b"0118Z-0122I", [("same", "118z0122i")]),
        (b"1_000", [("same", "1_000")]),
        (b"0x1f", [("same", "x1f")]),
    ],
)
def test_the_keys_of_a_receipt(message_id, keys):
    assert list(lookup_keys(message_id)) == keys


@pytest.mark.rule("receipts.id-base", "receipts.id-case", "receipts.id-zeros", "receipts.id-length")
@given(st.integers(0, 10**30))
def test_every_spelling_of_a_number_meets(number):
    spellings = [f"{number}", f"{number:x}", f"{number:X}", f"{number:040d}", f"{number:040x}"]
    for response in spellings:
        for found in spellings:
            assert stored_key(response.encode()) in [key for _, key in lookup_keys(found.encode())]


@given(st.binary(max_size=300) | st.integers(200, 9000).map(lambda size: b"9" * size))
def test_any_id_has_keys(message_id):
    keys = lookup_keys(message_id)
    assert keys[0] == ("same", stored_key(message_id))
    assert len({key for _, key in keys}) == len(keys) <= 3
