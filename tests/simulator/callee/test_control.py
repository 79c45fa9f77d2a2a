import asyncio
import base64
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli.simulate import command
from connector.simulator.callee.callee import Callee
from connector.simulator.callee.control import COMMANDS, Control, ask
from connector.simulator.callee.options import OPTIONS
from protocols.sip.events import Answered, Ended
from tests.simulator.callee.caller import NUMBER, Caller, calling
from tests.simulator.callee.test_media import samples_of, speech

REPOSITORY = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-c", "from connector.cli.simulate import command; command()", "callee"]


@asynccontextmanager
async def controlled(**options: Any) -> AsyncIterator[tuple[Caller, Callee, Control, int]]:
    async with calling(**options) as (caller, callee):
        control = Control(callee)
        port = await control.start()
        try:
            yield caller, callee, control, port
        finally:
            await control.stop()


async def say(port: int, command: str, /, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, port, command, **arguments)


@pytest.mark.asyncio
async def test_another_process_can_look() -> None:
    async with controlled(says="none") as (caller, callee, _, port):
        call, sound = caller.invite()
        await sound.say(speech(0.3), (await caller.next(Answered)).agreed)
        await caller.until(lambda: callee.records.calls[0].at.get("first_rtp"))
        assert (await say(port, "stats"))["lines_open"] == 1
        caller.hang_up(call)
        await caller.until(lambda: not callee.stats()["lines_open"])
        told = (await say(port, "calls"))[0]
        assert (told["to"], told["from"], told["ended_by"]) == (NUMBER[1:], "441632960000", "caller")
        assert await say(port, "calls", number="+441632960102") == []
        assert len(await say(port, "calls", number=NUMBER)) == 1
        wav = base64.b64decode((await say(port, "recording", call=told["id"]))["wav"])
        assert len(samples_of(wav)) == pytest.approx(2400, abs=480)
        await say(port, "reset")
        assert await say(port, "calls") == []
        assert (await say(port, "stats"))["calls"] == 0


@pytest.mark.asyncio
async def test_another_process_can_steer() -> None:
    async with controlled() as (caller, callee, control, port):
        assert set(await say(port, "set", options={"hang_up_after_s": 0, "says": "none"})) == set(OPTIONS)
        own = await say(port, "number", number=NUMBER, options={"answer_after": "fixed:0"})
        assert own["answer_after"] == "fixed:0"
        call, sound = caller.invite()
        await caller.next(Answered)
        id = callee.records.calls[0].id
        await say(port, "press", call=id, keys="5#")
        await caller.until(lambda: sound.digits == "5#")
        await say(port, "hang_up", call=id)
        assert (await caller.next(Ended, call)).by == "peer"
        await say(port, "quit")
        assert control.quit.is_set()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"command": "dial"}, "expected one of stats, calls"),
        ({"command": "set", "options": {"says": 1}}, "says: 1 is not a text"),
        ({"command": "set", "options": []}, "options: expected an object"),
        ({"command": "number", "number": "you", "options": {}}, "number: expected digits"),
        ({"command": "number", "number": "+1", "options": {"lines": 1}}, "lines: is the whole server's"),
        ({"command": "press", "call": 1, "keys": "E"}, "keys: expected some of"),
        ({"command": "press", "call": 1, "keys": "1"}, "call: expected the id of a call that lasts"),
        ({"command": "recording", "call": 1}, "call: expected the id of a call that is over"),
    ],
)
async def test_a_wrong_command_says_what_is_expected(line: dict[str, Any], expected: str) -> None:
    async with controlled() as (_, _, control, _):
        reply = await control.answer(json.dumps(line).encode())
        assert reply["ok"] is False
        assert expected in str(reply["error"])


def test_the_help_of_the_control_port_names_every_command() -> None:
    shown = CliRunner().invoke(command, ["callee", "--help"])
    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    assert f"{', '.join(COMMANDS)}." in words
    for name in OPTIONS:
        assert f"--{name.replace('_', '-')}" in shown.output


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = subprocess.Popen([*PROGRAM, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


async def call_once(port: int) -> None:
    caller = Caller(port)
    await caller.open()
    try:
        caller.invite()
        await caller.next(Ended)
    finally:
        caller.close()


def test_it_says_its_port_serves_and_ends_with_a_summary(tmp_path: Path) -> None:
    arguments = ("--listen", "127.0.0.1:0", "--seed", "7", "--hang-up-after-s", "0.3", "--press", "1@0.1")
    with running(*arguments, "--json", "--recordings", str(tmp_path / "heard")) as (process, line):
        listening = json.loads(line)
        assert (listening["schema"], listening["event"], listening["host"]) == (1, "listening", "127.0.0.1")
        assert (listening["seed"], listening["control_port"]) == (7, None)
        asyncio.run(call_once(listening["port"]))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    call, summary = (json.loads(line) for line in output.splitlines())
    assert (call["event"], call["ended_by"], call["pressed"][0]["keys"]) == ("call", "callee", "1")
    assert (summary["event"], summary["calls"], summary["answered"]) == ("summary", 1, 1)


def test_people_get_lines_they_can_read() -> None:
    with running("--listen", "127.0.0.1:0", "--control-port", "0", "--hang-up-after-s", "0.3") as (
        process,
        line,
    ):
        assert line.startswith("listening on 127.0.0.1:")
        asyncio.run(call_once(int(line.split(":")[1].split(",")[0])))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert output.startswith("call 1 to 441632960101: 200, ")
    assert "ended by callee" in output
    assert "answered" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--listen", "0.0.0.0:5060"], "permit it by --allow-remote"),
        (["--listen", "5060"], "expected HOST:PORT"),
        (["--press", "1"], "is not a key press"),
        (["--codecs", "G729"], "is not one of PCMU, PCMA"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], expected: str) -> None:
    told = CliRunner().invoke(command, ["callee", *arguments])
    assert told.exit_code == 2
    assert expected in told.output
