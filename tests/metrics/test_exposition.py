"""What a scrape shows, in both formats, read back by other people's parsers."""

import re
import shutil
import subprocess
import threading

import pytest
from prometheus_client import generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from connector.metrics import BindLive, CarrierLive, Live, Metrics
from connector.metrics.collector import registry_of

from .filled import filled

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.1"

EXPECTED = [
    ("connector_jobs_accepted_total", {}, 7),
    ("connector_jobs_refused_total", {"code": "busy"}, 2),
    ("connector_jobs_refused_total", {"code": "conflict"}, 0),
    ("connector_jobs_finished_total", {"outcome": "delivered"}, 5),
    ("connector_deadline_misses_total", {}, 1),
    ("connector_acceptance_seconds_bucket", {"le": "0.00025"}, 1),
    ("connector_acceptance_seconds_bucket", {"le": "0.005"}, 2),
    ("connector_acceptance_seconds_bucket", {"le": "1.0"}, 2),
    ("connector_acceptance_seconds_bucket", {"le": "+Inf"}, 3),
    ("connector_acceptance_seconds_count", {}, 3),
    ("connector_acceptance_seconds_sum", {}, 5.0032),
    ("connector_journal_batch_operations_bucket", {"le": "16.0"}, 0),
    ("connector_journal_batch_operations_bucket", {"le": "32.0"}, 1),
    ("connector_journal_commit_seconds_count", {}, 0),
    ("connector_event_loop_lag_seconds_count", {}, 0),
    ("connector_carrier_submitted_total", {"carrier": "acme"}, 9),
    ("connector_carrier_submitted_total", {"carrier": 'od"d\\\n'}, 0),
    ("connector_carrier_refused_total", {"carrier": "acme", "status": "ESME_RTHROTTLED"}, 4),
    ("connector_carrier_refused_total", {"carrier": "acme", "status": "0x0000042A"}, 1),
    ("connector_carrier_bind_changes_total", {"carrier": "acme", "state": "BOUND_TRX"}, 1),
    ("connector_carrier_to_handset_seconds_bucket", {"carrier": "acme", "le": "4.0"}, 1),
    ("connector_carrier_to_handset_seconds_bucket", {"carrier": "acme", "le": "3.0"}, 0),
    ("connector_queue_depth", {}, 11),
    ("connector_queue_oldest_deadline_seconds", {}, 2.5),
    ("connector_open_jobs", {}, 12),
    ("connector_parked_receipts", {}, 3),
    ("connector_event_backlog", {"app": "login"}, 4),
    ("connector_carrier_tokens", {"carrier": "acme"}, 1.5),
    ("connector_carrier_rate", {"carrier": "acme"}, 70),
    ("connector_receipt_match_ratio", {"carrier": "acme"}, 0.75),
    ("connector_receipt_id_form", {"carrier": "acme", "form": "hex_in_response"}, 1),
    ("connector_receipt_id_form", {"carrier": "new", "form": "learn"}, 1),
    ("connector_bind_window_in_use", {"carrier": "acme", "bind": "0"}, 6),
    ("connector_bind_window", {"carrier": "acme", "bind": "0"}, 10),
    ("connector_bind_state", {"carrier": "acme", "bind": "0", "state": "BOUND_TRX"}, 1),
    ("connector_follow_ups_total", {"carrier": "acme", "channel": "sms", "reason": "on_predicted_miss"}, 3),
    ("connector_follow_ups_total", {"carrier": "west", "channel": "voice", "reason": "after"}, 1),
    ("connector_breaker_open", {"carrier": "acme"}, 1),
    ("connector_breaker_open", {"carrier": "west"}, 0),
    ("connector_breaker_changes_total", {"carrier": "acme", "state": "open"}, 2),
    ("connector_breaker_changes_total", {"carrier": "acme", "state": "closed"}, 0),
    ("connector_breaker_changes_total", {"carrier": "gone", "state": "open"}, 1),
    ("connector_route_arrival_ratio", {"carrier": "acme"}, 0.125),
    ("connector_class_jobs_finished_total", {"class": "codes"}, 8),
    ("connector_class_extra_sends_total", {"class": "codes"}, 2),
    ("connector_class_cost_total", {"class": "codes"}, 9.5),
    ("connector_class_deadline_misses_total", {"class": "codes"}, 1),
    ("connector_extra_sends_per_job", {"class": "codes"}, 0.25),
    ("connector_extra_sends_per_job_limit", {"class": "codes"}, 0.5),
    ("connector_cost_per_job", {"class": "codes"}, 1.25),
    ("connector_cost_per_job_limit", {"class": "codes"}, 5.0),
    ("connector_jobs_superseded_total", {}, 4),
    ("connector_content_refused_total", {"rule": "lexicon"}, 5),
    ("connector_guard_hits_total", {"guard": "velocity_number", "action": "refused"}, 3),
    ("connector_guard_hits_total", {"guard": "budget", "action": "dry_run"}, 2),
    ("connector_order_events_dropped_total", {}, 6),
    ("connector_evidence_records_total", {}, 14),
    ("connector_evidence_published_timestamp_seconds", {}, 1_800_000_000.0),
    ("connector_quiet_time_waiting", {}, 13),
    ("connector_lookup_total", {"result": "late"}, 6),
    ("connector_lookup_total", {"result": "answered"}, 0),
]


