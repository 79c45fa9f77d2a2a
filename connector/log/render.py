"""The two forms of a line: text for people, JSON for machines."""

from __future__ import annotations

import json
import logging
import math
import re
from typing import Final

from .entry import Entry
from .redaction import JsonValue

__all__ = ["body_text", "json_line", "text_line"]

_RESERVED: Final = frozenset({"at", "level", "logger", "message", "error"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BARE: Final = re.compile(r"[^\s\"'=\\]+\Z")


def text_line(entry: Entry) -> str:
    """``2026-11-22T19:12:34.123+00:00 INFO connector.carriers: bound carrier=acme bind=1``"""
    at = entry.at.isoformat(timespec="milliseconds")
    return f"{at} {logging.getLevelName(entry.level)} {entry.logger}: {body_text(entry)}"


def body_text(entry: Entry) -> str:
    """The message and its fields on one line; the lines of a traceback, indented, below."""
    fields = "".join(f" {_escaped(name)}={_text_value(value)}" for name, value in entry.fields.items())
    error = "".join(f"\n  {_escaped(line)}" for line in entry.error.split("\n")) if entry.error else ""
    return _escaped(entry.message) + fields + error


def json_line(entry: Entry) -> str:
    """One JSON object without a newline; a field named like one of ours gets an underscore behind it."""
    line: dict[str, JsonValue] = {
        "at": entry.at.isoformat(),
        "level": logging.getLevelName(entry.level).lower(),
        "logger": entry.logger,
        "message": entry.message,
    }
    for name, value in entry.fields.items():
        line[name + "_" if name in _RESERVED else name] = _finite(value)
    if entry.error:
        line["error"] = entry.error
    return _escaped(json.dumps(line, ensure_ascii=False))


def _text_value(value: JsonValue) -> str:
    if isinstance(value, str) and _BARE.match(value):
        return _escaped(value)
    return _escaped(json.dumps(value, ensure_ascii=False))


def _finite(value: JsonValue) -> JsonValue:
    """JSON has no infinity and no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value


def _escaped(text: str) -> str:
    """No newline or terminal sequence of a peer may forge a line; these escapes are those of JSON too."""
    return _CONTROL.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text)
