"""`connector why`: everything that happened to one job, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from connector.cli.columns import print_title
from connector.cli.event_line import clock_time
from connector.cli.job_socket import job_socket_option, open_client

__all__ = ["command", "story"]

Step = dict[str, Any]

_RULES = {
    "only_candidate": "{chosen} was the only carrier with room that had not refused it",
    "priority_then_room": "{chosen} out of {candidates}: the lowest priority, among equals the most room",
}
_ON_UNKNOWN = {
    "report": "if nobody knows whether it left, wait for a receipt and never send it again",
    "resend_once": "if nobody knows whether it left, send it once more",
    "query": "if nobody knows whether it left, ask the carrier and never send it again",
}
_STATES = {
    "ENROUTE": "under way to the handset",
    "DELIVERED": "the handset has it",
    "EXPIRED": "the carrier ran out of time",
    "DELETED": "the carrier deleted it",
    "UNDELIVERABLE": "the handset cannot be reached",
    "ACCEPTED": "the carrier has it; this carrier does not say whether the handset does",
    "UNKNOWN": "the carrier does not know",
    "REJECTED": "the network rejected it",
    "FAILED": "delivery failed",
}
_ENDINGS = ("refused", "deferred", "unknown", "unsent", "completed", "missed")
_RESULTS = {
    None: "not final",
    "delivered": "counts as delivered",
    "failed": "counts as failed",
    "expired": "counts as expired",
}
_KINDS = {
    "receipt": "receipt {} from {} for {}",
    "intermediate": "intermediate notification {} from {} for {}",
    "query": "answer {} from {} to our query about {}",
}


@click.command("why")
@click.argument("job")
@job_socket_option()
@click.option("--json", "as_json", is_flag=True, help="Print the job's status as one JSON object.")
def command(job: str, socket_path: Path, *, as_json: bool) -> None:
    """Tell everything that happened to JOB, an id given by the application, and why.

    \b
    Example:
      connector why --socket /run/connector/verification.sock order-1
    """
    with open_client(socket_path) as client:
        status = client.status(job)
    if as_json:
        click.echo(json.dumps(status))
        return
    print_title(_headline(status))
    for seconds, words in story(status):
        click.echo(f"{'' if seconds is None else f'{seconds:+.3f} s':>12}  {words}")


def story(status: dict[str, Any]) -> Iterator[tuple[float | None, str]]:
    """(seconds since acceptance, what happened) for each step of the timeline that `status` answers with, and
    of the calls.

    How an attempt ended has no time of its own: the timeline puts it behind the attempt's begin.
    """
    attempts = {attempt["attempt"]: attempt for attempt in status["attempts"]}
    for step in status["timeline"]:
        attempt = attempts.get(step.get("attempt"), {})
        words = _WORDS.get(step["type"], _other)(step, attempt, status)
        yield None if step["type"] in _ENDINGS else step["at"] - status["accepted_at"], words
        if step["type"] == "intent" and attempt.get("call") is not None:
            yield from _call(attempt["call"], status["accepted_at"])


def _call(call: dict[str, Any], accepted_at: float) -> Iterator[tuple[float, str]]:
    from connector.voice.detail import CallDetail

    detail = msgspec.convert(call, CallDetail)
    for seconds, words in detail.lines():
        yield detail.at + seconds - accepted_at, words
    if detail.media is not None:
        media = detail.media
        heard = f"{media.received} packets heard, {media.lost} lost, jitter {media.jitter_ms:.1f} ms"
        codec = f"{media.codec} in SRTP" if media.encrypted else media.codec
        yield detail.at + (detail.ended or 0.0) - accepted_at, f"{codec}, {media.sent} sent, {heard}"


def _headline(status: dict[str, Any]) -> str:
    at, to = clock_time(status["accepted_at"]), status["to"]
    if status["outcome"] is None:
        return f"{status['id']} to {to}, accepted at {at}: {status['state']}"
    took = status["finished_at"] - status["accepted_at"]
    return f"{status['id']} to {to}, accepted at {at}: {status['outcome']} after {took:.3f} s"


def _accepted(step: Step, attempt: Step, status: Step) -> str:
    deadline = status["deadline_at"] - status["accepted_at"]
    policy = _ON_UNKNOWN.get(status["on_unknown"], status["on_unknown"])
    return f"accepted and on disk; worthless after {deadline:g} s; {policy}"


def _intent(step: Step, attempt: Step, status: Step) -> str:
    decision = json.loads(step["decision"])
    words = _RULES.get(decision["rule"], "{chosen} out of {candidates} by the rule " + decision["rule"])
    reason = words.format(chosen=decision["chosen"], candidates=", ".join(decision["candidates"]))
    return f"attempt {step['attempt']} by {step['carrier']}{_in_parts(attempt)}: {reason}"


def _sent(step: Step, attempt: Step, status: Step) -> str:
    answers = attempt["answers"]
    message_id = next(answer["message_id"] for answer in answers if answer["part"] == step["part"])
    return f"{step['carrier']} took {_which(step, attempt)} as message {message_id}"


def _receipt(step: Step, attempt: Step, status: Step) -> str:
    state = step["state"]
    told = _KINDS.get(step.get("kind") or "", _KINDS["receipt"])
    words = told.format(state, step["carrier"], _which(step, attempt))
    error = f" with {step['error']}" if step.get("error") else ""
    meaning = _STATES.get(state, "a state we do not know")
    effect = "too late to change anything" if step.get("late") else _RESULTS[step["result"]]
    return f"{words}{error}: {meaning}; {effect}"


def _refused(step: Step, attempt: Step, status: Step) -> str:
    if attempt.get("channel") == "voice":
        status_shown = f" with SIP status {step['status']}" if step["status"] else ""
        return f"{step['carrier']} did not take the call{status_shown}"
    from protocols.smpp.constants import status_name

    return f"{step['carrier']} refused it with command_status {status_name(step['status'])}"


def _deferred(step: Step, attempt: Step, status: Step) -> str:
    return f"{_refused(step, attempt, status)}: for now, so other carriers first and this one again later"


def _unknown(step: Step, attempt: Step, status: Step) -> str:
    if attempt.get("channel") == "voice":
        return f"nobody knows how call {step['attempt']} ended: it is not repeated"
    return f"no submit_sm_resp for attempt {step['attempt']}: {step['carrier']} may or may not have sent it"


def _unsent(step: Step, attempt: Step, status: Step) -> str:
    return f"attempt {step['attempt']} never left: {step['carrier']} went down, or the deadline passed"


def _completed(step: Step, attempt: Step, status: Step) -> str:
    return f"the call by {step['carrier']} said what it had to say"


def _missed(step: Step, attempt: Step, status: Step) -> str:
    return f"the call by {step['carrier']} was not heard to its end"


def _final(step: Step, attempt: Step, status: Step) -> str:
    reason = f": {step['reason']}" if step["reason"] else ""
    return f"final, {step['outcome']}{reason}"


def _other(step: Step, attempt: Step, status: Step) -> str:
    return str(step["type"])


_WORDS: dict[str, Callable[[Step, Step, Step], str]] = {
    "accepted": _accepted,
    "intent": _intent,
    "sent": _sent,
    "receipt": _receipt,
    "refused": _refused,
    "deferred": _deferred,
    "unknown": _unknown,
    "unsent": _unsent,
    "completed": _completed,
    "missed": _missed,
    "final": _final,
}


def _in_parts(attempt: Step) -> str:
    return f" in {attempt['parts']} parts" if attempt["parts"] > 1 else ""


def _which(step: Step, attempt: Step) -> str:
    return f"part {step['part']} of {attempt['parts']}" if attempt["parts"] > 1 else "it"
