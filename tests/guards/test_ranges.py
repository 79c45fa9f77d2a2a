"""The shipped list of dear ranges is well formed, and its countries are those that numbers have."""

import re
from typing import get_args

import pytest
from phonenumbers import SUPPORTED_REGIONS

from connector.config.guards import RangeGroup
from connector.routing.destination import analyse
from connector.routing.guards.ranges import ALL, RANGES, Range, countries_of

EUROPEAN_UNION = {
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}  # fmt: skip


@pytest.mark.parametrize("range", ALL, ids=lambda range: range.prefix)
def test_a_range_is_a_prefix_with_a_reason(range: Range) -> None:
    assert re.fullmatch(r"\+[1-9][0-9]{1,6}", range.prefix)
    assert range.group in get_args(RangeGroup)
    assert range.reason and not re.search(r"\d", range.reason)
    assert RANGES.find(f"{range.prefix}0000000") is range


@pytest.mark.parametrize("range", [range for range in ALL if range.country], ids=lambda range: range.prefix)
def test_the_country_of_a_range_is_that_of_its_numbers(range: Range) -> None:
    assert range.country in SUPPORTED_REGIONS
    lengths = (length for length in __import__("builtins").range(4, 11))
    found = {
        analyse(f"{range.prefix}{first}{'2' * length}").country for length in lengths for first in "2345679"
    }
    assert range.country in found


def test_no_prefix_stands_twice_and_no_group_is_empty() -> None:
    assert len({range.prefix for range in ALL}) == len(ALL)
    assert {range.group for range in ALL} == set(get_args(RangeGroup))


def test_codes_of_no_country_have_none_and_no_member_of_the_union_is_listed() -> None:
    assert countries_of({"satellite", "global"}) == frozenset()
    listed = countries_of({"remote", "revenue_share"})
    assert {"NR", "CU", "AC"} <= listed
    assert not listed & EUROPEAN_UNION


def test_ordinary_numbers_are_in_no_range() -> None:
    for number in ("+447700900123", "+14155550100", "+4915112345678", "+919812345678", "+8613812345678"):
        assert RANGES.find(number) is None
