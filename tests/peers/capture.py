"""What passes over loopback, recorded by dumpcap."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Self

PATIENCE_S = 15.0


class Capture:
    """Records the packets of a capture filter, from the beginning of the block until `stop`."""

    def __init__(self, file: Path, wanted: str) -> None:
        self._file = file
        self._process = subprocess.Popen(
            ["dumpcap", "-q", "-i", "lo", "-f", wanted, "-w", str(file)], stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        assert self._process.stderr is not None
        # dumpcap names its file once it records.
        for line in self._process.stderr:
            if line.startswith("File: "):
                return self
        raise AssertionError("dumpcap ended without a file")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_S)

    def wait(self, octets: bytes, count: int = 1) -> None:
        """Until the file holds them `count` times: dumpcap writes what it has block by block."""
        end = time.monotonic() + PATIENCE_S
        while self._file.read_bytes().count(octets) < count:
            assert time.monotonic() < end, f"waited in vain for {count} × {octets.hex(' ', 4)}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the file. What has not been waited for may be missing in it."""
        self._process.send_signal(signal.SIGINT)
        _, messages = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0, messages
