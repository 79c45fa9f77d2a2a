"""Runs in the daemon's place inside its unit and tells each caller on the job socket what it can do there."""

import ctypes
import json
import os
import signal
import socket
import struct
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import regex

from connector import notify


def attempt(action: Callable[[], Any]) -> Any:
    """What the action returns, or the name of what it raises; the details go to the journal."""
    try:
        return action()
    except Exception as error:
        traceback.print_exc()
        return type(error).__name__


def journal() -> int:
    """Commits as the daemon does: WAL with synchronous=FULL, in the state folder."""
    store = apsw.Connection(str(Path(os.environ["STATE_DIRECTORY"], "probe.db")))
    table = "CREATE TABLE IF NOT EXISTS runs (at)"
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", table):
        store.execute(statement).fetchall()
    store.execute("INSERT INTO runs VALUES (julianday())")
    (count,) = store.execute("SELECT count(*) FROM runs").fetchall()[0]
    store.close()
    return int(count)


def callback() -> int:
    """A C function that calls into Python: libffi makes code at run time, what W^X is about."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    numbers = (ctypes.c_int * 2)(2, 1)

    def order(left: int, right: int) -> int:
        a, b = (ctypes.c_int.from_address(address).value for address in (left, right))
        return (a > b) - (a < b)

    ctypes.CDLL(None).qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), compare(order))
    return numbers[0]


def loop() -> bool:
    """A turn of uvloop over TCP, with a name looked up."""
    import asyncio  # noqa: I001 — here, so that a failure is one answer and not the end of the probe
    import uvloop

    async def turn() -> bool:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
        data = await reader.read()
        writer.close()
        server.close()
        return data == b""

    return uvloop.run(turn())


def abilities() -> dict[str, Any]:
    return {
        "uid": os.getuid(),
        "journal": attempt(journal),
        "credential": attempt(lambda: notify.credential("secret_smsc").read_text()),
        "lanes": sorted(os.listdir("/etc/connector")),
        "secrets": attempt(lambda: os.listdir("/etc/connector/probe/credentials")),
        "home": attempt(lambda: os.listdir("/root")),
        "write": attempt(lambda: Path("/etc/connector/probe/mine").write_text("")),
        "netlink": attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
        "callback": attempt(callback),
        "loop": attempt(loop),
        "regex": regex.findall(r"\X", "e\u0301x"),
        "msgspec": msgspec.msgpack.decode(msgspec.msgpack.encode([1])),
        "watchdog_s": notify.watchdog_s(),
    }


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: (notify.stopping("probed"), os._exit(0)))
    (passed,) = notify.listen_fds()
    listener = socket.socket(fileno=passed.fd)
    notify.ready("probing")
    while True:
        caller, _ = listener.accept()
        with caller:
            peer = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            caller.sendall(json.dumps({"name": passed.name, "peer": peer[1], **abilities()}).encode())


main()
