from random import Random

import pytest

from connector.simulator.message_ids import SPELLINGS, MessageIds
from protocols.smpp.id_keys import lookup_keys, stored_key

NUMBER = 0x812FC7470000001B


@pytest.mark.parametrize(
    ("form", "response", "receipt"),
    [
        ("same", b"9308878062554710043", b"9308878062554710043"),
        ("hex_in_response", b"812FC7470000001B", b"9308878062554710043"),
        ("decimal_in_response", b"9308878062554710043", b"812FC7470000001B"),
        ("upper", b"812fc7470000001b", b"812FC7470000001B"),
        ("lower", b"812FC7470000001B", b"812fc7470000001b"),
        ("zeros", b"9308878062554710043", b"000009308878062554710043"),
        ("uuid", b"812fc747-0000-001b-812f-c7470000001b", b"812fc7470000001b812fc7470000001b"),
    ],
)
def test_each_form_spells_one_number_in_two_ways(form: str, response: bytes, receipt: bytes) -> None:
    assert SPELLINGS[form](NUMBER) == (response, receipt)


@pytest.mark.parametrize("form", SPELLINGS)
def test_the_receipts_id_leads_back_to_the_response(form: str) -> None:
    ids = MessageIds(Random(5))
    for _ in range(100):
        issued = ids.next(form)
        assert len(issued.response) <= 64 and len(issued.receipt) <= 64
        assert stored_key(issued.response) in [key for _, key in lookup_keys(issued.receipt)]


def test_ids_are_new_each_time_and_belong_to_the_seed() -> None:
    one, same, other = MessageIds(Random(5)), MessageIds(Random(5)), MessageIds(Random(6))
    issued = [one.next("same").response for _ in range(1000)]
    assert len(set(issued)) == 1000
    assert issued == [same.next("same").response for _ in range(1000)]
    assert set(issued).isdisjoint(other.next("same").response for _ in range(1000))
