"""The engine of this process, and speech services on a bank that all tests share."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.voice.speech.engines.espeak import Espeak, voice_of

_CHARS_UTF8 = 1
_IPA = 2


@pytest.fixture(scope="session")
def espeak() -> Espeak:
    """The one instance that this process may have."""
    return Espeak()


@pytest.fixture(scope="session")
def phonemes(espeak: Espeak) -> Callable[[str, str], str]:
    """What espeak-ng says of a text in a language, in IPA without stress, length and spaces."""
    library = espeak._library
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def said(tag: str, text: str) -> str:
        assert library.espeak_SetVoiceByName(voice_of(tag).encode()) == 0
        espeak._voice = ""
        rest = ctypes.c_char_p(text.encode())
        parts = []
        while rest.value:
            parts.append(
                (library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, _IPA) or b"").decode()
            )
        return "".join(character for character in "".join(parts) if character not in " ˈˌː|")

    return said


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose bank fills as the tests go."""
    return tmp_path_factory.mktemp("speech")
