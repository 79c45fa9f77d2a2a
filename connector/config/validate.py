"""Everything that is wrong with a document, as far as one file alone can tell.

msgspec converts and stops at the first fault. Only when it does, the JSON schema made from the same structs
is asked for all faults, so that a daemon whose configuration is right never imports `jsonschema`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from .document import Document
from .problem import Path, Problem, did_you_mean
from .schema import FileKind, file_schema
from .wording import expected, key_paths, shown, unknown_key

__all__ = ["file_problems"]

Fault = tuple[Path, str, str]
"""Where, which code, what to say."""


def file_problems(document: Document, kind: FileKind) -> list[Problem]:
    """All that `kind` forbids in `document`, in the order of its lines."""
    try:
        msgspec.convert(document.data, kind)
    except msgspec.ValidationError as error:
        problems = schema_problems(document, file_schema(kind))
        return problems or [document.problem((), str(error))]
    return []


def schema_problems(document: Document, schema: dict[str, Any]) -> list[Problem]:
    """All that a JSON schema finds, one problem for each key."""
    import jsonschema

    # The stubs of `extend` are untyped.
    validators: Any = jsonschema.validators
    base = jsonschema.Draft202012Validator
    checker = base.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
    validator = validators.extend(base, type_checker=checker)(schema)
    everywhere = key_paths(schema)
    found: dict[Path, Problem] = {}
    for error in validator.iter_errors(document.data):
        for path, code, message in _faults(error, everywhere):
            found.setdefault(path, document.problem(path, message, code))
    return sorted(found.values(), key=lambda problem: problem.line)


# JSON has one kind of number, TOML has two: 1.0 is no integer, and neither is true.
def _is_integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    return _is_integer(_checker, value) or (isinstance(value, float) and not math.isnan(value))


def _faults(error: Any, everywhere: list[str]) -> Iterator[Fault]:
    """The faults in one `jsonschema.ValidationError` (typed Any: its attributes depend on the keyword)."""
    path: Path = tuple(error.absolute_path)
    schema, value = error.schema, error.instance
    if error.validator == "additionalProperties":
        known = schema["properties"]
        for key in value:
            if key not in known:
                yield (*path, key), *unknown_key(key, known, everywhere)
    elif error.validator == "required":
        for key in schema["required"]:
            if key not in value:
                message = f"is missing, expected {expected(schema['properties'][key])}"
                yield (*path, key), "config_missing_key", message
    elif error.validator == "anyOf" and isinstance(value, dict) and (within := _within(error)):
        for fault in within:
            yield from _faults(fault, everywhere)
    elif "propertyNames" in error.absolute_schema_path:
        near = did_you_mean(value, schema.get("enum", ()))
        message = f"this key is not allowed here, expected {expected(schema)}{near}"
        yield (*path, value), "config_unknown_key", message
    else:
        near = did_you_mean(value, schema["enum"]) if "enum" in schema and isinstance(value, str) else ""
        message = f"{shown(value)} is not allowed here, expected {expected(schema)}{near}"
        yield path, "config_wrong_value", message


def _within(error: Any) -> list[Any]:
    """What is wrong inside a table, where one of several kinds of value is a table."""
    return [fault for fault in error.context if fault.validator != "type" or fault.relative_path]
