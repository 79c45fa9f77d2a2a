"""Quiet hours in the recipient's local time, against a clock that goes minute by minute."""

from datetime import UTC, datetime, time
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.config.routing import QuietHours
from connector.routing.destination import Destination, analyse
from connector.routing.hours import Hours
from connector.routing.zones import zones

BERLIN, NEW_YORK, LONDON = "+4915112345678", "+12125550100", "+447700900123"
NOWHERE = Destination("", "other", "", False)


def hours(begin: str = "21:00", end: str = "08:00", zone: str = "UTC") -> Hours:
    return Hours(QuietHours(from_=begin, until=end, zone=zone))


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def closed(number: str, now: float, **window: str) -> float | None:
    return hours(**window).closed_until(number, analyse(number), now)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-03T20:59:59", None),
        ("2026-03-03T21:00:00", "2026-03-04T08:00"),
        ("2026-03-03T23:59:59", "2026-03-04T08:00"),
        ("2026-03-04T00:00:00", "2026-03-04T08:00"),
        ("2026-03-04T07:59:59", "2026-03-04T08:00"),
        ("2026-03-04T08:00:00", None),
    ],
)
@pytest.mark.parametrize(("number", "zone"), [(BERLIN, "Europe/Berlin"), (LONDON, "Europe/London")])
def test_a_night_in_the_recipients_time(number: str, zone: str, now: str, until: str | None) -> None:
    expected = None if until is None else at(until, zone)
    assert closed(number, at(now, zone)) == expected


def test_a_window_within_one_day() -> None:
    window = {"begin": "12:00", "end": "14:30"}
    noon = at("2026-05-05T12:00", "Europe/Berlin")
    assert closed(BERLIN, noon - 1, **window) is None
    assert closed(BERLIN, noon, **window) == noon + 2.5 * 3600
    assert closed(BERLIN, noon + 2.5 * 3600, **window) is None


@pytest.mark.parametrize("end", ["00:00", "23:59"])
def test_a_window_that_ends_with_the_day(end: str) -> None:
    until = closed(BERLIN, at("2026-05-05T22:10", "Europe/Berlin"), begin="22:00", end=end)
    assert until is not None
    assert datetime.fromtimestamp(until, ZoneInfo("Europe/Berlin")).time() == time.fromisoformat(end)


@pytest.mark.parametrize(("night", "length_h"), [("2026-03-28", 10), ("2026-10-24", 12), ("2026-06-06", 11)])
def test_nights_in_which_clocks_change(night: str, length_h: int) -> None:
    begin = at(f"{night}T21:00", "Europe/Berlin")
    assert closed(BERLIN, begin) == begin + length_h * 3600


def test_an_end_that_clocks_leap_over() -> None:
    # 02:00 becomes 03:00 at 01:00 UTC.
    leap = at("2026-03-29T01:00")
    assert closed(BERLIN, leap - 600, end="02:30") == leap
    assert closed(BERLIN, leap, end="02:30") is None


def test_an_end_that_comes_twice() -> None:
    # 03:00 becomes 02:00 at 01:00 UTC: it is 02:30 at 00:30 and at 01:30.
    back = at("2026-10-25T01:00")
    assert closed(BERLIN, back - 3600, end="02:30") == back - 1800
    assert closed(BERLIN, back - 1, end="02:30") is None
    assert closed(BERLIN, back, end="02:30") == back + 1800


ZONES = {
    "Europe/Berlin": BERLIN,
    "America/New_York": NEW_YORK,
    "Asia/Kolkata": "+919876543210",
    "Australia/Lord_Howe": "",
    "America/St_Johns": "",
    "Asia/Kathmandu": "",
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(ZONES)),
    st.integers(18 * 60, 24 * 60 - 1),
    st.integers(0, 12 * 60),
    st.one_of(
        st.integers(1_750_000_000, 1_850_000_000),
        # About the nights in which clocks change.
        st.integers(-86_400, 86_400).map(lambda off: 1_774_746_000 + off),
        st.integers(-86_400, 86_400).map(lambda off: 1_792_890_000 + off),
        st.integers(-86_400, 86_400).map(lambda off: 1_775_314_800 + off),
    ),
)
@example("Australia/Lord_Howe", 1200, 105, 1_791_041_400)
def test_the_first_minute_that_is_not_quiet(zone: str, begin: int, end: int, now: int) -> None:
    place = ZoneInfo(zone)
    window = [time(minute // 60, minute % 60) for minute in (begin, end)]

    def is_quiet(moment: float) -> bool:
        clock = datetime.fromtimestamp(moment, UTC).astimezone(place).time()
        return clock >= window[0] or clock < window[1]

    expected: float | None = None
    if is_quiet(now):
        expected = now // 60 * 60
        while is_quiet(expected):
            expected += 60
    shown = [clock.isoformat("minutes") for clock in window]
    known = ZONES[zone]
    if known:
        assert closed(known, now, begin=shown[0], end=shown[1]) == expected
    assert closed("+999", now, begin=shown[0], end=shown[1], zone=zone) == expected


def test_a_number_without_a_zone_has_the_lanes() -> None:
    assert zones("+80012345678", analyse("+80012345678")) == ()
    evening = at("2026-05-05T22:00", "Asia/Tokyo")
    for number in ("+80012345678", "+4911", "+999"):
        assert closed(number, evening, zone="Asia/Tokyo") == at("2026-05-06T08:00", "Asia/Tokyo")
        assert closed(number, evening, zone="America/New_York") is None


def test_a_number_of_several_zones_is_quiet_while_any_is() -> None:
    number = "+79161234567"
    places = [ZoneInfo(name) for name in zones(number, analyse(number))]
    assert len(places) > 5
    morning = at("2026-05-05T06:00", "Europe/Moscow")
    until = closed(number, morning, begin="22:00", end="08:00")
    assert until is not None
    clocks = [datetime.fromtimestamp(until, place).time() for place in places]
    assert all(time(8) <= clock < time(22) for clock in clocks)
    a_minute_before = [datetime.fromtimestamp(until - 60, place).time() for place in places]
    assert not all(time(8) <= clock < time(22) for clock in a_minute_before)
    assert closed(number, until, begin="22:00", end="08:00") is None


def test_zones_that_are_never_all_awake() -> None:
    # A toll-free number may be called from Guam to St. John's.
    assert len(zones("+18005550100", analyse("+18002345678"))) > 30
    assert closed("+18002345678", at("2026-05-05T12:00"), begin="20:00", end="09:00") == inf


def test_an_answer_is_kept_for_its_minute_only() -> None:
    kept = hours()
    destination = analyse(BERLIN)
    nine = at("2026-05-05T21:00", "Europe/Berlin")
    assert kept.closed_until(BERLIN, destination, nine - 0.5) is None
    assert kept.closed_until(BERLIN, destination, nine) == nine + 11 * 3600
    assert kept.closed_until(NEW_YORK, analyse(NEW_YORK), nine) is None
    assert kept.closed_until(BERLIN, destination, nine + 11 * 3600) is None


def test_a_zone_that_the_host_does_not_know() -> None:
    with pytest.raises(ValueError, match="no time zone of this host"):
        hours(zone="Europe/Atlantis")
