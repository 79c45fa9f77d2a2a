"""The choice among the carriers that can send at once."""

import json

from hypothesis import given
from hypothesis import strategies as st

from connector.routing.choice import Candidate, choose, decision

candidates = st.lists(
    st.builds(Candidate, st.text(max_size=3), st.integers(-3, 3), st.integers(1, 50)), min_size=1, max_size=8
)


@given(candidates)
def test_lowest_priority_then_most_room(given_ones: list[Candidate]) -> None:
    chosen = choose(given_ones)
    assert chosen.priority == min(candidate.priority for candidate in given_ones)
    assert chosen.room == max(c.room for c in given_ones if c.priority == chosen.priority)


def test_the_first_of_equals() -> None:
    assert choose([Candidate("b", 1, 5), Candidate("a", 1, 5)]).name == "b"


def test_the_decision_is_data() -> None:
    assert json.loads(decision("north", ("north",))) == {
        "rule": "only_candidate", "candidates": ["north"], "chosen": "north",
    }  # fmt: skip
    assert json.loads(decision("b", ("a", "b")))["rule"] == "priority_then_room"
