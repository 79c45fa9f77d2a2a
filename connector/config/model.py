"""connector.toml as frozen structs: the one model of it.

`ConnectorFile` and what it holds is the file, key by key; the JSON schema is generated from it. `Config` is
the same after loading: paths absolute, user names turned into uids, and the carriers and templates beside it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from .carrier import Carrier
from .content import ContentSettings
from .evidence import EvidenceFile, EvidenceSettings
from .fields import END, Count, Days, FileName, Flag, Seconds, SenderId
from .guards import GuardRules, Money
from .journey import CarrierName, Country, Journey, JourneyFile
from .orders import Orders
from .privacy import Privacy, PrivacyFile
from .routing import JobClass, LookupSettings, QuietHours, RouteRule, RoutingSettings
from .template import Template
from .trunk import Trunk
from .voice import ScriptSettings, Voice

__all__ = [
    "Application",
    "ApplicationFile",
    "Config",
    "ConnectorFile",
    "Drain",
    "Http",
    "Inbound",
    "Jobs",
    "Log",
    "Socket",
    "State",
]

Lane = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,31}" + END,
        title="a lane name: lower-case letters, digits and hyphens, a letter first, at most 32",
        description="The one lane this instance serves.",
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{0,63}" + END,
        title="a name: lower-case letters, digits, _ and -, a letter first, at most 64",
    ),
]
Uid = Annotated[int, Meta(ge=0, le=4_294_967_294, title="a uid")]
UserName = Annotated[str, Meta(pattern=r"^[^\x00-\x1f:]+" + END, title="a user name")]
InboundNumber = Annotated[
    str, Meta(pattern=r"^(\*|\+?[0-9]{3,15})" + END, title='a number of 3 to 15 digits, or "*"')
]
MaxQueued = Annotated[int, Meta(ge=1, le=10_000_000, title="a number of jobs from 1 to 10,000,000")]


class Socket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Unix socket that applications speak to."""

    path: Annotated[FileName, Meta(description="Absent: systemd supplies it.")] | None = None
    mode: Annotated[
        str,
        Meta(
            pattern=r"^0?[0-7]{3}" + END,
            title='an octal mode in quotes such as "0660"',
            description="Permissions of the socket file.",
        ),
    ] = "0660"
    max_connections: Count = 256
    max_frame_bytes: Annotated[
        int, Meta(ge=4096, le=67_108_864, title="a number of bytes from 4,096 to 67,108,864")
    ] = 1_048_576

    @property
    def mode_bits(self) -> int:
        """`mode` as a number for chmod."""
        return int(self.mode, 8)


class ApplicationFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One upstream application, known by the uids it runs as."""

    name: Annotated[Name, Meta(description="Shown in events, logs and metrics.")]
    uids: Annotated[
        tuple[Uid | UserName, ...],
        Meta(
            min_length=1, title="a list of uids or user names", description="Who may connect, by SO_PEERCRED."
        ),
    ]
    senders: Annotated[
        tuple[SenderId, ...], Meta(description="Sender ids it may use; empty: all the lane's.")
    ] = ()
    inbound: Annotated[
        tuple[InboundNumber, ...],
        Meta(
            description='Numbers of ours whose messages from handsets it gets; "*": those of all others too.'
        ),
    ] = ()
    max_queued: Annotated[MaxQueued, Meta(description="Its open jobs that wait to leave; above: `busy`.")] = (
        20_000
    )
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(description="Carriers and trunks that its jobs go by; empty: all.")
    ] = ()
    fallback: Annotated[
        Flag, Meta(description="Whether others may carry its jobs when none of `carriers` can.")
    ] = True
    may_forget: Annotated[
        Flag, Meta(description="Whether it may have a number forgotten, in the jobs of all applications.")
    ] = False
    countries: Annotated[
        tuple[Country, ...], Meta(description="It may send to these alone; empty: to [guards.countries].")
    ] = ()
    budget_per_day: (
        Annotated[Money, Meta(description="In the currency of the prices; absent: [guards.budget].")] | None
    ) = None


class Application(ApplicationFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application after loading: user names have become uids."""

    uids: tuple[int, ...]


