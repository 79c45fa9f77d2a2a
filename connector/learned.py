"""What was learned of routes: kept over restarts, and shown to operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from connector.kept import Kept
from connector.metrics import ClassLive, RouteLive
from connector.routing.router import Router

__all__ = ["Learned"]

_FILE: Final = "routes.mp"
_FRESH_S: Final = 5.0  # metrics need not be newer


class Learned:
    """
    deadline_s  what "in time" means in the figures: the lane's default deadline
    kept        its file
    """

    def __init__(self, router: Router, state: Path, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._router = router
        self.kept = Kept(state / _FILE, "routes", lambda now: (router.dump(now),), router.restore)
        self._live: tuple[tuple[RouteLive, ...], tuple[ClassLive, ...]] = ((), ())
        self._live_at = -_FRESH_S

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
