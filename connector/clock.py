"""One time base for everything in the process."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """Seconds since 1970 that never jump: wall time at the start, the monotonic clock from then on.

    Deadlines are stored and compared in this base, so a step of the host's clock expires nothing early, and
    what is written to the journal is still readable after a restart.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
