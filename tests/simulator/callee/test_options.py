import wave
from pathlib import Path

import pytest

from connector.simulator.callee.options import (
    DEFAULTS,
    OPTIONS,
    SERVER_WIDE,
    CalleeOptions,
    OptionError,
    line_changes,
)
from connector.simulator.callee.presses import Press, presses
from connector.simulator.callee.stories import STORIES


def test_every_option_explains_itself_and_no_fault_is_on() -> None:
    assert all(takes.help.endswith(".") for takes in OPTIONS.values())
    assert all(getattr(DEFAULTS, name) == 0 for name, takes in OPTIONS.items() if takes.high == 1)
    assert set(OPTIONS) > SERVER_WIDE


def test_options_are_changed_by_text_and_written_back() -> None:
    changed = CalleeOptions().changed(
        {
            "answer_after": "uniform:1,2",
            "press": "1@2.5,0@quiet:900",
            "codecs": "PCMA",
            "reject_status": "486",
        }
    )
    assert CalleeOptions().changed(changed.as_json()) == changed
    assert presses(changed.press) == (Press("1", 2.5, None), Press("0", None, 0.9))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("answers_after", 1, "did you mean answer_after"),
        ("press", "1", "is not a key press: expected KEYS@SECONDS"),
        ("press", "E@1", "is not a key press"),
        ("press", "1@quiet:soon", "is not a key press"),
        ("press", "1@-1", "is not a key press"),
        ("press", "1@nan", "is not a key press"),
        ("codecs", "PCMU,G729", "'G729' is not one of PCMU, PCMA"),
        ("says", "nothing.wav", "is not one of none, hello"),
        ("ignore", "BYE,HELLO", "'HELLO' is not one of"),
        ("rtp_drop", 1.5, "at most 1"),
        ("reject_status", 700, "at most 699"),
    ],
)
def test_a_wrong_option_says_what_is_expected(name: str, value: object, expected: str) -> None:
    with pytest.raises(OptionError, match=expected) as refusal:
        CalleeOptions().changed({name: value})
    assert str(refusal.value).startswith(f"{name}: ")


def test_a_sound_is_a_wav_file_of_8_khz(tmp_path: Path) -> None:
    for rate, right in ((8000, True), (16000, False)):
        path = tmp_path / f"{rate}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(bytes(320))
        if right:
            assert CalleeOptions(says=str(path)).says == str(path)
        else:
            with pytest.raises(OptionError, match="8000 Hz, 16 bits, mono"):
                CalleeOptions(says=str(path))


def test_a_number_has_no_option_of_the_whole_server() -> None:
    assert line_changes({"press": "1@1", "hang_up_after_s": "2"}) == {
        "press": ("1@1",),
        "hang_up_after_s": 2.0,
    }
    with pytest.raises(OptionError, match="sip_drop: is the whole server's"):
        line_changes({"sip_drop": 0.1})


def test_every_reserved_number_has_a_story() -> None:
    assert len(STORIES) == 1000
    assert {len(number) for number in STORIES} == {12}
    stories = {story.title for story in STORIES.values()}
    for word in ("busy", "no answer", "voicemail", "wrong digits", "hangs up", "late 200"):
        assert any(word in title for title in stories), word
