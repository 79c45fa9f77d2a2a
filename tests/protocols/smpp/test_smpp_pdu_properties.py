"""What holds for every PDU and for every string of octets."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.smpp import message, pdu
from protocols.smpp.codec import _decode_slowly
from protocols.smpp.constants import CommandId
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import COctets, Counted, Integer, Listed, layout_of
from protocols.smpp.pdu import HEADER, DeliverSm, Message, Pdu, SubmitSmResp, decode, encode

PDU_CLASSES = [
    value
    for value in vars(pdu).values()
    if isinstance(value, type) and issubclass(value, Pdu) and hasattr(value, "command_id")
]


def field_values(kind):
    if isinstance(kind, COctets):
        octets = st.integers(1, 255)
        return st.sampled_from(sorted(kind.lengths)).flatmap(
            lambda size: st.lists(octets, min_size=size, max_size=size).map(bytes)
        )
    if isinstance(kind, Counted):
        return st.binary(max_size=kind.limit)
    if isinstance(kind, Integer):
        return st.integers(0, (1 << 8 * kind.size) - 1)
    if isinstance(kind, Listed):
        return st.lists(st.one_of(*map(entries, kind.entries)), max_size=5).map(tuple)
    return st.integers(0, 255)


def entries(entry_class):
    return st.builds(
        entry_class, **{name: field_values(kind) for name, kind in layout_of(entry_class).fields}
    )


TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=300)), max_size=4).map(tuple)


@st.composite
def pdus(draw):
    pdu_class = draw(st.sampled_from(PDU_CLASSES))
    layout = layout_of(pdu_class)
    values = {name: draw(field_values(kind)) for name, kind in layout.fields}
    if layout.tlvs:
        values["tlvs"] = draw(TLVS)
    return pdu_class(**values)


NUMBERS = st.integers(0, 0xFFFFFFFF)
MESSAGES = st.builds(
    lambda made, status, sequence: Message(made.command_id, status, sequence, made), pdus(), NUMBERS, NUMBERS
)


def test_every_pdu_is_among_them():
    numbers = {value for name, value in vars(CommandId).items() if name.isupper()}
    assert {made.command_id for made in PDU_CLASSES} == numbers
    assert len(PDU_CLASSES) == len(numbers) == 33


@pytest.mark.rule("smpp.plain-numbers", "smpp.raw-tlvs")
@given(MESSAGES)
def test_round_trip(message):
    frame = encode(message.pdu, sequence=message.sequence, status=message.status)
    assert decode(frame) == message
    assert encode(decode(frame).pdu, sequence=message.sequence, status=message.status) == frame


COMMANDS = st.sampled_from([made.command_id for made in PDU_CLASSES])
FRAMES = st.builds(
    lambda command_id, status, sequence, body: (
        HEADER.pack(16 + len(body), command_id, status, sequence) + body
    ),
    COMMANDS | NUMBERS,
    st.just(0) | NUMBERS,
    NUMBERS,
    st.binary(max_size=200),
)


@st.composite
def damaged_frames(draw):
    """A good PDU with an octet changed, cut or grown, and the length put right again."""
    frame = bytearray(encode(draw(pdus()), sequence=draw(NUMBERS)))
    position = draw(st.integers(0, len(frame)))
    frame[position : position + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return (len(frame)).to_bytes(4, "big") + bytes(frame[4:])


@given(FRAMES | damaged_frames() | st.binary(max_size=100))
@example(b"\0\0\0\x10" + b"\0" * 12)
def test_any_octets_are_a_message_or_a_pdu_error(frame):
    try:
        message = decode(frame)
    except PduError as error:
        assert 0 < error.status < 0x100
        return
    assert repr(message).isprintable()
    if message.pdu is not None:
        assert type(message.pdu).command_id == message.command_id


@given(FRAMES | damaged_frames())
def test_the_fast_reading_is_the_slow_one(frame):
    """The slow form reads every body by its declaration; the fast one must never differ."""
    if len(frame) < 16:
        return
    _, command_id, _, _ = HEADER.unpack_from(frame)
    pdu_class = next((made for made in PDU_CLASSES if made.command_id == command_id), None)
    if pdu_class is None:
        return

    def outcome(read):
        try:
            return read()
        except PduError as error:
            return (error.status, error.field, error.reason, error.sequence)

    slow = outcome(lambda: _decode_slowly(layout_of(pdu_class), command_id, pdu_class, frame))
    assert outcome(lambda: message._DECODERS[command_id](frame)) == slow


WRONG = st.none() | st.text(max_size=5) | st.integers() | st.binary(max_size=400) | st.floats() | st.just(())


@given(pdus(), st.data())
def test_any_wrong_field_is_a_local_protocol_error(made, data):
    """Whatever is put into a field either leaves as it is or is refused; nothing is shortened."""
    if not made.__struct_fields__:
        return
    name = data.draw(st.sampled_from(made.__struct_fields__))
    values = {field: getattr(made, field) for field in made.__struct_fields__} | {name: data.draw(WRONG)}
    wrong = type(made)(**values)
    try:
        frame = encode(wrong, sequence=1)
    except LocalProtocolError as error:
        assert error.field == name
        return
    read, given_value = getattr(decode(frame).pdu, name), getattr(wrong, name)
    if isinstance(read, int) and isinstance(given_value, bytes):
        given_value = ord(given_value)  # one octet may stand for its number
    assert (read or None) == (given_value or None)


@given(
    st.binary(min_size=5, max_size=20).filter(lambda text: 0 not in text), st.binary(min_size=6, max_size=254)
)
def test_neither_text_nor_number_is_shown(address, text):
    blank = b"?" * len(text)
    shown = DeliverSm(source_addr=address, short_message=text, tlvs=((0x424, text),))
    other = DeliverSm(source_addr=b"?" * 9 + address[-2:], short_message=blank, tlvs=((0x424, blank),))
    assert repr(shown) == repr(other)


@pytest.mark.rule("smpp.missing-nul")
@given(st.binary(max_size=64).filter(lambda text: 0 not in text))
def test_a_missing_nul_changes_nothing(message_id):
    frame = encode(SubmitSmResp(message_id), sequence=1)[:-1]
    frame = len(frame).to_bytes(4, "big") + frame[4:]
    assert decode(frame).pdu == SubmitSmResp(message_id)
