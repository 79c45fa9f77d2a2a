"""Programs in processes of their own that tell what they do as JSON lines on stdout."""

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Self

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 15.0
PARTING_S = 5.0

Line = dict[str, Any]


class Program:
    """A running program. `lines` is what it has told so far; it is killed at the end of the block."""

    def __init__(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self.lines: list[Line] = []
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(PARTING_S)
        self._reading.join(PARTING_S)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()

    def say(self, **request: Any) -> None:
        """Write one JSON line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def told(self, event: str) -> list[Line]:
        """Every line of one event so far."""
        return [line for line in self.lines if line["event"] == event]

    def wait(self, event: str, count: int = 1) -> list[Line]:
        """The first `count` lines of one event, as soon as they are there."""
        end = time.monotonic() + PATIENCE_S
        with self._more:
            while len(self.told(event)) < count:
                left = end - time.monotonic()
                assert left > 0, f"waited in vain for {count} × {event}; it told {self.lines}"
                self._more.wait(left)
            return self.told(event)[:count]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            line = json.loads(text)
            with self._more:
                self.lines.append(line)
                self._more.notify_all()
