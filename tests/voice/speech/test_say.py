"""`connector say`."""

import json
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.cli.say import command
from connector.voice.speech import languages
from connector.voice.speech.hearing import hear
from tests.cli.conftest import connector
from tests.voice.speech.test_recordings import write_language


def read(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return file.readframes(file.getnframes())


def test_a_code_that_can_be_heard(tmp_path: Path) -> None:
    """The digits are those of recordings, so that they are known here."""
    own = write_language(tmp_path / "own" / "hi", slow=True)
    out = tmp_path / "out.wav"
    done = connector(
        "say", "--lang", "hi", "--code", "4829", "--recordings", str(own.parent), str(out), "--json"
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["file"] == str(out)
    pcm = read(out)
    assert shown["seconds"] == pytest.approx(len(pcm) / 16_000, abs=0.001)
    prompts: dict[str, bytes] = {}
    (first, _) = shown["readings"]
    at = round(first[0] * 8000)
    for digit in "4829":
        samples = round((0.2 + int(digit) / 50) * 8000)
        prompts[digit] = pcm[2 * at : 2 * (at + samples)]
        at += samples + round(0.26 * 8000)
    heard = hear(pcm, prompts, 4)
    assert heard is not None
    assert heard.code == "4829"
    assert "4829" not in done.stdout.replace(str(tmp_path), "")


def test_a_message(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    message = ("--text", "Der Betrag ist", "--amount", "5000", "--date", "2026-11-23")
    done = connector("say", "--lang", "de-AT", *message, str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{out}: ")
    assert " s by espeak-ng 1." in done.stdout
    assert 3 < len(read(out)) / 16_000 < 7


def test_languages() -> None:
    for options, read in (([], str.split), (["--json"], lambda text: json.loads(text)["languages"])):
        done = CliRunner().invoke(command, ["--list-languages", *options])
        assert read(done.stdout) == list(languages())


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["--code", "12"], 2, "expected a file to write"),
        (["x.wav"], 2, "expected one of --code, --phrase"),
        (["--code", "12", "--text", "x", "x.wav"], 2, "expected one of --code, --phrase"),
        (["--phrase", "hello", "x.wav"], 2, "one of greeting, gate"),
        (["--lang", "tlh", "--code", "12", "x.wav"], 2, "see --list-languages"),
        (["--code", "12a", "x.wav"], 1, "1 to 32 of the digits 0 to 9 are expected"),
        (["--amount", "12,50", "x.wav"], 1, "a decimal such as"),
        (["--engine", "piper", "--code", "12", "x.wav"], 1, "a folder of models is expected"),
        (["--phrase", "goodbye", "absent/x.wav"], 1, "No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], status: int, expected: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / each) if each.endswith(".wav") else each for each in arguments]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == status
    assert expected in " ".join(done.output.split())
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not list(tmp_path.glob("*.wav"))
