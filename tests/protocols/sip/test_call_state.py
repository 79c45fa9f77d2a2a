"""The tables of a call's states."""

import pytest

from protocols.sip.call_state import INCOMING, OUTGOING, CallInput, CallState


@pytest.mark.parametrize(("table", "first"), [(OUTGOING, CallState.CALLING), (INCOMING, CallState.INVITED)])
def test_every_state_can_be_reached_and_ends(table, first):
    seen, ahead = set(), [first]
    while ahead:
        state = ahead.pop()
        seen.add(state)
        ahead += set(table[state].values()) - seen
    assert seen == set(table)
    assert table[CallState.ENDED] == {}
    assert all(CallState.ENDED in reachable(table, state) for state in table)


def reachable(table, first):
    seen, ahead = {first}, [first]
    while ahead:
        more = set(table[ahead.pop()].values()) - seen
        seen |= more
        ahead += more
    return seen


def test_every_state_and_input_has_a_use():
    assert set(OUTGOING) | set(INCOMING) == set(CallState)
    used = {cause for table in (OUTGOING, INCOMING) for row in table.values() for cause in row}
    assert used == set(CallInput)


@pytest.mark.parametrize("table", [OUTGOING, INCOMING])
def test_a_lost_transport_ends_a_call_in_any_state(table):
    assert {table[state][CallInput.FAILURE] for state in table if table[state]} == {CallState.ENDED}


@pytest.mark.rule("sip.cancel-race")
def test_a_2xx_after_giving_up_means_bye():
    for state in (CallState.GIVING_UP, CallState.CANCELLING):
        assert OUTGOING[state][CallInput.ANSWER] is CallState.LEAVING
