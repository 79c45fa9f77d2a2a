"""What is true at this moment, read when somebody asks: the gauges."""

from __future__ import annotations

from msgspec import Struct, field

__all__ = ["BindLive", "CarrierLive", "ClassLive", "GuardHits", "Live", "RouteLive", "TrunkLive", "VoiceLive"]


class BindLive(Struct, frozen=True):
    """One bind: `state` in the words of the bind's state table, `window` the most it may have in flight."""

    name: str
    state: str
    window_in_use: int
    window: int


class CarrierLive(Struct, frozen=True):
    """One carrier: its binds, the tokens (PDUs) that may leave at once, and the rate (PDUs a second) at which
    they come: the configured one, or less after the carrier said "too fast".

    id_form              how its receipts spell message ids, as `id_form` in its file; None: being learned
    id_form_fixed        the file says so
    receipt_match_ratio  the share of recent receipts that found their message; None before the first
    """

    name: str
    binds: tuple[BindLive, ...] = ()
    tokens: float = 0.0
    rate: float = 0.0
    id_form: str | None = None
    id_form_fixed: bool = False
    receipt_match_ratio: float | None = None


class TrunkLive(Struct, frozen=True):
    """One trunk.

    state   up, down (no address answers), registering or refused (the registration was)
    calls   under way, of at most `most`
    tokens  calls that may begin at once; they come at `rate` a second
    """

    name: str
    state: str
    calls: int
    most: int
    tokens: float
    rate: float


class VoiceLive(Struct, frozen=True):
    """What all calls share.

    prompts_ready     prompts that needed no synthesis, since the start
    prompts_rendered  and those that did
    speech_restarts   worker processes that died
    rtp_skipped       packets left out because the process came too late for them
    rtp_blocked       packets that the kernel had no room for
    """

    prompts_ready: int = 0
    prompts_rendered: int = 0
    speech_restarts: int = 0
    rtp_skipped: int = 0
    rtp_blocked: int = 0


class RouteLive(Struct, frozen=True):
    """One route, that is a carrier or a trunk, over all its destinations.

    breaker_open   it gets trials only
    arrival_ratio  probability that what leaves now arrives within the lane's default deadline; None: nothing
                   is known
    """

    name: str
    breaker_open: bool = False
    arrival_ratio: float | None = None


class ClassLive(Struct, frozen=True):
    """One job class over the last ten minutes, and the most its configuration allows.

    extra_sends  attempts beyond the first, a job
    cost         spent a job, in average messages
    """

    name: str = field(name="class")
    extra_sends: float = 0.0
    extra_sends_limit: float = 0.0
    cost: float = 0.0
    cost_limit: float = 0.0


class GuardHits(Struct, frozen=True):
    """How many jobs a guard has refused since the start, or would have. `action`: refused or dry_run."""

    guard: str
    action: str
    jobs: int


class Live(Struct, frozen=True, kw_only=True):
    """The whole daemon.

    queue_depth        jobs that wait to leave
    oldest_deadline_s  seconds to the next deadline among them, negative when it has passed; None: queue empty
    open_jobs          accepted and not final
    parked_receipts    receipts that wait for their submit_sm_resp
    inbound_parts      parts of handsets' messages that wait for the others
    event_backlog      events not yet acknowledged, by application
    quiet_hours_waiting  jobs that wait until the recipient's quiet hours end
    lookups            questions about a number since the start, by what became of them
    guard_hits         what the guards did
    evidence_published_at  when the head of the evidence was told to the log, seconds since 1970; None: never
    """

    queue_depth: int = 0
    oldest_deadline_s: float | None = None
    open_jobs: int = 0
    parked_receipts: int = 0
    inbound_parts: int = 0
    event_backlog: dict[str, int] = {}
    carriers: tuple[CarrierLive, ...] = ()
    trunks: tuple[TrunkLive, ...] = ()
    voice: VoiceLive | None = None
    route_health: tuple[RouteLive, ...] = ()
    classes: tuple[ClassLive, ...] = ()
    quiet_hours_waiting: int = 0
    lookups: dict[str, int] = {}
    guard_hits: tuple[GuardHits, ...] = ()
    evidence_published_at: float | None = None
