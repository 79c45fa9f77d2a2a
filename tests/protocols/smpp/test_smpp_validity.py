"""The time forms, SMPP 3.4 §7.1.1."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.validity import absolute, absolute_seconds, expires_at, relative, relative_seconds


@pytest.mark.rule("smpp.time-form", "smpp.time-relative")
@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (600, b"000000001000000R"),
        (0.001, b"000000000001000R"),
        (19.2, b"000000000020000R"),
        (59.5, b"000000000100000R"),
        (86_399.5, b"000001000000000R"),
        (7 * 86_400, b"000007000000000R"),
        (31 * 86_400 + 86_399, b"000031235959000R"),
        (32 * 86_400 - 0.5, b"000031235959000R"),
    ],
)
def test_seconds_to_text(seconds, text):
    assert relative(seconds) == text


@pytest.mark.parametrize("seconds", [0, -1, 32 * 86_400, float("inf"), float("nan")])
def test_a_time_that_cannot_be_said(seconds):
    with pytest.raises(LocalProtocolError, match="validity_period: seconds above 0"):
        relative(seconds)


@given(st.floats(min_value=0.001, max_value=31 * 86_400))
def test_never_earlier_than_asked_and_less_than_a_second_later(seconds):
    assert 0 <= relative_seconds(relative(seconds)) - seconds < 1


@pytest.mark.parametrize(
    "text",
    [b"", b"200101120000004+", b"010000000000000R", b"000100000000000R", b"00000000100000R", b"x" * 16],
)
def test_what_is_no_length_of_time(text):
    assert relative_seconds(text) is None


# The absolute form, §7.1.1.1


def at(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()


@pytest.mark.rule("smpp.time-form")
@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (at(2026, 1, 5, 9, 30), b"260105093000000+"),
        (at(2026, 1, 5, 9, 30) + 0.1, b"260105093000100+"),
        (at(2026, 1, 5, 9, 30) + 0.101, b"260105093000200+"),
        (at(2026, 1, 5, 9, 30) + 0.95, b"260105093001000+"),
        (at(2024, 2, 29, 23, 59, 59) + 0.95, b"240301000000000+"),
        (at(2000, 1, 1), b"000101000000000+"),
        (at(2099, 12, 31, 23, 59, 59), b"991231235959000+"),
    ],
)
def test_an_instant_to_text(instant, text):
    assert absolute(instant) == text


@pytest.mark.parametrize("instant", [at(2000, 1, 1) - 1, at(2099, 12, 31, 23, 59, 59) + 1, float("nan")])
def test_an_instant_that_cannot_be_said(instant):
    with pytest.raises(LocalProtocolError, match="validity_period: an instant from 2000 to 2099"):
        absolute(instant)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (b"260105093000000+", at(2026, 1, 5, 9, 30)),
        (b"260105093000700-", at(2026, 1, 5, 9, 30) + 0.7),
        (b"260105093000004+", at(2026, 1, 5, 8, 30)),
        (b"260105093000022+", at(2026, 1, 5, 4, 0)),
        (b"260105093000014-", at(2026, 1, 5, 13, 0)),
        (b"700105093000000+", at(2070, 1, 5, 9, 30)),
    ],
)
def test_text_to_an_instant(text, instant):
    """The local time of the text is before UTC with a plus, in quarters of an hour."""
    assert absolute_seconds(text) == pytest.approx(instant, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"000000001000000R", b"260230093000000+", b"261305093000000+", b"260105243000000+"),
        *(
            b"260105093000049+",
            b"260105093060000+",
            b"260105093000000",
            b"260105093000000 ",
            b"26010509300000+",
        ),
        *(b"\xb2" * 15 + b"+", b"2601050930000000+"),
    ],
)
def test_what_is_no_instant(text):
    assert absolute_seconds(text) is None


@given(st.floats(min_value=at(2000, 1, 1), max_value=at(2099, 12, 31)))
def test_never_before_the_instant_and_less_than_a_tenth_later(instant):
    text = absolute(instant)
    assert re.fullmatch(rb"\d{13}00\+", text)
    assert -0.001 <= absolute_seconds(text) - instant < 0.1001


@given(st.binary(max_size=20) | st.from_regex(rb"\d{15}[-+R]", fullmatch=True))
def test_any_text_is_a_time_or_none(text):
    assert (expires_at(text, 0.0) is None) == (
        absolute_seconds(text) is None and relative_seconds(text) is None
    )


def test_the_end_of_either_form():
    now = at(2026, 1, 5, 9, 30)
    assert expires_at(b"000000001000000R", now) == now + 600
    assert expires_at(absolute(now + 600), now) == now + 600
    assert expires_at(b"", now) is None
