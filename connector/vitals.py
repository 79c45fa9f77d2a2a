"""What the daemon counts, and how it is at this moment: for Prometheus and for the socket's `stats`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from connector.config.guards import GuardRules
from connector.dispatch import Dispatcher
from connector.journal.ops import Batch
from connector.learned import Learned
from connector.metrics import GuardHits, Live, Metrics
from connector.routing.guards import Guards
from connector.routing.guards.chain import Action

if TYPE_CHECKING:
    from connector.voice.lineup import TrunkLineup

__all__ = ["Vitals"]

_ACTIONS: Final[tuple[Action, ...]] = ("refused", "dry_run")
_HITS: Final = [(guard, action) for guard in GuardRules.__struct_fields__ for action in _ACTIONS]


class Vitals:
    """
    lane          of the instance
    apps          rows of the applications in the journal, by name
    open_jobs     accepted and not final
    trunks        where there are some
    draining      no new jobs are taken
    head          number and MAC of the newest record of evidence; number 0: there is none
    published_at  when the head of the evidence was told to the log, seconds since 1970; None: not yet
    snapshot      the latest `live`, for the thread of the HTTP server: queue and buckets tidy up as they
                  answer, so only the event loop may ask them
    """

    def __init__(
        self,
        lane: str,
        apps: Mapping[str, int],
        metrics: Metrics,
        dispatcher: Dispatcher,
        learned: Learned,
        guards: Guards,
        now: Callable[[], float],
    ) -> None:
        self.lane = lane
        self.apps = apps
        self.open_jobs = 0
        self.draining = False
        self.published_at: float | None = None
        self.head = 0, ""
        self.snapshot = Live()
        self.trunks: TrunkLineup | None = None
        self._metrics = metrics
        self._dispatcher = dispatcher
        self._learned = learned
        self._guards = guards
        self._now = now
        self._parked = self._inbound_parts = 0
        self._backlog: dict[int, int] = {}

    def committed(self, batch: Batch, took_s: float) -> None:
        """Count what a commit of the journal has brought, and how long it took."""
        metrics = self._metrics
        metrics.journal_commit.observe(took_s)
        metrics.journal_batch.observe(len(batch))
        self.open_jobs += sum(accept.verdict == "new" for accept in batch.accepts)
        for outcome, number in batch.outcomes.items():
            metrics.jobs_finished[outcome] += number
            self.open_jobs -= number
        metrics.deadline_misses += batch.missed
        self._count_classes(batch)
        self._parked, self._inbound_parts, self._backlog = batch.parked, batch.inbound_parts, batch.backlog
        if batch.head is not None:
            metrics.evidence_records += batch.head[0] - self.head[0]
            self.head = batch.head

    def _count_classes(self, batch: Batch) -> None:
        metrics, routing = self._metrics, self._dispatcher.routing
        finished, missed = sum(batch.outcomes.values()), batch.missed
        for name, ended, late in batch.classes:
            counted = metrics.job_class(routing.job_class(name))
            counted.finished += ended
            counted.deadline_misses += late
            finished, missed = finished - ended, missed - late
        usual = metrics.job_class(routing.job_class(""))
        usual.finished += finished
        usual.deadline_misses += max(0, missed)

    def look(self) -> None:
        """Renew the snapshot."""
        self.snapshot = self.live()

    def live(self) -> Live:
        now = self._now()
        queue = self._dispatcher.queue
        deadline = queue.next_deadline()
        names = {row: name for name, row in self.apps.items()}
        trunks, voice = self.trunks.live(now) if self.trunks is not None else ((), None)
        routes, classes = self._learned.live(now)
        lookup = self._dispatcher.lookup
        return Live(
            queue_depth=len(queue),
            oldest_deadline_s=None if deadline is None else deadline - now,
            open_jobs=self.open_jobs,
            parked_receipts=self._parked,
            inbound_parts=self._inbound_parts,
            event_backlog={names[row]: n for row, n in dict(self._backlog).items() if row in names},
            carriers=self._dispatcher.carriers_live(now),
            trunks=trunks,
            voice=voice,
            route_health=routes,
            classes=classes,
            quiet_hours_waiting=self._dispatcher.quiet,
            lookups={} if lookup is None else lookup.counts.results(),
            guard_hits=tuple(GuardHits(*what, self._guards.hits[what]) for what in _HITS),
            evidence_published_at=self.published_at,
        )

    def stats(self, routes: bool) -> dict[str, Any]:
        """The answer of the socket's `stats`; with what was learned of routes where that is asked for."""
        metrics = self._metrics
        live: dict[str, Any] = msgspec.to_builtins(self.live())
        live["guard_hits"] = [hit for hit in live["guard_hits"] if hit["jobs"]]
        live["classes"] = self._dispatcher.router.classes(self._now())
        return {
            "schema": 1,
            "lane": self.lane,
            "draining": self.draining,
            "jobs": {
                "accepted": metrics.jobs_accepted,
                "duplicate": metrics.jobs_duplicate,
                "refused": {code: n for code, n in metrics.jobs_refused.items() if n},
                "finished": dict(metrics.jobs_finished),
            },
            **live,
            "guards": self._guards.overview(self._now()),
            **(self._learned.stats(self._now()) if routes else {}),
        }
