"""What has been counted and timed since the start: plain attributes, to be added to in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from connector.errors import ERRORS

from .calls import TrunkMetrics
from .classes import ClassMetrics
from .histogram import BATCH_SIZES, DELAYS, HANDSET_DELAYS, LATENCIES, Histogram
from .live import Live

__all__ = [
    "BREAKER_STATES", "CONTENT_RULES", "OTHER_STATUS", "OUTCOMES", "CarrierMetrics", "Metrics",
    "StatusCounter",
]  # fmt: skip

OUTCOMES: Final = ("delivered", "undelivered", "expired", "rejected", "unknown", "cancelled")
BREAKER_STATES: Final = ("open", "half_open", "closed")
CONTENT_RULES: Final = ("lexicon", "price", "opt_out", "url", "hidden")
OTHER_STATUS: Final = -1
_MOST_STATUSES: Final = 128


class StatusCounter(Counter[int]):
    """Counts by command_status. The peer chooses the number, so only so many are told apart.

    Further ones are counted together under OTHER_STATUS.
    """

    def __setitem__(self, status: int, count: int) -> None:
        if status in self or len(self) < _MOST_STATUSES:
            super().__setitem__(status, count)
        else:
            super().__setitem__(OTHER_STATUS, self[OTHER_STATUS] + count)


class CarrierMetrics:
    """One carrier's counters (messages, that is parts of a job, unless said otherwise) and times.

    submitted            submit_sm written
    accepted             answered with status 0
    refused              answered with another status, by status
    throttled            of these, the ones that say "slower"
    timed_out            no answer in time
    unknown              nobody knows whether it left: no answer, or the link was lost
    receipts_matched     receipts that found their message, in whatever way
    receipts_parked      came before their submit_sm_resp and waited
    receipts_unmatched   belong to nothing we know
    receipts_by_address  of the matched ones, those found by recipient because the id fitted nothing
    receipts_late        came after their job was final
    outbinds_refused     connections to our outbind listener that were closed
    mo_received          messages of handsets, told to an application
    mo_incomplete        of these, the ones told without all their parts
    mo_repeated          of their PDUs, those that had come before
    mo_unclaimed         and those to a number that is no application's
    bind_changes         entered states of its binds, by state
    to_submit            seconds, acceptance → submit_sm written
    to_answer            seconds, submit_sm written → submit_sm_resp read; of a long message's parts, from the
                         newest written
    to_handset           seconds, acceptance → receipt that says delivered
    """

    __slots__ = (
        "accepted", "bind_changes", "mo_incomplete", "mo_received", "mo_repeated", "mo_unclaimed",
        "outbinds_refused", "receipts_by_address", "receipts_late", "receipts_matched",
        "receipts_parked", "receipts_unmatched", "refused", "submitted", "throttled", "timed_out",
        "to_answer", "to_handset", "to_submit", "unknown",
    )  # fmt: skip

    def __init__(self) -> None:
        self.submitted = 0
        self.accepted = 0
        self.refused: Counter[int] = StatusCounter()
        self.throttled = 0
        self.timed_out = 0
        self.unknown = 0
        self.receipts_matched = 0
        self.receipts_parked = 0
        self.receipts_unmatched = 0
        self.receipts_by_address = 0
        self.receipts_late = 0
        self.outbinds_refused = 0
        self.mo_received = 0
        self.mo_incomplete = 0
        self.mo_repeated = 0
        self.mo_unclaimed = 0
        self.bind_changes: Counter[str] = Counter()
        self.to_submit = Histogram(DELAYS)
        self.to_answer = Histogram(DELAYS)
        self.to_handset = Histogram(HANDSET_DELAYS)


class Metrics:
    """The daemon's counters and times. One thread (the event loop's) adds; any thread may read.

    jobs_refused     by error code
    jobs_finished    by outcome
    deadline_misses  jobs whose deadline passed before they were delivered
    acceptance       seconds, request read → acknowledgement written
    journal_commit   seconds of one commit
    journal_batch    operations of one commit
    loop_lag         seconds the event loop came late
    receipts_orphaned  receipts of a carrier that is no longer configured
    carriers         by name; `carrier()` adds to it
    trunks           by name; `trunk()` adds to it
    rtp_pacing       seconds by which packets left late; None without calls
    classes          by the names that the configuration gives; `job_class()` adds to it
    follow_ups       attempts of a job besides its first, by (route, channel, what made their step start)
    breaker_changes  entered states of breakers, by (route, state)
    jobs_superseded  stopped by a newer job of the same `supersedes` key
    content_refused  jobs refused for their wording, by rule
    order_events_dropped  that came after a later one
    evidence_records  written since the start
    live             called in the thread of the HTTP server at each scrape: it must copy what it
                     reads (`list(...)`, `dict(...)`) and not block

    The codes and outcomes that exist stand there with 0 from the start: a rate over a series that begins
    with its first failure would not see that failure.
    """

    __slots__ = (
        "acceptance", "breaker_changes", "carriers", "classes", "content_refused", "deadline_misses",
        "evidence_records", "follow_ups", "jobs_accepted", "jobs_duplicate", "jobs_finished",
        "jobs_refused", "jobs_superseded", "journal_batch", "journal_commit", "live", "loop_lag",
        "order_events_dropped", "receipts_orphaned", "rtp_pacing", "trunks",
    )  # fmt: skip

    def __init__(self) -> None:
        self.jobs_accepted = 0
        self.jobs_duplicate = 0
        self.jobs_refused: Counter[str] = Counter(
            {code: 0 for code, entry in ERRORS.items() if "socket" in entry.where}
        )
        self.jobs_finished: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.deadline_misses = 0
        self.receipts_orphaned = 0
        self.acceptance = Histogram(LATENCIES)
        self.journal_commit = Histogram(LATENCIES)
        self.journal_batch = Histogram(BATCH_SIZES)
        self.loop_lag = Histogram(LATENCIES)
        self.carriers: dict[str, CarrierMetrics] = {}
        self.trunks: dict[str, TrunkMetrics] = {}
        self.rtp_pacing: Histogram | None = None
        self.classes: dict[str, ClassMetrics] = {}
        self.follow_ups: Counter[tuple[str, str, str]] = Counter()
        self.breaker_changes: Counter[tuple[str, str]] = Counter()
        self.jobs_superseded = 0
        self.content_refused: Counter[str] = Counter(dict.fromkeys(CONTENT_RULES, 0))
        self.order_events_dropped = 0
        self.evidence_records = 0
        self.live: Callable[[], Live] = Live

    def trunk(self, name: str) -> TrunkMetrics:
        """The same of a trunk."""
        return self.trunks.setdefault(name, TrunkMetrics())

    def job_class(self, name: str) -> ClassMetrics:
        """The same of a job class of the configuration; never of what an application wrote."""
        return self.classes.setdefault(name, ClassMetrics())

    def carrier(self, name: str) -> CarrierMetrics:
        """The counters of one carrier, made at the first call and kept."""
        found = self.carriers.get(name)
        if found is None:
            found = self.carriers[name] = CarrierMetrics()
        return found
