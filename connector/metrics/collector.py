"""The counters as Prometheus metric families, made anew at each scrape.

Names follow the Prometheus naming practices: base units, `_total` for counters. No label carries a phone
number, an id or a text. It runs in the thread of the HTTP server: everything that may grow meanwhile is
copied in one step first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from connector.metrics.counters import OTHER_STATUS, CarrierMetrics, Metrics
from connector.metrics.families import counter, counters, gauges, histograms, labelled
from connector.metrics.histogram import Histogram
from connector.metrics.live import Live
from connector.metrics.proof import proof
from connector.metrics.routing import routing
from protocols.smpp.constants import status_name

__all__ = ["registry_of"]

_CARRIER_COUNTERS: Final[tuple[tuple[str, str, Callable[[CarrierMetrics], int]], ...]] = (
    ("submitted", "submit_sm written to a carrier", lambda c: c.submitted),
    ("accepted", "submit_sm that the carrier answered with success", lambda c: c.accepted),
    ("throttled", "submit_sm refused because we were too fast", lambda c: c.throttled),
    ("timed_out", "submit_sm without an answer in time", lambda c: c.timed_out),
    ("unknown", "Messages of which nobody knows whether they left", lambda c: c.unknown),
    ("receipts_matched", "Receipts that found their message", lambda c: c.receipts_matched),
    ("receipts_parked", "Receipts that came before their submit_sm_resp", lambda c: c.receipts_parked),
    ("receipts_unmatched", "Receipts that belong to no known message", lambda c: c.receipts_unmatched),
    ("receipts_by_address", "Receipts matched by the recipient alone", lambda c: c.receipts_by_address),
    ("receipts_late", "Receipts that came after their job was final", lambda c: c.receipts_late),
    ("outbinds_refused", "Connections for an outbind that were closed", lambda c: c.outbinds_refused),
)
# Messages of handsets: MO, mobile-originated.
_MO_COUNTERS: Final[tuple[tuple[str, str, Callable[[CarrierMetrics], int]], ...]] = (
    ("received", "Messages of handsets told to an application", lambda c: c.mo_received),
    ("incomplete", "Messages of handsets told without all their parts", lambda c: c.mo_incomplete),
    ("repeated", "PDUs of handsets' messages that had come before", lambda c: c.mo_repeated),
    ("unclaimed", "PDUs of handsets' messages to no application's number", lambda c: c.mo_unclaimed),
)
_CARRIER_TIMES: Final[tuple[tuple[str, str, Callable[[CarrierMetrics], Histogram]], ...]] = (
    ("to_submit", "Time from acceptance of the job to submit_sm written", lambda c: c.to_submit),
    ("to_answer", "Time from submit_sm written to its response read", lambda c: c.to_answer),
    ("to_handset", "Time from acceptance of the job to the receipt of delivery", lambda c: c.to_handset),
)


def registry_of(metrics: Metrics) -> CollectorRegistry:
    """A registry of its own that holds `metrics` and this process's CPU, memory and descriptors."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(_Families(metrics))
    ProcessCollector(namespace="connector", registry=registry)
    return registry


