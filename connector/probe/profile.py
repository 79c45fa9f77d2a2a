"""The findings as a carrier's profile: the input with what was found, and beside each habit how."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from connector.probe.finding import Confidence, Finding

__all__ = ["merged", "value_text", "written"]

_WIDTH = 110
_SECTIONS = (
    "account", "tls", "binds", "backoff", "outbind", "source", "destination", "text", "validity", "receipts",
    "statuses", "tlvs", "limits", "supports", "price",
)  # fmt: skip

_REMARKS = "remarks"
_LISTS = ("tlvs", "limits")
_TABLES = {"source": ("replace",), "text": ("substitutions",), "receipts": ("states",)}
_BARE = re.compile(r"[A-Za-z0-9_-]+")

_TELLS = {
    Confidence.FOUND: "found",
    Confidence.ASSUMED: "assumed",
    Confidence.UNKNOWN: "not found out, left as it was",
}


def merged(data: Mapping[str, Any], findings: Mapping[str, Finding]) -> dict[str, Any]:
    """The input's values with what was found or assumed in their place."""
    result: dict[str, Any] = {
        name: dict(value) if isinstance(value, dict) else value for name, value in data.items()
    }
    for key, finding in findings.items():
        section, _, name = key.partition(".")
        if finding.confidence is Confidence.UNKNOWN or section == _REMARKS:
            continue
        if name:
            result.setdefault(section, {})[name] = finding.value
        else:
            result[section] = finding.value
    return result


def written(data: Mapping[str, Any], findings: Mapping[str, Finding], title: str) -> str:
    """The profile as TOML. `data` is the input; `title` says where this comes from."""
    profile = merged(data, findings)
    lines = _comment(title)
    for key, finding in findings.items():
        if key.startswith(_REMARKS):
            lines += _comment(f"{key.partition('.')[2]}: {finding.how}")
    lines += ["", *(f"{key} = {value_text(value)}" for key, value in profile.items() if key not in _SECTIONS)]
    for section in _SECTIONS:
        about = {
            key.removeprefix(section).removeprefix("."): finding
            for key, finding in findings.items()
            if key.partition(".")[0] == section
        }
        if section in profile or about:
            lines += ["", *_section(section, profile.get(section), about)]
    return "\n".join(lines).strip() + "\n"


def _section(name: str, value: Any, about: Mapping[str, Finding]) -> Iterator[str]:
    yield from _told(about.get(""))
    if name in _LISTS:
        for number, table in enumerate(value or ()):
            yield from [""] * bool(number)
            yield f"[[{name}]]"
            yield from _assignments(table)
        return
    values = dict(value or {})
    tables = {key: values.pop(key) for key in _TABLES.get(name, ()) if key in values}
    yield f"[{name}]"
    for key in dict.fromkeys([*values, *about]):
        if key in values:
            yield from _told(about.get(key))
            yield f"{_key(key)} = {value_text(values[key])}"
        elif key and key not in tables:
            yield from _told(about[key], key)
    for key, table in tables.items():
        yield ""
        yield from _told(about.get(key))
        yield f"[{name}.{key}]"
        yield from _assignments(table)


def _assignments(table: Mapping[str, Any]) -> Iterator[str]:
    """Tags are known by their hexadecimal digits."""
    for key, value in table.items():
        yield f"{_key(key)} = {f'0x{value:04X}' if key == 'tag' else value_text(value)}"


def _told(finding: Finding | None, key: str = "") -> list[str]:
    """How it was found, above the line it is about; `key` where that line is missing."""
    if finding is None:
        return []
    return _comment(f"{key}: " * bool(key) + f"{_TELLS[finding.confidence]}: {finding.how}")


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2)]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else value_text(key)


def value_text(value: Any) -> str:
    """A TOML value on one line (TOML 1.0); a JSON string of printable characters is one of TOML too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {value_text(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    return str(value)
