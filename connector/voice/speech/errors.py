"""What may go wrong with speech; no message ever holds a text, a code or a number that was to be spoken."""

from __future__ import annotations

__all__ = ["EngineError", "RecordingsError", "RenderError", "SpeechError"]


class SpeechError(Exception):
    """Something could not be spoken, and why."""


class RenderError(SpeechError):
    """Segments that cannot be put into words."""


class EngineError(SpeechError):
    """An engine that is not there, or that failed."""


class RecordingsError(SpeechError):
    """A folder of recordings that breaks its rules; `problems` names each file and what was expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
