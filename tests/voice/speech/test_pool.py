"""Worker processes: what they may do to us, and what a request gets then."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connector.segments import Text
from connector.voice.speech.errors import EngineError, RenderError, SpeechError
from connector.voice.speech.pool import Busy, Pool
from connector.voice.speech.process import WorkerDied, WorkerProcess
from connector.voice.speech.wire import Settings

ODD = (sys.executable, str(Path(__file__).with_name("odd_worker.py")))


class Naps:
    """Sleeps that are over at once; their lengths are kept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def process(engine: str = "odd", *, answer_s: float = 60.0) -> WorkerProcess:
    return WorkerProcess(Settings(engine), ODD, start_s=60.0, answer_s=answer_s)


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool([process()], sleep=Naps(), longest_wait_s=60.0)
    assert (await pool.start()).engine == "odd"
    yield pool
    await pool.stop()
    assert pool.pids == []


async def say(pool: Pool, text: str) -> bytes:
    return (await pool.speak("en", (Text(text),))).pcmu


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["crash", "nonsense", "huge", "half", "another", "uneven"])
async def test_a_fault_fails_the_request_under_way_and_no_other(pool: Pool, fault: str) -> None:
    (before,) = pool.pids
    results = await asyncio.gather(
        *(say(pool, text) for text in ("one", fault, "two", "three")), return_exceptions=True
    )
    assert results[0] == b"one"
    assert isinstance(results[1], WorkerDied)
    assert results[2:] == [b"two", b"three"]
    assert pool.restarts == 1
    (after,) = pool.pids
    assert after != before


@pytest.mark.asyncio
async def test_a_refusal_is_no_fault(pool: Pool) -> None:
    with pytest.raises(SpeechError, match="not this"):
        await say(pool, "refuse")
    assert await say(pool, "fine") == b"fine"
    assert pool.restarts == 0


@pytest.mark.asyncio
async def test_what_cannot_be_sent_harms_no_worker(pool: Pool) -> None:
    with pytest.raises(RenderError, match="no surrogates"):
        await say(pool, "\ud800")
    with pytest.raises(RenderError, match="at most 2000000"):
        await say(pool, "x" * 2_000_000)
    assert await say(pool, "fine") == b"fine"
    assert pool.restarts == 0


@pytest.mark.asyncio
async def test_a_worker_that_hangs_is_ended() -> None:
    pool = Pool([process(answer_s=0.2)], sleep=Naps())
    await pool.start()
    with pytest.raises(WorkerDied, match=r"no answer in 0\.2 s"):
        await say(pool, "hang")
    await pool.stop()


@pytest.mark.asyncio
async def test_the_queue_is_bounded() -> None:
    pool = Pool([process()], longest_queue=2, sleep=Naps())
    await pool.start()
    waiting = [asyncio.create_task(say(pool, "hang")) for _ in range(3)]
    while not pool._queue.full():
        await asyncio.sleep(0)
    with pytest.raises(Busy, match="2 prompts wait"):
        while True:
            waiting.append(asyncio.create_task(say(pool, "x")))
            await asyncio.sleep(0)
            if waiting[-1].done():
                await waiting[-1]
    await pool.stop()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, SpeechError) for each in ended)


@pytest.mark.asyncio
async def test_who_gave_up_is_not_served_and_harms_nobody(pool: Pool) -> None:
    first = asyncio.create_task(say(pool, "first"))
    gone = asyncio.create_task(say(pool, "crash"))
    last = asyncio.create_task(say(pool, "last"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await first == b"first"
    assert await last == b"last"
    assert pool.restarts == 0


@pytest.mark.asyncio
async def test_pauses_between_restarts_grow() -> None:
    naps = Naps()
    broken = process()
    pool = Pool([broken], sleep=naps)
    await pool.start()
    broken._settings = Settings("mute")
    with pytest.raises(WorkerDied):
        await say(pool, "crash")
    while len(naps.seconds) < 4:
        await asyncio.sleep(0.01)
    broken._settings = Settings("odd")
    assert await say(pool, "again") == b"again"
    assert naps.seconds[:4] == [0.1, 0.2, 0.4, 0.8]
    await pool.stop()


@pytest.mark.asyncio
async def test_nobody_waits_for_ever() -> None:
    pool = Pool([process()], longest_wait_s=0.05)
    await pool.start()
    hanging = asyncio.create_task(say(pool, "hang"))
    await asyncio.sleep(0)
    with pytest.raises(EngineError, match=r"no speech worker was free for 0\.05 s"):
        await say(pool, "x")
    with pytest.raises(EngineError):
        await hanging
    await pool.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("engine", "why"), [("other", "no engine here"), ("mute", "the speech worker ended")]
)
async def test_no_engine_is_told_at_the_start(engine: str, why: str) -> None:
    pool = Pool([process(), process(engine)])
    with pytest.raises(EngineError, match=why):
        await pool.start()
    assert pool.pids == []
