"""The table itself, and the diagram that is made of it."""

import re
from pathlib import Path

from protocols.smpp.state import LOCAL, TABLE, Input, State, mermaid

DOCUMENT = Path(__file__).parents[3] / "docs" / "smpp-session.md"


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


def test_the_diagram_has_every_step():
    arrows = {
        (source, target, cause)
        for source, target, causes in re.findall(r"^    (\w+) --> (\w+) : (.*)$", mermaid(), re.MULTILINE)
        for cause in causes.split(", ")
    }
    assert arrows == {
        (state.value, target.value, cause.value)
        for state, row in TABLE.items()
        for cause, target in row.items()
    }


def test_the_document_shows_the_diagram_of_the_table():
    blocks = re.findall(r"^```mermaid\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks == [mermaid()], "put what mermaid() gives into the document"
