"""The table of a session's states."""

from protocols.smpp.state import LOCAL, TABLE, Input, State


def test_every_state_has_a_row_and_every_input_a_use():
    assert set(TABLE) == set(State)
    assert {cause for row in TABLE.values() for cause in row} == set(Input)


def test_every_state_can_be_reached_and_ends():
    seen, ahead = set(), [State.OPEN]
    while ahead:
        state = ahead.pop()
        seen.add(state)
        ahead += set(TABLE[state].values()) - seen
    assert seen == set(State)
    assert all(TABLE[state][Input.EOF] is State.CLOSED for state in State)


def test_nothing_leaves_closed():
    assert set(TABLE[State.CLOSED].values()) == {State.CLOSED}


def test_submits_need_a_bind_for_sending():
    """SMPP 3.4 Table 2-1."""
    assert {state for state in State if Input.SUBMIT in TABLE[state]} == {State.BOUND_TX, State.BOUND_TRX}
    assert not any(Input.DELIVER in TABLE[state] for state in (State.OPEN, State.BINDING, State.BOUND_TX))


def test_only_what_we_do_is_our_error():
    assert {cause for cause in Input if "received" not in cause and cause not in LOCAL} == {
        Input.BIND_REFUSED,
        Input.BROKEN,
        Input.SILENT,
        Input.EOF,
    }
