"""The story of a job: what `status` tells of it, in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connector.cli import decision
from connector.cli.event_line import clock_time

__all__ = ["story"]

Step = dict[str, Any]

_BUILT_IN = ("sms", "voice")
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


def story(status: dict[str, Any]) -> Iterator[tuple[float | None, str]]:
    """(seconds since acceptance, what happened) for each step of the timeline that `status` answers with, and
    of the calls.

    How an attempt ended has no time of its own: the timeline puts it behind the attempt's begin. What else
    is known of a decision follows it, indented and without a time.
    """
    blocks: list[list[tuple[float | None, str]]] = []
    for line in _lines(status):
        if line[0] is not None or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    # While a call rings, other attempts go on.
    for block in sorted(blocks, key=lambda block: block[0][0] or 0.0):
        yield from block
    if (waiting := status.get("waiting")) is not None:
        yield None, _waits(waiting)


def _lines(status: dict[str, Any]) -> Iterator[tuple[float | None, str]]:
    """The same attempt by attempt."""
    attempts = {attempt["attempt"]: attempt for attempt in status["attempts"]}
    for step in status["timeline"]:
        attempt = attempts.get(step.get("attempt"), {})
        words = _WORDS.get(step["type"], _other)(step, attempt, status)
        yield None if step["type"] in _ENDINGS else step["at"] - status["accepted_at"], words
        if step["type"] == "intent":
            yield from ((None, f"  {words}") for words in _besides(step))
            if attempt.get("call") is not None:
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


def _besides(step: Step) -> Iterator[str]:
    """Who was no candidate, and what was planned next."""
    decided = _decided(step)
    yield from decision.no_candidates(decided)
    if (planned := decision.plan(decided)) is not None:
        yield planned


def _decided(step: Step) -> decision.Record:
    # As text: so a daemon that has not been restarted since its update answers.
    record = step["decision"]
    return json.loads(record) if isinstance(record, str) else record  # type: ignore[no-any-return]


def _waits(waiting: dict[str, Any]) -> str:
    if waiting["what"] == "quiet_hours":
        end = "" if waiting["until"] is None else f", at {clock_time(waiting['until'])}"
        return f"waits for the end of the recipient's quiet hours{end}"
    lacks = "; ".join(f"{carrier}: {lack}" for carrier, lack in waiting["carriers"].items())
    return f"waits for a carrier{f' ({lacks})' if lacks else ''}"


def _accepted(step: Step, attempt: Step, status: Step) -> str:
    words = f"accepted and on disk; worthless after {status['deadline_at'] - status['accepted_at']:g} s"
    if (journey := status.get("journey")) and journey not in _BUILT_IN:
        words += f"; by journey {journey}"
    if status.get("class"):
        words += f"; of class {status['class']}"
    if status.get("supersedes"):
        words += "; older jobs of its key are stopped"
    return f"{words}; {_ON_UNKNOWN.get(status['on_unknown'], status['on_unknown'])}"


def _intent(step: Step, attempt: Step, status: Step) -> str:
    decided = _decided(step)
    words = f"attempt {step['attempt']} by {step['carrier']}{_in_parts(attempt)}"
    if decided.get("step"):
        words += f", step {decided['step'] + 1} of the journey"
    if step["attempt"] > 1:
        words += f", with {status['deadline_at'] - step['at']:.1f} s left"
    return f"{words}: {decision.reason(decided, attempt.get('channel', 'sms'))}"


def _sent(step: Step, attempt: Step, status: Step) -> str:
    answers = attempt["answers"]
    message_id = next(answer["message_id"] for answer in answers if answer["part"] == step["part"])
    return f"{step['carrier']} took {_which(step, attempt, status)} as message {message_id}"


def _receipt(step: Step, attempt: Step, status: Step) -> str:
    state = step["state"]
    told = _KINDS.get(step.get("kind") or "", _KINDS["receipt"])
    words = told.format(state, step["carrier"], _which(step, attempt, status))
    error = f" with {step['error']}" if step.get("error") else ""
    meaning = _STATES.get(state, "a state we do not know")
    return f"{words}{error}: {meaning}; {_effect(step, status)}"


def _effect(step: Step, status: Step) -> str:
    if step.get("late"):
        return "too late to change anything"
    ended = status.get("finished_at")
    if step["result"] and ended is not None and step["at"] > ended:
        return "the job had ended before"
    return _RESULTS[step["result"]]


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
    causes = f"{step['carrier']} went down, the deadline passed, or the job was stopped"
    return f"attempt {step['attempt']} never left: {causes}"


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


def _which(step: Step, attempt: Step, status: Step) -> str:
    """`it`, `part 2 of 3`, `attempt 2`, `part 2 of 3 of attempt 2`: no more than tells them apart."""
    words = [f"part {step['part']} of {attempt['parts']}"] if attempt["parts"] > 1 else []
    if len(status["attempts"]) > 1:
        words.append(f"attempt {step['attempt']}")
    return " of ".join(words) or "it"
