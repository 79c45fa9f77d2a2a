"""Metrics in which everything has happened."""

from connector.metrics import BindLive, CarrierLive, ClassLive, GuardHits, Live, Metrics, RouteLive


def filled() -> Metrics:
    metrics = Metrics()
    metrics.jobs_accepted = 7
    metrics.jobs_refused["busy"] += 2
    metrics.jobs_finished["delivered"] += 5
    metrics.deadline_misses = 1
    metrics.acceptance.observe_many([0.0002, 0.003, 5.0])
    metrics.journal_batch.observe(17)
    carrier = metrics.carrier("acme")
    carrier.submitted = 9
    carrier.refused[0x58] += 4
    carrier.refused[0x42A] += 1
    carrier.bind_changes["BOUND_TRX"] += 1
    carrier.to_handset.observe(3.5)
    metrics.carrier('od"d\\\n')
    metrics.follow_ups["acme", "sms", "on_predicted_miss"] += 3
    metrics.follow_ups["west", "voice", "after"] += 1
    metrics.breaker_changes["acme", "open"] += 2
    metrics.breaker_changes["gone", "open"] += 1
    metrics.jobs_superseded = 4
    metrics.content_refused["lexicon"] += 5
    metrics.order_events_dropped = 6
    metrics.evidence_records = 14
    codes = metrics.job_class("codes")
    codes.finished, codes.extra_sends, codes.cost, codes.deadline_misses = 8, 2, 9.5, 1
    metrics.live = lambda: Live(
        queue_depth=11,
        oldest_deadline_s=2.5,
        open_jobs=12,
        parked_receipts=3,
        event_backlog={"login": 4},
        carriers=(
            CarrierLive(
                "acme",
                (BindLive("0", "BOUND_TRX", 6, 10),),
                tokens=1.5,
                rate=70.0,
                id_form="hex_in_response",
                receipt_match_ratio=0.75,
            ),
            CarrierLive("new"),
        ),
        route_health=(RouteLive("acme", True, 0.125), RouteLive("west")),
        classes=(ClassLive("codes", 0.25, 0.5, 1.25, 5.0),),
        quiet_hours_waiting=13,
        lookups={"late": 6, "answered": 0},
        guard_hits=(GuardHits("velocity_number", "refused", 3), GuardHits("budget", "dry_run", 2)),
        evidence_published_at=1_800_000_000.0,
    )
    return metrics
