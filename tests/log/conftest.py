import io
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.log import Format, configure


class Output:
    """A configured logger and what it wrote."""

    def __init__(self, format: Format, level: str = "debug") -> None:
        self.stream = io.StringIO()
        self.handler = configure(level, format, self.stream, environ={})
        logging.getLogger().handlers[:] = [self.handler]  # without pytest's own, which formats and raises
        self.logger = logging.getLogger("connector.tests")

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def clear(self) -> None:
        self.stream.seek(0)
        self.stream.truncate()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, hooks, thread_hook = root.level, (sys.excepthook, sys.unraisablehook), threading.excepthook
    yield
    configure("info", "text", io.StringIO(), environ={})  # closes the test's
    root.handlers.pop()
    root.setLevel(level)
    logging.captureWarnings(False)
    sys.excepthook, sys.unraisablehook = hooks
    threading.excepthook = thread_hook


@pytest.fixture
def output() -> Callable[..., Output]:
    return Output


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[socket.socket]:
    """Where journald would listen; its address is `.getsockname()`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "journal"))
        listening.settimeout(5)
        yield listening
