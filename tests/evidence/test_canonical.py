"""One octet form for each value, and lines that cannot be written otherwise."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.evidence.canonical import canonical, commitment, day_of
from connector.evidence.chain import GENESIS, BadLine, Chain, Entry, mac_of, read_line
from connector.evidence.record import Personal, decision

# As the journal has them: times to the millisecond, and what SQLite can hold.
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KEY = bytes(32)


@given(VALUES)
def test_a_value_is_read_back_and_written_the_same(value: Any) -> None:
    octets = canonical(value)
    assert canonical(msgspec.json.decode(octets)) == octets
    assert b"\n" not in octets


@given(st.dictionaries(TEXTS, VALUES, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any], random: Any) -> None:
    names = list(value)
    random.shuffle(names)
    assert canonical({name: value[name] for name in names}) == canonical(value)


@given(VALUES)
def test_any_parser_of_json_reads_the_same(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(st.floats(1e9, 4e9).map(lambda at: round(at, 3)), TEXTS)
def test_a_record_can_be_written_anew_by_other_programs(at: float, text: str) -> None:
    """Times and texts of records have one spelling, whatever wrote them."""
    value = {"at": at, "id": text}
    other = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert json.loads(canonical(value)) == json.loads(other)
    if not any(ord(each) < 0x20 or ord(each) == 0x7F for each in text):
        assert canonical(value) == other


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.none() | st.dictionaries(TEXTS, VALUES, max_size=3))
def test_a_line_is_read_back(record: dict[str, Any], personal: dict[str, Any] | None) -> None:
    chain = Chain(KEY, 7, "ab" * 32)
    hidden = None if personal is None else canonical(personal)
    text = chain.append(1_700_000_000.125, Entry("job", canonical(record), hidden))
    line = read_line(text)
    assert (line.seq, line.whole(), line.mac) == (8, text, chain.mac)
    assert mac_of(KEY, "ab" * 32, line) == line.mac
    assert msgspec.json.decode(text)["record"] == msgspec.json.decode(canonical(record))
    assert canonical(msgspec.json.decode(text)) == text
    assert read_line(line.public()).personal is msgspec.UNSET


@given(st.binary(max_size=60))
def test_anything_else_is_no_line(octets: bytes) -> None:
    with pytest.raises(BadLine):
        read_line(octets)


@pytest.mark.parametrize(
    "other",
    [
        lambda text: text.replace(b'"seq":1', b'"seq": 1'),
        lambda text: text.replace(b'"seq":1', b'"seq":1.0'),
        lambda text: text + b" ",
        lambda text: text.replace(b'"kind":"job"', b'"kind":"job","kind":"job"'),
        lambda text: text.replace(b'"mac":"', b'"mac":"\\u0030'),
        lambda text: text[:-1] + b',"more":1}',
    ],
)
def test_the_same_values_in_other_octets_are_no_line(other: Any) -> None:
    text = Chain(KEY).append(1.5, Entry("job", b"{}"))
    read_line(text)
    with pytest.raises(BadLine):
        read_line(other(text))


def test_the_mac_is_what_is_documented() -> None:
    """With nothing but the standard library, as an auditor would."""
    import hmac
    from hashlib import sha256

    chain = Chain(KEY)
    first = chain.append(1.5, Entry("start", b"{}"))
    second = chain.append(2.5, Entry("job", b'{"id":"x"}', b'{"to":"+447700900001"}'))
    previous = bytes.fromhex(GENESIS)
    for text in (first, second):
        line = json.loads(text)
        told = {name: line[name] for name in ("at", "kind", "record", "seq")}
        octets = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert hmac.new(KEY, previous + octets, sha256).hexdigest() == line["mac"]
        previous = bytes.fromhex(line["mac"])


def test_a_commitment_is_of_the_salted_object() -> None:
    personal = canonical(Personal({}, {}, "00" * 16, "+447700900001"))
    assert personal == b'{"keys":{},"receipts":{},"salt":"' + b"0" * 32 + b'","to":"+447700900001"}'
    assert commitment(personal) != commitment(personal.replace(b"00", b"01", 1))


def test_decisions_of_older_versions_are_brought_into_order() -> None:
    old = '{"rule":"priority","chosen":"north","candidates":["north"]}'
    assert bytes(decision(old)) == b'{"candidates":["north"],"chosen":"north","rule":"priority"}'
    assert bytes(decision("{}")) == b"{}"


@pytest.mark.parametrize(
    ("at", "day"),
    [(0.0, "1970-01-01"), (86_399.999, "1970-01-01"), (86_400.0, "1970-01-02"), (1.7e9, "2023-11-14")],
)
def test_days_are_of_utc(at: float, day: str) -> None:
    assert day_of(at) == day
