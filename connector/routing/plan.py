"""Numbering plans: the national part of a number to its region and kind, by one regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

__all__ = ["Plan", "load_plans", "plan_of"]

T = TypeVar("T")

# In this order: the first that matches is the kind.
_KINDS: Final = (
    ("premium_rate", "premium"),
    ("toll_free", "toll_free"),
    ("shared_cost", "shared_cost"),
    ("voip", "voip"),
    ("personal_number", "personal"),
    ("pager", "pager"),
    ("uan", "uan"),
    ("voicemail", "voicemail"),
)
_SHORTEST, _LONGEST = 2, 17
_WORLD: Final = "001"

_plans: dict[str, Plan[Any]] = {}


def load_plans() -> None:
    """Have the library read the plans of all countries; expressions are still made as numbers come."""
    PhoneMetadata.load_all()


def plan_of(number: str) -> Plan[Any] | None:
    """The plan of an E.164 number with +; None where no calling code begins it. No code begins another."""
    plans = _plans
    return plans.get(number[1:3]) or plans.get(number[1:4]) or plans.get(number[1:2]) or _loaded(number)


def _loaded(number: str) -> Plan[Any] | None:
    if number[:1] != "+" or not number[1:].isascii() or not number[1:].isdigit():
        return None
    for end in (2, 3, 4):
        code = number[1:end]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code and code[0] != "0" else None
        if regions is not None and len(code) == end - 1:
            return _plans.setdefault(code, Plan(code, regions))
    return None


class Plan(Generic[T]):
    """One calling code. `known` is for whoever makes objects of regions and kinds.

    offset  where the national part begins in "+4930…"
    """

    def __init__(self, calling_code: str, regions: tuple[str, ...]) -> None:
        self.calling_code = calling_code
        self.offset = 1 + len(calling_code)
        self.known: dict[tuple[str, str, str], T] = {}
        code = int(calling_code)
        self._nowhere = ("" if regions[0] == _WORLD else regions[0], "")
        self._single = len(regions) == 1
        found = (PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions)
        known = [metadata for metadata in found if metadata is not None]
        # Most numbers are of the main region: the others' expression waits for the first that is not.
        self._parts = [part for part in (known[:1], known[1:]) if part]
        self._by_length: dict[int, list[_Stage]] = {}
        main, general = known[0], known[0].general_desc
        assert general is not None
        # What is dialled in front within the country, and is often put into E.164 too.
        self._prefix = re.compile(main.national_prefix_for_parsing or r"(?!)")
        self._rule = main.national_prefix_transform_rule
        self._general = re.compile(general.national_number_pattern or r"(?!)")
        self._lengths = frozenset(general.possible_length)
        self._local = frozenset(general.possible_length_local_only)

    def national(self, digits: str) -> str | None:
        """The significant number in what follows the calling code; None when it cannot be one."""
        if len(digits) < _SHORTEST:
            return None
        match = self._prefix.match(digits)
        if match is not None:
            digits = self._without_prefix(digits, match)
        return digits if len(digits) <= _LONGEST else None

    def _without_prefix(self, digits: str, match: re.Match[str]) -> str:
        if self._rule and (groups := match.groups()) and groups[-1] is not None:
            rest = self._prefix.sub(self._rule, digits, count=1)
        else:
            rest = digits[match.end() :]
        if rest == digits or len(rest) in self._local:
            return digits
        if len(rest) not in self._lengths and len(rest) < max(self._lengths):
            return digits
        if self._general.fullmatch(digits) and not self._general.fullmatch(rest):
            return digits
        return rest

    def look_up(self, national: str) -> tuple[str, str]:
        """(region, kind) of a significant number; the main region and "" where it fits nowhere."""
        length = len(national)
        stages = self._by_length.get(length)
        if stages is None:
            stages = self._by_length[length] = [_Stage(part, length, self._single) for part in self._parts]
        for stage in stages:
            fit = stage.fit(national)
            if fit is not None:
                return fit
        return self._nowhere


class _Stage:
    """Some regions of one calling code, for numbers of one length, as one expression made at its first use:
    making it takes up to ten milliseconds.
    """

    def __init__(self, regions: list[PhoneMetadata], length: int, single: bool) -> None:
        self._regions = regions
        self._length = length
        self._single = single
        self._pattern: re.Pattern[str] | None = None
        self._results: list[tuple[str, str]] = [("", "")]
        # By result: what a number of a fixed line must match to be a mobile's as well.
        self._mobiles: dict[int, str | re.Pattern[str]] = {}

    def fit(self, national: str) -> tuple[str, str] | None:
        match = (self._pattern or self._made()).match(national)
        if match is None:
            return None
        index = match.lastindex or 0
        if index in self._mobiles:
            return self._fixed(index, national)
        return self._results[index]

    def _fixed(self, index: int, national: str) -> tuple[str, str]:
        mobile = self._mobiles[index]
        if isinstance(mobile, str):
            mobile = self._mobiles[index] = re.compile(mobile, re.ASCII)
        region, kind = self._results[index]
        return (region, "fixed_or_mobile") if mobile.fullmatch(national) else (region, kind)

    def _made(self) -> re.Pattern[str]:
        """Each alternative ends with an empty group, whose index tells the result."""
        alternatives: list[str] = []
        for metadata in self._regions:
            region = "" if metadata.id == _WORLD else metadata.id
            fits: list[str] = []
            for pattern, kind in _kinds(metadata, self._length):
                if kind == "fixed" and (mobile := _pattern(metadata.mobile, self._length)) is not None:
                    self._mobiles[len(self._results)] = mobile
                fits.append(rf"(?:{pattern})\Z()")
                self._results.append((region, kind))
            general = _pattern(metadata.general_desc, self._length)
            one = rf"(?=(?:{general})\Z)(?:{'|'.join(fits)})" if fits else r"(?!)"
            if metadata.leading_digits is not None and not self._single:
                # What begins so is of the region, fits or not.
                one = rf"(?={metadata.leading_digits})(?:{one}|())"
                self._results.append((region, ""))
            alternatives.append(f"(?:{one})")
        self._pattern = re.compile("|".join(alternatives) or r"(?!)", re.ASCII)
        return self._pattern


def _kinds(metadata: PhoneMetadata, length: int) -> Iterator[tuple[str, str]]:
    """(regular expression, kind) of what numbers of a length may be, the first that matches counts."""
    if _pattern(metadata.general_desc, length) is None:
        return
    for name, kind in _KINDS:
        pattern = _pattern(getattr(metadata, name), length)
        if pattern is not None:
            yield pattern, kind
    same = metadata.same_mobile_and_fixed_line_pattern
    fixed, mobile = _pattern(metadata.fixed_line, length), _pattern(metadata.mobile, length)
    if fixed is not None:
        yield fixed, "fixed_or_mobile" if same else "fixed"
    if mobile is not None and not same:
        yield mobile, "mobile"


def _pattern(description: Any, length: int) -> str | None:
    if description is None or (description.possible_length and length not in description.possible_length):
        return None
    pattern: str | None = description.national_number_pattern
    return pattern
