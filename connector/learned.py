"""What was learned of routes: kept over restarts, and shown to operators."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import Any, Final

from connector.log import event as log_event
from connector.metrics import ClassLive, RouteLive
from connector.routing.router import Router

__all__ = ["Learned"]

_log = logging.getLogger(__name__)

_FILE: Final = "routes.mp"
_FRESH_S: Final = 5.0  # metrics need not be newer


class Learned:
    """deadline_s  what "in time" means in the figures: the lane's default deadline"""

    def __init__(self, router: Router, state: Path, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._router = router
        self._path = state / _FILE
        self._writing = threading.Lock()  # a save that was given up goes on in its thread
        self._live: tuple[tuple[RouteLive, ...], tuple[ClassLive, ...]] = ((), ())
        self._live_at = -_FRESH_S

    def load(self, now: float) -> None:
        """Go on from what the last process had learned; without it, or where nobody can read it, anew."""
        try:
            self._router.restore(self._path.read_bytes(), now)
        except FileNotFoundError:
            return
        except (ValueError, OSError) as error:
            log_event(_log, "what was learned of routes is lost", level=logging.WARNING, error=error)

    async def save(self, now: float) -> None:
        """Write it down, whole or not at all. A full disk costs what was learned, not a job."""
        learned = self._router.dump(now)
        try:
            await asyncio.to_thread(self._write, learned)
        except OSError as error:
            log_event(_log, "what was learned of routes is not kept", level=logging.WARNING, error=error)

    def _write(self, learned: bytes) -> None:
        fresh = self._path.with_suffix(".new")
        with self._writing:
            with fresh.open("wb") as file:
                file.write(learned)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)

    def live(self, now: float) -> tuple[tuple[RouteLive, ...], tuple[ClassLive, ...]]:
        """For the metrics: each route over all its destinations, and each class."""
        if now - self._live_at >= _FRESH_S:
            self._live_at = now
            whole: dict[str, RouteLive] = {}
            for row in self._router.routes(now, self.deadline_s, cells=False):
                live = RouteLive(row["route"], row["breaker"] != "closed", row["in_time"])
                whole.setdefault(live.name, live)
            routes = tuple(whole.values())
            classes = tuple(
                ClassLive(row["class"], *(row[key] for key in ClassLive.__struct_fields__[1:]))
                for row in self._router.classes(now)
            )
            self._live = routes, classes
        return self._live

    def stats(self, now: float) -> dict[str, Any]:
        """For the socket's `stats`."""
        return {
            "deadline_s": self.deadline_s,
            "routes": self._router.routes(now, self.deadline_s),
        }
