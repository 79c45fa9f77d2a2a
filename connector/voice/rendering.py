"""Everything a call may say, made before the telephone rings: nobody who answers has to wait for it."""

from __future__ import annotations

from collections.abc import Iterable

from connector.voice.audio import Audio, CodecName, OneLaw, Sound
from connector.voice.prompts import Code, Message, Prompt
from connector.voice.speech import Speech

__all__ = ["keep", "render"]


async def render(speech: Speech, lang: str, prompts: Iterable[Prompt]) -> dict[Prompt, Sound]:
    """Raises SpeechError."""
    return {prompt: await _render(speech, lang, prompt) for prompt in prompts}


async def _render(speech: Speech, lang: str, prompt: Prompt) -> Sound:
    match prompt:
        case Code(digits):
            return await speech.code(lang, digits)
        case Message(segments):
            return await speech.prompt(lang, segments)
        case _:
            return await speech.phrase(lang, prompt.name)  # type: ignore[arg-type]


def keep(sounds: dict[Prompt, Sound], codec: CodecName) -> None:
    """Let go what the call will not say in the codec that it agreed on; what calls share stays as it is."""
    for prompt, sound in sounds.items():
        if isinstance(prompt, Message) and isinstance(sound, Audio):
            sounds[prompt] = OneLaw(codec, sound.samples(codec))
