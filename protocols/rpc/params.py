"""From decoded MessagePack to typed parameters: one conversion on the good path, a named rule on the bad."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import msgspec

from protocols.rpc.errors import ParamsError

T = TypeVar("T", bound=msgspec.Struct)

_WHERE: Final = re.compile(r"`\$\.([^.\[`]+)")
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")


def parse(
    obj: object,
    kind: type[T],
    rules: Mapping[str, str],
    error: type[ParamsError] = ParamsError,
) -> T:
    """Return ``obj``, a map, as a ``kind``; raise ``error`` naming the key and what ``rules`` say of it."""
    try:
        return msgspec.convert(obj, kind, strict=True)
    except msgspec.ValidationError as refusal:
        raise _explain(obj, kind, rules, error, str(refusal)) from None


def _explain(
    obj: object, kind: type[msgspec.Struct], rules: Mapping[str, str], error: type[ParamsError], refusal: str
) -> ParamsError:
    if not isinstance(obj, dict):
        return error("", f"a map is expected, not {_type_name(obj)}")
    known = kind.__struct_encode_fields__
    for key in obj:
        if key not in known:
            return _unknown_key(key, known, error)
    if missing := _MISSING.search(refusal):
        field = missing[1]
        return error(field, "is required", f"expected: {rules[field]}")
    if where := _WHERE.search(refusal):
        field = where[1]
        got = _type_name(obj[field])
        return error(field, f"is not acceptable ({got})", f"expected: {rules[field]}")
    return error("", refusal)


def _unknown_key(key: Any, known: tuple[str, ...], error: type[ParamsError]) -> ParamsError:
    if not isinstance(key, str):
        return error("", "keys must be strings")
    near = get_close_matches(key[:64], known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return error(key[:64], "is not a known key", hint)


def _type_name(value: object) -> str:
    names: dict[type, str] = {
        str: "a string", bytes: "binary", int: "an integer", float: "a float", bool: "a boolean",
        list: "an array", dict: "a map", type(None): "nil",
    }  # fmt: skip
    return names.get(type(value), type(value).__name__)
