"""A call as its script sees it: does what the script asks, and checks that it may be asked."""

from __future__ import annotations

from connector.config.voice import ScriptSettings
from connector.model import Voice
from connector.segments import Amount, Text
from connector.voice.prompts import Action, CallAgent, HangUp, Listen, Play, Prompt, StopPlaying, name_of
from connector.voice.script import Script, Verdict

VOICE = Voice("", "en", code="482917", message=())
MESSAGE = Voice("", "en", message=(Text("A payment of"), Amount("12.50", "EUR")))


def voice_of(settings: ScriptSettings) -> Voice:
    return VOICE if settings.kind == "code" else MESSAGE


class Listener:
    """Drives one script; time moves only as told.

    said      names of prompts in the order in which they began
    whole     those that were said to their end
    playing   what is being said now
    """

    def __init__(self, settings: ScriptSettings, voice: Voice | None = None) -> None:
        self.script = Script(settings, voice or voice_of(settings), 0.0)
        self.now = 0.0
        self.said: list[str] = []
        self.whole: list[str] = []
        self.playing: Prompt | None = None
        self.listening = False
        self.agents = 0
        self.hung_up = False
        self.answered = False

    def answer(self) -> Listener:
        self.script.answered(self.now)
        return self._obey()

    def audio(self) -> Listener:
        self.script.first_audio(self.now)
        return self._obey()

    def hear(self, seconds: float = 2.0) -> Listener:
        """The prompt that is being said is said to its end; nothing where none is."""
        if self.playing is not None:
            self.now += seconds
            self.whole.append(name_of(self.playing))
            self.playing = None
            self.script.played(self.now)
        return self._obey()

    def hear_all(self) -> Listener:
        """Until there is silence."""
        while self.playing is not None:
            self.hear()
        return self

    def press(self, keys: str) -> Listener:
        for key in keys:
            self.script.digit(key, self.now)
            self._obey()
        return self

    def verdict(self, verdict: Verdict) -> Listener:
        self.script.verdict(verdict, self.now)
        return self._obey()

    def agent(self, ok: bool) -> Listener:
        self.script.agent(ok, self.now)
        return self._obey()

    def hang_up(self) -> Listener:
        self.script.peer_hung_up(self.now)
        self.playing = None
        return self._obey()

    def wait(self) -> Listener:
        """Until the script's next timer."""
        due = self.script.next_timer()
        assert due is not None
        self.now = max(self.now, due)
        self.script.handle_timer(self.now)
        return self._obey()

    def _obey(self) -> Listener:
        for action in self.script.actions():
            self._do(action)
        return self

    def _do(self, action: Action) -> None:
        assert not self.hung_up, f"{action} after the end"
        match action:
            case Play(prompt):
                assert prompt in self.script.prompts, f"{prompt} was not announced"
                assert self.playing is None, f"{prompt} while {self.playing} is being said"
                self.playing = prompt
                self.said.append(name_of(prompt))
            case StopPlaying():
                assert self.playing is not None
                self.playing = None
            case Listen(on):
                assert on != self.listening
                self.listening = on
            case CallAgent():
                self.agents += 1
            case HangUp():
                self.hung_up = True
