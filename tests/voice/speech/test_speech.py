"""The service as a daemon uses it, with the real engine."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from connector.config.voice import SpeechConfig
from connector.segments import Amount, Date, Digits, Pause, Text
from connector.voice.audio import Audio
from connector.voice.speech import PHRASES, Speech, SpeechError
from connector.voice.speech import process as speech_process
from connector.voice.speech.errors import RenderError
from connector.voice.speech.service import _Fixed
from connector.voice.speech.wire import Settings, Speak, Spoken
from protocols.rtp.g711 import PCMU

REPOSITORY = Path(__file__).parents[3]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech(state: Path) -> AsyncIterator[Speech]:
    speech = Speech(SpeechConfig(), state)
    await speech.start(["en", "de"])
    yield speech
    await speech.stop()


def digits_and_gaps(audio: Audio, start_s: float, end_s: float) -> tuple[list[float], list[float]]:
    """Seconds of sound and of silence between, of digital silence alone."""
    octets = np.frombuffer(audio.pcmu, np.uint8)[round(start_s * 8000) : round(end_s * 8000)]
    # A digit may hold silence, too; no digit holds a tenth of a second of it.
    quiet = octets == PCMU.silence
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
    gaps = [(first, last) for first, last in edges.reshape(-1, 2) if last - first > 800]
    ends = [0, *(at for gap in gaps for at in gap), octets.size]
    sounds = [(last - first) / 8000 for first, last in zip(ends[::2], ends[1::2], strict=True)]
    return sounds, [(last - first) / 8000 for first, last in gaps]


@pytest.mark.rule("speech.digit-gaps", "speech.twice-slower", "speech.digits-one-by-one")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_code_is_read_twice_and_slower_the_second_time(speech: Speech) -> None:
    code = await speech.code("de", "482917")
    assert code.seconds == sum(1 for _ in code.pcmu) / 8000
    (first, second) = code.readings
    assert first[1] + 0.8 < second[0]
    slower = []
    for start, end in (first, second):
        sounds, gaps = digits_and_gaps(code, start, end)
        assert len(sounds) == 6
        assert all(0.249 <= gap <= 0.31 for gap in gaps), gaps
        slower.append(sounds)
    assert all(one < other for one, other in zip(*slower, strict=True))
    again = await speech.phrase("de", "again")
    assert again.pcmu in code.pcmu[round(first[1] * 8000) : round(second[0] * 8000)]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("code", ["", "12a", "1" * 33, "٤٢"])
async def test_a_code_is_digits(speech: Speech, code: str) -> None:
    with pytest.raises(RenderError, match="1 to 32 of the digits") as caught:
        await speech.code("en", code)
    assert not code or code not in str(caught.value)


@pytest.mark.rule("speech.cache-digits")
@pytest.mark.asyncio(loop_scope="module")
async def test_codes_and_messages_leave_nothing_behind(speech: Speech, state: Path) -> None:
    def kept() -> tuple[set[str], int]:
        return {path.name for path in (state / "prompts").iterdir()}, len(speech._ready)

    before = kept()
    code = await speech.code("en", "918273")
    message = await speech.prompt(
        "en", (Text("You paid"), Amount("12.50", "EUR"), Date("2026-03-01"), Pause(0.5), Digits("4711"))
    )
    assert message.seconds > 4
    assert kept() == before
    on_disk = [path.read_bytes() for path in (state / "prompts").iterdir()]
    assert not any(code.pcmu in octets or message.pcmu in octets for octets in on_disk)
    assert "918273" not in repr(code) + repr(Speak(1, "en", (Digits("918273"),)))
    assert "918273" not in repr(Spoken(1, b"918273", b""))


@pytest.mark.rule("speech.cache-digits")
@pytest.mark.asyncio
async def test_what_is_fixed_is_rendered_once(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        speech = Speech(SpeechConfig(), tmp_path)
        await speech.start(["en"], lambda done, of: seen.append((done, of)))
        counts = speech.misses
        assert (await speech.phrase("en", "goodbye")).seconds > 0.5
        assert (speech.hits, speech.misses) == (1, counts)
        await speech.stop()
    every = 20 + len(PHRASES)
    assert seen == [*((done, every) for done in range(every + 1)), (every, every)]
    assert counts == 0
    assert len(list((tmp_path / "prompts").glob("*.prompt"))) == every


@pytest.mark.asyncio(loop_scope="module")
async def test_a_damaged_prompt_is_rendered_again(speech: Speech, state: Path, tmp_path: Path) -> None:
    """`speech` has filled the bank that is copied."""
    damaged = shutil.copytree(state / "prompts", tmp_path / "prompts") / (
        speech._key(_Fixed("en", "normal", "goodbye")) + ".prompt"
    )
    for rendered in (0, 1):
        again = Speech(SpeechConfig(), tmp_path)
        await again.start(["en", "de"])
        assert again.misses == rendered
        await again.stop()
        damaged.write_bytes(damaged.read_bytes()[:-100])


@pytest.mark.asyncio(loop_scope="module")
async def test_languages_that_were_not_made_ready(speech: Speech) -> None:
    """One of ours is made ready when it is asked for; another is spoken to in the first language."""
    swedish = await asyncio.gather(*(speech.phrase("sv-SE", "greeting") for _ in range(3)))
    assert swedish[0] is swedish[1] is swedish[2]
    assert swedish[0] != await speech.phrase("en", "greeting")
    assert await speech.phrase("tlh", "greeting") == await speech.phrase("en", "greeting")
    assert (await speech.code("tlh", "12")).pcmu == (await speech.code("en", "12")).pcmu
    with pytest.raises(SpeechError, match="no digit words for the language 'tlh'"):
        await speech.prompt("tlh", (Text("nuqneH"),))


@pytest.mark.asyncio
async def test_an_unknown_language_stops_the_start(tmp_path: Path) -> None:
    speech = Speech(SpeechConfig(), tmp_path)
    with pytest.raises(SpeechError, match="for the language 'tlh'"):
        await speech.start(["en", "tlh"])
    assert speech.pids == []


@pytest.mark.asyncio(loop_scope="module")
async def test_messages(speech: Speech) -> None:
    short = await speech.prompt("en", (Text("Hello"),))
    assert short.seconds < (await speech.prompt("en", (Text("Hello"),), "slow")).seconds
    assert (await speech.prompt("en", (Text("Hello"), Pause(2.0)))).seconds == pytest.approx(
        short.seconds + 2, abs=0.01
    )
    digits = await speech.prompt("de", (Digits("482917"),))
    sounds, gaps = digits_and_gaps(digits, 0, digits.seconds)
    assert len(sounds) == 6
    assert all(0.249 <= gap <= 0.31 for gap in gaps)
    with pytest.raises(SpeechError, match="nothing to say"):
        await speech.prompt("en", ())
    with pytest.raises(SpeechError, match="more than 90 s"):
        await speech.prompt("en", tuple(Pause(10) for _ in range(10)))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_worker_that_is_killed_costs_one_request(speech: Speech) -> None:
    (pid,), restarts = speech.pids, speech.restarts
    os.kill(pid, signal.SIGSTOP)
    running = asyncio.create_task(speech.prompt("en", (Text("gone"),)))
    waiting = asyncio.create_task(speech.prompt("en", (Text("spoken"),)))
    while speech._pool._queue.qsize() != 1:
        await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SpeechError, match="the speech worker ended"):
        await running
    assert (await waiting).seconds > 0.2
    assert speech.restarts == restarts + 1
    assert (await speech.code("en", "12")).seconds > 2


DAEMON = """
import asyncio, sys
from pathlib import Path
from connector.config.voice import SpeechConfig
from connector.voice.speech import Speech

