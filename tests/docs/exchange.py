"""The exchange of docs/socket.md: read from the page, carried out with a real daemon, and compared."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

PATIENCE_S: Final = 15.0

Message = list[Any]


def spoken(page: str) -> Iterator[tuple[str, Message]]:
    """(`>` or `<`, message) in the order of the page; a message may go on in indented lines."""
    for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL):
        for line in re.split(r"\n(?=[<>] )", block.strip()):
            yield line[0], json.loads(line[2:])


def carry_out(path: str, page: str) -> Iterator[tuple[Message, Message]]:
    """Send what the page sends; yield (what it says was received, what really was)."""
    unpacker = msgpack.Unpacker()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(path)

        def received() -> Message:
            while True:
                for message in unpacker:
                    return list(message)
                data = connection.recv(65_536)
                assert data, "the daemon closed the connection"
                unpacker.feed(data)

        for direction, message in spoken(page):
            if direction == ">":
                connection.sendall(msgpack.packb(message))
                continue
            real = received()
            while not answers(message, real):
                assert real[:2] == [2, "event"], f"{real} came instead of {message}"
                real = received()
            yield message, real


def answers(told: Message, real: Message) -> bool:
    """Whether it is the message the page tells of: the same msgid, or the same event of the same job."""
    if told[0] == 1:
        return told[:2] == real[:2]
    return real[:2] == told[:2] and all(told[2][0][key] == real[2][0][key] for key in ("id", "type"))


def shape(value: Any) -> Any:
    """Keys and kinds of a value; what numbers and texts there are may differ each time."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    return "number" if isinstance(value, int | float) else "text"
