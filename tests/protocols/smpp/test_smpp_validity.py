"""The relative time form, SMPP 3.4 §7.1.1.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.validity import relative, relative_seconds


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
