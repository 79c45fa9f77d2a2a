"""Many rows in one SQLite step.

apsw releases the GIL around each step and must win it back from a busy event loop afterwards, up to a
switch interval later. Row by row that limits the journal to some hundred rows a second under load, so every
statement here takes all its rows as one JSON array and is one step. It reads them by jsonb_each: json_each
would turn every row to text, only to be parsed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

__all__ = ["rows", "values", "write"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def write(connection: apsw.Connection, statement: str, rows: Sequence[Any]) -> None:
    """Run `statement`, whose one parameter is the JSON array of `rows`; nothing for no rows."""
    if rows:
        connection.execute(statement, (_encode(rows).decode(),))


def rows(connection: apsw.Connection, statement: str, rows: Sequence[Any]) -> list[Any]:
    """The result of `statement`, which must be one value made by json_group_array."""
    if not rows:
        return []
    (text,) = values(connection, statement, rows)
    found: list[Any] = _decode(text)
    return found


def values(connection: apsw.Connection, statement: str, rows: Sequence[Any]) -> tuple[Any, ...]:
    """The only row of the result of `statement`."""
    return next(connection.execute(statement, (_encode(rows).decode(),)))
