"""From a decoded job to a LiveJob: defaults filled in, permissions and the text checked. Stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import blake2b
from itertools import count
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import Draft, SubmitEncoder
from connector.config import Application, Config
from connector.dispatch.course import Course
from connector.dispatch.routing import Routing
from connector.errors import ConnectorError
from connector.jobs.bodies import Bodies
from connector.jobs.content import ContentCheck
from connector.jobs.opt_out import OptOut, read_opt_out
from connector.jobs.way import Ways
from connector.metrics import Metrics
from connector.model import Channel, Content, LiveJob
from connector.routing.destination import Destination, analyse
from connector.routing.guards import Ask, Guards
from protocols.rpc.job import Job, Preview
from protocols.rpc.order import OrderEvent

__all__ = ["Admission", "Gate", "opt_outs"]

_ALONE: Final[dict[Channel, frozenset[Channel]]] = {"sms": frozenset({"sms"}), "voice": frozenset({"voice"})}
_canonical = msgspec.msgpack.Encoder(order="deterministic").encode
_body = msgspec.json.Encoder().encode


class Admission(NamedTuple):
    """A job that may be stored. `digest` tells a repetition from a conflict; `body` is kept until the end."""

    job: LiveJob
    digest: str
    body: str
    give_up_at: float


class Gate:
    """`admit` raises ConnectorError naming the field. `key` is the digests' secret: a code has few digits,
    so without one its digest would give it away. `text_key`: the same of the evidence's digests of texts.

    opted_out  who wants nothing of this lane
    """

    def __init__(
        self,
        config: Config,
        key: bytes,
        next_row: int,
        now: Callable[[], float],
        routing: Routing,
        opted_out: OptOut,
        guards: Guards,
        metrics: Metrics,
        text_key: bytes,
    ) -> None:
        self._key = key
        self._guards = guards
        self._apps: dict[int, str] = {}
        self._metrics = metrics
        self._text_key = text_key
        self._rows = count(next_row)
        self._now = now
        self.configure(config, routing, opted_out)

    def know(self, apps: Mapping[str, int]) -> None:
        """Rows of the applications in the journal, by name: of those too that submit nothing any more."""
        self._apps |= {row: name for name, row in apps.items()}

    def configure(self, config: Config, routing: Routing, opted_out: OptOut) -> None:
        """Judge by this configuration from now on."""
        self.opted_out = opted_out
        self._config = config
        self._routing = routing
        self._jobs = config.jobs
        self._hours = config.quiet_hours is not None
        self._quiet = config.quiet_hours is None or config.quiet_hours.jobs
        self._ways = Ways(config)
        content = ContentCheck(config, self._metrics)
        self._bodies = Bodies(config, self._ways, content, self._text_key, self._now)
        enabled = [carrier for carrier in config.carriers if carrier.enabled]
        self._channels: dict[Channel, tuple[str, ...]] = {
            "sms": tuple(carrier.name for carrier in enabled),
            "voice": tuple(trunk.name for trunk in config.trunks if trunk.enabled),
        }
        self._some_carrier_answers_queries = any(carrier.supports.query_sm for carrier in enabled)
        self._prices: dict[tuple[str, tuple[str, ...]], float] = {}  # the highest of some routes, by pricing
        self._encoders = {
            carrier.name: SubmitEncoder(carrier, config.jobs.max_parts, Random(0)) for carrier in enabled
        }

    def admit(
        self,
        app: int,
        application: Application,
        job: Job,
        *,
        deadline_at: float | None = None,
        quiet: bool | None = None,
    ) -> Admission:
        """
        deadline_at  of a rule, which may count from the end of quiet hours; None: the job says it
        quiet        whether it heeds the recipient's quiet hours; None: as [quiet_hours] says
        """
        jobs, now = self._jobs, self._now()
        if deadline_at is None:
            deadline_at = now + self._deadline_s(job)
        on_unknown = job.on_unknown or jobs.on_unknown
        if on_unknown == "query" and not self._some_carrier_answers_queries:
            raise _invalid("on_unknown", "report or resend_once: no carrier of this lane answers queries")
        if self.opted_out and job.to in self.opted_out:
            raise ConnectorError("opted_out", "this number wants nothing of this lane", field="to")
        way = self._ways.of(job.journey)
        destination = analyse(job.to)
        body, proof = self._bodies.said(job, application, way, destination.country)
        quiet = self._quiet if quiet is None else quiet
        live = LiveJob(
            key=next(self._rows), app=app, id=job.id, recipient=job.to,
            body=body if quiet else replace(body, quiet=False), accepted_at=now, deadline_at=deadline_at,
            on_unknown=on_unknown, follow=way.follow, journey_name=way.name, klass=job.class_ or "",
            supersedes=job.supersedes, proof=proof,
        )  # fmt: skip
        live.course = self._routing.course(live)
        self._require_routes(live, live.course, destination)
        if self._hours:
            self._heed_quiet_hours(live, now)
        self._heed_guards(live, application.name, now)
        # Calls that are under way then are waited for; see the journal's sweep.
        give_up_at = live.deadline_at + (jobs.receipt_wait_s if live.body.sms else self._ways.longest_call_s)
        return Admission(live, self.digest(job), _body(live.body).decode(), give_up_at)

    def opens_at(self, number: str, at: float) -> float | None:
        """When the quiet hours end that an E.164 number is in at that time; None: it is in none."""
        return self._routing.opens_at(number, at)

    def digest(self, said: Job | OrderEvent) -> str:
        """Tells a repetition from a conflict when the body is wiped; keyed, 32 hexadecimal digits."""
        return blake2b(_canonical(said), digest_size=16, key=self._key).hexdigest()

    def _deadline_s(self, job: Job) -> float:
        jobs = self._jobs
        deadline_s = jobs.default_deadline_s if job.deadline_s is None else job.deadline_s
        if not jobs.min_deadline_s <= deadline_s <= jobs.max_deadline_s:
            bounds = f"at most {jobs.max_deadline_s:g} s in this lane"
            if jobs.min_deadline_s:
                bounds = f"{jobs.min_deadline_s:g} to {jobs.max_deadline_s:g} s in this lane"
            raise _invalid("deadline_s", bounds)
        return deadline_s

    def _heed_quiet_hours(self, job: LiveJob, now: float) -> None:
        until = self._routing.quiet_until(job, now)
        if until is None:
            return
        waits = self._config.quiet_hours is not None and self._config.quiet_hours.meanwhile == "wait"
        if waits and until < job.deadline_at:
            return
        why = "its deadline is within them" if waits else "this lane refuses jobs then"
        raise ConnectorError(
            "quiet_hours", f"it is quiet hours where the recipient is, and {why}", field="to",
            retry_after_s=round(until - now, 3) if until < math.inf else None,
        )  # fmt: skip

    def _heed_guards(self, job: LiveJob, app: str, now: float) -> None:
        self._apps[job.app] = app
        refusal = self._guards.admit(self._ask(job), now)
        if refusal is not None:
            raise ConnectorError(
                "guarded", refusal.message, field=refusal.field or None, guard=refusal.guard,
                retry_after_s=None if refusal.retry_after_s is None else round(refusal.retry_after_s, 3),
            )  # fmt: skip

    def release(self, job: LiveJob) -> None:
        """It was admitted, and is none: a repetition of another."""
        self._guards.release(self._ask(job), self._now())

    def spent(self, app: int, price: float, now: float) -> None:
        """Something of this application has left, at this price."""
        if (name := self._apps.get(app)) is not None:
            self._guards.spent(name, price, now)

    def feedback(self, app: int, number: str, converted: bool) -> None:
        """Whether the user of this number has used the code of a job, for the guards."""
        if number and (name := self._apps.get(app)) is not None:
            self._guards.feedback(name, number, analyse(number), converted, self._now())

    def _ask(self, job: LiveJob) -> Ask:
        course, number = job.course, job.recipient
        assert course is not None
        if course.single and course.free and not course.preferred:
            first, channels = self._channels[job.channel], _ALONE[job.channel]
        else:
            by_channel = course.routes_by_channel(self._channels)
            routes = {channel: names for channel, names in by_channel.items() if names}
            steps = (course.journey.steps[index].channel for index in course.steps)
            first = next((routes[channel] for channel in steps if channel in routes), ())
            channels = frozenset(routes)
        price = self._prices.get((course.pricing, first))
        if price is None:
            price = max((self._routing.price(name, number) for name in first), default=0.0)
            self._prices[course.pricing, first] = price
        return Ask(self._apps[job.app], number, analyse(number), channels, price)

    def sketch(self, preview: Preview, application: Application) -> LiveJob:
        """A job of this moment that is never stored. Raises ConnectorError as `admit`."""
        way = self._ways.of(preview.journey)
        now = self._now()
        country = analyse(preview.to).country if preview.to else ""
        live = LiveJob(
            key=0, app=0, id="", recipient=preview.to or "",
            body=self._bodies.said(preview, application, way, country).body,
            accepted_at=now, deadline_at=now + (preview.deadline_s or self._jobs.default_deadline_s),
            journey_name=way.name, klass=preview.class_ or "",
        )  # fmt: skip
        live.course = self._routing.course(live)
        return live

    def drafts(self, content: Content) -> Iterator[tuple[str, Draft | Unsendable]]:
        """How it would leave by each carrier, or why it cannot."""
        for name, encoder in self._encoders.items():
            try:
                yield name, encoder.draft(content)
            except Unsendable as error:
                yield name, error

    def _require_routes(self, job: LiveJob, course: Course, destination: Destination) -> None:
        """Each channel of the journey must have somebody who can carry it; else one reason is told."""
        if self._jobs.valid_numbers_only and not destination.valid:
            raise ConnectorError("invalid_job", "no country has assigned such a number", field="to")
        if course.single and course.free and not course.preferred and job.channel == "sms":
            self._require_carrier(job.content, self._channels["sms"])
            return
        by_channel = course.routes_by_channel(self._channels)
        if not any(by_channel.values()):
            raise ConnectorError(
                "invalid_job", "no carrier of this lane may carry it there", field="to",
                hint="see [[routes]], and `carriers` of application, template and journey",
            )  # fmt: skip
        # A channel that nobody serves there is left out, and nothing more.
        for channel, names in by_channel.items():
            if channel == "voice" and names:
                self._ways.require_trunk(job.recipient, job.body.voice[0].sender, names)
            elif names:
                for content in job.body.sms:
                    self._require_carrier(content, names)

    def _require_carrier(self, content: Content, names: Collection[str]) -> None:
        first: Unsendable | None = None
        for name in names:
            try:
                self._encoders[name].draft(content)
            except Unsendable as error:
                first = first or error
            else:
                return
        if first is not None:
            raise ConnectorError(
                "invalid_job", f"no carrier of this lane can send it: {first}", field=first.field
            )


def opt_outs(config: Config) -> OptOut:
    """Who wants nothing of this lane. Raises ConfigError when the file cannot be read."""
    file = config.jobs.opt_out_file
    return OptOut() if file is None else read_opt_out(Path(file))


def _invalid(field: str, expected: str, near: list[str] | None = None) -> ConnectorError:
    hint = f"did you mean {near[0]!r}?" if near else None
    return ConnectorError("invalid_job", f"expected: {expected}", field=field, hint=hint)
