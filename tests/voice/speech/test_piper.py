"""piper's part that is ours, against a module that stands in for it."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from connector.voice.speech.engines import open_engine
from connector.voice.speech.errors import EngineError


class FakeVoice:
    loaded: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def load(cls, path: Path) -> "FakeVoice":
        cls.loaded.append(path.stem)
        return cls(path.stem)

    def synthesize(self, text: str, syn_config: SimpleNamespace) -> list[SimpleNamespace]:
        samples = bytes(2 * round(100 * syn_config.length_scale))
        return [SimpleNamespace(audio_int16_bytes=samples, sample_rate=22_050) for _ in text.split()]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake = ModuleType("piper")
    fake.PiperVoice = FakeVoice  # type: ignore[attr-defined]
    fake.SynthesisConfig = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "piper", fake)
    FakeVoice.loaded.clear()
    for name in ("de_DE-thorsten-medium", "de_AT-other-low", "en_US-amy-low"):
        (tmp_path / f"{name}.onnx").touch()
    return tmp_path


def test_a_language_finds_its_model_and_keeps_it(models: Path) -> None:
    piper = open_engine("piper", models)
    assert piper.name.startswith("piper ")
    assert "en_US-amy-low" in piper.name
    normal, slow = (piper.speak("ein zwei", "de-DE", pace) for pace in ("normal", "slow"))
    assert (len(normal.samples), normal.rate) == (400, 22_050)
    assert len(slow.samples) > 1.3 * len(normal.samples)
    piper.speak("servus", "de-AT", "normal")
    piper.speak("hi", "en", "normal")
    assert FakeVoice.loaded == ["de_DE-thorsten-medium", "de_AT-other-low", "en_US-amy-low"]
    with pytest.raises(EngineError, match=r"no model for 'fr': a file fr_….onnx is expected"):
        piper.speak("bonjour", "fr", "normal")
    with pytest.raises(EngineError, match="no sound"):
        piper.speak("", "en", "normal")


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="a folder of models is expected"):
        open_engine("piper", None)
    with pytest.raises(EngineError, match="a folder of models is expected"):
        open_engine("piper", tmp_path / "absent")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(EngineError, match=r"pip install 'carrier-connector\[voice-piper\]'"):
        open_engine("piper", tmp_path)
    with pytest.raises(EngineError, match="espeak or piper is expected"):
        open_engine("festival", None)
