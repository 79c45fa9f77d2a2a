"""What would be missed after a restart, but is worth no commit: a file of its own, written now and then."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from connector.log import event as log_event

__all__ = ["Kept"]

_log = logging.getLogger(__name__)


class Kept:
    """Written whole or not at all.

    what     whose knowledge it is, for the log
    dump     what is to be kept at a time, in seconds since 1970: in pieces, each made when it is asked for;
             all else goes on between them
    restore  go on from that; raises ValueError where it cannot be read
    """

    def __init__(
        self,
        path: Path,
        what: str,
        dump: Callable[[float], Iterable[bytes]],
        restore: Callable[[bytes, float], None],
    ) -> None:
        self._path = path
        self._what = what
        self._dump = dump
        self._restore = restore
        self._writing = threading.Lock()  # a save that was given up goes on in its thread

    def load(self, now: float) -> None:
        """Go on from what the last process knew; without it, or where nobody can read it, anew."""
        try:
            self._restore(self._path.read_bytes(), now)
        except FileNotFoundError:
            return
        except (ValueError, OSError) as error:
            log_event(_log, "what was known is lost", level=logging.WARNING, what=self._what, error=error)

    async def save(self, now: float) -> None:
        """Write it down. A full disk costs what was known, not a job."""
        known = []
        for piece in self._dump(now):
            known.append(piece)
            await asyncio.sleep(0)
        try:
            await asyncio.to_thread(self._write, known)
        except OSError as error:
            log_event(_log, "what is known is not kept", level=logging.WARNING, what=self._what, error=error)

    def _write(self, known: Iterable[bytes]) -> None:
        fresh = self._path.with_suffix(".new")
        with self._writing:
            with fresh.open("wb") as file:
                file.writelines(known)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
