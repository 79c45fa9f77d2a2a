"""The program that knows more of numbers: what it says, and that nothing it does delays a job for long."""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from connector.config.routing import LookupSettings
from connector.lookup import Answer, NumberLookup
from connector.routing.destination import Destination

LIMIT_S = 20.0
NUMBER = "+4915112345678"

Reply = Callable[[list[Any]], bytes]


class Program:
    """An operator's program: `reply` makes the octets that answer one request."""

    def __init__(self, path: Path, reply: Reply) -> None:
        self.path = path
        self.reply = reply
        self.requests: list[list[Any]] = []
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        unpacker = msgpack.Unpacker()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(4096):
                unpacker.feed(data)
                for request in unpacker:
                    self.requests.append(request)
                    writer.write(self.reply(request))


def result(value: object) -> Reply:
    return lambda request: msgpack.packb([1, request[1], None, value])


def silence(request: list[Any]) -> bytes:
    return b""


@pytest_asyncio.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    program = Program(tmp_path / "mnp.sock", result({"network": "Alpha"}))
    yield program
    await program.stop()


class Asked:
    """What one question brought."""

    def __init__(self, lookup: NumberLookup, number: str = NUMBER) -> None:
        self.answers: list[Answer | None] = []
        self._done = asyncio.Event()
        lookup.ask(number, self._tell)

    def _tell(self, answer: Answer | None) -> None:
        self.answers.append(answer)
        self._done.set()

    async def answer(self) -> Answer | None:
        await asyncio.wait_for(self._done.wait(), LIMIT_S)
        (answer,) = self.answers
        return answer


async def started(program: Program, *, there: bool = True, **settings: Any) -> NumberLookup:
    lookup = NumberLookup(LookupSettings(socket="", **settings), str(program.path), Random(0))
    lookup.start()
    if there:
        await program.start()
        await until(lambda: lookup.connected)
    return lookup


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.asyncio
async def test_what_the_program_knows(program: Program) -> None:
    program.reply = result({"network": "Alpha", "country": "AT", "reachable": False, "more": [1]})
    lookup = await started(program, timeout_s=LIMIT_S)
    answer = await Asked(lookup).answer()
    assert answer == Answer(network="Alpha", country="AT", reachable=False)
    assert program.requests == [[0, 0, "lookup", [{"to": NUMBER}]]]
    told = Destination("DE", "mobile", "Vodafone", True)
    assert answer.applied(told) == Destination("AT", "mobile", "Alpha", True)
    assert Answer().applied(told) == told
    assert (lookup.counts.asked, lookup.counts.answered) == (1, 1)
    await lookup.stop()


@pytest.mark.asyncio
async def test_an_answer_is_kept(program: Program) -> None:
    lookup = await started(program, timeout_s=LIMIT_S)
    await Asked(lookup).answer()
    again = Asked(lookup)
    assert again.answers == [Answer(network="Alpha")]
    await Asked(lookup, "+12125550100").answer()
    assert [request[3][0]["to"] for request in program.requests] == [NUMBER, "+12125550100"]
    assert (lookup.counts.asked, lookup.counts.answered, lookup.counts.from_cache) == (3, 2, 1)
    await lookup.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize("entries", [0, 2])
async def test_what_is_kept_has_a_limit(program: Program, entries: int) -> None:
    lookup = await started(program, timeout_s=LIMIT_S, cache_entries=entries)
    for index in range(10):
        await Asked(lookup, f"+49151000000{index}").answer()
    assert len(lookup._cache) == entries
    await lookup.stop()


@pytest.mark.asyncio
async def test_an_answer_grows_old(program: Program) -> None:
    lookup = await started(program, timeout_s=LIMIT_S, cache_s=0.02)
    await Asked(lookup).answer()
    await asyncio.sleep(0.05)
    await Asked(lookup).answer()
    assert len(program.requests) == 2
    await lookup.stop()


@pytest.mark.asyncio
async def test_a_program_that_says_nothing_delays_by_the_time_out(program: Program) -> None:
    program.reply = silence
    lookup = await started(program, timeout_s=0.05)
    begun = asyncio.get_running_loop().time()
    first = Asked(lookup)
    assert first.answers == []
    assert await first.answer() is None
    assert asyncio.get_running_loop().time() - begun >= 0.04
    many = [Asked(lookup, f"+4915{index:08d}") for index in range(40)]
    assert [await one.answer() for one in many] == [None] * 40
    assert lookup.counts.late == 41
    assert not lookup._waiting
    await lookup.stop()


@pytest.mark.asyncio
async def test_an_answer_that_is_late_counts_for_nothing(program: Program) -> None:
    program.reply = silence
    lookup = await started(program, timeout_s=0.02)
    late = Asked(lookup)
    assert await late.answer() is None
    program._writers[0].write(msgpack.packb([1, 0, None, {"network": "Alpha"}]))
    program.reply = result({"network": "Beta"})
    lookup._timeout_s = LIMIT_S
    assert await Asked(lookup).answer() == Answer(network="Beta")
    assert late.answers == [None]
    await lookup.stop()


