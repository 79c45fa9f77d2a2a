import http.client
import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from connector import http as daemon_http
from connector.http import HttpServer
from connector.metrics import Live, Metrics

from .filled import filled


class Daemon:
    def __init__(self) -> None:
        self.ready = (True, "3 of 3 carriers bound")
        self.healthy = (True, "alive")
        self.metrics = filled()
        self.server = HttpServer(
            ("127.0.0.1", 0), self.metrics, ready=lambda: self.ready, healthy=lambda: self.healthy
        )

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    daemon.server.start()
    yield daemon
    daemon.server.stop()


def test_metrics_in_both_formats(daemon: Daemon) -> None:
    response, text = daemon.ask("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "connector_jobs_accepted_total 7.0\n" in text
    response, text = daemon.ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_states(daemon: Daemon, path: str) -> None:
    assert daemon.ask(path)[0].status == 200
    daemon.ready = daemon.healthy = (False, "the journal's disk\nis full")
    response, text = daemon.ask(path)
    assert (response.status, text) == (503, "the journal's disk is full\n")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/nothing"])
def test_head_is_get_without_the_body(daemon: Daemon, path: str) -> None:
    daemon.ready = (False, "no carrier is bound")
    response, body = daemon.ask(path, "HEAD")
    get, text = daemon.ask(path)
    assert (response.status, body) == (get.status, "")
    if path != "/metrics":  # whose length changes with the process's CPU time
        assert response.headers["Content-Length"] == str(len(text))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_get_and_head(daemon: Daemon, method: str) -> None:
    response, _ = daemon.ask("/readyz", method)
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/favicon.ico", "/../etc/passwd"])
def test_nothing_else_is_there(daemon: Daemon, path: str) -> None:
    assert daemon.ask(path)[0].status == 404


def test_one_family_on_request(daemon: Daemon) -> None:
    _, text = daemon.ask("/metrics?name[]=connector_queue_depth")
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["connector_queue_depth 11.0"]


def test_a_failing_gauge_is_an_error_and_not_an_end(
    daemon: Daemon, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Live:
        raise RuntimeError("dictionary changed size during iteration")

    working, daemon.metrics.live = daemon.metrics.live, fails
    with caplog.at_level(logging.ERROR):
        response, text = daemon.ask("/metrics")
    assert (response.status, text) == (500, "see the log\n")
    assert "HTTP request failed" in caplog.text
    assert capfd.readouterr().err == ""
    daemon.metrics.live = working
    assert daemon.ask("/metrics")[0].status == 200


def test_slow_clients_are_cut_off(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_http, "_TIME_LIMIT_S", 0.2)
    with socket.create_connection(("127.0.0.1", daemon.server.port), timeout=10) as client:
        client.sendall(b"GET /readyz HTTP/1.1\r\nX: ")
        assert client.recv(1) == b""


def test_a_drip_does_not_extend_the_time(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_http, "_TIME_LIMIT_S", 0.3)
    closed = threading.Event()
    with socket.create_connection(("127.0.0.1", daemon.server.port), timeout=0.05) as client:
        for _ in range(200):  # ten seconds of one octet each 50 ms
            try:
                client.sendall(b"x")
                if client.recv(1) == b"":
                    closed.set()
            except TimeoutError:
                continue
            except OSError:
                closed.set()
            if closed.is_set():
                break
    assert closed.is_set()


def test_a_long_request_is_cut_off(daemon: Daemon, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        socket.create_connection(("127.0.0.1", daemon.server.port), timeout=10) as client,
        pytest.raises(OSError),  # the close of a connection with unread octets resets it
    ):
        while True:
            client.sendall(b"GET /" + b"a" * 65536)
    assert daemon.ask("/readyz")[0].status == 200
    assert capfd.readouterr().err == ""


def test_idle_connections_are_bounded(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_http, "_TIME_LIMIT_S", 0.5)
    monkeypatch.setattr(daemon_http, "_WAIT_FOR_A_SLOT_S", 5.0)
    clients = [socket.create_connection(("127.0.0.1", daemon.server.port), timeout=10) for _ in range(12)]
    try:
        assert daemon.ask("/readyz")[0].status == 200  # once the idle ones have had their time
        threads = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
        assert len(threads) <= 8
        assert [client.recv(1) for client in clients[:8]] == [b""] * 8
    finally:
        for client in clients:
            client.close()


def test_who_finds_no_slot_in_time_is_sent_away(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_http, "_TIME_LIMIT_S", 1000.0)
    monkeypatch.setattr(daemon_http, "_WAIT_FOR_A_SLOT_S", 0.05)
    clients = [socket.create_connection(("127.0.0.1", daemon.server.port), timeout=5) for _ in range(9)]
    try:
        assert clients[8].recv(1) == b""
    finally:
        for client in clients:
            client.close()


def test_a_client_that_does_not_read_leaves_no_trace(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(daemon_http, "_TIME_LIMIT_S", 0.2)
    for number in range(1500):  # far more than the kernel's buffers take
        daemon.metrics.carrier(f"carrier{number}")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", daemon.server.port))
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert client.recv(8, socket.MSG_PEEK)
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(10)
                assert not thread.is_alive()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "octets", [b"\r\n\r\n", b"\x00\xff\x16\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_garbage_is_survived(daemon: Daemon, octets: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", daemon.server.port), timeout=10) as client:
        client.sendall(octets)
        while client.recv(4096):
            pass
    assert daemon.ask("/readyz")[0].status == 200
    assert capfd.readouterr().err == ""


def test_a_taken_port_is_an_error_at_start(daemon: Daemon) -> None:
    second = HttpServer(("127.0.0.1", daemon.server.port), Metrics(), lambda: (True, ""), lambda: (True, ""))
    with pytest.raises(OSError):
        second.start()


def test_stop_closes_the_port_and_may_come_twice(daemon: Daemon) -> None:
    port = daemon.server.port
    daemon.server.stop()
    daemon.server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with pytest.raises(RuntimeError, match="not running"):
        _ = daemon.server.port


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_ipv6() -> None:
    server = HttpServer(("::1", 0), Metrics(), lambda: (True, "fine"), lambda: (True, ""))
    if not has_ipv6():
        with pytest.raises(OSError):
            server.start()
        return
    server.start()
    try:
        connection = http.client.HTTPConnection("::1", server.port, timeout=10)
        connection.request("GET", "/readyz")
        assert connection.getresponse().read() == b"fine\n"
        connection.close()
    finally:
        server.stop()
