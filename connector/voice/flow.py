"""The call scripts as literal tables, which the script, its tests and docs/call-scripts.md read.

A key that a state has no entry for is politely ignored: what is being said goes on. Where an entry's key
comes while something is being said, that is stopped: the listener barges in.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = [
    "ANYWHERE", "ASKING", "CODE", "GATED_CODE", "GATED_MESSAGE", "GATED_RISK", "MESSAGE", "PHRASES",
    "REPEATS", "RISK", "TABLES", "WAITS", "Input", "State", "Table",
]  # fmt: skip


class State(StrEnum):
    """Where a call is in its script."""

    RINGING = "ringing"
    SETTLING = "settling"
    """Answered; the media of both sides may not have found each other yet."""
    GREETING = "greeting"
    GATE = "gate"
    HEARKENING = "hearkening"
    """A moment of silence in which the machine detector may still make up its mind."""
    CODE = "code"
    CODE_AGAIN = "code_again"
    MESSAGE = "message"
    MESSAGE_AGAIN = "message_again"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    MENU = "menu"
    CONNECTING = "connecting"
    AGENT = "agent"
    """The agent's telephone rings."""
    TALKING = "talking"
    """The listener and the agent are bridged; nothing of the script is left to say."""
    AGENT_UNAVAILABLE = "agent_unavailable"
    AWAITING_BEEP = "awaiting_beep"
    TO_MACHINE = "to_machine"
    GOODBYE = "goodbye"
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to a script."""

    ANSWERED = "answered"
    AUDIO = "first RTP"
    PLAYED = "said"
    KEY_1 = "1"
    KEY_2 = "2"
    KEY_0 = "0"
    TIMEOUT = "time over"
    HUMAN = "a human"
    MACHINE = "a machine"
    BEEP = "a beep"
    BRIDGED = "agent bridged"
    REFERRED = "agent took over"
    NO_AGENT = "no agent"
    HUNG_UP = "hung up"
    TOO_LONG = "too long"
    TOO_MANY = "too many"
    """Wrong keys, repeats or requests for an agent: the limit is used up."""


Table = Mapping[State, Mapping[Input, State]]

_OPENING: Final[Table] = {
    State.RINGING: {Input.ANSWERED: State.SETTLING},
    State.SETTLING: {Input.AUDIO: State.GREETING, Input.TIMEOUT: State.GREETING},
}

_ENDING: Final[Table] = {
    State.CONNECTING: {Input.PLAYED: State.AGENT},
    State.AGENT: {
        Input.BRIDGED: State.TALKING,
        Input.REFERRED: State.ENDED,
        Input.NO_AGENT: State.AGENT_UNAVAILABLE,
    },
    State.TALKING: {Input.NO_AGENT: State.GOODBYE},
    State.AWAITING_BEEP: {Input.BEEP: State.TO_MACHINE, Input.TIMEOUT: State.ENDED},
    State.TO_MACHINE: {Input.PLAYED: State.ENDED},
    State.GOODBYE: {Input.PLAYED: State.ENDED},
    State.ENDED: {},
}

# 1 does nothing while the code is said: who presses it twice at the gate would miss the first digits.
_SAYING_CODE: Final[Table] = {
    State.CODE: {Input.PLAYED: State.MENU, Input.KEY_0: State.CONNECTING},
    State.CODE_AGAIN: {Input.PLAYED: State.MENU, Input.KEY_0: State.CONNECTING},
    State.MENU: {
        Input.KEY_1: State.CODE_AGAIN,
        Input.KEY_0: State.CONNECTING,
        Input.TIMEOUT: State.GOODBYE,
    },
    State.AGENT_UNAVAILABLE: {Input.PLAYED: State.MENU, Input.KEY_1: State.CODE_AGAIN},
}

# 1 and 2 count only for a listener who has heard the message whole: nobody confirms what he does not know.
_SAYING_RISK: Final[Table] = {
    State.MESSAGE: {Input.PLAYED: State.CONFIRM, Input.KEY_0: State.CONNECTING},
    State.MESSAGE_AGAIN: {
        Input.PLAYED: State.CONFIRM,
        Input.KEY_1: State.CONFIRMED,
        Input.KEY_2: State.DENIED,
        Input.KEY_0: State.CONNECTING,
    },
    State.CONFIRM: {
        Input.KEY_1: State.CONFIRMED,
        Input.KEY_2: State.DENIED,
        Input.KEY_0: State.CONNECTING,
        Input.TIMEOUT: State.MESSAGE_AGAIN,
    },
    State.CONFIRMED: {Input.PLAYED: State.GOODBYE},
    State.DENIED: {Input.PLAYED: State.GOODBYE},
    State.AGENT_UNAVAILABLE: {Input.PLAYED: State.MESSAGE},
}

_SAYING_MESSAGE: Final[Table] = {
    State.MESSAGE: {Input.PLAYED: State.MENU, Input.KEY_0: State.CONNECTING},
    State.MESSAGE_AGAIN: {Input.PLAYED: State.MENU, Input.KEY_0: State.CONNECTING},
    State.MENU: {
        Input.KEY_1: State.MESSAGE_AGAIN,
        Input.KEY_0: State.CONNECTING,
        Input.TIMEOUT: State.GOODBYE,
    },
    State.AGENT_UNAVAILABLE: {Input.PLAYED: State.MENU, Input.KEY_1: State.MESSAGE_AGAIN},
}

GATED_CODE: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.GATE, Input.KEY_1: State.CODE},
    State.GATE: {Input.KEY_1: State.CODE, Input.TIMEOUT: State.GATE},
    **_SAYING_CODE,
    **_ENDING,
}

CODE: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.HEARKENING, Input.KEY_1: State.CODE},
    State.HEARKENING: {Input.HUMAN: State.CODE, Input.TIMEOUT: State.CODE, Input.KEY_1: State.CODE},
    **_SAYING_CODE,
    **_ENDING,
}

GATED_RISK: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.GATE, Input.KEY_1: State.MESSAGE},
    State.GATE: {Input.KEY_1: State.MESSAGE, Input.TIMEOUT: State.GATE},
    **_SAYING_RISK,
    **_ENDING,
}

RISK: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.HEARKENING},
    State.HEARKENING: {Input.HUMAN: State.MESSAGE, Input.TIMEOUT: State.MESSAGE},
    **_SAYING_RISK,
    **_ENDING,
}

GATED_MESSAGE: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.GATE, Input.KEY_1: State.MESSAGE},
    State.GATE: {Input.KEY_1: State.MESSAGE, Input.TIMEOUT: State.GATE},
    **_SAYING_MESSAGE,
    **_ENDING,
}

MESSAGE: Final[Table] = {
    **_OPENING,
    State.GREETING: {Input.PLAYED: State.HEARKENING},
    State.HEARKENING: {Input.HUMAN: State.MESSAGE, Input.TIMEOUT: State.MESSAGE},
    **_SAYING_MESSAGE,
    **_ENDING,
}

TABLES: Final[Mapping[tuple[str, bool], Table]] = {
    ("code", True): GATED_CODE,
    ("code", False): CODE,
    ("risk", True): GATED_RISK,
    ("risk", False): RISK,
    ("message", True): GATED_MESSAGE,
    ("message", False): MESSAGE,
}
"""By the script's kind and whether its gate is on."""

