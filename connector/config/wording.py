"""The words of problems: what was found and what a schema expects, for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from .problem import Path, did_you_mean, dotted

__all__ = ["PASSWORD_IN_FILE", "expected", "key_paths", "shown", "unknown_key"]

PASSWORD_IN_FILE: Final = (
    "a password may not stand in the file, expected `password_file` (a path) or `password_credential` "
    "(the name of a systemd credential)"
)
_TYPES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text in quotes",
    "array": "a list",
    "object": "a table",
}
_SHOWN_CHARACTERS = 60


def expected(schema: dict[str, Any]) -> str:
    """What a schema asks for: its title (the model gives one wherever the type alone says too little)."""
    # msgspec titles a table with its class name, which is no phrase.
    if "$ref" in schema or schema.get("additionalProperties") is False:
        return "a table"
    if "title" in schema:
        return str(schema["title"])
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(choice) for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(expected(choice) for choice in schema["anyOf"])
    return _TYPES[schema["type"]] + _length(schema)


def _length(schema: dict[str, Any]) -> str:
    limits = [f"at least {schema['minLength']}"] if "minLength" in schema else []
    if "maxLength" in schema:
        limits.append(f"at most {schema['maxLength']}")
    return f" of {' and '.join(limits)} characters" if limits else ""


def shown(value: object) -> str:
    """The value as the reader wrote it, shortened; of lists and tables only what they are."""
    if isinstance(value, dict | list):
        kind = "a list" if isinstance(value, list) else "a table"
        return kind if value else f"{kind} without entries"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHOWN_CHARACTERS else f'{text[: _SHOWN_CHARACTERS - 2]}…"'
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def unknown_key(key: str, known: Iterable[str], everywhere: list[str]) -> tuple[str, str]:
    """(code, message) for a key the table does not have. `everywhere`: all dotted keys of the file."""
    if key in {"password", "passwd", "secret"}:
        return "config_secret", PASSWORD_IN_FILE
    near = did_you_mean(key, known)
    elsewhere = [path for path in everywhere if path.rpartition(".")[2] == key]
    if not near and elsewhere:
        near = f', did you mean "{elsewhere[0]}"?'
    return "config_unknown_key", f"unknown key, expected one of {', '.join(known)}{near}"


def key_paths(schema: dict[str, Any]) -> list[str]:
    """Every dotted key a file of this schema may have, to tell where a misplaced key belongs."""
    definitions = schema.get("$defs", {})

    def walk(node: dict[str, Any], path: Path) -> Iterator[str]:
        node = {**node, **definitions.get(node.get("$ref", "").rpartition("/")[2], {})}
        for key, child in node.get("properties", {}).items():
            yield dotted((*path, key))
            yield from walk(child, (*path, key))
        if isinstance(node.get("items"), dict):
            yield from walk(node["items"], path)

    return list(walk(schema, ()))
