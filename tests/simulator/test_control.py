import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connector.simulator.control import COMMANDS, Control, ControlError, ask
from connector.simulator.options import OPTIONS
from protocols.smpp.constants import CommandId
from tests.simulator.esme import Carrier, carrier, text_to

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def controlled(**options: Any) -> AsyncIterator[tuple[Carrier, Control, int]]:
    async with carrier(**options) as running:
        control = Control(running.smsc)
        port = await control.start()
        try:
            yield running, control, port
        finally:
            await control.stop()


async def say(port: int, command: str, /, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, port, command, **arguments)


async def test_another_process_can_look() -> None:
    async with controlled() as (running, _, port):
        esme = await running.bound()
        for text in (b"one T=%019d" % 1, b"two", b"two"):
            await esme.ask(text_to("491511", text, registered_delivery=0))
        await esme.ask(text_to("491512", b"three", registered_delivery=0))
        stats = await say(port, "stats")
        assert (stats["accepted"], stats["handset_messages"], stats["connections_open"]) == (4, 4, 1)
        assert stats["cpu_s"] > 0
        assert [message["text"] for message in await say(port, "handsets", number="+491512")] == ["three"]
        assert len(await say(port, "handsets")) == 4
        assert (await say(port, "latencies"))["count"] == 1
        submissions = await say(port, "submissions")
        assert submissions["repeats"] == [{"to": "491511", "short_message": b"two".hex(), "count": 2}]
        assert (submissions["total"], submissions["different"]) == (4, 3)
        assert await say(port, "reset") is None
        assert (await say(port, "stats"))["accepted"] == 0


async def test_what_was_accepted_can_be_asked_for_whether_it_arrives_or_not() -> None:
    async with controlled(receipt_delay="fixed:0.01") as (running, _, port):
        esme = await running.bound()
        before = time.time()
        await esme.ask(text_to("491511", b"arrives", registered_delivery=0))
        await say(port, "set", options={"message_lost": 1})
        await esme.ask(text_to("491511", b"is lost"))
        await say(port, "set", options={"message_lost": 0, "receipt_fake": "1"})
        await esme.ask(text_to("491512", b"is a lie"))
        assert (await esme.next()).command_id == CommandId.DELIVER_SM
        messages = await say(port, "messages")
        shown = [(each["to"], each["text"], each["arrives_s"]) for each in messages]
        assert shown == [
            ("+491511", "arrives", 0.01), ("+491511", "is lost", None), ("+491512", "is a lie", None),
        ]  # fmt: skip
        assert before <= messages[0]["at"] <= messages[1]["at"] <= messages[2]["at"] <= time.time()
        assert [each["text"] for each in await say(port, "handsets")] == ["arrives"]
        assert len(await say(port, "messages", number="+491512")) == 1


async def test_another_process_can_steer() -> None:
    async with controlled() as (running, control, port):
        options = await say(
            port, "set", options={"throttle_tps": 0.001, "throttle_burst": "1", "stories": False}
        )
        assert set(options) == set(OPTIONS)
        esme = await running.bound()
        assert [(await esme.ask(text_to("491511", registered_delivery=0))).status for _ in "12"] == [0, 0x58]
        await say(port, "cut")
        assert await esme.rest() == b""
        esme = await running.bound()
        await say(port, "unbind")
        assert (await esme.next()).command_id == 6
        await say(port, "quit")
        assert control.quit.is_set()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"stats", "expected a JSON object"),
        (b"[]", "expected a JSON object"),
        (b"3", "expected a JSON object"),
        (b"{}", "expected one of stats, handsets"),
        (b'{"command": ["stats"]}', "expected one of stats, handsets"),
        (b'{"command": "start"}', "expected one of stats, handsets"),
        (b'{"command": "stats", "more": 1}', "unexpected keyword argument"),
        (b'{"command": "set"}', "missing a required argument: 'options'"),
        (b'{"command": "set", "options": {"receipt_mising": 1}}', "did you mean receipt_missing"),
        (b'{"command": "set", "options": {"receipt_missing": 2}}', "at most 1"),
        (b'{"command": "set", "options": 3}', "options"),
        (b"\xff", "expected a JSON object"),
    ],
)
async def test_a_wrong_request_is_answered_with_what_is_expected(line: bytes, expected: str) -> None:
    async with controlled() as (_, control, port):
        reply = await control.answer(line)
        assert reply["ok"] is False
        assert expected in str(reply["error"])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line + b'\n{"command": "stats"}\n')
        assert json.loads(await reader.readline()) == reply
        assert json.loads(await reader.readline())["ok"] is True
        writer.close()
        await writer.wait_closed()


async def test_a_refusal_reaches_the_one_who_asked() -> None:
    async with controlled() as (_, _, port):
        with pytest.raises(ControlError, match="expected one of"):
            await say(port, "dance")


async def test_an_endless_line_ends_the_connection_only() -> None:
    async with controlled() as (_, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 200_000)
        with pytest.raises((ConnectionError, EOFError)):
            while True:
                await asyncio.wait_for(reader.readexactly(1), 10)
        writer.close()
        assert set(await say(port, "latencies")) == {"count", "p50_ms", "p99_ms", "max_ms"}


async def test_every_command_is_documented_by_its_name() -> None:
    assert {"stats", "handsets", "reset", "latencies", "set", "quit"} <= set(COMMANDS)
