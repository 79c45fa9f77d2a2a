"""The PDUs beyond binds and messages, read by codecs that we did not write, and theirs read by us.

smpplib knows some of them, smpp.pdu3 most; submit_multi, replace_sm and the broadcasts are for tshark.
"""

from io import BytesIO
from random import Random

import pytest
from smpp.pdu import constants
from smpp.pdu.pdu_encoding import PDUEncoder
from smpplib import consts, smpp

from protocols.smpp.constants import CommandId, Status, Tag
from protocols.smpp.pdu import (
    AlertNotification,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSmResp,
    decode,
    encode,
)

PER_CLASS = 50


def text(random: Random, longest: int) -> bytes:
    return bytes(random.choices(b"0123456789abcdefXYZ-", k=random.randint(0, longest)))


def address(random: Random, longest: int = 20) -> tuple[int, int, bytes]:
    """Type of number, numbering plan, digits: with numbers that the other codecs know."""
    return random.choice([0, 1, 2, 5]), random.choice([0, 1, 8]), text(random, longest)


def some_data_sm(random: Random) -> DataSm:
    payload = (Tag.MESSAGE_PAYLOAD, random.randbytes(random.choice([1, 160, 254])))
    numbers = (random.choice([0, 4, 0x40]), random.choice([0, 1, 2]), random.choice([0, 3, 8]))
    return DataSm(
        random.choice([b"", b"CMT", b"VMA"]), *address(random), *address(random), *numbers, (payload,)
    )


MAKERS = {
    "outbind": lambda random: Outbind(text(random, 15), text(random, 8)),
    "query_sm": lambda random: QuerySm(text(random, 63) + b"1", *address(random)),
    "query_sm_resp": lambda random: QuerySmResp(
        text(random, 64),
        random.choice([b"", b"260105093000000+"]),
        random.randint(1, 8),
        random.randint(0, 255),
    ),
    "cancel_sm": lambda random: CancelSm(b"VMA", text(random, 64), *address(random), *address(random)),
    "cancel_sm_resp": lambda random: CancelSmResp(),
    "replace_sm_resp": lambda random: ReplaceSmResp(),
    "data_sm": some_data_sm,
    "data_sm_resp": lambda random: DataSmResp(text(random, 64)),
    "alert_notification": lambda random: AlertNotification(*address(random, 64), *address(random, 64)),
}
FOR_SMPPLIB = ("query_sm", "query_sm_resp", "data_sm", "data_sm_resp", "alert_notification")


class SmpplibClient:
    """What its PDUs want to be made with."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def mandatory(pdu: Pdu) -> dict[str, bytes | int]:
    return {name: getattr(pdu, name) for name in pdu.__struct_fields__ if name != "tlvs"}


@pytest.mark.parametrize("name", FOR_SMPPLIB)
def test_for_smpplib(random, name):
    for sequence in range(1, PER_CLASS):
        pdu = MAKERS[name](random)
        theirs = smpp.parse_pdu(encode(pdu, sequence=sequence), client=SmpplibClient())
        assert (theirs.command, theirs.sequence, theirs.status) == (name, sequence, 0)
        fields = mandatory(pdu)
        assert {field: getattr(theirs, field) for field in fields} == fields
        if name == "data_sm":
            assert theirs.message_payload == pdu.tlvs[0][1]


@pytest.mark.parametrize("name", FOR_SMPPLIB)
def test_from_smpplib(random, name):
    for _ in range(PER_CLASS):
        pdu = MAKERS[name](random)
        if name == "alert_notification":
            pdu = AlertNotification(*address(random), *address(random))  # it shortens longer ones
        texts = {
            field: value.decode() if isinstance(value, bytes) else value
            for field, value in mandatory(pdu).items()
        }
        if name == "data_sm":
            texts["message_payload"] = pdu.tlvs[0][1]
        theirs = smpp.make_pdu(name, client=SmpplibClient(), **texts)
        theirs.sequence = 77
        message = decode(theirs.generate())
        assert (message.pdu, message.sequence) == (pdu, 77)


@pytest.mark.parametrize("name", MAKERS)
def test_read_and_written_again_by_pdu3(random, name):
    for sequence in range(1, PER_CLASS):
        frame = encode(MAKERS[name](random), sequence=sequence)
        theirs = PDUEncoder().decode(BytesIO(frame))
        assert (theirs.commandId.name, theirs.seqNum) == (name, sequence)
        assert decode(PDUEncoder().encode(theirs)) == decode(frame)


# The numbers


def named(numbers: type) -> dict[int, str]:
    return {value: name.lower() for name, value in vars(numbers).items() if name.isupper()}


def test_the_statuses_are_those_of_pdu3():
    theirs = {number: entry["name"].lower() for number, entry in constants.command_status_value_map.items()}
    statuses = {value: name.lower() for name, value in vars(Status).items() if name.startswith("ESME_")}
    assert statuses == {number: name for number, name in theirs.items() if number >= 0}


def test_the_tags_of_3_4_are_those_of_pdu3_and_of_smpplib():
    ours = {tag: name for tag, name in named(Tag).items() if tag != Tag.CONGESTION_STATE and tag >> 8 != 0x06}
    assert ours == {tag: name for tag, name in constants.tag_value_map.items() if tag >= 0}
    assert ours == {tag: name for name, tag in consts.OPTIONAL_PARAMS.items()}


def test_the_commands_of_3_4_are_those_of_pdu3():
    theirs = {number: name for number, name in constants.command_id_value_map.items()}
    assert {number: name for number, name in named(CommandId).items() if number & 0xFFF < 0x111} == theirs
