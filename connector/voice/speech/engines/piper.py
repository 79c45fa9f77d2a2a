"""piper: neural voices, more natural and a hundred times as slow; the optional extra voice-piper.

Each language needs a model of its own in the folder: a file LANGUAGE-….onnx or LANGUAGE_….onnx and its
.onnx.json, as they are published (de_DE-thorsten-medium.onnx).
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from connector.voice.speech.errors import EngineError
from connector.voice.speech.names import Pace

from . import Pcm

__all__ = ["LENGTH_SCALE", "Piper"]

_MISSING = "piper is not installed: pip install 'carrier-connector[voice-piper]'"

LENGTH_SCALE: dict[Pace, float] = {"normal": 1.0, "slow": 1.35}
"""piper's own measure of pace: how much longer than the model speaks; the pitch stays."""


class Piper:
    """Models are loaded when their language is first spoken, and stay."""

    def __init__(self, models: Path | None) -> None:
        if models is None or not models.is_dir():
            raise EngineError("piper: a folder of models is expected in [voice.speech] piper_voices")
        try:
            self._piper: Any = import_module("piper")
        except ImportError:
            raise EngineError(_MISSING) from None
        self._models = sorted(models.glob("*.onnx"))
        self._loaded: dict[str, Any] = {}
        try:
            installed = version("piper-tts")
        except PackageNotFoundError:
            installed = "of unknown version"
        self.name = f"piper {installed} {' '.join(path.stem for path in self._models)}"

    def speak(self, text: str, tag: str, pace: Pace) -> Pcm:
        voice = self._voice(tag)
        settings = self._piper.SynthesisConfig(length_scale=LENGTH_SCALE[pace])
        chunks = list(voice.synthesize(text, syn_config=settings))
        if not chunks:
            raise EngineError("piper gave no sound")
        return Pcm(b"".join(chunk.audio_int16_bytes for chunk in chunks), chunks[0].sample_rate)

    def _voice(self, tag: str) -> Any:
        wanted = tag.replace("-", "_").lower()
        language = wanted.split("_")[0]
        for prefix in (wanted, language):
            for path in self._models:
                if _is_of(path, prefix):
                    if path.stem not in self._loaded:
                        self._loaded[path.stem] = self._piper.PiperVoice.load(path)
                    return self._loaded[path.stem]
        raise EngineError(f"piper has no model for {tag!r}: a file {language}_….onnx is expected")


def _is_of(path: Path, prefix: str) -> bool:
    name = path.stem.replace("-", "_").lower()
    return name == prefix or name.startswith(prefix + "_")
