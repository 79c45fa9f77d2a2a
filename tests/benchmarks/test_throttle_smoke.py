"""The benchmark itself, for a few seconds: its figures are there, and each job went out once."""

from random import Random

import pytest

from benchmarks.throttle.run import measure
from benchmarks.throttle.scenarios import SCENARIOS


@pytest.mark.parametrize("name", ["one_bind", "account"])
def test_the_limit_is_found_and_nothing_is_lost(name: str, random: Random) -> None:
    scenario = next(each for each in SCENARIOS if each.name == name)
    found = measure(scenario, random.randrange(1 << 31), warm_up_s=3.0, steady_s=4.0)
    assert (found["lost"], found["sent_twice"]) == (0, 0)
    # Seconds after the start it is still searching: the benchmark waits longer.
    assert 0.5 < found["share_of_limit"] < 1.5
    assert 0 < found["throttled_share_of_all"] < 0.3
