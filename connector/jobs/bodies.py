"""What a job says, in each channel of its journey: rendered, judged, and under which name it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from connector.config import Application, Config
from connector.config.carrier import SenderRules
from connector.errors import ConnectorError
from connector.evidence.keys import text_hmac
from connector.jobs.content import ContentCheck
from connector.jobs.way import Way, Ways
from connector.model import Body, Content, Guise, Proof
from connector.templates import Registry, Rendered, Wording, render
from connector.templates.registration import Mismatch, mismatch
from connector.templates.senders import guises as guises_of
from protocols.rpc.job import Job, ParamValue, Preview

__all__ = ["Bodies", "Said"]


class Said(NamedTuple):
    """All that would be sent or said, and what evidence keeps of it."""

    body: Body
    proof: Proof


class Bodies:
    """By one configuration. `text_key`: of the evidence's digests of texts."""

    def __init__(
        self, config: Config, ways: Ways, content: ContentCheck, text_key: bytes, now: Callable[[], float]
    ) -> None:
        self._config = config
        self._ways = ways
        self._content = content
        self._text_key = text_key
        self._now = now
        self._templates = Registry(config.lane, config.templates)
        self._carriers = [carrier for carrier in config.carriers if carrier.enabled]
        self._particular = any(carrier.sender_rules != SenderRules() for carrier in self._carriers)

    def said(self, job: Job | Preview, application: Application, way: Way, country: str) -> Said:
        """Raises ConnectorError naming the field that forbids it. `country`: of the recipient, ISO 3166."""
        written, script = way.written, way.script
        called = script is not None
        if job.template is None:
            return self._free_text(job, application, country, called=called)
        wording = self._templates.wording(job.template, job.lang, self._now())
        usual, by_carrier = Guise(), None
        if written:
            sender = self._sender(application, job.sender, calls=called, wording=wording, country=country)
            usual, by_carrier = self._guises(application, wording, country, sender)
        texts: list[Content] = []
        calls: list[Content] = []
        for params in _params_by_attempt(job):
            rendered = render(wording, params)
            self._content.template(wording, params, rendered, called=called)
            if written:
                guises = by_carrier
                if wording.registrations and (barred := self._unregistered(wording, rendered, country)):
                    guises = {**(by_carrier or {}), **barred}
                texts.append(
                    Content(
                        rendered.text, usual.sender, job.traceparent, wording.flash, usual.registered,
                        by_carrier=guises,
                    )
                )  # fmt: skip
            if script is not None:
                caller_id = self._caller_id(application, job.sender, texts=written)
                voice = self._ways.voice(params, script, wording)
                calls.append(Content(rendered.text, caller_id, job.traceparent, voice=voice))
        pinned = wording if wording.carriers else application
        body = Body(tuple(texts), tuple(calls), pinned.carriers, pinned.fallback)
        return Said(body, self._proof(body, country, wording))

    def _free_text(self, job: Job | Preview, application: Application, country: str, *, called: bool) -> Said:
        if called:
            raise ConnectorError(
                "invalid_job", "a call says templates only", field="text", hint="name a template with [voice]"
            )
        sender = self._sender(application, job.sender, calls=False, country=country)
        if not self._config.jobs.free_text:
            raise ConnectorError(
                "forbidden", "this lane sends templates only", field="text", hint="name a template"
            )
        assert job.text is not None
        self._content.text(job.text, job.lang)
        usual, by_carrier = self._guises(application, None, country, sender)
        content = Content(
            job.text, usual.sender, job.traceparent, bool(job.flash), usual.registered, by_carrier=by_carrier
        )
        body = Body((content,), pins=application.carriers, fallback=application.fallback)
        return Said(body, self._proof(body, country))

    def _guises(
        self, application: Application, wording: Wording | None, country: str, sender: str
    ) -> tuple[Guise, dict[str, Guise] | None]:
        if not self._particular and (wording is None or not wording.registrations):
            return Guise(sender, (wording.registered or None) if wording is not None else None), None
        found = guises_of(wording, country, self._carriers, sender)
        if wording is not None and application.senders:
            for name in found.own:
                registration = wording.registration(country, name)
                if registration and registration.sender and registration.sender not in application.senders:
                    why = f"the sender registered in {country} is not registered for the application"
                    found.refused[name] = why
        return found.usual, found.by_carrier

    def _unregistered(self, wording: Wording, rendered: Rendered, country: str) -> dict[str, Guise] | None:
        """Carriers with which another text was filed there than this one.

        Raises ConnectorError where that is so of all that was filed there: what was filed is what leaves.
        """
        filed = [registration for registration in wording.registrations if registration.country == country]
        faults = [mismatch(registration, wording.lang, rendered.text) for registration in filed]
        if None not in faults:
            if (fault := next(iter(faults), None)) is not None:
                raise _unregistered(fault, rendered, country)
            return None
        barred: dict[str, Guise] = {}
        for carrier in self._carriers:
            registration = wording.registration(country, carrier.name)
            if registration is not None and (fault := faults[filed.index(registration)]) is not None:
                why = f"its text is not the one registered in {country}: {fault.message}"
                barred[carrier.name] = Guise(refused=why)
        return barred or None

    def _proof(self, body: Body, country: str, wording: Wording | None = None) -> Proof:
        key = self._text_key
        sms = (*[text_hmac(key, content.text) for content in body.sms],)
        calls = (*[text_hmac(key, content.text) for content in body.voice],)
        if wording is None:
            return Proof(country=country, sms=sms, voice=calls)
        return Proof(wording.template, wording.version, wording.hash, wording.lang, country, sms, calls)

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

    def _sender(
        self,
        application: Application,
        sender: str | None,
        *,
        calls: bool,
        wording: Wording | None = None,
        country: str = "",
    ) -> str:
        """The sender id it would have: the job's, else the template's in that country, else the lane's.

        calls  there are some too: `sender` may be their caller id
        Raises ConnectorError when the application may not use it.
        """
        permitted = self._config.senders_of(application)
        if sender is None or (calls and sender not in permitted and sender in self._ways.caller_ids):
            local = wording.sender(country) if wording is not None and wording.senders else None
            if local is None:
                default = self._config.jobs.default_sender or ""
                return default if not permitted or default in permitted else permitted[0]
            sender, field = local, "template"
        else:
            field = "sender"
        if sender not in permitted:
            near = get_close_matches(sender, permitted, n=1)
            known = f"one of {', '.join(permitted)}" if permitted else "the lane has none"
            hint = f"did you mean {near[0]!r}?" if near else known
            whose = "this sender" if field == "sender" else "the template's sender there"
            raise ConnectorError(
                "forbidden", f"{whose} is not registered for the application", field=field, hint=hint
            )
        return sender


def _unregistered(fault: Mismatch, rendered: Rendered, country: str) -> ConnectorError:
    start, end = fault.position
    name = next((n for n, first, last in rendered.spans if first <= end and start <= last), None)
    return ConnectorError(
        "invalid_job", f"the text is not the one registered in {country}: {fault.message}", field="template",
        position=fault.position, hint=None if name is None else f"see the parameter {name}",
    )  # fmt: skip


def _params_by_attempt(job: Job | Preview) -> Iterator[Mapping[str, ParamValue]]:
    params = job.params or {}
    if job.codes is None:
        yield params
    else:
        for code in job.codes:
            yield {**params, "code": code}
