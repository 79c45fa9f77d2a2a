"""One log record, redacted and safe to write, before it takes a form."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Final, NamedTuple

from .redaction import JsonValue, redact, redact_value

__all__ = ["FIELDS", "JOURNAL_ID", "Entry", "entry_of"]

FIELDS: Final = "fields"
JOURNAL_ID: Final = "journal_id"
_MOST_FRAMES: Final = 30
_MOST_EXCEPTIONS: Final = 20
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", JOURNAL_ID}


class Entry(NamedTuple):
    """A redacted record, control characters and lone surrogates still in it.

    at     in UTC
    level  a level of logging
    error  the traceback, or empty
    """

    at: datetime
    level: int
    logger: str
    message: str
    fields: dict[str, JsonValue]
    error: str
    journal_id: str


def entry_of(record: logging.LogRecord) -> Entry:
    """Never raises, whatever the arguments of the record do when they are formatted."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    parts = [_traceback(error)] if error is not None else []
    if record.stack_info:
        parts.append(redact(str(record.stack_info)))
    return Entry(
        at=datetime.fromtimestamp(record.created, UTC),
        level=record.levelno,
        logger=record.name,
        message=_message(record),
        fields=_fields(record),
        error="\n".join(parts),
        journal_id=str(getattr(record, JOURNAL_ID, "")),
    )


def _message(record: logging.LogRecord) -> str:
    try:
        return redact(record.getMessage())
    except Exception as error:  # a bad format string must not cost the line
        try:
            return redact(f"{record.msg} [not formatted: {type(error).__name__}]")
        except Exception:
            return f"[not formatted: {type(error).__name__}]"


def _fields(record: logging.LogRecord) -> dict[str, JsonValue]:
    """What `event` was given, and what other people's code passes as `extra`."""
    found = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if isinstance(found.get(FIELDS), dict):
        found |= found.pop(FIELDS)
    return {redact(str(name)): _field(str(name), value) for name, value in found.items()}


def _field(name: str, value: object) -> JsonValue:
    try:
        return redact_value(value, name)
    except Exception as error:
        return f"[not formatted: {type(error).__name__}]"


def _traceback(error: BaseException) -> str:
    """The exception with its causes, innermost last, every message redacted; line numbers stay."""
    lines: list[str] = []
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException]] = [("", error)]
    while waiting and len(seen) < _MOST_EXCEPTIONS:
        relation, current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        lines += [relation] if relation else []
        lines += _one_exception(current)
        if current.__cause__ is not None:
            waiting.append(("caused by:", current.__cause__))
        elif current.__context__ is not None and not current.__suppress_context__:
            waiting.append(("while handling:", current.__context__))
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(("in the group:", member) for member in current.exceptions)
    return "\n".join(lines)


def _one_exception(error: BaseException) -> list[str]:
    lines = []
    try:
        for frame in traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES):
            lines.append(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}')
            lines += [f"    {redact(frame.line)}"] if frame.line else []
        lines += redact("".join(traceback.format_exception_only(error))).rstrip("\n").split("\n")
    except Exception as failure:
        lines.append(f"{type(error).__name__}: [not formatted: {type(failure).__name__}]")
    return lines
