"""Failover: which address is next, and when the first one again; the spacing of binds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.addresses import Addresses, Spacing, address_of

A, B, C = ("a", 1), ("b", 2), ("c", 3)
EPOCH = 1_700_000_000.0


def test_one_address_waits_after_each_failure() -> None:
    addresses = Addresses([A])
    for second in range(5):
        assert addresses.next(EPOCH + second) == A
        assert addresses.failed(EPOCH + second)


def test_the_others_are_tried_at_once_and_then_there_is_a_wait() -> None:
    addresses = Addresses([A, B, C])
    tried, waits = [], []
    for _ in range(6):
        tried.append(addresses.next(EPOCH))
        waits.append(addresses.failed(EPOCH))
    assert tried == [A, B, C, A, B, C]
    assert waits == [False, False, True, False, False, True]


def test_a_standby_that_works_is_kept_until_the_first_may_be_back() -> None:
    addresses = Addresses([A, B], return_s=60)
    addresses.failed(EPOCH)
    assert addresses.next(EPOCH) == B
    addresses.worked()
    assert addresses.next(EPOCH + 59) == B
    assert addresses.next(EPOCH + 60) == A
    assert not addresses.failed(EPOCH + 61), "the standby is tried at once"
    assert addresses.next(EPOCH + 62) == B
    assert addresses.next(EPOCH + 120.5) == B, "counted from the last failure"
    assert addresses.next(EPOCH + 121) == A


def test_the_first_is_kept_while_it_works() -> None:
    addresses = Addresses([A, B])
    addresses.worked()
    assert addresses.next(EPOCH) == A
    assert not addresses.failed(EPOCH)
    assert addresses.next(EPOCH) == B


@given(st.integers(1, 6), st.lists(st.sampled_from(["failed", "worked", "passed"]), max_size=60))
def test_each_address_is_tried_before_the_second_wait(number: int, happened: list[str]) -> None:
    addresses = Addresses([(str(index), index + 1) for index in range(number)])
    now, tried = EPOCH, []
    for what in [*happened, *["failed"] * 2 * number]:
        if what == "failed":
            tried.append(addresses.next(now))
            addresses.failed(now)
        elif what == "worked":
            addresses.worked()
        else:
            now += 61
    assert len(set(tried[-2 * number :])) == number


def test_there_is_an_address() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Addresses([])


@pytest.mark.parametrize(
    ("text", "address"),
    [("smsc.example:2776", ("smsc.example", 2776)), ("192.0.2.1:1", ("192.0.2.1", 1)),
     ("[2001:db8::1]:2776", ("2001:db8::1", 2776))],
)  # fmt: skip
def test_address_of(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "smsc.example", ":2775", "a:0", "a:65536", "a:x", "a:-1", "a:²"])
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        address_of(text)


def test_binds_take_turns() -> None:
    spacing = Spacing(5.0)
    assert [spacing.wait_s(EPOCH) for _ in range(3)] == [0.0, 5.0, 10.0]
    assert spacing.wait_s(EPOCH + 14) == 1.0
    assert spacing.wait_s(EPOCH + 100) == 0.0
    assert [Spacing(0).wait_s(EPOCH) for _ in range(3)] == [0.0] * 3
