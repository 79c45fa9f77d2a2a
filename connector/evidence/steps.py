"""What a record tells, step by step in the order of time, as a certificate shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from connector.evidence.filters import Line
from connector.evidence.masking import mask_within
from connector.evidence.page import Markup, given, join
from connector.evidence.rows import message_id
from connector.evidence.wording import CALL_ENDINGS, RECEIPTS, RESULTS, SOURCES, duration, plural
from protocols.smpp.constants import status_name

__all__ = ["Step", "Why", "steps"]

Why = Callable[[Mapping[str, Any], str], str]
"""(decision, channel) → why that carrier was chosen, as one sentence."""

_RANKS = {"": 0, "main": 0, "end": 1, "late": 2}
_CHANNELS = {"sms": "Text message", "voice": "Call"}


class Step(NamedTuple):
    """One row.

    at     seconds since 1970
    words  what happened
    notes  what is known besides: (what it is, the value as it was given)
    kind   how it stands out
    """

    at: float
    words: Markup
    notes: tuple[tuple[str, str], ...] = ()
    kind: Literal["", "main", "end", "late"] = ""


def steps(line: Line, later: Sequence[Line], why: Why, *, numbers: bool) -> list[Step]:
    """Of the record of a job, and of those about the same job that came `later`."""
    record = line["record"]
    accepted = join(("Accepted from ", given(record["app"]), " and written to disk; then acknowledged"))
    found = [Step(record["accepted_at"], accepted, kind="main")]
    for attempt in record["attempts"]:
        found += _attempt(attempt, line, why, numbers=numbers)
    found += [_further(each, record["attempts"]) for each in record["timeline"]]
    outcome = given(record["outcome"])
    reason = (("reason", record["reason"]),) if record.get("reason") else ()
    found.append(Step(record["finished_at"], join(("Final outcome: ", outcome)), reason, "end"))
    found += _late(line, later, numbers=numbers)
    # Stable: what has one time, as far as it is shown, stays in the order above, and the end behind it.
    return sorted(found, key=lambda step: (round(step.at, 3), _RANKS[step.kind]))


def _raw(line: Line, attempt: int, part: int, *, numbers: bool) -> str:
    """The carrier's own words, "" where there are none; the handset's number in them as everywhere."""
    personal = line.get("personal") or {}
    octets = bytes.fromhex((personal.get("receipts") or {}).get(f"{attempt}/{part}", ""))
    text = octets.decode("utf-8", "backslashreplace")
    return text if numbers else mask_within(text, personal.get("to") or "")


def _attempt(attempt: Mapping[str, Any], line: Line, why: Why, *, numbers: bool) -> Iterator[Step]:
    channel, carrier = attempt["channel"], attempt["carrier"]
    several = len(line["record"]["attempts"]) > 1
    which = f"Attempt {attempt['n']}: " if several else ""
    what = _CHANNELS.get(channel, channel) if not which else _CHANNELS.get(channel, channel).lower()
    in_parts = f" in {plural(_parts(attempt), 'part')}" if _parts(attempt) > 1 else ""
    decision = attempt["decision"]
    notes = [("chosen because", why(decision, channel))] if decision else []
    call = attempt["call"]
    if attempt["result"] and not call:
        # How it ended has no time of its own.
        notes.append(("and then", f"{carrier} {_end(attempt)}"))
    yield Step(attempt["at"], join((which, what, " by ", given(carrier), in_parts)), tuple(notes), "main")
    for part in attempt["parts"]:
        yield from _part(part, attempt, line, numbers=numbers)
    if call:
        yield from _call(call, attempt)


def _parts(attempt: Mapping[str, Any]) -> int:
    parts = attempt.get("parts") or ()
    return max((part["parts"] for part in parts), default=0)


def _part(
    part: Mapping[str, Any], attempt: Mapping[str, Any], line: Line, *, numbers: bool
) -> Iterator[Step]:
    id = message_id(part["message_id"])
    words = join((given(attempt["carrier"]), " took", _which(part)))
    yield Step(part["sent_at"], words, (("message id", id),) if id else ())
    if part["receipt_at"] is not None:
        yield _counting(part, attempt, line, numbers=numbers)


def _counting(part: Mapping[str, Any], attempt: Mapping[str, Any], line: Line, *, numbers: bool) -> Step:
    """The receipt of a part that counts."""
    notes = []
    if raw := _raw(line, attempt["n"], part["part"], numbers=numbers):
        notes.append(("as received", raw))
    if part["receipts"] > 1:
        notes.append(("in all", f"{part['receipts']} receipts came for it"))
    words = _receipt(part, attempt["carrier"], _which(part))
    return Step(part["receipt_at"], words, tuple(notes))


def _which(part: Mapping[str, Any]) -> str:
    return f" part {part['part']} of {part['parts']}" if part["parts"] > 1 else " it"


def _receipt(told: Mapping[str, Any], carrier: str, which: str) -> Markup:
    source = SOURCES.get(told.get("kind") or "receipt", "Receipt")
    state = told["state"]
    about = f" for{which}" if which != " it" else ""
    means = RECEIPTS.get(state, "a state that is not known here")
    counted = f"; counts as {told['result']}" if told.get("result") else "; not final"
    error = (", ", given(told["error"])) if told.get("error") else ()
    return join((source, " ", given(state), " from ", given(carrier), about, *error, f": {means}{counted}"))


def _further(told: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]]) -> Step:
    """A receipt besides the one that counts for its part."""
    attempt = next((each for each in attempts if each["n"] == told["attempt"]), {})
    of = _parts(attempt)
    which = f" part {told['part']} of {of}" if of > 1 else " it"
    words = _receipt(told, attempt.get("carrier", ""), which)
    return Step(told["at"], join((words, " (came too late to count)")) if told["late"] else words)


def _call(call: Mapping[str, Any], attempt: Mapping[str, Any]) -> Iterator[Step]:
    begin = call["at"]
    if call.get("ringing") is not None:
        words = "Early media" if call.get("ringing_status") == 183 else "The telephone rang"
        yield Step(begin + call["ringing"], join((words,)))
    if call.get("answered") is not None:
        yield Step(begin + call["answered"], join(("The call was answered",)))
    if call.get("ended") is not None:
        notes = (("so that", f"{attempt['carrier']} {_end(attempt)}"),) if attempt.get("result") else ()
        yield Step(begin + call["ended"], join((_call_end(call),)), notes)


def _call_end(call: Mapping[str, Any]) -> str:
    by = CALL_ENDINGS.get(call.get("ended_by") or "")
    words = f"The call ended: {by}" if by else "The call ended"
    if call.get("answered") is None:
        return f"{words}, unanswered"
    return f"{words} after {duration(call['ended'] - call['answered'])}"


def _end(attempt: Mapping[str, Any]) -> str:
    words = RESULTS.get(attempt["result"], str(attempt["result"]))
    if attempt.get("status") is None:
        return words
    voice = attempt["channel"] == "voice"
    return f"{words} ({'SIP ' + str(attempt['status']) if voice else status_name(attempt['status'])})"


def _late(line: Line, later: Sequence[Line], *, numbers: bool) -> list[Step]:
    """What came when the job had ended; each record repeats what the ones before it said of its attempts."""
    attempts = line["record"]["attempts"]
    seen = {(step.at, step.words) for attempt in attempts for step in _told(attempt, line)}
    results = {attempt["n"]: attempt["result"] for attempt in attempts}
    found = []
    for each in later:
        note = ("record", f"{each['seq']} of the chain")
        record = each["record"]
        if "converted" in record:
            found.append(Step(record["told_at"], _used(record), (note,), "late"))
            continue
        for attempt in record["attempts"]:
            for step in _told(attempt, each, numbers=numbers):
                if (step.at, step.words) not in seen:
                    seen.add((step.at, step.words))
                    found.append(step._replace(notes=(*step.notes, note), kind="late"))
            if attempt["result"] and attempt["result"] != results.get(attempt["n"]) and not attempt["call"]:
                words = join((given(attempt["carrier"]), " ", _end(attempt)))
                found.append(Step(each["at"], words, (note,), "late"))
            results[attempt["n"]] = attempt["result"]
    return found


def _used(record: Mapping[str, Any]) -> Markup:
    """What the application said."""
    return join((given(record["app"]), f" said that it was {'' if record['converted'] else 'not '}used"))


def _told(attempt: Mapping[str, Any], line: Line, *, numbers: bool = False) -> Iterator[Step]:
    """What a carrier told of an attempt."""
    for part in attempt["parts"]:
        yield from _part(part, attempt, line, numbers=numbers)
    if attempt["call"]:
        yield from _call(attempt["call"], attempt)
    for told in line["record"]["timeline"]:
        if told["attempt"] == attempt["n"]:
            yield _further(told, [attempt])