def scrape(metrics: Metrics, accept: str) -> str:
    encode, _ = choose_encoder(accept)
    return encode(registry_of(metrics)).decode()


def samples(metrics: Metrics, accept: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    parse = parse_openmetrics if accept == OPENMETRICS else parse_text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(scrape(metrics, accept))
        for sample in family.samples
    }


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS], ids=["text", "openmetrics"])
def test_everything_counted_is_shown(accept: str) -> None:
    found = samples(filled(), accept)
    for name, labels, value in EXPECTED:
        assert found[name, frozenset(labels.items())] == pytest.approx(value), (name, labels)
    assert ("connector_process_resident_memory_bytes", frozenset()) in found


def test_openmetrics_is_served_only_to_who_asks_for_it() -> None:
    assert scrape(Metrics(), OPENMETRICS).endswith("# EOF\n")
    assert "# EOF" not in scrape(Metrics(), "text/plain")


@pytest.mark.peer("promtool")
@pytest.mark.parametrize("metrics", [Metrics(), filled()], ids=["at start", "filled"])
def test_promtool_finds_nothing_to_complain_about(metrics: Metrics) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (package prometheus) is not installed")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=scrape(metrics, "text/plain"),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_carry_the_prefix_and_labels_are_of_the_agreed_kinds() -> None:
    found = samples(filled(), "text/plain")
    assert {name.partition("_")[0] for name, _ in found} == {"connector"}
    labels = {label for _, pairs in found for label, _ in pairs}
    assert labels == {
        "code", "outcome", "carrier", "status", "state", "app", "bind", "form", "le", "channel", "reason",
        "class", "result", "rule", "guard", "action",
    }  # fmt: skip


def test_an_empty_queue_has_no_oldest_deadline() -> None:
    assert ("connector_queue_oldest_deadline_seconds", frozenset()) not in samples(Metrics(), "text/plain")


def test_a_route_of_which_nothing_is_known_has_no_arrival_ratio() -> None:
    found = samples(filled(), "text/plain")
    unknown = frozenset({"carrier": "west"}.items())
    assert ("connector_route_arrival_ratio", unknown) not in found


def test_each_family_is_declared_once() -> None:
    names = re.findall(r"^# TYPE (\S+)", scrape(filled(), "text/plain"), re.MULTILINE)
    assert len(names) == len(set(names)) >= 40


def test_statuses_beyond_the_bound_are_shown_together() -> None:
    metrics = Metrics()
    for status in range(200):
        metrics.carrier("acme").refused[status] += 1
    found = samples(metrics, "text/plain")
    other = frozenset({"carrier": "acme", "status": "other"}.items())
    assert found["connector_carrier_refused_total", other] == 200 - 128


def test_a_carrier_that_comes_during_a_scrape_waits_for_the_next() -> None:
    metrics = filled()
    families = registry_of(metrics).collect()
    shown = [next(families)]
    while not shown[-1].name.startswith("connector_carrier"):
        shown.append(next(families))
    metrics.carrier("late")
    shown += families
    assert "late" not in {sample.labels.get("carrier") for family in shown for sample in family.samples}


def test_a_scrape_may_come_at_any_moment(random) -> None:  # type: ignore[no-untyped-def]
    metrics, stop = Metrics(), threading.Event()
    metrics.live = lambda: Live(carriers=(CarrierLive("acme", (BindLive("0", "OPEN", 0, 1),)),))

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            carrier = metrics.carrier(f"carrier{number % 20}")
            carrier.refused[number % 1000] += 1
            carrier.bind_changes[f"state{number % 50}"] += 1
            metrics.acceptance.observe(random.random())

    worker = threading.Thread(target=work)
    worker.start()
    try:
        registry = registry_of(metrics)
        for _ in range(5):
            families = {family.name: family for family in parse_text(generate_latest(registry).decode())}
            shown = {sample.name: sample for sample in families["connector_acceptance_seconds"].samples}
            assert (
                shown["connector_acceptance_seconds_bucket"].value
                == shown["connector_acceptance_seconds_count"].value
            )
    finally:
        stop.set()
        worker.join()
