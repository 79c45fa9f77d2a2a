"""The daemon's HTTP: /metrics, /healthz and /readyz, from a thread of their own.

Built on the WSGI server of prometheus_client. What it adds are limits: so many connections at once, so many
bytes of a request, so many seconds for it, so that a slow or hostile client costs a known amount of memory.
"""

from __future__ import annotations

import io
import logging
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from connector.log import event
from connector.metrics import Metrics
from connector.metrics.collector import registry_of

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["HttpServer", "State"]

State = Callable[[], tuple[bool, str]]
"""Good or not, and the reason in one line. Called in a thread of the server: it must not block."""

_MOST_CONNECTIONS: Final = 8
_LONGEST_REQUEST: Final = 8192  # octets of request line and headers
_TIME_LIMIT_S: Final = 5.0  # for the request, and again for the answer
_WAIT_FOR_A_SLOT_S: Final = 1.0

_log = logging.getLogger(__name__)


class HttpServer:
    """Serves `address` (host, port; port 0: any) from `start` to `stop`.

    /metrics  `metrics`, in the format the client asks for (text or OpenMetrics)
    /healthz  200 or 503 by `healthy`: 503 means that a restart is needed
    /readyz   200 or 503 by `ready`: 503 means that jobs should go elsewhere
    """

    def __init__(self, address: tuple[str, int], metrics: Metrics, ready: State, healthy: State) -> None:
        self._address = address
        self._app = _routes(metrics, ready, healthy)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and serve. Raises OSError when the address is taken or does not exist."""
        try:
            self._server = _Server(self._address, self._app)
        except OSError as error:
            host, port = self._address
            raise OSError(f"[http] listen = {host}:{port}: {error.strerror or error}") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close; takes up to a second, so not in the event loop's thread. Does nothing when not started."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError before `start` and after `stop`."""
        if self._server is None:
            raise RuntimeError("the HTTP server is not running")
        return self._server.server_port


def _routes(metrics: Metrics, ready: State, healthy: State) -> WSGIApplication:
    exposition: WSGIApplication = make_wsgi_app(registry_of(metrics))
    routes: dict[str, WSGIApplication] = {
        "/metrics": exposition,
        "/healthz": _state(healthy),
        "/readyz": _state(ready),
    }

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route = routes.get(environ["PATH_INFO"])
        if route is None:
            return _answer(start_response, HTTPStatus.NOT_FOUND, f"one of {', '.join(routes)} is expected")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _answer(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD is expected")
        try:
            return route(environ, start_response)
        except Exception as error:
            event(_log, "HTTP request failed", level=logging.ERROR, error=error, path=environ["PATH_INFO"])
            return _answer(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, "see the log")

    return _without_body_for_head(app)


def _state(state: State) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        good, reason = state()
        return _answer(start_response, HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, reason)

    return app


def _answer(start_response: StartResponse, status: HTTPStatus, reason: str) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [(" ".join(reason.split()) + "\n").encode("utf-8", "replace")]


def _without_body_for_head(app: WSGIApplication) -> WSGIApplication:
    """HEAD is GET without the body, whose length it tells (RFC 9110 §9.3.2)."""

    def headed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "HEAD":
            return app(environ, start_response)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda data: None

        length = sum(map(len, app(environ | {"REQUEST_METHOD": "GET"}, start)))
        status, headers = started[-1]
        start_response(status, [*headers, ("Content-Length", str(length))])
        return ()

    return headed


class _Server(ThreadingWSGIServer):
    allow_reuse_port = False  # two lanes on one port must fail, not share

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        self.set_app(app)

    def server_bind(self) -> None:
        """As HTTPServer's, which asks the DNS for our name and so can block the start."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for the connection, if one of the few is free; others wait in the kernel's backlog."""
        if not self._slots.acquire(timeout=_WAIT_FOR_A_SLOT_S):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        event(_log, "HTTP client lost", level=logging.DEBUG, error=sys.exception())


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        """Read the whole request first, within its limits; what comes after cannot wait for the client."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BytesIO(self._head())
        self.connection.settimeout(_TIME_LIMIT_S)

    def _head(self) -> bytes:
        """Request line and headers. TimeoutError and ValueError close the connection."""
        head, end = b"", time.monotonic() + _TIME_LIMIT_S
        while b"\r\n\r\n" not in head:
            self.connection.settimeout(max(0.001, end - time.monotonic()))
            received = self.connection.recv(_LONGEST_REQUEST)
            head += received
            if len(head) > _LONGEST_REQUEST:
                raise ValueError(f"request longer than {_LONGEST_REQUEST} octets")
            if not received:
                break
        return head

    def get_stderr(self) -> Any:
        """Where wsgiref writes tracebacks of lost clients, unredacted."""
        return io.StringIO()

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes and probes are not worth a line each."""
