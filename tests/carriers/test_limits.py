"""Limits below the account's: every matching one counts, and none holds up another group."""

from dataclasses import dataclass
from random import Random

import pytest

from connector.carriers.limits import SubLimits

EPOCH = 1_700_000_000.0


@dataclass(frozen=True)
class Limit:
    tps: float
    sender: str | None = None
    destination: str | None = None


LIMITS = [
    Limit(5, sender="ACME"),
    Limit(50, destination="+91"),
    Limit(2, destination="+9198"),
    Limit(1, sender="ACME"),
]


@pytest.mark.parametrize(
    ("sender", "recipient", "group"),
    [
        ("ACME", "+4915112345678", (0, 3)),
        ("ACME", "+919812345678", (0, 1, 2, 3)),
        ("SHOP", "+919812345678", (1, 2)),
        ("SHOP", "+917012345678", (1,)),
        ("SHOP", "917012345678", (1,)),
        ("SHOP", "+4915112345678", ()),
        ("acme", "+9", ()),
    ],
)
def test_every_limit_that_matches_counts(sender: str, recipient: str, group: tuple[int, ...]) -> None:
    assert SubLimits(LIMITS, EPOCH).group(sender, recipient) == group


def test_without_limits_nothing_waits() -> None:
    limits = SubLimits([], EPOCH)
    assert not limits
    assert limits.group("ACME", "+919812345678") == ()
    limits.take((), EPOCH, 100)
    assert limits.tokens_at((), EPOCH) == EPOCH


def test_the_slowest_limit_of_a_group_decides_and_others_go_on() -> None:
    limits = SubLimits(LIMITS, EPOCH)
    limits.take((1, 2), EPOCH)
    assert limits.tokens_at((1, 2), EPOCH) == pytest.approx(EPOCH + 0.5, abs=1e-5)
    assert limits.tokens_at((1,), EPOCH) == EPOCH
    assert limits.tokens_at((0,), EPOCH) == EPOCH
    assert limits.tokens_at((1, 2), EPOCH + 0.51) == EPOCH + 0.51


def test_a_long_message_borrows_from_what_follows() -> None:
    limits = SubLimits([Limit(2, destination="+91")], EPOCH)
    limits.take((0,), EPOCH, 3)
    assert limits.tokens_at((0,), EPOCH) == pytest.approx(EPOCH + 1.5, abs=1e-5)


def test_over_time_exactly_the_rate_leaves(random: Random) -> None:
    limits, now, left = SubLimits([Limit(20, sender="ACME")], EPOCH), EPOCH, 0
    while now < EPOCH + 100:
        now = limits.tokens_at((0,), now)
        pdus = random.randint(1, 4)
        limits.take((0,), now, pdus)
        left += pdus
    assert left == pytest.approx(2000, rel=0.01)
