"""Everything a call may say, made before the telephone rings: nobody who answers has to wait for it."""

from __future__ import annotations

from collections.abc import Iterable

from connector.voice.audio import Audio
from connector.voice.prompts import Code, Message, Prompt
from connector.voice.speech import Speech

__all__ = ["render"]


async def render(speech: Speech, lang: str, prompts: Iterable[Prompt]) -> dict[Prompt, Audio]:
    """Raises SpeechError."""
    return {prompt: await _render(speech, lang, prompt) for prompt in prompts}


async def _render(speech: Speech, lang: str, prompt: Prompt) -> Audio:
    match prompt:
        case Code(digits):
            return await speech.code(lang, digits)
        case Message(segments):
            return await speech.prompt(lang, segments)
        case _:
            return await speech.phrase(lang, prompt.name)  # type: ignore[arg-type]