ANYWHERE: Final[Mapping[str, Mapping[Input, State]]] = {
    "hang_up": {
        Input.HUNG_UP: State.ENDED,
        Input.TOO_LONG: State.ENDED,
        Input.TOO_MANY: State.GOODBYE,
        Input.MACHINE: State.ENDED,
        Input.BEEP: State.ENDED,
    },
    "greet": {
        Input.HUNG_UP: State.ENDED,
        Input.TOO_LONG: State.ENDED,
        Input.TOO_MANY: State.GOODBYE,
        Input.MACHINE: State.AWAITING_BEEP,
        Input.BEEP: State.TO_MACHINE,
    },
}
"""What holds in every state that has no entry of its own, by what a machine gets.

MACHINE and BEEP count only until a key was pressed, which no machine does. Behind a gate MACHINE waits until
the gate has asked once in vain.
"""

PHRASES: Final[Mapping[State, tuple[str, ...]]] = {
    State.GREETING: ("greeting",),
    State.GATE: ("gate",),
    State.CODE: ("code_intro", "<code>"),
    State.CODE_AGAIN: ("again", "<code>"),
    State.MESSAGE: ("<message>",),
    State.MESSAGE_AGAIN: ("again", "<message>"),
    State.CONFIRM: ("confirm",),
    State.CONFIRMED: ("confirmed",),
    State.DENIED: ("denied",),
    State.MENU: ("menu",),
    State.CONNECTING: ("connecting",),
    State.AGENT_UNAVAILABLE: ("agent_unavailable",),
    State.TO_MACHINE: ("greeting",),
    State.GOODBYE: ("goodbye",),
}
"""What is said in a state; the others are silent.

Where an agent is offered, `menu` and `confirm` are `menu_agent` and `confirm_agent`; before a message, `gate`
is `gate_message`. The template's own words stand in for `code_intro` where a code has some.
"""

ASKING: Final = frozenset((State.GATE, State.CONFIRM, State.MENU))
"""These wait for a key when they have said what there is to press."""

REPEATS: Final = frozenset(
    (
        (State.GATE, Input.TIMEOUT),
        (State.CONFIRM, Input.TIMEOUT),
        (State.MENU, Input.KEY_1),
        (State.AGENT_UNAVAILABLE, Input.KEY_1),
    )
)
"""These steps say again what was said: each at most `repeats` times in a call, then it is TOO_MANY."""

WAITS: Final[Mapping[State, float]] = {State.SETTLING: 0.5, State.HEARKENING: 4.0, State.AWAITING_BEEP: 45.0}
"""Seconds until TIMEOUT, from entering the state; of HEARKENING from the answer."""
