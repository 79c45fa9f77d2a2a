import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli.simulate import command
from connector.simulator.control import ask
from connector.simulator.options import OPTIONS
from tests.simulator.esme import Esme, text_to

REPOSITORY = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from connector.cli.simulate import command; command()", "smsc"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = subprocess.Popen([*PROGRAM, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


async def send_one(port: int, number: str = "491511") -> None:
    esme = Esme(*await asyncio.open_connection("127.0.0.1", port))
    assert await esme.bind() == 0
    assert (await esme.ask(text_to(number))).status == 0
    await esme.receipt()
    await esme.settled()
    await esme.close()


def ended(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return output


def test_it_says_its_port_serves_and_ends_with_a_summary() -> None:
    with running("--port", "0", "--json", "--seed", "7", "--receipt-delay", "fixed:0.01") as (process, line):
        listening = json.loads(line)
        assert (listening["schema"], listening["event"], listening["host"]) == (1, "listening", "127.0.0.1")
        assert (listening["seed"], listening["control_port"]) == (7, None)
        asyncio.run(send_one(listening["port"]))
        process.send_signal(signal.SIGTERM)
        summary = json.loads(ended(process))
    assert (summary["event"], summary["accepted"], summary["receipts_answered"]) == ("summary", 1, 1)


def test_events_are_told_and_the_control_port_ends_it() -> None:
    arguments = ("--port", "0", "--json", "--verbose", "--control-port", "0")
    with running(*arguments) as (process, line):
        listening = json.loads(line)
        asyncio.run(send_one(listening["port"]))
        assert ask(listening["control_port"], "stats")["accepted"] == 1
        ask(listening["control_port"], "quit")
        events: list[dict[str, Any]] = [json.loads(line) for line in ended(process).splitlines()]
    assert [event["event"] for event in events] == ["bind", "accepted", "summary"]
    assert events[1]["to"] == "491511"


def test_people_get_lines_they_can_read() -> None:
    with running("--port", "0", "--control-port", "0", "--fast") as (process, line):
        assert line.startswith("listening on 127.0.0.1:")
        assert "control port" in line and "seed" in line
        process.send_signal(signal.SIGINT)
        assert "accepted               0" in ended(process)


def test_a_port_that_is_taken_is_an_error() -> None:
    with running("--port", "0", "--json") as (_, line):
        port = str(json.loads(line)["port"])
        result = subprocess.run([*PROGRAM, "--port", port], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 1
    assert "cannot listen" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_other_machines_are_kept_out(host: str) -> None:
    result = CliRunner().invoke(command, ["smsc", "--host", host])
    assert result.exit_code == 2
    assert "--allow-remote" in result.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--receipt-missing", "1.5"], "--receipt-missing: 1.5 must be at least 0 and at most 1"),
        (["--receipt-delay", "soon"], "expected fixed:SECONDS"),
        (["--id-form", "roman"], "'roman' is not one of"),
        (["--cut-after", "x"], "'x' is not a whole number"),
        (["--recept-missing", "1"], "--receipt-missing"),
    ],
)
def test_bad_usage_says_what_is_expected(arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(command, ["smsc", *arguments])
    assert result.exit_code == 2
    assert expected in result.output


def test_help_has_an_example_and_explains_each_fault() -> None:
    result = CliRunner().invoke(command, ["smsc", "--help"], terminal_width=200)
    assert "  connector simulate smsc --port 2775 --receipt-delay lognormal:2.0,0.6\n" in result.output
    flat = " ".join(result.output.split())
    for name, takes in OPTIONS.items():
        assert f"--{name.replace('_', '-')}" in flat
        assert takes.help in flat