class _Families(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        carriers = dict(metrics.carriers)
        yield from _jobs(metrics)
        yield from _times(metrics)
        yield from _carriers(carriers)
        live = metrics.live()
        yield from _live(live)
        yield from routing(metrics, live)
        yield from proof(metrics, live)
        if metrics.trunks:
            yield from _calls(metrics, live)


def _jobs(metrics: Metrics) -> Iterator[Metric]:
    yield counter("jobs_accepted", "Jobs committed and acknowledged", metrics.jobs_accepted)
    yield counter("jobs_duplicate", "Jobs submitted again and answered as before", metrics.jobs_duplicate)
    yield counters("jobs_refused", "Jobs refused, by error code", ("code",), labelled(metrics.jobs_refused))
    yield counters(
        "jobs_finished",
        "Jobs in their final state, by outcome",
        ("outcome",),
        labelled(metrics.jobs_finished),
    )
    yield counter("deadline_misses", "Jobs not delivered before their deadline", metrics.deadline_misses)
    yield counter(
        "receipts_orphaned", "Receipts of a carrier that is no longer configured", metrics.receipts_orphaned
    )


def _times(metrics: Metrics) -> Iterator[Metric]:
    for name, help, histogram in (
        ("acceptance_seconds", "Time from request read to acknowledgement written", metrics.acceptance),
        ("journal_commit_seconds", "Time of one commit of the journal", metrics.journal_commit),
        ("journal_batch_operations", "Operations of one commit of the journal", metrics.journal_batch),
        ("event_loop_lag_seconds", "How late the event loop runs its timers", metrics.loop_lag),
    ):
        yield histograms(name, help, (), [((), histogram)])


def _carriers(carriers: Mapping[str, CarrierMetrics]) -> Iterator[Metric]:
    for name, help, count in _CARRIER_COUNTERS:
        samples = [((carrier,), count(counted)) for carrier, counted in carriers.items()]
        yield counters(f"carrier_{name}", help, ("carrier",), samples)
    for name, help, count in _MO_COUNTERS:
        samples = [((carrier,), count(counted)) for carrier, counted in carriers.items()]
        yield counters(f"mo_{name}", help, ("carrier",), samples)
    refused = [
        ((carrier, "other" if status == OTHER_STATUS else status_name(status)), count)
        for carrier, counted in carriers.items()
        for status, count in dict(counted.refused).items()
    ]
    yield counters("carrier_refused", "submit_sm refused, by command_status", ("carrier", "status"), refused)
    changes = [
        ((carrier, state), count)
        for carrier, counted in carriers.items()
        for state, count in dict(counted.bind_changes).items()
    ]
    yield counters("carrier_bind_changes", "States entered by binds", ("carrier", "state"), changes)
    for name, help, histogram in _CARRIER_TIMES:
        times = [((carrier,), histogram(counted)) for carrier, counted in carriers.items()]
        yield histograms(f"carrier_{name}_seconds", help, ("carrier",), times)


def _calls(metrics: Metrics, live: Live) -> Iterator[Metric]:
    trunks = dict(metrics.trunks)
    of_trunk = ("trunk",)
    yield counters(
        "calls_placed",
        "Calls whose INVITE left",
        of_trunk,
        [((name,), t.placed) for name, t in trunks.items()],
    )
    ended = [
        ((name, result), count)
        for name, trunk in trunks.items()
        for result, count in dict(trunk.ended).items()
    ]
    yield counters("calls_ended", "Calls that are over, by result", ("trunk", "result"), ended)
    talk = [((name,), trunk.talk_s) for name, trunk in trunks.items()]
    yield counters("call_talk_seconds", "Seconds from answers to ends", of_trunk, talk)
    lost = [((name,), trunk.packets_lost) for name, trunk in trunks.items()]
    yield counters("rtp_packets_lost", "Media packets of peers that never came", of_trunk, lost)
    spoofed = [((name,), trunk.packets_spoofed) for name, trunk in trunks.items()]
    yield counters("rtp_packets_spoofed", "Media packets from strangers, ignored", of_trunk, spoofed)
    for name, help in (("ringing", "From INVITE to the first 18x"), ("answer", "From INVITE to 200")):
        times = [((trunk,), getattr(counted, f"to_{name}")) for trunk, counted in trunks.items()]
        yield histograms(f"call_to_{name}_seconds", help, of_trunk, times)
    if metrics.rtp_pacing is not None:
        yield histograms(
            "rtp_pacing_error_seconds", "How late media packets left", (), [((), metrics.rtp_pacing)]
        )
    if (voice := live.voice) is not None:
        prompts = [(("ready",), voice.prompts_ready), (("rendered",), voice.prompts_rendered)]
        yield counters("prompts", "Prompts of calls: ready, or rendered first", ("source",), prompts)
        yield counter("speech_restarts", "Speech workers that died", voice.speech_restarts)
        unsent = [(("late",), voice.rtp_skipped), (("blocked",), voice.rtp_blocked)]
        yield counters("rtp_packets_unsent", "Media packets that never left", ("reason",), unsent)
    states = [((trunk.name, trunk.state), 1) for trunk in live.trunks]
    yield gauges("trunk_state", "1 for the state the trunk is in", ("trunk", "state"), states)
    calls = [((trunk.name,), trunk.calls) for trunk in live.trunks]
    yield gauges("trunk_calls", "Calls under way", of_trunk, calls)
    most = [((trunk.name,), trunk.most) for trunk in live.trunks]
    yield gauges("trunk_calls_limit", "Calls that may be under way", of_trunk, most)
    tokens = [((trunk.name,), trunk.tokens) for trunk in live.trunks]
    yield gauges("trunk_tokens", "Calls that may begin at once", of_trunk, tokens)


def _live(live: Live) -> Iterator[Metric]:
    yield gauges("queue_depth", "Jobs that wait to leave", (), [((), live.queue_depth)])
    oldest = [] if live.oldest_deadline_s is None else [((), live.oldest_deadline_s)]
    yield gauges(
        "queue_oldest_deadline_seconds", "Time left to the next deadline; absent: nothing waits", (), oldest
    )
    yield gauges("open_jobs", "Jobs accepted and not final", (), [((), live.open_jobs)])
    yield gauges(
        "parked_receipts", "Receipts that wait for their submit_sm_resp", (), [((), live.parked_receipts)]
    )
    yield gauges(
        "mo_parts_waiting", "Parts of handsets' messages that wait for the others", (),
        [((), live.inbound_parts)],
    )  # fmt: skip
    yield gauges(
        "event_backlog",
        "Events the application has not acknowledged",
        ("app",),
        labelled(live.event_backlog),
    )
    yield gauges(
        "carrier_tokens",
        "PDUs that may leave at once under the rate limit",
        ("carrier",),
        [((carrier.name,), carrier.tokens) for carrier in live.carriers],
    )
    yield gauges(
        "carrier_rate",
        "PDUs a second that may leave now; below the configured rate after the carrier said too fast",
        ("carrier",),
        [((carrier.name,), carrier.rate) for carrier in live.carriers],
    )
    yield from _receipts(live)
    binds = [(carrier.name, bind) for carrier in live.carriers for bind in carrier.binds]
    of_bind = ("carrier", "bind")
    used = [((carrier, bind.name), bind.window_in_use) for carrier, bind in binds]
    yield gauges("bind_window_in_use", "submit_sm in flight", of_bind, used)
    most = [((carrier, bind.name), bind.window) for carrier, bind in binds]
    yield gauges("bind_window", "submit_sm that may be in flight", of_bind, most)
    states = [((carrier, bind.name, bind.state), 1) for carrier, bind in binds]
    yield gauges("bind_state", "1 for the state the bind is in", (*of_bind, "state"), states)


def _receipts(live: Live) -> Iterator[Metric]:
    yield gauges(
        "receipt_match_ratio",
        "Share of recent receipts that found their message, 0 to 1; absent before the first",
        ("carrier",),
        [
            ((carrier.name,), carrier.receipt_match_ratio)
            for carrier in live.carriers
            if carrier.receipt_match_ratio is not None
        ],
    )
    yield gauges(
        "receipt_id_form",
        "1 for the form in which receipts spell message ids; learn: not known yet",
        ("carrier", "form"),
        [((carrier.name, carrier.id_form or "learn"), 1) for carrier in live.carriers],
    )
