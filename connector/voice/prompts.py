"""What a call says, and what its script asks the call to do."""

from __future__ import annotations

from typing import Literal

import msgspec

from connector.segments import Segment

__all__ = [
    "Action", "CallAgent", "Code", "HangUp", "Listen", "Message", "PhraseRef", "Play", "Prompt",
    "StopPlaying", "name_of",
]  # fmt: skip

NORMAL_CLEARING = 16
"""Q.850: the call ends because one of the two wanted it to."""


class PhraseRef(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A fixed phrase of the listener's language, by its name."""

    name: str


class Code(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The code, digit by digit, twice within this one prompt."""

    digits: str

    def __repr__(self) -> str:
        return f"Code({len(self.digits)} digits)"


class Message(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What the template says, rendered for the listener's language."""

    segments: tuple[Segment, ...]

    def __repr__(self) -> str:
        return f"Message({len(self.segments)} segments)"


Prompt = PhraseRef | Code | Message


def name_of(prompt: Prompt) -> str:
    """A name for journals and `why`, which holds nothing of what is said."""
    if isinstance(prompt, PhraseRef):
        return prompt.name
    return "code" if isinstance(prompt, Code) else "message"


class Play(msgspec.Struct, frozen=True, gc=False):
    """Say this now; nothing else is being said."""

    prompt: Prompt


class StopPlaying(msgspec.Struct, frozen=True, gc=False):
    """Fall silent at once; `played` is not told for what was being said."""


class Listen(msgspec.Struct, frozen=True, gc=False):
    """Whether the machine detector is to hear what comes in."""

    on: bool


class CallAgent(msgspec.Struct, frozen=True, gc=False):
    """Bring the agent in, by a second call that is bridged to this one or by REFER."""

    uri: str
    mode: Literal["bridge", "refer"]

    def __repr__(self) -> str:
        return f"CallAgent({self.mode})"


class HangUp(msgspec.Struct, frozen=True, gc=False):
    """End the call; `cause` is of Q.850."""

    cause: int = NORMAL_CLEARING


Action = Play | StopPlaying | Listen | CallAgent | HangUp