async def main():
    speech = Speech(SpeechConfig(workers=2), Path(sys.argv[1]))
    await speech.start(["en"])
    print(*speech.pids, *(name for name in ("numpy", "soxr", "babel") if name in sys.modules), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.rule("speech.one-process")
def test_workers_die_with_the_daemon_which_has_no_engine_itself(state: Path) -> None:
    """Even one that would never notice."""
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(state)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    with daemon, daemon.stdout:
        pids = [int(word) for word in daemon.stdout.readline().split()]
        assert len(set(pids)) == 2
        maps = {pid: Path(f"/proc/{pid}/maps").read_text() for pid in (daemon.pid, *pids)}
        assert ["libespeak-ng" in text for text in maps.values()] == [False, True, True]
        os.kill(pids[0], signal.SIGSTOP)
        daemon.kill()
    while any(_is_alive(pid) for pid in pids):
        pass


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.asyncio
async def test_a_missing_library_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import ctypes\n"
        "def absent(name, *rest):\n"
        "    if name: raise OSError('no such library')\n"
        "    return real(name, *rest)\n"
        "real, ctypes.CDLL = ctypes.CDLL, absent\n"
        "from connector.voice.speech.worker import main\n"
        "raise SystemExit(main())\n"
    )
    worker = speech_process.WorkerProcess(Settings("espeak"), (sys.executable, "-c", script))
    with pytest.raises(SpeechError, match="apt-get install libespeak-ng1 espeak-ng-data"):
        await worker.start()
    assert worker.pid is None
