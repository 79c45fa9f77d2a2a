"""A tiny daemon on a real Unix socket: jobs and events in memory, and faults on request."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from protocols.rpc.errors import FrameError, JobError
from protocols.rpc.framing import Reader
from protocols.rpc.job import parse_job
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Fault, Request, encode_error, encode_notification, encode_response


def pytest_asyncio_loop_factories():
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Daemon:
    """``faults`` maps a method to what its next calls get: HANG_UP, SILENCE, a Fault, or octets."""

    HANG_UP = object()
    SILENCE = object()

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.limits = Limits()
        self.changed = threading.Condition()
        self.calls: list[tuple[str, Any]] = []
        self.jobs: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.acked = 0
        self.faults: dict[str, list[Any]] = {}
        self.written = 0
        self.reading = True
        self._connections: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        Path(self.path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen()
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        with self.changed:
            self._listener = None
            self.changed.notify_all()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        self._threads.clear()

    def cut(self) -> None:
        """End every connection as a crash would."""
        with self.changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
            self._connections.clear()
            self.changed.notify_all()

    def read(self, reading: bool) -> None:
        """Stop reading what clients send, or go on."""
        with self.changed:
            self.reading = reading
            self.changed.notify_all()

    def add_events(self, first: int, last: int) -> None:
        with self.changed:
            self.events += [
                {"seq": seq, "id": f"job-{seq}", "at": 1.0, "type": "sent"} for seq in range(first, last + 1)
            ]
            self.changed.notify_all()

    def wait(self, condition: Callable[[], Any]) -> None:
        """Return when ``condition`` holds; it is looked at whenever something happened."""
        with self.changed:
            assert self.changed.wait_for(condition, 10)

    def called(self, method: str) -> list[Any]:
        return [param for name, param in self.calls if name == method]

    def _spawn(self, run: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=run, args=(sock,))
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with self.changed:
                self._connections.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        reader = Reader(self.limits)
        with connection:
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: self.reading or connection not in self._connections)
                try:
                    data = connection.recv(65536)
                    if not data:
                        break
                    for request in reader.feed(data):
                        assert isinstance(request, Request)
                        if not self._answer(connection, request):
                            return self._forget(connection)
                except FrameError as error:
                    connection.sendall(encode_notification("error", [Fault(error.code, error.message)]))
                    break
                except OSError:
                    break
        return self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self.changed:
            if connection in self._connections:
                self._connections.remove(connection)
            self.changed.notify_all()

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        method, (param,) = request.method, request.params
        with self.changed:
            self.calls.append((method, param))
            fault = self.faults[method].pop(0) if self.faults.get(method) else None
            result = self._do(method, param)
            self.changed.notify_all()
        if fault is self.SILENCE:
            return True
        if fault is self.HANG_UP:
            connection.shutdown(socket.SHUT_RDWR)
            return False
        if isinstance(fault, bytes):
            connection.sendall(fault)
            return True
        if isinstance(result, Fault) or fault is not None:
            connection.sendall(encode_error(request.msgid, fault or result))
            return True
        connection.sendall(encode_response(request.msgid, result))
        if method == "subscribe":
            self._spawn(lambda sock: self._pump(sock, param.get("from_seq", self.acked + 1)), connection)
        return True

    def _do(self, method: str, param: Any) -> Any:
        match method:
            case "hello":
                return {"server": "tiny", "version": "1", "lane": "test", "limits": self.limits, "newer": 1}
            case "submit":
                return self._accept_job(param)
            case "submit_many":
                return [self._accept_job(job) for job in param]
            case "forget":
                return {"jobs": 2, "open": 1, "evidence_records": 2}
            case "status":
                return self.jobs.get(param["id"]) or Fault("unknown_job", "no such job", "id")
            case "cancel":
                return param["id"] in self.jobs
            case "ack":
                self.acked = max(self.acked, param["seq"])
                return None
            case "preview":
                return {"encoding": "gsm7", "parts": 1}
            case "stats":
                return {"jobs": len(self.jobs)}
        return None

    def _accept_job(self, obj: Any) -> Any:
        try:
            job = parse_job(obj)
        except JobError as error:
            return Fault("bad_job", error.message, error.field, error.hint)
        duplicate = job.id in self.jobs
        self.jobs[job.id] = {"id": job.id, "state": "queued"}
        return {"id": job.id, "state": "queued", "duplicate": duplicate}

    def _pump(self, connection: socket.socket, seq: int) -> None:
        while True:
            with self.changed:
                while connection in self._connections and not (self.events and self.events[-1]["seq"] >= seq):
                    self.changed.wait()
                if connection not in self._connections:
                    return
                at = max(0, seq - self.events[0]["seq"])
                ready = self.events[at : at + 50]
            try:
                connection.sendall(b"".join(encode_notification("event", [event]) for event in ready))
            except OSError:
                return
            seq = ready[-1]["seq"] + 1
            with self.changed:
                self.written = seq - 1
                self.changed.notify_all()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    tiny = Daemon(tmp_path / "s")
    tiny.start()
    yield tiny
    if tiny._listener is not None:
        tiny.stop()
