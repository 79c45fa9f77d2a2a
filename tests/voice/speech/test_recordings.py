"""Recordings of an operator: found first, and told apart from what is none."""

import struct
import wave
from pathlib import Path

import pytest

from connector.config.voice import SpeechConfig
from connector.segments import Amount, Digits, Text
from connector.voice.speech import PHRASES, Speech, SpeechError
from connector.voice.speech.engines.recordings import Recordings
from connector.voice.speech.errors import RecordingsError


def write_wav(path: Path, seconds: float = 0.3, *, rate: int = 16_000, channels: int = 1, width: int = 2,
              level: int = 9000, period: int = 20) -> None:  # fmt: skip
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        count = round(seconds * rate) * channels
        square = [level if at // (period // 2) % 2 else -level for at in range(count)]
        file.writeframes(struct.pack(f"<{count}h", *square) if width == 2 else bytes(count * width))


def write_language(folder: Path, *, slow: bool = False, phrases: str = "", whole: bool = False) -> Path:
    folder.mkdir(parents=True)
    tables = ["[digits]"]
    for digit in range(10):
        write_wav(folder / f"{digit}.wav", 0.2 + digit / 50, period=20 + digit)
        tables.append(f'{digit} = "{digit}.wav"')
    if slow:
        tables.append("[slow]")
        for digit in range(10):
            write_wav(folder / f"{digit}s.wav", 0.5 + digit / 50, period=20 + digit)
            tables.append(f'{digit} = "{digit}s.wav"')
    if whole:
        tables.append("[phrases]")
        for at, name in enumerate(PHRASES):
            write_wav(folder / f"{name}.wav", 0.5 + at / 10)
            tables.append(f'{name} = "{name}.wav"')
    (folder / "manifest.toml").write_text("\n".join([*tables, phrases]) + "\n")
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(RecordingsError) as caught:
        Recordings(folder)
    return caught.value.problems


def test_a_folder_without_languages(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == [f"{tmp_path}: no LANGUAGE/manifest.toml in it"]


def test_every_problem_is_named(tmp_path: Path) -> None:
    german = write_language(
        tmp_path / "de", phrases='[phrases]\ngreeting = "../x.wav"\nhello = "0.wav"\n[other]'
    )
    write_wav(german / "1.wav", rate=4000)
    write_wav(german / "2.wav", channels=2)
    write_wav(german / "3.wav", level=10)
    write_wav(german / "4.wav", seconds=5)
    write_wav(german / "5.wav", width=1)
    (german / "6.wav").write_bytes(b"not a sound")
    (german / "7.wav").unlink()
    for name in ("klingon", "tlh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.toml").write_text("")
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "manifest.toml").write_text("[digits\n")
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "manifest.toml").write_text('[slow]\n0 = "0.wav"\n')
    found = "\n".join(problems_of(tmp_path))
    for expected in (
        "[other] is not known; [digits], [slow] and [phrases] are expected",
        "[phrases] greeting: the name of a file beside it is expected",
        "[phrases] hello: one of greeting, gate,",
        "1.wav: 8000 to 48000 samples a second are expected, it has 4000",
        "2.wav: one channel of 16 bits is expected, it has 2 of 16",
        "3.wav: it is silent",
        "4.wav: 0.05 to 3 s are expected, it has 5.00 s",
        "5.wav: one channel of 16 bits is expected, it has 1 of 8",
        "6.wav: a WAV file of PCM samples is expected",
        "7.wav: no such file",
        "klingon: a folder named after a language such as de is expected",
        "tlh/manifest.toml: all digits and phrases are expected of a language without an engine, missing: ",
        "fr/manifest.toml: ",
        "[slow]: all ten digits are expected, missing: 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "it/manifest.toml: [slow] needs [digits] beside it",
    ):
        assert expected in found, expected
    assert found.count("\n") == 15


@pytest.mark.asyncio
async def test_recordings_come_first(tmp_path: Path) -> None:
    write_language(tmp_path / "own" / "de", slow=True)
    speech = Speech(SpeechConfig(recordings=str(tmp_path / "own")), tmp_path / "state")
    await speech.start(["de"])
    normal, slow = await speech.digits("de"), await speech.digits("de", "slow")
    for digit in range(10):
        assert abs(normal[str(digit)].seconds - (0.2 + digit / 50)) < 0.03
        assert abs(slow[str(digit)].seconds - (0.5 + digit / 50)) < 0.03
    # In messages too; a phrase that is not recorded is the engine's.
    message = await speech.prompt("de", (Digits("00"),))
    assert abs(message.seconds - 0.66) < 0.05
    assert (await speech.phrase("de", "greeting")).seconds > 1
    assert (await speech.prompt("de", (Text("null"),))).seconds > 0.1
    await speech.stop()


@pytest.mark.asyncio
async def test_a_language_that_no_engine_speaks(tmp_path: Path) -> None:
    """It is spoken by its recordings, as the default too; only messages are refused."""
    write_language(tmp_path / "own" / "th", whole=True)
    for languages in (["th-TH"], ["en", "th"]):
        speech = Speech(SpeechConfig(recordings=str(tmp_path / "own")), tmp_path / "state")
        await speech.start(languages)
        for at, name in enumerate(PHRASES):
            assert abs((await speech.phrase("th", name)).seconds - (0.5 + at / 10)) < 0.03
        code = await speech.code("th", "12")
        assert [round(end - start, 1) for start, end in code.readings] == [0.7, 0.8]
        for segments in ((Amount("5", "EUR"),), (Text("x"),), (Digits("12"),)):
            with pytest.raises(SpeechError, match="'th' has recordings alone, so no message"):
                await speech.prompt("th", segments)
        with pytest.raises(SpeechError, match="no digit words for the language 'lo'"):
            await speech.prompt("lo", (Text("x"),))
        assert await speech.code("lo", "12") == await speech.code(languages[0], "12")
        await speech.stop()


@pytest.mark.asyncio
async def test_a_changed_recording_is_a_new_prompt(tmp_path: Path) -> None:
    """The bank knows a recording by its content, not by its name."""
    folder = write_language(tmp_path / "own" / "en")
    lengths = []
    for seconds in (0.3, 0.9):
        write_wav(folder / "0.wav", seconds)
        speech = Speech(SpeechConfig(recordings=str(tmp_path / "own")), tmp_path / "state")
        await speech.start(["en"])
        lengths += [(await speech.digits("en", pace))["0"].seconds for pace in ("normal", "slow")]
        await speech.stop()
    assert [round(length, 1) for length in lengths] == [0.3, 0.3, 0.9, 0.9]


@pytest.mark.asyncio
async def test_a_bad_folder_stops_the_start(tmp_path: Path) -> None:
    speech = Speech(SpeechConfig(recordings=str(tmp_path)), tmp_path / "state")
    with pytest.raises(SpeechError, match=r"no LANGUAGE/manifest\.toml"):
        await speech.start(["en"])
    assert speech.pids == []