@pytest.mark.asyncio
async def test_answers_in_any_order(program: Program) -> None:
    held: list[bytes] = []

    def last_first(request: list[Any]) -> bytes:
        held.insert(0, msgpack.packb([1, request[1], None, {"network": request[3][0]["to"]}]))
        return b"".join(held) if len(held) == 50 else b""

    program.reply = last_first
    lookup = await started(program, timeout_s=LIMIT_S)
    asked = {number: Asked(lookup, number) for number in (f"+49151{index:07d}" for index in range(50))}
    for number, one in asked.items():
        answer = await one.answer()
        assert answer is not None
        assert answer.network == number
    await lookup.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reply",
    [
        result(None),
        result("Alpha"),
        result({"network": 1}),
        result({"network": ""}),
        result({"network": "x" * 65}),
        result({"country": "Germany"}),
        result({"country": "DE\n"}),
        lambda request: msgpack.packb([1, request[1], {"code": "internal"}, None]),
    ],
)
async def test_what_cannot_be_understood_is_no_answer(program: Program, reply: Reply) -> None:
    program.reply = reply
    lookup = await started(program, timeout_s=LIMIT_S)
    assert await Asked(lookup).answer() is None
    assert (lookup.counts.failed, lookup.counts.answered) == (1, 0)
    program.reply = result({"network": "Alpha"})
    assert await Asked(lookup).answer() == Answer(network="Alpha")
    await lookup.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "octets", [b"HTTP/1.1 400\r\n", b"\xc1", b"\x93\x01\x02", b"\xdb\x7f\xff\xff\xff" + b"x" * 99]
)
async def test_a_program_that_speaks_otherwise_is_left_and_tried_again(
    program: Program, octets: bytes
) -> None:
    program.reply = lambda request: octets
    lookup = await started(program, timeout_s=0.2)
    assert await Asked(lookup).answer() is None
    program.reply = result({"network": "Alpha"})
    async with asyncio.timeout(LIMIT_S):
        while Answer(network="Alpha") not in [
            await one.answer() for one in [Asked(lookup) for _ in range(60)]
        ]:
            await asyncio.sleep(0.01)
    await lookup.stop()


@pytest.mark.asyncio
async def test_a_program_that_stays_silent_is_not_waited_for(program: Program) -> None:
    program.reply = silence
    lookup = await started(program, timeout_s=0.02)
    lookup._wait_s = LIMIT_S
    asked = [Asked(lookup) for _ in range(50)]
    assert [await one.answer() for one in asked] == [None] * 50
    await until(lambda: not lookup.connected)
    assert Asked(lookup).answers == [None]
    assert (lookup.counts.late, lookup.counts.not_asked) == (50, 1)
    await lookup.stop()


@pytest.mark.asyncio
async def test_without_the_program_nobody_waits(program: Program) -> None:
    lookup = await started(program, there=False, timeout_s=LIMIT_S)
    assert Asked(lookup).answers == [None]
    assert lookup.counts.not_asked == 1
    await program.start()
    await until(lambda: lookup.connected)
    assert await Asked(lookup).answer() == Answer(network="Alpha")
    await lookup.stop()


@pytest.mark.asyncio
async def test_a_program_that_goes_and_comes_back(program: Program) -> None:
    program.reply = silence
    lookup = await started(program, timeout_s=LIMIT_S)
    waiting = [Asked(lookup), Asked(lookup)]
    await until(lambda: len(program.requests) == 2)
    await program.stop()
    assert [await one.answer() for one in waiting] == [None, None]
    assert lookup.counts.failed == 2
    assert Asked(lookup).answers == [None]
    program.reply = result({})
    await program.start()
    await until(lambda: lookup.connected)
    assert await Asked(lookup).answer() == Answer()
    await lookup.stop()


@pytest.mark.asyncio
async def test_questions_under_way_have_a_limit(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.lookup._MOST_WAITING", 3)
    program.reply = silence
    lookup = await started(program, timeout_s=LIMIT_S)
    asked = [Asked(lookup) for _ in range(5)]
    assert [one.answers for one in asked] == [[], [], [], [None], [None]]
    await lookup.stop()
    assert [await one.answer() for one in asked] == [None] * 5


@pytest.mark.asyncio
async def test_the_program_that_the_page_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/lanes.md").read_text("utf-8")
    (text,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "mnp.sock"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, str(path))
    lookup = NumberLookup(LookupSettings(socket="", timeout_s=LIMIT_S), str(path), Random(0))
    lookup.start()
    try:
        await until(lambda: lookup.connected)
        assert await Asked(lookup).answer() == Answer(network="Vodafone", country="DE")
        assert await Asked(lookup, "+12125550100").answer() == Answer()
    finally:
        await lookup.stop()
        process.kill()
        await process.wait()


@pytest.mark.asyncio
async def test_stopping_before_it_was_ever_there(program: Program) -> None:
    lookup = await started(program, there=False)
    await lookup.stop()
    assert not lookup.connected
