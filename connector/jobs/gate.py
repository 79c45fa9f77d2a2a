"""From a decoded job to a LiveJob: defaults filled in, permissions and the text checked. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from hashlib import blake2b
from itertools import count
from typing import NamedTuple

import msgspec

from connector.config import Application, Config
from connector.errors import ConnectorError
from connector.model import Content, LiveJob
from connector.templates import Registry, render
from protocols.gsm.errors import TooManyParts, Unencodable
from protocols.gsm.segmentation import Segments, plan
from protocols.rpc.job import Job, Preview

__all__ = ["Admission", "Gate"]

_canonical = msgspec.msgpack.Encoder(order="deterministic").encode
_body = msgspec.json.Encoder().encode
_JOURNEYS = ("sms",)


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
        self._config = config
        self._jobs = config.jobs
        self._templates = Registry(config.lane, config.templates)
        self._key = key
        self._rows = count(next_row)
        # A 16-bit reference leaves less room in each part: it counts where no carrier has the shorter one.
        enabled = [carrier.text.long_message for carrier in config.carriers if carrier.enabled]
        self._reference_bits = 8 if "udh8" in enabled else 16
        self._now = now

    def admit(self, app: int, application: Application, job: Job) -> Admission:
        jobs = self._jobs
        deadline_s = jobs.default_deadline_s if job.deadline_s is None else job.deadline_s
        if deadline_s > jobs.max_deadline_s:
            raise _invalid("deadline_s", f"at most {jobs.max_deadline_s:g} s in this lane")
        on_unknown = job.on_unknown or jobs.on_unknown
        if on_unknown == "query":
            raise _invalid(
                "on_unknown", "report or resend_once in this lane; no carrier here answers queries"
            )
        if job.journey is not None and job.journey not in _JOURNEYS:
            raise _invalid(
                "journey", f"one of {', '.join(_JOURNEYS)}", get_close_matches(job.journey, _JOURNEYS)
            )
        sender = self._sender(application, job.sender)
        text = self.text(job)
        self.segments(text)
        now = self._now()
        live = LiveJob(
            key=next(self._rows), app=app, id=job.id, recipient=job.to,
            content=Content(text, sender, job.traceparent), accepted_at=now, deadline_at=now + deadline_s,
            on_unknown=on_unknown,
        )  # fmt: skip
        digest = blake2b(_canonical(job), digest_size=16, key=self._key).hexdigest()
        give_up_at = live.deadline_at + jobs.receipt_wait_s
        return Admission(live, digest, _body(live.content).decode(), give_up_at)

    def text(self, job: Job | Preview) -> str:
        """The text that would be sent."""
        if job.text is not None:
            if not self._jobs.free_text:
                raise ConnectorError(
                    "forbidden", "this lane sends templates only", field="text", hint="name a template"
                )
            return job.text
        assert job.template is not None
        return render(self._templates.wording(job.template, job.lang), job.params or {})

    def segments(self, text: str) -> Segments:
        """How it would leave: encoding and parts."""
        try:
            return plan(text, reference_bits=self._reference_bits, max_parts=self._jobs.max_parts)
        except TooManyParts as error:
            raise _invalid(
                "text", f"at most {self._jobs.max_parts} SMS parts, this one needs more"
            ) from error
        except Unencodable as error:
            raise _invalid("text", str(error)) from error

    def _sender(self, application: Application, sender: str | None) -> str:
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