class State(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the journal lives and how long finished jobs stay in it."""

    folder: Annotated[FileName, Meta(description="Absent: STATE_DIRECTORY, which systemd sets.")] | None = (
        None
    )
    retention_days: Annotated[
        Days, Meta(description="How long finished jobs stay, for late receipts and for `connector why`.")
    ] = 8.0


class Http(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Metrics and health over HTTP. Without this table nothing listens."""

    listen: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}" + END,
            title='an address and a port such as "127.0.0.1:9464" or "[::1]:9464"',
        ),
    ]

    @property
    def address(self) -> tuple[str, int]:
        """Host (without brackets) and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Log(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is logged, and how. Codes, texts and numbers are always redacted."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "text"


class Jobs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this lane permits a job, and what it gets when it does not say."""

    journey: (
        Annotated[
            Name, Meta(description='Of a job that names none; absent: "sms", and "voice" without carriers.')
        ]
        | None
    ) = None
    default_deadline_s: Annotated[Seconds, Meta(description="Deadline of a job that names none.")] = 60.0
    min_deadline_s: Annotated[
        float,
        Meta(
            ge=0,
            le=604_800,
            title="seconds from 0 to 604,800",
            description="A shorter deadline is refused: nothing would be in time.",
        ),
    ] = 0.0
    max_deadline_s: Annotated[Seconds, Meta(description="A longer deadline is refused.")] = 86_400.0
    on_unknown: Annotated[
        Literal["report", "resend_once", "query"],
        Meta(description="What happens when nobody knows whether a message left, or (query) arrived."),
    ] = "report"
    free_text: Annotated[Flag, Meta(description="Whether jobs may carry `text` instead of a template.")] = (
        False
    )
    receipt_wait_s: Annotated[
        Seconds,
        Meta(
            description="How long after its deadline a sent job waits for its receipt before it is `unknown`."
        ),
    ] = 300.0
    max_parts: Annotated[
        int, Meta(ge=1, le=255, title="a whole number from 1 to 255", description="SMS parts of one message.")
    ] = 6
    senders: Annotated[tuple[SenderId, ...], Meta(description="The sender ids this lane owns.")] = ()
    default_sender: Annotated[SenderId, Meta(description="Needed when `senders` is not empty.")] | None = None
    max_queued: Annotated[
        MaxQueued, Meta(description="Open jobs of all applications that wait to leave; above: `busy`.")
    ] = 100_000
    max_followed: Annotated[
        MaxQueued, Meta(description="Jobs that have left and may be sent again; above: `busy`.")
    ] = 200_000
    opt_out_file: (
        Annotated[FileName, Meta(description="Numbers that want nothing of this lane, one a line.")] | None
    ) = None
    valid_numbers_only: Annotated[
        Flag, Meta(description="Whether a number that no country has assigned is refused.")
    ] = False


class Inbound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages from handsets."""

    parts_wait_s: Annotated[
        Seconds,
        Meta(description="How long a long message waits for its last part; then it is told without."),
    ] = 600.0


class Drain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clean stop."""

    timeout_s: Annotated[Seconds, Meta(description="How long open windows may take to empty.")] = 20.0


class ConnectorFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """connector.toml"""

    lane: Lane
    socket: Socket = Socket()
    applications: Annotated[
        tuple[ApplicationFile, ...], Meta(min_length=1, title="at least one [[application]]")
    ] = field(name="application")
    state: State = State()
    http: Http | None = None
    log: Log = Log()
    jobs: Jobs = Jobs()
    inbound: Inbound = Inbound()
    drain: Drain = Drain()
    voice: Voice = Voice()
    scripts: Annotated[
        dict[Name, ScriptSettings], Meta(title="a table of scripts", description="How calls go, by name.")
    ] = {}
    journeys: Annotated[
        dict[Name, JourneyFile],
        Meta(
            title="a table of journeys",
            description='What a job\'s `journey` may name, beside "sms" and, with a trunk, "voice".',
        ),
    ] = {}
    classes: Annotated[
        dict[Name, JobClass],
        Meta(
            title="a table of classes",
            description='What a job\'s `class` may name; all others are of the class "default".',
        ),
    ] = {}
    routes: Annotated[
        tuple[RouteRule, ...], Meta(description="Who may carry what; without a match: all.")
    ] = ()
    routing: RoutingSettings = RoutingSettings()
    quiet_hours: QuietHours | None = None
    lookup: LookupSettings | None = None
    content: ContentSettings = ContentSettings()
    orders: Orders | None = None
    privacy: PrivacyFile = PrivacyFile()
    guards: GuardRules = GuardRules()
    evidence: EvidenceFile = EvidenceFile()


class Config(ConnectorFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instance after loading: everything the daemon needs to know.

    folder        CONFIG_DIR, absolute
    state_folder  absolute; from [state] folder or STATE_DIRECTORY
    carriers      enabled or not, by priority and then name
    trunks        the same of voice carriers
    journeys      as jobs may name them, the built-in ones among them
    classes       "default" among them
    templates     by name; some may belong to other lanes and are refused when asked for
    """

    folder: str
    state_folder: str
    applications: tuple[Application, ...]
    carriers: tuple[Carrier, ...]
    trunks: tuple[Trunk, ...] = ()
    templates: tuple[Template, ...]
    journeys: dict[str, Journey]  # type: ignore[assignment]
    classes: dict[str, JobClass]
    privacy: Privacy = Privacy()
    evidence: EvidenceSettings = EvidenceSettings()

    def application_of(self, uid: int) -> Application | None:
        """The application that runs as `uid`; a uid belongs to one application at most."""
        return next((application for application in self.applications if uid in application.uids), None)

    def senders_of(self, application: Application) -> tuple[str, ...]:
        """The sender ids `application` may use."""
        return application.senders or self.jobs.senders
