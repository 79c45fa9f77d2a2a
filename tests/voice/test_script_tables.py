"""Every cell of the scripts' tables, and what holds for any listener."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config.voice import ScriptSettings
from connector.voice.flow import ANYWHERE, ASKING, PHRASES, TABLES, Input, State, Table
from connector.voice.prompts import name_of
from connector.voice.script import AGENT_TRIES, LONGEST_S, WRONG_KEYS
from connector.voice.speech.names import PHRASES as SPOKEN
from tests.voice.listening import Listener

AGENT = "sip:agent@agents.example"
KINDS = [(kind, gate) for kind, gate in TABLES]
CELLS = [
    (kind, gate, state, cause)
    for (kind, gate), table in TABLES.items()
    for state, row in table.items()
    for cause in row
]
SILENT = (State.RINGING, State.SETTLING, State.HEARKENING, State.AGENT, State.TALKING, State.AWAITING_BEEP)


def settings_of(kind: str, gate: bool, path: list[Input], machine: str = "greet") -> ScriptSettings:
    transfer = "refer" if Input.REFERRED in path else "bridge"
    return ScriptSettings(
        kind=kind, gate=gate, repeats=5, agent=AGENT, transfer=transfer, machine=machine,
        input_timeout_s=5.0,
    )  # fmt: skip


def path_to(table: Table, goal: State) -> list[Input]:
    """The shortest way, without HUMAN and TIMEOUT where another one is as short."""
    ways: deque[tuple[State, list[Input]]] = deque([(State.RINGING, [])])
    seen = {State.RINGING}
    while ways:
        state, path = ways.popleft()
        if state is goal:
            return path
        unmasked = State.GATE if State.GATE in table else State.GREETING
        anywhere = {Input.MACHINE: State.AWAITING_BEEP} if state is unmasked else {}
        for cause, target in {**table[state], **anywhere}.items():
            if target not in seen:
                seen.add(target)
                ways.append((target, [*path, cause]))
    raise AssertionError(f"no way to {goal}")


def apply(call: Listener, cause: Input) -> None:
    match cause:
        case Input.ANSWERED:
            call.answer()
        case Input.AUDIO:
            call.audio()
        case Input.PLAYED:
            state = call.script.state
            while call.playing is not None and call.script.state is state:
                call.hear(0.5)
        case Input.KEY_1 | Input.KEY_2 | Input.KEY_0:
            call.press(cause.value)
        case Input.TIMEOUT:
            while call.script.state in ASKING and call.playing is not None:
                call.hear(0.5)
            call.wait()
        case Input.HUMAN | Input.MACHINE | Input.BEEP:
            call.verdict({"a human": "human", "a machine": "machine", "a beep": "beep"}[cause.value])
            if cause is Input.MACHINE and call.script.state is State.GATE:
                apply(call, Input.TIMEOUT)
        case Input.BRIDGED | Input.REFERRED:
            call.agent(True)
        case Input.NO_AGENT:
            call.agent(False)
        case Input.HUNG_UP:
            call.hang_up()
        case Input.TOO_LONG:
            call.now = LONGEST_S
            call.wait()
        case Input.TOO_MANY:
            call.press("9" * (WRONG_KEYS + 1))


def driven(kind: str, gate: bool, goal: State, then: list[Input], machine: str = "greet") -> Listener:
    table = TABLES[kind, gate]
    path = path_to(table, goal)
    call = Listener(settings_of(kind, gate, [*path, *then], machine))
    for cause in path:
        apply(call, cause)
    assert call.script.state is goal
    return call


@pytest.mark.parametrize(("kind", "gate", "state", "cause"), CELLS)
def test_every_cell(kind: str, gate: bool, state: State, cause: Input) -> None:
    call = driven(kind, gate, state, [cause])
    apply(call, cause)
    assert call.script.state is TABLES[kind, gate][state][cause]


@pytest.mark.parametrize(("kind", "gate"), KINDS)
def test_every_state_has_a_row_and_says_its_phrases(kind: str, gate: bool) -> None:
    for state in TABLES[kind, gate]:
        call = driven(kind, gate, state, [])
        before = len(call.said)
        expected = len(PHRASES.get(state, ()))
        assert (state in SILENT or state is State.ENDED) == (expected == 0)
        if expected:
            assert call.playing is not None
            for _ in range(expected):
                call.hear(0.1)
            assert len(call.said) >= before + expected - 1


@pytest.mark.parametrize(("kind", "gate"), KINDS)
@pytest.mark.parametrize("machine", ANYWHERE)
def test_every_cell_that_holds_anywhere(kind: str, gate: bool, machine: str) -> None:
    for state, row in TABLES[kind, gate].items():
        proven = not {Input.KEY_1, Input.KEY_2, Input.KEY_0}.isdisjoint(path_to(TABLES[kind, gate], state))
        recorded = state in (State.AWAITING_BEEP, State.TO_MACHINE)
        for cause, target in ANYWHERE[machine].items():
            if state in (State.RINGING, State.ENDED, State.TALKING) or cause in row:
                continue
            if recorded and machine == "hang_up":
                continue
            call = driven(kind, gate, state, [cause], machine)
            apply(call, cause)
            of_machine = cause in (Input.MACHINE, Input.BEEP)
            ignored = of_machine and (proven or recorded)
            ignored = ignored or (cause is Input.MACHINE and gate and state is not State.GATE)
            ignored = ignored or (cause is Input.TOO_MANY and state not in ASKING)
            assert call.script.state is (state if ignored else target)


def test_every_phrase_of_the_tables_can_be_spoken() -> None:
    named = {name for names in PHRASES.values() for name in names if not name.startswith("<")}
    assert named | {"menu_agent", "confirm_agent", "gate_message"} == set(SPOKEN)


SETTINGS = st.builds(
    ScriptSettings,
    kind=st.sampled_from(["code", "risk", "message"]),
    gate=st.booleans(),
    repeats=st.integers(0, 2),
    agent=st.sampled_from([None, AGENT]),
    transfer=st.sampled_from(["bridge", "refer"]),
    machine=st.sampled_from(["hang_up", "greet"]),
    input_timeout_s=st.just(5.0),
)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["answer", "audio", "hear", "hear", "hear", "wait", "hang_up"]),
        st.sampled_from("0112#9").map(lambda key: f"key {key}"),
        st.sampled_from(["human", "machine", "beep", "agent", "no agent"]),
    ),
    max_size=40,
)


def take(call: Listener, step: str) -> None:
    match step:
        case "answer":
            call.answer()
        case "audio":
            call.audio()
        case "hear":
            call.hear()
        case "hang_up":
            call.hang_up()
        case "agent" | "no agent":
            call.agent(step == "agent")
        case "human" | "machine" | "beep":
            call.verdict(step)
        case "wait":
            if call.script.next_timer() is not None:
                call.wait()
        case _:
            call.press(step[-1])


@given(SETTINGS, STEPS)
@pytest.mark.rule("rtp.machine-no-code")
def test_whatever_the_listener_does(settings: ScriptSettings, steps: list[str]) -> None:
    call = Listener(settings)
    secret = "code" if settings.kind == "code" else "message"
    pressed: set[str] = set()
    machine = ended = False
    whole = 0
    for step in ["answer", *steps]:
        before = call.script.state
        playing, said = call.playing, len(call.said)
        take(call, step)
        if step == "hear" and playing is not None and name_of(playing) == secret:
            whole += 1
        # A key counts as pressed only where somebody could hear us.
        if step.startswith("key") and before not in (State.RINGING, State.AWAITING_BEEP, State.TO_MACHINE):
            pressed.add(step[-1])
        if (step == "beep" or (step == "machine" and not settings.gate)) and not pressed:
            machine = machine or before not in (State.RINGING, State.ENDED)
        machine = machine or call.script.result == "machine" or call.script.state is State.AWAITING_BEEP
        if secret in call.said[said:]:
            assert not machine, "said to a machine"
            assert not settings.gate or "1" in pressed, "said before the gate"
        assert call.script.delivered == (whole > 0 and not machine)
        ended = ended or call.script.result is not None
        assert (call.script.state is State.ENDED) == ended
    finish(call)
    assert not machine or call.script.result == "machine"
    assert call.script.next_timer() is None
    assert call.playing is None
    assert call.script.actions() == []
    assert call.agents <= AGENT_TRIES


def finish(call: Listener) -> None:
    """A listener who does nothing more: the call ends by itself, in bounded steps and time."""
    for _ in range(200):
        if call.script.state is State.ENDED:
            return
        if call.script.state is State.TALKING:
            call.hang_up()
        elif call.playing is not None:
            call.hear()
        else:
            call.wait()
    raise AssertionError(f"never ended: {call.script}")
