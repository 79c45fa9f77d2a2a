"""What one call says and does, as a pure machine on the tables of `flow`."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final, Literal

from connector.config.voice import ScriptSettings
from connector.model import Voice
from connector.voice.flow import ANYWHERE, ASKING, PHRASES, REPEATS, TABLES, WAITS, Input, State
from connector.voice.prompts import (
    Action,
    CallAgent,
    Code,
    HangUp,
    Listen,
    Message,
    PhraseRef,
    Play,
    Prompt,
    StopPlaying,
)

__all__ = ["AGENT_TRIES", "LONGEST_S", "WRONG_KEYS", "Result", "Script", "Verdict"]

Result = Literal[
    "delivered", "refused_by_listener", "machine", "no_input", "hung_up_early", "transferred", "confirmed",
    "denied",
]  # fmt: skip
"""How an answered call ended.

delivered            the code or the message was heard, and the script asked for no more than that
confirmed, denied    what the listener answered to a risk call
transferred          an agent took over
refused_by_listener  hung up when asked for a key, or pressed only wrong ones
hung_up_early        hung up before the code or the message was heard, or while the agent was called
no_input             asked for a key, and none came; or the call became too long
machine              an answering machine took the call
"""

Verdict = Literal["human", "machine", "beep"]

WRONG_KEYS: Final = 5
"""Keys without a meaning that are ignored while one is asked for; one more ends the call."""

AGENT_TRIES: Final = 2
"""How often an agent is called within one call."""

LONGEST_S: Final = 180.0
"""From the answer to the hang-up, unless an agent has taken over."""

_GOODBYE_S: Final = 30.0
_KEYS: Final = {"1": Input.KEY_1, "2": Input.KEY_2, "0": Input.KEY_0}
_OF_MACHINE: Final = frozenset((Input.MACHINE, Input.BEEP))
_DEAF: Final = frozenset(
    (State.RINGING, State.TALKING, State.AWAITING_BEEP, State.TO_MACHINE, State.ENDED)
)  # fmt: skip
_OF_AGENT: Final = frozenset((State.CONNECTING, State.AGENT_UNAVAILABLE))
_DECIDING: Final[dict[State, Result]] = {
    State.CONFIRMED: "confirmed",
    State.DENIED: "denied",
    State.TALKING: "transferred",
    State.AWAITING_BEEP: "machine",
    State.TO_MACHINE: "machine",
}


class Script:
    """One call's script, from before the answer to the hang-up.

    Feed it what happens, then do what `actions` gives, in order. Raises ValueError where the job has nothing
    to say for this kind of script. `played` is told for the prompt of the newest Play when its last sample
    has left, and never for one that was stopped.

    heard  the code, or the whole message, was said to its end once
    """

    def __init__(self, settings: ScriptSettings, voice: Voice, now: float) -> None:
        if settings.kind == "code" and not voice.code:
            raise ValueError("this script says a code, and the job has none")
        if settings.kind != "code" and not voice.message:
            raise ValueError("this script says a message, and the job's template has none for voice")
        self._settings = settings
        self._voice = voice
        self._table = TABLES[settings.kind, settings.gate]
        self._anywhere = ANYWHERE[settings.machine]
        self._actions: list[Action] = []
        self._queue: list[Prompt] = []
        self._playing: Prompt | None = None
        self._timer = math.inf
        self._longest = math.inf
        self._answered = now
        self._wrong_keys = 0
        self._agent_calls = 0
        self._repeats: Counter[tuple[State, Input]] = Counter()
        self._key_pressed = False
        self._human = False
        self._suspected = False
        self._asked = False
        self._decided: Result | None = None
        self._last = Input.ANSWERED
        self.state = State.RINGING
        self.heard = False

    def __repr__(self) -> str:
        return f"Script({self._settings.kind}, {self.state})"

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Everything this call may say, so that it can be rendered before the telephone rings."""
        states = [state for state in self._table if self._settings.agent or state not in _OF_AGENT]
        return tuple(dict.fromkeys(prompt for state in states for prompt in self._prompts(state)))

    @property
    def delivered(self) -> bool:
        """The code, or the whole message, was said to its end at least once, and to no machine."""
        return self.heard and self._decided != "machine"

    @property
    def result(self) -> Result | None:
        """None until the script has ended."""
        if self.state is not State.ENDED:
            return None
        if self._decided is not None:
            return self._decided
        if self.heard and self._settings.kind != "risk":
            return "delivered"
        if self._last is Input.TOO_MANY or (self._last is Input.HUNG_UP and self._asked):
            return "refused_by_listener"
        return "hung_up_early" if self._last is Input.HUNG_UP else "no_input"

    def answered(self, now: float) -> None:
        """The 200 has come and its ACK has left."""
        if self.state is State.RINGING:
            self._answered = now
            self._longest = now + LONGEST_S
            self._actions.append(Listen(True))
            self._take(Input.ANSWERED, now)

    def first_audio(self, now: float) -> None:
        """The first RTP packet after the answer."""
        self._take(Input.AUDIO, now)

    def played(self, now: float) -> None:
        said, self._playing = self._playing, None
        if said is None:
            return
        if isinstance(said, Code if self._settings.kind == "code" else Message):
            self.heard = True
        if self._queue:
            self._say_next()
        elif self.state in ASKING:
            self._asked = True
            self._timer = now + self._settings.input_timeout_s
        else:
            self._take(Input.PLAYED, now)

    def digit(self, key: str, now: float) -> None:
        """A key of the listener: 0–9, *, #, A–D."""
        if self.state in _DEAF:
            return
        if not self._key_pressed:
            self._key_pressed = self._human = True
            self._actions.append(Listen(False))
        cause = _KEYS.get(key)
        if cause is Input.KEY_0 and not self._settings.agent:
            cause = None
        if cause is not None and cause in self._table.get(self.state, {}):
            self._take(cause, now)
        elif self.state in ASKING:
            self._wrong_keys += 1
            if self._wrong_keys > WRONG_KEYS:
                self._take(Input.TOO_MANY, now)

    def verdict(self, verdict: Verdict, now: float) -> None:
        """What the machine detector says; a beep makes a machine of what was taken for a human."""
        if verdict == "human":
            self._human = True
            self._take(Input.HUMAN, now)
        elif self.state is State.AWAITING_BEEP:
            if verdict == "beep":
                self._take(Input.BEEP, now)
        elif self.state not in _DEAF and not self._key_pressed:
            if verdict == "beep":
                self._take(Input.BEEP, now)
            elif self._settings.gate:
                # It may be a human who says a whole sentence, and the gate keeps the code: ask once.
                self._suspected = True
            else:
                self._take(Input.MACHINE, now)

    def agent(self, ok: bool, now: float) -> None:
        """Whether the agent was reached; False also when a bridged agent's leg has ended."""
        if ok:
            bridged = self._settings.transfer == "bridge"
            if not bridged and self.state is State.AGENT:
                self._decided = "transferred"
            self._take(Input.BRIDGED if bridged else Input.REFERRED, now)
        else:
            self._take(Input.NO_AGENT, now)

    def peer_hung_up(self, now: float) -> None:
        self._playing = None
        self._take(Input.HUNG_UP, now)

    def next_timer(self) -> float | None:
        due = min(self._timer, self._longest)
        return None if due == math.inf else due

    def handle_timer(self, now: float) -> None:
        if now >= self._longest:
            self._take(Input.TOO_LONG, now)
        elif now >= self._timer:
            self._timer = math.inf
            unmasked = self._suspected and self.state is State.GATE
            self._take(Input.MACHINE if unmasked else Input.TIMEOUT, now)

    def actions(self) -> list[Action]:
        """What is to be done, oldest first; each is given once."""
        actions, self._actions = self._actions, []
        return actions

    def _take(self, cause: Input, now: float) -> None:
        row = self._table.get(self.state, {})
        target = row.get(cause)
        if target is None and self.state is not State.ENDED:
            target = self._anywhere.get(cause)
        if target is None:
            return
        if (self.state, cause) in REPEATS:
            self._repeats[self.state, cause] += 1
            if self._repeats[self.state, cause] > self._settings.repeats:
                target = State.GOODBYE
        if target is State.CONNECTING:
            self._agent_calls += 1
            if self._agent_calls > AGENT_TRIES:
                target = State.GOODBYE
        if target is State.MENU and not (self._settings.agent or self._settings.repeats):
            target = State.GOODBYE
        if target is State.ENDED and cause in _OF_MACHINE:
            self._decided = "machine"
        if self.state is not State.GOODBYE:
            self._last = cause
        if cause in _KEYS.values():
            self._asked = False
        self._enter(target, cause, now)

    def _enter(self, state: State, cause: Input, now: float) -> None:
        if self._playing is not None:
            self._playing = None
            self._actions.append(StopPlaying())
        self._timer = math.inf
        self.state = state
        self._decided = _DECIDING.get(state, self._decided)
        self._queue = list(self._prompts(state))
        if state in WAITS:
            since = self._answered if state is State.HEARKENING else now
            self._timer = max(now, since + WAITS[state])
        match state:
            case State.HEARKENING if self._human:
                self._take(Input.HUMAN, now)
            case State.AGENT if self._settings.agent:
                self._actions.append(CallAgent(self._settings.agent, self._settings.transfer))
            case State.TALKING:
                self._longest = math.inf
            case State.GOODBYE:
                self._longest = min(self._longest, now + _GOODBYE_S)
                self._say_next()
            case State.ENDED:
                self._longest = math.inf
                if cause is not Input.HUNG_UP:
                    self._actions.append(HangUp())
            case _ if self._queue:
                self._say_next()

    def _say_next(self) -> None:
        self._playing = self._queue.pop(0)
        self._actions.append(Play(self._playing))

    def _prompts(self, state: State) -> tuple[Prompt, ...]:
        return tuple(self._prompt(name) for name in PHRASES.get(state, ()))

    def _prompt(self, name: str) -> Prompt:
        match name:
            case "<code>":
                return Code(self._voice.code)
            case "<message>":
                return Message(self._voice.message)
            case "code_intro" if self._voice.message:
                return Message(self._voice.message)
            case "menu" | "confirm" if self._settings.agent:
                return PhraseRef(f"{name}_agent")
            case "gate" if self._settings.kind != "code":
                return PhraseRef("gate_message")
            case _:
                return PhraseRef(name)
