"""A job as an application hands it over."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from protocols.rpc.errors import JobError
from protocols.rpc.params import parse

# A message worth waiting for longer than this is not a message but a letter.
MAX_DEADLINE_S: Final = 7 * 24 * 3600.0

OnUnknown = Literal["report", "resend_once", "query"]

JobId = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
# ITU-T E.164 §6.2.1: at most 15 digits, and no country code begins with 0.
E164 = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")]
# RFC 5646 §2.1: subtags of letters and digits, at most 8 each; whether they are registered is not checked.
Lang = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")]
# W3C Trace Context §3.2: version ff and all-zero ids are invalid.
Traceparent = Annotated[
    str, Meta(pattern=r"^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
]
ParamValue = str | int | float
Code = Annotated[str, Meta(min_length=1, max_length=64)]


class _Content(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    template: Name | None = None
    lang: Lang | None = None
    params: dict[str, ParamValue] | None = None
    text: Annotated[str, Meta(min_length=1)] | None = None
    journey: Name | None = None
    sender: Name | None = None
    flash: bool | None = None
    on_unknown: OnUnknown | None = None
    class_: Annotated[str, Meta(min_length=1, max_length=32)] | None = msgspec.field(
        default=None, name="class"
    )
    traceparent: Traceparent | None = None
    codes: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=8)] | None = None


class Job(_Content, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One message to one person. ``None`` means the lane's default, or absent.

    ``deadline_s`` is in seconds from acceptance; after it the message is worthless. ``supersedes`` names
    its purpose: it stops older jobs of the same name to the same number. ``codes`` are the parameter ``code``
    of the first attempt, the second, and so on; the last one stands for all further ones.
    """

    id: JobId
    to: E164
    deadline_s: float | None = None
    supersedes: Name | None = None


class Preview(_Content, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Parameters of ``preview``: a job, of which only the content is required."""

    id: JobId | None = None
    to: E164 | None = None
    deadline_s: float | None = None


_RULES: Final = {
    "id": "1 to 64 printable characters",
    "to": "an E.164 number, + and 7 to 15 digits",
    "template": "a template's name, 1 to 64 characters",
    "lang": "a BCP 47 language tag such as de or zh-Hant-TW",
    "params": "a map of names to strings or finite numbers",
    "text": "a string that is not empty",
    "deadline_s": "seconds from acceptance, more than 0 and at most 604800 (7 days)",
    "journey": "a journey's name, 1 to 64 characters",
    "sender": "a sender id registered for this lane",
    "flash": "true or false; with a template it is the template's to say",
    "on_unknown": "one of report, resend_once, query",
    "class": "1 to 32 printable characters",
    "codes": "1 to 8 codes, each of 1 to 64 printable characters, in place of the parameter `code`",
    "supersedes": "1 to 64 printable characters",
    "traceparent": "a W3C trace context: 00-<32 hex>-<16 hex>-<2 hex>, in lower case",
}


def parse_job(obj: Any) -> Job:
    """Return the job in ``obj``, the decoded map; raise JobError naming the key that breaks a rule."""
    job = parse(obj, Job, _RULES, JobError)
    if job.deadline_s is not None:
        _check_deadline(job.deadline_s)
    if not job.id.isprintable():
        raise _broken("id")
    if job.supersedes is not None and not job.supersedes.isprintable():
        raise _broken("supersedes")
    _check_content(job)
    return job


def parse_preview(obj: Any) -> Preview:
    """Return the parameters of ``preview``; raise JobError naming the key that breaks a rule."""
    preview = parse(obj, Preview, _RULES, JobError)
    if preview.deadline_s is not None:
        _check_deadline(preview.deadline_s)
    if preview.id is not None and not preview.id.isprintable():
        raise _broken("id")
    _check_content(preview)
    return preview


def _check_deadline(deadline_s: float) -> None:
    # NaN compares false with everything.
    if not 0 < deadline_s <= MAX_DEADLINE_S:
        raise _broken("deadline_s")


def _check_content(content: _Content) -> None:
    if (content.template is None) == (content.text is None):
        what = "neither is given" if content.template is None else "both are given"
        raise JobError("template", f"a template or a text: {what}", "give exactly one of the two")
    if content.flash is not None and content.text is None:
        raise _broken("flash")
    params = content.params
    if params is not None:
        if content.template is None:
            raise JobError("params", "belong to a template, and none is named", "leave them out")
        for value in params.values():
            if type(value) is float and not isfinite(value):
                raise _broken("params")
    if content.codes is not None:
        _check_codes(content.codes, content)
    if content.class_ is not None and not content.class_.isprintable():
        raise _broken("class")


def _check_codes(codes: tuple[str, ...], content: _Content) -> None:
    if content.template is None:
        raise JobError("codes", "belong to a template, and none is named", "leave them out")
    if content.params is not None and "code" in content.params:
        raise JobError("codes", "stand in place of the parameter `code`, which is given too", "leave one out")
    if not all(code.isprintable() for code in codes):
        raise _broken("codes")


def _broken(field: str) -> JobError:
    return JobError(field, "is not acceptable", f"expected: {_RULES[field]}")
