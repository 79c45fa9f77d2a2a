"""Speech as calls know it: phrases and digits made ready ahead, codes put together of them, messages made at
once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from connector.config.voice import SpeechConfig, lookup
from connector.segments import Segment, Text
from connector.voice.audio import Audio

from .bank import Bank, key_of
from .code import SpokenCode, spoken_code
from .errors import RenderError, SpeechError
from .names import DIGITS, PACES, PHRASES, Pace, PhraseName, match, vocabulary
from .pool import Pool
from .process import COMMAND, WorkerProcess
from .wire import Hello, Settings

__all__ = ["Progress", "Speech"]

Progress = Callable[[int, int], None]
"""Told how many prompts of how many are ready."""

_MEGABYTE = 1_000_000
_UNFINISHED_S = 3600.0


class _Fixed(NamedTuple):
    """A prompt that is the same in every call: a phrase, or a digit at one of the paces."""

    lang: str
    pace: Pace
    name: str

    @property
    def text(self) -> str:
        """Nothing in a language that has recordings alone."""
        if match(self.lang) is None:
            return ""
        words = vocabulary(self.lang)
        return words.words[int(self.name)] if self.name in DIGITS else words.phrases[self.name]  # type: ignore[index]


class Speech:
    """Phrases, codes and messages of one daemon, in the languages of `connector.voice.speech.languages()`;
    phrases and codes also in those that are recorded in full.

    state    the folder that holds `prompts`
    hits     phrases and codes that were ready, since the start
    misses   prompts that had to be rendered in a call, messages among them
    """

    def __init__(self, config: SpeechConfig, state: Path, *, command: tuple[str, ...] = COMMAND) -> None:
        settings = Settings(config.engine, config.recordings or "", config.piper_voices or "")
        self._pool = Pool([WorkerProcess(settings, command) for _ in range(config.workers)])
        self._bank = Bank(state / "prompts", config.bank_mb * _MEGABYTE)
        self._ahead = asyncio.Semaphore(2 * config.workers)
        self._hello = Hello()
        self._ready: dict[_Fixed, Audio] = {}
        self._whole: dict[str, dict[tuple[Pace, str], Audio]] = {}
        self._preparing: dict[str, asyncio.Lock] = {}
        self._default = ""
        self.hits = 0
        self.misses = 0

    @property
    def engine(self) -> str:
        """Name and version."""
        return self._hello.engine

    @property
    def restarts(self) -> int:
        """Worker processes started again after they died."""
        return self._pool.restarts

    @property
    def pids(self) -> list[int]:
        """Of the worker processes."""
        return self._pool.pids

    async def start(self, languages: Sequence[str], progress: Progress | None = None) -> None:
        """Starts the workers and makes every phrase and digit of `languages` (BCP 47) ready.

        A call in a language that is none of ours is held in the first of them; with none, only prompts in
        languages of ours can be asked for. Raises SpeechError when there is no engine, when a recording
        breaks a rule, or for a language without words; nothing runs then.
        """
        self._hello = await self._pool.start()
        try:
            wanted = dict.fromkeys(map(self._language, languages))
            self._default = next(iter(wanted), "")
            fixed = [each for lang in wanted for each in _fixed_prompts(lang)]
            await self._prepare(fixed, progress)
            await asyncio.to_thread(self._bank.trim, time.time() - _UNFINISHED_S)
        except BaseException:
            await self._pool.stop()
            raise

    async def stop(self) -> None:
        """Ends the workers; prompts that are ready stay so."""
        await self._pool.stop()

    async def phrase(self, lang: str, name: PhraseName) -> Audio:
        """A fixed phrase, in the default language when `lang` is none of ours."""
        found = await self._of(self._served(lang))
        return found["normal", name]

    async def code(self, lang: str, digits: str) -> SpokenCode:
        """`digits` one by one, "once more", and the same more slowly; made of prompts that are ready, kept
        nowhere.

        RenderError for anything but 1 to 32 digits.
        """
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 32):
            raise RenderError("code: 1 to 32 of the digits 0 to 9 are expected")
        found = await self._of(self._served(lang))
        prompts = {pace: {digit: found[pace, digit] for digit in DIGITS} for pace in PACES}
        return spoken_code(digits, prompts, found["normal", "again"])

    async def prompt(self, lang: str, segments: Sequence[Segment], pace: Pace = "normal") -> Audio:
        """A message. It is about one person, so it is neither written to disk nor kept once it is returned.

        SpeechError when `lang` is none of ours or has recordings alone, or when the segments cannot be put
        into words; Busy when too many wait.
        """
        if match(lang) is None:
            if self._match(lang) is not None:
                raise RenderError(
                    f"the language {lang!r} has recordings alone, so no message can be said in it"
                )
            raise RenderError(f"no digit words for the language {lang!r}")
        self.misses += 1
        return await self._pool.speak(lang, tuple(segments), pace)

    async def digits(self, lang: str, pace: Pace = "normal") -> Mapping[str, Audio]:
        """The digit prompts that codes are made of, "0" to "9": whoever must hear a code needs them."""
        found = await self._of(self._served(lang))
        return {digit: found[pace, digit] for digit in DIGITS}

    def _match(self, tag: str) -> str | None:
        return match(tag) or lookup(tag, self._hello.recordings)

    def _served(self, lang: str) -> str:
        return self._match(lang) or self._default

    def _language(self, tag: str) -> str:
        language = self._match(tag)
        if language is None:
            raise SpeechError(f"no digit words and phrases for the language {tag!r}")
        return language

    async def _of(self, lang: str) -> dict[tuple[Pace, str], Audio]:
        """Everything fixed of one language, prepared when it is asked for the first time."""
        if (whole := self._whole.get(lang)) is not None:
            self.hits += 1
            return whole
        fixed = _fixed_prompts(lang)
        if fixed[-1] in self._ready:
            self.hits += 1
        else:
            async with self._preparing.setdefault(lang, asyncio.Lock()):
                if fixed[-1] not in self._ready:
                    await self._prepare(fixed, None)
        whole = self._whole[lang] = {(each.pace, each.name): self._ready[each] for each in fixed}
        return whole

    async def _prepare(self, fixed: list[_Fixed], progress: Progress | None) -> None:
        """All or nothing of a language: what is half ready would be half spoken."""
        keys = {each: self._key(each) for each in fixed}
        self._bank.pin(keys.values())
        found = await asyncio.to_thread(self._stored, keys)
        done = len(found)
        if progress is not None:
            progress(done, len(fixed))
        missing = [each for each in fixed if each not in found]
        rendering = [asyncio.create_task(self._render(each, keys[each])) for each in missing]
        try:
            for task in asyncio.as_completed(rendering):
                each, audio = await task
                found[each] = audio
                done += 1
                if progress is not None:
                    progress(done, len(fixed))
        finally:
            for unfinished in rendering:
                unfinished.cancel()
        self._ready.update(found)

    def _stored(self, keys: Mapping[_Fixed, str]) -> dict[_Fixed, Audio]:
        return {each: audio for each, key in keys.items() if (audio := self._bank.get(key)) is not None}

    async def _render(self, each: _Fixed, key: str) -> tuple[_Fixed, Audio]:
        self.misses += 1
        # A message of a call under way never waits behind more than these.
        async with self._ahead:
            audio = await self._pool.speak(each.lang, (Text(each.text),), each.pace, each.name)
        # A full disk costs the next start some seconds, and this one nothing.
        await asyncio.to_thread(self._keep, key, audio)
        return each, audio

    def _keep(self, key: str, audio: Audio) -> None:
        try:
            self._bank.put(key, audio)
        except OSError:
            return

    def _key(self, each: _Fixed) -> str:
        recorded = self._hello.recordings.get(each.lang, {})
        digest = recorded.get(each.pace, {}).get(each.name) or recorded.get("normal", {}).get(each.name)
        return key_of(
            content=f"recording {digest}" if digest else f"text {each.text}",
            lang=each.lang,
            pace=each.pace,
            engine=self._hello.engine,
        )


def _fixed_prompts(lang: str) -> list[_Fixed]:
    digits: Iterable[_Fixed] = (_Fixed(lang, pace, digit) for pace in PACES for digit in DIGITS)
    return [*digits, *(_Fixed(lang, "normal", name) for name in PHRASES)]
