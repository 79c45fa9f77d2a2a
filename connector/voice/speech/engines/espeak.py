"""espeak-ng by its library, libespeak-ng (GPL-3.0-or-later), loaded by ctypes in a process of its own.

The library's state is global: one process holds one engine, and no two texts are spoken at once in it. The
daemon never loads it.
"""

from __future__ import annotations

import ctypes
import tomllib
from functools import cache
from importlib.resources import files

from connector.config.voice import lookup
from connector.voice.speech.errors import EngineError
from connector.voice.speech.names import Pace

from . import Pcm

__all__ = ["WORDS_PER_MINUTE", "Espeak", "load", "voice_of"]

WORDS_PER_MINUTE: dict[Pace, int] = {"normal": 150, "slow": 112}
"""Slower by the engine's own rate, so that the pitch stays."""

_MISSING = (
    "libespeak-ng.so.1 is not installed; on Debian and Ubuntu: apt-get install libespeak-ng1 espeak-ng-data"
)
_NO_DATA = "espeak-ng does not find its data; on Debian and Ubuntu: apt-get install espeak-ng-data"

# From espeak-ng/speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE = 1
_OK = 0
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@cache
def _voices() -> dict[str, str]:
    found = tomllib.loads(files(__package__).joinpath("voices.toml").read_text("utf-8"))
    return {tag.lower(): voice for tag, voice in found.items()}


def voice_of(tag: str) -> str:
    """The voice for a BCP 47 tag; EngineError when there is none."""
    known = lookup(tag, _voices())
    if known is not None:
        return _voices()[known]
    raise EngineError(f"espeak-ng has no voice here for the language {tag!r}")


def load() -> tuple[ctypes.CDLL, int]:
    """The library, ready to speak, and its samples a second. Once a process."""
    try:
        library = ctypes.CDLL("libespeak-ng.so.1")
    except OSError:
        raise EngineError(_MISSING) from None
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, None, _DONT_EXIT)
    if rate <= 0:
        raise EngineError(_NO_DATA)
    library.espeak_Info.restype = ctypes.c_char_p
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    return library, rate


class Espeak:
    """The engine of every language here."""

    def __init__(self) -> None:
        self._library, self._rate = load()
        self._heard = bytearray()
        # Kept as an attribute: the library holds only its address.
        self._callback = _CALLBACK(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""
        version = self._library.espeak_Info(None)
        self.name = f"espeak-ng {version.decode().split()[0]}"

    def speak(self, text: str, tag: str, pace: Pace) -> Pcm:
        voice = voice_of(tag)
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
                raise EngineError(f"espeak-ng has no voice {voice!r}; install espeak-ng-data 1.51 or later")
            self._voice = voice
        self._library.espeak_SetParameter(_RATE, WORDS_PER_MINUTE[pace], 0)
        self._heard.clear()
        octets = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            octets, len(octets), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != _OK:
            raise EngineError(f"espeak-ng failed with status {status}")
        return Pcm(bytes(self._heard), self._rate)

    def _hear(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples is not None and count > 0:
            self._heard += ctypes.string_at(samples, count * 2)
        return 0
