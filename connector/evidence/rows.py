"""A line of the chain as one flat row: what a table has room for, and what an officer sorts by.

Absent, empty and unknown are all None, so that every format says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from connector.evidence.filters import Line
from connector.evidence.masking import mask

__all__ = ["COLUMNS", "Cell", "Column", "Kind", "message_id", "row"]

Kind = Literal["text", "integer", "real", "time", "texts"]
Cell = str | int | float | datetime | list[str] | None
"""`texts` are never None and hold no empty one."""


class Column(NamedTuple):
    """`about` is what the documentation says of it."""

    name: str
    kind: Kind
    about: str
    of: Callable[[Line], Any]


def row(line: Line, *, numbers: bool) -> list[Cell]:
    """One cell for each of COLUMNS. `numbers`: with whole telephone numbers."""
    cells: list[Cell] = []
    for column in COLUMNS:
        value = column.of(line)
        if column.kind == "texts":
            value = [each for each in value if each]
        elif column.kind == "time":
            value = None if value is None else datetime.fromtimestamp(value, UTC)
        elif value == "":
            value = None
        cells.append(value)
    if not numbers and cells[_TO] is not None:
        cells[_TO] = mask(str(cells[_TO]))
    return cells


def message_id(octets: str) -> str:
    """A carrier's id as text, from the hexadecimal of a record."""
    return bytes.fromhex(octets).decode("latin-1")


def _of(key: str) -> Callable[[Line], Any]:
    return lambda line: line["record"].get(key)


def _template(key: str) -> Callable[[Line], Any]:
    return lambda line: (line["record"].get("template") or {}).get(key)


def _attempts(line: Line) -> list[dict[str, Any]]:
    return line["record"].get("attempts") or []


def _each_attempt(key: str) -> Callable[[Line], list[str]]:
    return lambda line: [attempt[key] for attempt in _attempts(line)]


def _parts(line: Line) -> Iterator[dict[str, Any]]:
    for attempt in _attempts(line):
        yield from attempt.get("parts") or ()


def _each_part(key: str) -> Callable[[Line], list[str]]:
    return lambda line: [part.get(key) or "" for part in _parts(line)]


def _message_ids(line: Line) -> list[str]:
    return [message_id(part["message_id"]) for part in _parts(line)]


def _what(line: Line) -> list[str]:
    return list(line["record"].get("what") or ())


def _calls(line: Line) -> list[dict[str, Any]]:
    return [attempt["call"] for attempt in _attempts(line) if attempt.get("call")]


def _call_ids(line: Line) -> list[str]:
    return [call.get("call_id") or "" for call in _calls(line)]


def _recipient(line: Line) -> str | None:
    return (line.get("personal") or {}).get("to")


def _number_of_attempts(line: Line) -> int | None:
    return len(line["record"]["attempts"]) if "attempts" in line["record"] else None


def _left_at(line: Line) -> float | None:
    return min((attempt["at"] for attempt in _attempts(line)), default=None)


def _talk_seconds(line: Line) -> float | None:
    spans = [
        max(call["ended"] - call["answered"], 0.0)
        for call in _calls(line)
        if call.get("answered") is not None and call.get("ended") is not None
    ]
    return round(sum(spans), 3) if spans else None


def _keys(line: Line) -> str | None:
    keys = (line.get("personal") or {}).get("keys") or {}
    return " ".join(keys[attempt] for attempt in sorted(keys, key=int))


def _hmacs(channel: str) -> Callable[[Line], list[str]]:
    return lambda line: (line["record"].get("text_hmac") or {}).get(channel) or []


def _converted(line: Line) -> str | None:
    return {True: "yes", False: "no"}.get(line["record"].get("converted"))


def _personal(line: Line) -> str | None:
    if not line["record"].get("personal"):
        return None
    return "kept" if line.get("personal") else "removed"


COLUMNS: Final = (
    Column("seq", "integer", "number of the record in the chain", lambda line: line["seq"]),
    Column("at", "time", "when it was recorded", lambda line: line["at"]),
    Column("kind", "text", "`job`, or what else the chain holds", lambda line: line["kind"]),
    Column("lane", "text", "of the daemon", _of("lane")),
    Column("app", "text", "the application", _of("app")),
    Column("job", "text", "the application's own id", _of("id")),
    Column("to", "text", "the number, masked unless asked for", _recipient),
    Column("country", "text", "of the number, ISO 3166", _of("country")),
    Column("outcome", "text", "how the job ended", _of("outcome")),
    Column("reason", "text", "why", _of("reason")),
    Column("class", "text", "of the job", _of("class")),
    Column("journey", "text", "of the job", _of("journey")),
    Column("accepted_at", "time", "committed to disk and acknowledged", _of("accepted_at")),
    Column("deadline_at", "time", "after it nothing leaves", _of("deadline_at")),
    Column("left_at", "time", "intent of the first attempt", _left_at),
    Column("finished_at", "time", "the outcome was known", _of("finished_at")),
    Column("template", "text", "its name", _template("name")),
    Column("template_version", "integer", "its version", _template("version")),
    Column("template_hash", "text", "SHA-256 of the template", _template("hash")),
    Column("lang", "text", "of the text, BCP 47", _template("lang")),
    Column("attempts", "integer", "how many there were", _number_of_attempts),
    Column("channels", "texts", "of each attempt", _each_attempt("channel")),
    Column("carriers", "texts", "of each attempt", _each_attempt("carrier")),
    Column("message_ids", "texts", "the carriers' ids, part by part", _message_ids),
    Column("receipts", "texts", "the state that counts, part by part", _each_part("state")),
    Column("errors", "texts", "what carriers said of the cause", _each_part("error")),
    Column("call_ids", "texts", "SIP's, call by call", _call_ids),
    Column("talk_s", "real", "seconds from answers to ends", _talk_seconds),
    Column("keys", "text", "pressed in each call", _keys),
    Column("what", "texts", "came when the job had ended", _what),
    Column("converted", "text", "`yes` or `no`: what the application said", _converted),
    Column("sms_hmac", "texts", "HMAC-SHA256 of each text", _hmacs("sms")),
    Column("voice_hmac", "texts", "HMAC-SHA256 of the text that each call was made of", _hmacs("voice")),
    Column("personal", "text", "`kept` or `removed`", _personal),
    Column("personal_hash", "text", "commits to the personal part", _of("personal")),
    Column("mac", "text", "of the chain up to here", lambda line: line["mac"]),
)  # fmt: skip

_TO: Final = [column.name for column in COLUMNS].index("to")
