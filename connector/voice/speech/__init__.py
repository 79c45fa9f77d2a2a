"""Speech: prompts rendered by engines in worker processes, kept on disk, and put together for calls."""

from __future__ import annotations

from .code import SpokenCode
from .errors import SpeechError
from .names import PHRASES, PhraseName, languages, match
from .service import Speech

__all__ = ["PHRASES", "PhraseName", "Speech", "SpeechError", "SpokenCode", "languages", "match"]
