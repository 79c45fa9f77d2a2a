"""Keys told in two ways, in any interleaving and with losses in one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.voice.keys import Keys, Source


@pytest.mark.rule("rtp.digits-info")
@given(st.text("0123456789*#", max_size=12), st.randoms(use_true_random=False))
def test_each_key_counts_once_however_the_two_ways_interleave(pressed: str, random) -> None:
    left: dict[Source, list[str]] = {"rfc4733": list(pressed), "info": list(pressed)}
    keys, heard = Keys(), ""
    while any(left.values()):
        source = random.choice([name for name, waiting in left.items() if waiting])
        digit = left[source].pop(0)
        heard += digit if keys.press(source) else ""
    assert heard == pressed


@pytest.mark.rule("rtp.digits-info")
@pytest.mark.parametrize("source", ["rfc4733", "info"])
def test_one_way_alone_tells_every_key(source: Source) -> None:
    keys = Keys()
    assert [keys.press(source) for _ in "1100"] == [True] * 4


def test_who_presses_without_end_is_not_followed() -> None:
    keys = Keys()
    assert sum(keys.press("info") for _ in range(10_000)) == 256
