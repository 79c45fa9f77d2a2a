"""The table of a bind's life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.bind_state import TABLE, BindInput, BindState

after = {state: set(row.values()) for state, row in TABLE.items()}


def reachable(start: BindState) -> set[BindState]:
    found, new = {start}, [start]
    while new:
        for target in after[new.pop()] - found:
            found.add(target)
            new.append(target)
    return found


def test_every_state_has_its_row_and_every_input_its_place() -> None:
    assert set(TABLE) == set(BindState)
    assert {cause for row in TABLE.values() for cause in row} == set(BindInput)


@pytest.mark.parametrize("state", BindState)
def test_every_state_is_reached_and_leads_to_a_session_again(state: BindState) -> None:
    assert state in reachable(BindState.DOWN)
    assert BindState.BOUND in reachable(state)


def test_only_an_accepted_bind_is_bound() -> None:
    into = [(state, cause) for state, row in TABLE.items() for cause in row if row[cause] is BindState.BOUND]
    assert into == [(BindState.BINDING, BindInput.ACCEPTED)]


def test_refused_credentials_need_somebody() -> None:
    assert set(TABLE[BindState.REFUSED]) == {BindInput.AGAIN, BindInput.STOP}


def test_a_connection_that_ends_ends_every_state_that_has_one() -> None:
    connected = {BindState.BINDING, BindState.BOUND, BindState.DRAINING, BindState.CLOSING}
    assert all(TABLE[state][BindInput.ENDED] is BindState.DOWN for state in connected)


@given(st.lists(st.sampled_from(BindInput), max_size=30))
def test_after_a_stop_nothing_is_sent(inputs: list[BindInput]) -> None:
    """No way leads from closing back to a session but through the end of the connection."""
    state, ended = BindState.CLOSING, False
    for cause in inputs:
        state = TABLE[state].get(cause, state)
        ended = ended or cause is BindInput.ENDED
        assert ended or state is BindState.CLOSING
