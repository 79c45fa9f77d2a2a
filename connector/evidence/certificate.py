"""One job's evidence as a document of one page that can be printed, signed and filed: self-contained HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, Final, NamedTuple

from connector.evidence.case import Case
from connector.evidence.filters import Line
from connector.evidence.masking import mask
from connector.evidence.page import Markup, given, join, page, tag
from connector.evidence.steps import Step, Why, steps
from connector.evidence.wording import (
    CALL_OUTCOMES,
    MACHINES,
    OUTCOMES,
    REMOVALS,
    clock,
    day_text,
    duration,
    moment_text,
    plural,
    since,
)  # fmt: skip

__all__ = ["Checked", "certificate"]

_STYLE: Final = Path(__file__).with_name("certificate.css")
_WIDE: Final = ("Call-ID", "Said", "Sound")
_VERBATIM: Final = ("message id", "as received")
_BESIDE: Final = ("message id",)
_UNSIGNED: Final = (
    "none yet: it is signed after midnight UTC. Until then the head that the log has of every minute stands "
    "for it."
)
_LINES_A_CALL: Final = 6
_MOST_LINES: Final = 13


class Checked(NamedTuple):
    """What came of verifying the chain.

    at         seconds since 1970, when the certificate was issued
    done       whether it was verified at all; without it the five that follow say nothing
    records    of the whole chain
    days       closed ones
    findings   (where, what) of the first few
    found      how many there are
    by         what it was verified with
    secret     whether the chain's secret key was; without it only what a signed head covers is proved
    key        SHA-256 of the public key that signs, hexadecimal
    """

    at: float
    done: bool
    records: int
    days: int
    findings: Sequence[tuple[str, str]]
    found: int
    by: str
    secret: bool
    key: str


def certificate(
    case: Case, checked: Checked, why: Why, *, issued_by: str, state: str, numbers: bool = False
) -> str:
    """The document. No body, code or text is in it, because none is in the chain.

    why        a decision about a route in words
    issued_by  program and version
    state      the state folder, for the commands that check the document
    numbers    with whole telephone numbers
    """
    record = case.line["record"]
    found = steps(case.line, case.later, why, numbers=numbers)
    calls = list(_calls(case))
    title = f"Certificate {record['lane']} {case.line['seq']}: {record['id']}"
    body = (
        _head(case),
        tag("main",
            _verdict(case, numbers=numbers),
            tag("div", _sent(record), _addressed(case, numbers=numbers), class_="pair"),
            _happened(found, record["accepted_at"]),
            *calls,
            _chain(case, checked),
            _check(case, checked, state)),
        _foot(checked, issued_by, numbers=numbers),
    )  # fmt: skip
    return page(title, _STYLE.read_text("utf-8"), body, "dense" if _is_long(found, calls) else "")


def _is_long(found: Sequence[Step], calls: Sequence[Markup]) -> bool:
    """Whether it needs smaller letters to be on one page."""
    notes = sum(name not in _BESIDE for step in found for name, _ in step.notes)
    return len(found) + notes + _LINES_A_CALL * len(calls) > _MOST_LINES


def _head(case: Case) -> Markup:
    record = case.line["record"]
    return tag("header",
        tag("p", "Evidence certificate", class_="kind"),
        tag("p", "Lane ", given(record["lane"]), " · record ", str(case.line["seq"]), class_="number"),
    )  # fmt: skip


def _verdict(case: Case, *, numbers: bool) -> Markup:
    record = case.line["record"]
    what = _what(record)
    outcomes = CALL_OUTCOMES if what == "Call" else OUTCOMES
    badge, ends = outcomes.get(record["outcome"], (record["outcome"], f"ended as {record['outcome']}"))
    ended = record["finished_at"]
    took, left = ended - record["accepted_at"], record["deadline_at"] - ended
    deadline = (
        f"{duration(left)} before its deadline" if left >= 0 else f"{duration(-left)} after its deadline"
    )
    number = _recipient(case, numbers=numbers)
    whom = (" at " if what == "Call" else ": ", tag("b", number)) if number else ()
    about = tag("p",
        f"The {what.lower()} that application ", tag("b", given(record["app"])), " asked for as job ",
        tag("b", given(record["id"])), f" {ends}", *whom,
        f", on {day_text(ended)} at {clock(ended)[:8]} UTC, {duration(took)} after it was accepted",
        f" and {deadline}.", class_="lead",
    )  # fmt: skip
    headline = tag(
        "div", tag("h1", what), tag("p", badge, class_=f"badge {record['outcome']}"), class_="title"
    )
    return tag("section", headline, about)


def _what(record: Mapping[str, Any]) -> str:
    channels = {attempt["channel"] for attempt in record["attempts"]}
    if channels == {"voice"}:
        return "Call"
    if "voice" in channels:
        return "Text message and call"
    if channels:
        return "Text message"
    return "Call" if record["text_hmac"]["voice"] else "Text message"


def _recipient(case: Case, *, numbers: bool) -> Markup | None:
    to = (case.line.get("personal") or {}).get("to")
    return None if not to else tag("bdi", to if numbers else mask(to), class_="digits")


def _sent(record: Mapping[str, Any]) -> Markup:
    template = record.get("template")
    rows: list[tuple[str, Markup]] = []
    if template:
        named = join((tag("b", given(template["name"])), f", version {template['version']}"))
        rows.append(("Template", named))
        rows.append(("Language", given(template["lang"])))
        rows.append(("Its SHA-256", _hex(template["hash"])))
    else:
        rows.append(("Template", Markup("none recorded")))
    for channel, name in (("sms", "Text"), ("voice", "Text of the call")):
        hmacs = record["text_hmac"][channel]
        several = len(hmacs) > 1
        for index, value in enumerate(hmacs, 1):
            rows.append((f"{name} {index}, HMAC" if several else f"{name}, HMAC", _hex(value)))
    return tag("section", tag("h2", "What was sent"), _facts(rows))


def _addressed(case: Case, *, numbers: bool) -> Markup:
    record = case.line["record"]
    number = _recipient(case, numbers=numbers)
    if number is None:
        number = _removal(case.removal)
    rows = [("To", tag("b", number)), ("Country", given(record.get("country") or "not known"))]
    rows.append(("Application", given(record["app"])))
    rows.append(("Its id of the job", given(record["id"])))
    for name, key in (("Journey", "journey"), ("Class", "class")):
        if record.get(key):
            rows.append((name, given(record[key])))
    rows.append(("Accepted", Markup(moment_text(record["accepted_at"]))))
    rows.append(("Deadline", Markup(moment_text(record["deadline_at"]))))
    rows.append(("Ended", Markup(moment_text(record["finished_at"]))))
    return tag("section", tag("h2", "To whom, for whom, when"), _facts(rows))


def _removal(removal: Line | None) -> Markup:
    if removal is None:
        return Markup("removed")
    why = removal["record"]["reason"]
    return join(
        (f"removed on {day_text(removal['at'])}: ", REMOVALS.get(why, why), f" (record {removal['seq']})")
    )


def _happened(found: Sequence[Step], origin: float) -> Markup:
    day = day_text(found[0].at)
    title, rows = f"What happened on {day}", []
    for step in found:
        if (today := day_text(step.at)) != day:
            rows.append(tag("tr", tag("th", today, colspan="3", scope="rowgroup"), class_="day"))
        day = today
        rows.append(_row(step, origin))
    heads = (tag("th", name, scope="col") for name in ("Time, UTC", "After", "What"))
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="steps")
    return tag("section", tag("h2", title), table)


def _row(step: Step, origin: float) -> Markup:
    return tag("tr",
        tag("td", clock(step.at), class_="digits"), tag("td", since(step.at, origin), class_="digits"),
        tag("td", step.words, *(_note(name, value) for name, value in step.notes)), class_=step.kind,
    )  # fmt: skip


def _note(name: str, value: str) -> Markup:
    words = tag("span", given(value), class_="mono" if name in _VERBATIM else "")
    beside = "note beside" if name in _BESIDE else "note"
    return tag("div", tag("span", f"{name} ", class_="name"), words, class_=beside)


def _calls(case: Case) -> Iterator[Markup]:
    """Each by its newest record: a call may go on when its job has ended."""
    calls: dict[int, tuple[Mapping[str, Any], str]] = {}
    for line in (case.line, *case.later):
        keys = (line.get("personal") or {}).get("keys") or {}
        for attempt in line["record"].get("attempts", ()):
            if attempt["call"]:
                calls[attempt["n"]] = attempt["call"], " ".join(keys.get(str(attempt["n"]), ""))
    for n, (call, pressed) in calls.items():
        head = "The call" if len(calls) == 1 else f"The call of attempt {n}"
        yield tag("section", tag("h2", head), _facts(list(_call(call, pressed)), "two"))


def _call(call: Mapping[str, Any], keys: str) -> Iterator[tuple[str, Markup]]:
    yield "Call-ID", tag("span", given(call["call_id"]), class_="mono")
    yield "Trunk", given(call["trunk"])
    if call.get("ringing") is not None:
        yield "Rang", Markup(f"{duration(call['ringing'])} after it was placed")
    if call.get("answered") is None:
        status = f", SIP status {call['status']}" if call.get("status") else ""
        yield "Answered", Markup(f"no{status}")
    else:
        yield "Answered", Markup(f"{duration(call['answered'])} after it was placed")
        if call.get("ended") is not None:
            yield "Length", tag("b", duration(call["ended"] - call["answered"]))
    yield "Keys pressed", tag("b", given(keys)) if keys else Markup("none recorded")
    if call.get("machine"):
        yield "Taken for", Markup(MACHINES.get(call["machine"], "not known"))
    for transfer in call.get("transfers") or ():
        yield "Agent", Markup(_transfer(transfer))
    if media := call.get("media"):
        sound = f"{media['codec']}{', encrypted' if media.get('encrypted') else ''}"
        lost = f", {media['lost']} lost" if media.get("lost") else ""
        yield "Sound", join((given(sound), f"; {media.get('received', 0)} packets heard{lost}"))
    if call.get("prompts"):
        yield "Said", join((_prompt(prompt) for prompt in call["prompts"]), ", ")


def _prompt(prompt: Sequence[Any]) -> Markup:
    name, began, ended, whole = (*prompt, None, False)[:4]
    if whole:
        return given(name)
    heard = f" (cut after {duration(ended - began)})" if ended is not None else " (cut by the end)"
    return join((given(name), heard))


def _transfer(transfer: Mapping[str, Any]) -> str:
    if transfer.get("answered") is None:
        return "called, did not come"
    together = transfer.get("ended")
    if transfer.get("mode") == "refer" or together is None:
        return "the call was handed over; how long they spoke is not known here"
    return f"spoke with the listener for {duration(together - transfer['answered'])}"


def _chain(case: Case, checked: Checked) -> Markup:
    line = case.line
    rows = [
        ("Record", join((f"{line['seq']}, written {moment_text(line['at'])}, in ",
                         tag("span", given(case.where), class_="mono")))),
        ("Its MAC", _hex(line["mac"])),
    ]  # fmt: skip
    if line["record"].get("personal"):
        rows.append(("Personal part, SHA-256", join((_hex(line["record"]["personal"]), _removed(case)))))
    head = case.head
    if head is None:
        rows.append(("Head of its day", Markup(_UNSIGNED)))
    else:
        day = f"{day_text(head['day'])}, records {head['first']} to {head['last']} ({head['count']})"
        rows.append(("Its day", Markup(day)))
        rows.append(("MAC of the day", _hex(head["mac"])))
        rows.append(("SHA-256 of the day", _hex(head["sha256"])))
        rows.append(("Signature, Ed25519", _hex(head["signature"])))
    rows.append(("Public key, SHA-256", _hex(checked.key)))
    return tag("section", tag("h2", "Its place in the evidence chain"), _facts(rows, "wide"), class_="whole")


def _removed(case: Case) -> str:
    return "" if case.line.get("personal") else " (of what was removed)"


def _check(case: Case, checked: Checked, state: str) -> Markup:
    job = quote(case.line["record"]["id"])
    state = quote(state)
    again = tag("p",
        "To verify it again: ", _command(f"connector evidence verify --state {state}"),
        ". To check whether a text is the one that was sent: ",
        _command(f"connector evidence match --state {state} {job} --text-file FILE"), ".",
    )  # fmt: skip
    if not checked.done:
        result: tuple[Markup, ...] = (tag("p", tag("b", "The chain was not verified for this document.")),)
    else:
        result = _bad(checked) if checked.found else _good(checked, case)
    return tag("section", tag("h2", "Verification"), *result, again, class_="check whole")


def _good(checked: Checked, case: Case) -> tuple[Markup, ...]:
    records, days = plural(checked.records, "record"), plural(checked.days, "closed day")
    whole = "The chain is whole." if checked.secret else "The signed days are whole."
    told = (
        f" {records} and {days} were verified {checked.by} on {moment_text(checked.at)}: nothing was "
        "changed, left out, put in, moved or cut off."
    )
    if not checked.secret and case.head is None:
        told += " This record is of a day without a head yet: the public key proves nothing of it."
    return (tag("p", tag("b", whole), told, class_="good"),)


def _bad(checked: Checked) -> tuple[Markup, ...]:
    what = f"{plural(checked.found, 'finding')}: the evidence is not what was written, or is not whole."
    found = [tag("li", given(where), ": ", given(what)) for where, what in checked.findings]
    if len(found) < checked.found:
        found.append(tag("li", f"and {checked.found - len(found)} more"))
    return tag("p", tag("b", what), class_="bad"), tag("ul", *found)


def _foot(checked: Checked, issued_by: str, *, numbers: bool) -> Markup:
    lines = (tag("p", name) for name in ("Filed by", "Date", "Signature"))
    told = (
        ". All times are UTC, of the clock of the sending host. A receipt is the carrier's word, given here "
        "as it came. What was written is not kept and not in this document, nor is any code."
    )
    masked = "" if numbers else " Telephone numbers are masked."
    return tag("footer",
        tag("p", f"Issued {moment_text(checked.at)} by ", given(issued_by), told, masked),
        tag("div", *lines, class_="filed"),
    )  # fmt: skip


def _facts(rows: Sequence[tuple[str, Markup]], class_: str = "") -> Markup:
    pairs = (
        tag("div", tag("dt", name), tag("dd", value), class_="full" if name in _WIDE else "")
        for name, value in rows
    )
    return tag("dl", *pairs, class_=class_)


def _hex(value: str) -> Markup:
    return tag("span", value, class_="mono")


def _command(text: str) -> Markup:
    return tag("code", given(text))
