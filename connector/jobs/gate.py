"""From a decoded job to a LiveJob: defaults filled in, permissions and the text checked. Stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import Draft, SubmitEncoder
from connector.config import Application, Config, Journey
from connector.dispatch.course import Course
from connector.dispatch.routing import Routing
from connector.errors import ConnectorError
from connector.jobs.opt_out import OptOut, read_opt_out
from connector.jobs.way import Ways
from connector.model import Body, Channel, Content, LiveJob
from connector.routing.destination import analyse
from connector.templates import Registry, render
from protocols.rpc.job import Job, ParamValue, Preview

__all__ = ["Admission", "Gate", "opt_outs"]

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
    so without one its digest would give it away.
    """

    def __init__(
        self,
        config: Config,
        key: bytes,
        next_row: int,
        now: Callable[[], float],
        routing: Routing,
        opted_out: OptOut,
    ) -> None:
        self._key = key
        self._rows = count(next_row)
        self._now = now
        self.configure(config, routing, opted_out)

    def configure(self, config: Config, routing: Routing, opted_out: OptOut) -> None:
        """Judge by this configuration from now on."""
        self._opted_out = opted_out
        self._config = config
        self._routing = routing
        self._jobs = config.jobs
        self._templates = Registry(config.lane, config.templates)
        self._ways = Ways(config)
        enabled = [carrier for carrier in config.carriers if carrier.enabled]
        self._channels: dict[Channel, tuple[str, ...]] = {
            "sms": tuple(carrier.name for carrier in enabled),
            "voice": tuple(trunk.name for trunk in config.trunks if trunk.enabled),
        }
        self._some_carrier_answers_queries = any(carrier.supports.query_sm for carrier in enabled)
        self._encoders = {
            carrier.name: SubmitEncoder(carrier, config.jobs.max_parts, Random(0)) for carrier in enabled
        }

    def admit(self, app: int, application: Application, job: Job) -> Admission:
        jobs = self._jobs
        deadline_s = jobs.default_deadline_s if job.deadline_s is None else job.deadline_s
        if not jobs.min_deadline_s <= deadline_s <= jobs.max_deadline_s:
            bounds = f"at most {jobs.max_deadline_s:g} s in this lane"
            if jobs.min_deadline_s:
                bounds = f"{jobs.min_deadline_s:g} to {jobs.max_deadline_s:g} s in this lane"
            raise _invalid("deadline_s", bounds)
        on_unknown = job.on_unknown or jobs.on_unknown
        if on_unknown == "query" and not self._some_carrier_answers_queries:
            raise _invalid("on_unknown", "report or resend_once: no carrier of this lane answers queries")
        if self._opted_out and job.to in self._opted_out:
            raise ConnectorError("opted_out", "this number wants nothing of this lane", field="to")
        name, journey = self._ways.journey(job.journey)
        now = self._now()
        single = len(journey.steps) == 1 and journey.steps[0].attempts == 1
        live = LiveJob(
            key=next(self._rows), app=app, id=job.id, recipient=job.to,
            body=self.body(job, application, journey), accepted_at=now, deadline_at=now + deadline_s,
            on_unknown=on_unknown, follow=2 if "delivered" not in journey.stop else 0 if single else 1,
            journey_name=name, klass=job.class_ or "", supersedes=job.supersedes,
        )  # fmt: skip
        live.course = self._routing.course(live)
        self._require_routes(live, live.course)
        self._heed_quiet_hours(live, now)
        digest = blake2b(_canonical(job), digest_size=16, key=self._key).hexdigest()
        # Calls that are under way then are waited for; see the journal's sweep.
        give_up_at = live.deadline_at + (jobs.receipt_wait_s if live.body.sms else self._ways.longest_call_s)
        return Admission(live, digest, _body(live.body).decode(), give_up_at)

    def body(self, job: Job | Preview, application: Application, journey: Journey) -> Body:
        """All that would be sent or said. Raises ConnectorError naming the field that forbids it."""
        scripts = [step.script for step in journey.steps if step.channel == "voice"]
        written = any(step.channel == "sms" for step in journey.steps)
        if job.template is None:
            return self._free_text(job, application, bool(scripts))
        wording = self._templates.wording(job.template, job.lang)
        texts: list[Content] = []
        calls: list[Content] = []
        for params in _params_by_attempt(job):
            text = render(wording, params)
            if written:
                sender = self._sender(application, job.sender, calls=bool(scripts))
                texts.append(
                    Content(text, sender, job.traceparent, wording.flash, wording.registered or None)
                )
            if scripts:
                caller_id = self._caller_id(application, job.sender, texts=written)
                voice = self._ways.voice(params, scripts[0], wording)
                calls.append(Content(text, caller_id, job.traceparent, voice=voice))
        pinned = wording if wording.carriers else application
        return Body(tuple(texts), tuple(calls), pinned.carriers, pinned.fallback)

    def _free_text(self, job: Job | Preview, application: Application, called: bool) -> Body:
        if called:
            raise ConnectorError(
                "invalid_job", "a call says templates only", field="text", hint="name a template with [voice]"
            )
        sender = self._sender(application, job.sender, calls=False)
        if not self._jobs.free_text:
            raise ConnectorError(
                "forbidden", "this lane sends templates only", field="text", hint="name a template"
            )
        assert job.text is not None
        content = Content(job.text, sender, job.traceparent, bool(job.flash))
        return Body((content,), pins=application.carriers, fallback=application.fallback)

    def _caller_id(self, application: Application, sender: str | None, *, texts: bool) -> str:
        """That of a call: a trunk's; without one each trunk shows its first."""
        own = application.senders
        permitted = [number for number in self._ways.caller_ids if not own or number in own]
        if sender and sender in permitted:
            return sender
        if sender and not texts:
            fault = "this caller id is no trunk's of this lane, or not registered for the application"
            known = f"one of {', '.join(permitted)}" if permitted else "leave it to the trunk"
            raise ConnectorError("forbidden", fault, field="sender", hint=known)
        return ""

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

    def sketch(self, preview: Preview, application: Application) -> LiveJob:
        """A job of this moment that is never stored. Raises ConnectorError as `admit`."""
        name, journey = self._ways.journey(preview.journey)
        now = self._now()
        live = LiveJob(
            key=0, app=0, id="", recipient=preview.to or "", body=self.body(preview, application, journey),
            accepted_at=now, deadline_at=now + (preview.deadline_s or self._jobs.default_deadline_s),
            journey_name=name, klass=preview.class_ or "",
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

    def _require_routes(self, job: LiveJob, course: Course) -> None:
        """Each channel of the journey must have somebody who can carry it; else one reason is told."""
        if self._jobs.valid_numbers_only and not analyse(job.recipient).valid:
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

    def _sender(self, application: Application, sender: str | None, *, calls: bool) -> str:
        """The sender id it would have. Raises ConnectorError when the application may not use it.

        calls  there are some too: `sender` may be their caller id
        """
        permitted = self._config.senders_of(application)
        if sender is None or (calls and sender not in permitted and sender in self._ways.caller_ids):
            default = self._jobs.default_sender or ""
            return default if not permitted or default in permitted else permitted[0]
        if sender not in permitted:
            near = get_close_matches(sender, permitted, n=1)
            known = f"one of {', '.join(permitted)}" if permitted else "the lane has none"
            hint = f"did you mean {near[0]!r}?" if near else known
            raise ConnectorError(
                "forbidden", "this sender is not registered for the application", field="sender", hint=hint
            )
        return sender


def opt_outs(config: Config) -> OptOut:
    """Who wants nothing of this lane. Raises ConfigError when the file cannot be read."""
    file = config.jobs.opt_out_file
    return OptOut() if file is None else read_opt_out(Path(file))


def _params_by_attempt(job: Job | Preview) -> Iterator[Mapping[str, ParamValue]]:
    params = job.params or {}
    if job.codes is None:
        yield params
    else:
        for code in job.codes:
            yield {**params, "code": code}


def _invalid(field: str, expected: str, near: list[str] | None = None) -> ConnectorError:
    hint = f"did you mean {near[0]!r}?" if near else None
    return ConnectorError("invalid_job", f"expected: {expected}", field=field, hint=hint)
