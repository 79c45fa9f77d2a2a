"""From a decoded job to a LiveJob: defaults filled in, permissions and the text checked. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from hashlib import blake2b
from itertools import count
from random import Random
from typing import NamedTuple

import msgspec

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import Draft, SubmitEncoder
from connector.config import Application, Config, Journey
from connector.errors import ConnectorError
from connector.jobs.way import Ways
from connector.model import Content, LiveJob
from connector.templates import Registry, render
from protocols.rpc.job import Job, Preview

__all__ = ["Admission", "Gate"]

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

    def __init__(self, config: Config, key: bytes, next_row: int, now: Callable[[], float]) -> None:
        self._key = key
        self._rows = count(next_row)
        self._now = now
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Judge by this configuration from now on."""
        self._config = config
        self._jobs = config.jobs
        self._templates = Registry(config.lane, config.templates)
        self._ways = Ways(config)
        enabled = [carrier for carrier in config.carriers if carrier.enabled]
        self._some_carrier_answers_queries = any(carrier.supports.query_sm for carrier in enabled)
        self._encoders = {
            carrier.name: SubmitEncoder(carrier, config.jobs.max_parts, Random(0)) for carrier in enabled
        }

    def admit(self, app: int, application: Application, job: Job) -> Admission:
        jobs = self._jobs
        deadline_s = jobs.default_deadline_s if job.deadline_s is None else job.deadline_s
        if deadline_s > jobs.max_deadline_s:
            raise _invalid("deadline_s", f"at most {jobs.max_deadline_s:g} s in this lane")
        on_unknown = job.on_unknown or jobs.on_unknown
        if on_unknown == "query" and not self._some_carrier_answers_queries:
            raise _invalid("on_unknown", "report or resend_once: no carrier of this lane answers queries")
        content = self.content(job, application)
        if content.voice is None:
            self._require_route(content)
        else:
            self._ways.require_trunk(job.to, content.sender)
        now = self._now()
        live = LiveJob(
            key=next(self._rows), app=app, id=job.id, recipient=job.to,
            content=content, accepted_at=now, deadline_at=now + deadline_s, on_unknown=on_unknown,
        )  # fmt: skip
        digest = blake2b(_canonical(job), digest_size=16, key=self._key).hexdigest()
        wait = jobs.receipt_wait_s if content.voice is None else self._ways.longest_call_s
        give_up_at = live.deadline_at + wait
        return Admission(live, digest, _body(live.content).decode(), give_up_at)

    def content(self, job: Job | Preview, application: Application) -> Content:
        """What would be sent or said. Raises ConnectorError naming the field that forbids it."""
        journey = self._ways.journey(job.journey)
        if journey.channel == "voice":
            return self._spoken(job, application, journey)
        sender = self._sender(application, job.sender)
        if job.text is not None:
            if not self._jobs.free_text:
                raise ConnectorError(
                    "forbidden", "this lane sends templates only", field="text", hint="name a template"
                )
            return Content(job.text, sender, job.traceparent, bool(job.flash))
        assert job.template is not None
        wording = self._templates.wording(job.template, job.lang)
        text = render(wording, job.params or {})
        return Content(text, sender, job.traceparent, wording.flash, wording.registered or None)

    def _spoken(self, job: Job | Preview, application: Application, journey: Journey) -> Content:
        if job.template is None:
            raise ConnectorError(
                "invalid_job", "a call says templates only", field="text", hint="name a template with [voice]"
            )
        # A caller id is a trunk's; without one each trunk shows its first.
        sender = job.sender or ""
        own = application.senders
        permitted = [number for number in self._ways.caller_ids if not own or number in own]
        if sender and sender not in permitted:
            fault = "this caller id is no trunk's of this lane, or not registered for the application"
            known = f"one of {', '.join(permitted)}" if permitted else "leave it to the trunk"
            raise ConnectorError("forbidden", fault, field="sender", hint=known)
        wording = self._templates.wording(job.template, job.lang)
        text = render(wording, job.params or {})
        voice = self._ways.voice(job, journey, wording)
        return Content(text, sender, job.traceparent, voice=voice)

    def drafts(self, content: Content) -> Iterator[tuple[str, Draft | Unsendable]]:
        """How it would leave by each carrier, or why it cannot."""
        for name, encoder in self._encoders.items():
            try:
                yield name, encoder.draft(content)
            except Unsendable as error:
                yield name, error

    def _require_route(self, content: Content) -> None:
        """At least one carrier must be able to send it; else the first one's reason is told."""
        first: Unsendable | None = None
        for encoder in self._encoders.values():
            try:
                encoder.draft(content)
            except Unsendable as error:
                first = first or error
            else:
                return
        if first is not None:
            raise ConnectorError(
                "invalid_job", f"no carrier of this lane can send it: {first}", field=first.field
            )

    def _sender(self, application: Application, sender: str | None) -> str:
        """The sender id it would have. Raises ConnectorError when the application may not use it."""
        permitted = self._config.senders_of(application)
        if sender is None:
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


def _invalid(field: str, expected: str, near: list[str] | None = None) -> ConnectorError:
    hint = f"did you mean {near[0]!r}?" if near else None
    return ConnectorError("invalid_job", f"expected: {expected}", field=field, hint=hint)
