"""Which values of the journal are sealed, and how a start brings all of them under its first key.

Sealed are the bodies of open jobs, the texts of handsets that are not whole or are nobody's, and the events
that no application has acknowledged. Older versions stored them as they are: a start seals those too.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import apsw

from connector.log import Id, event
from connector.sealing import Seal, SealError, is_sealed

__all__ = [
    "body_context", "frames_context", "opened_frames", "opened_text", "part_context", "receipt_context",
    "unlock",
]  # fmt: skip

_log = logging.getLogger(__name__)

_PROOF: Final = b"proof"
_AT_ONCE: Final = 1_000

_COLUMNS: Final = (
    ("job", "id", "body", "outcome IS NULL AND body IS NOT NULL"),
    ("inbound_part", "id", "octets", "true"),
    ("parked", "id", "raw", "keys = '[]' AND raw != ''"),
    ("event", "app, first", "frames", "true"),
)


def body_context(job: int) -> bytes:
    """Of `job.body`, by its row; a sealed value counts in its own place alone."""
    return b"job %d" % job


def part_context(row: int) -> bytes:
    """Of `inbound_part.octets`."""
    return b"inbound_part %d" % row


def receipt_context(row: int) -> bytes:
    """Of `parked.raw`."""
    return b"parked %d" % row


def frames_context(app: int, first: int) -> bytes:
    """Of `event.frames`."""
    return b"event %d %d" % (app, first)


def opened_text(seal: Seal, value: str, context: bytes) -> bytes:
    """What a column of texts holds, sealed or, from an older version, not. Raises SealError."""
    return seal.open(value, context) if is_sealed(value) else value.encode()


def opened_frames(seal: Seal, value: bytes, context: bytes) -> bytes:
    """The same of a column of octets."""
    return seal.open_octets(value, context) if is_sealed(value) else value


def unlock(connection: apsw.Connection, seal: Seal) -> None:
    """Make sure that `seal` opens the journal, and seal with its first key what is not.

    All or nothing. Raises SealError, with the journal as it was, when a key is missing or another one.
    """
    found = connection.execute("SELECT key, proof FROM sealed_by").fetchone()
    if found is not None:
        key, proof = found
        try:
            seal.open(proof, _PROOF)
        except SealError as error:
            raise SealError(
                key,
                f"the journal was sealed with key {key!r}: {_why(error, seal)}. Nothing was changed; start "
                "again with this key in [privacy] keys, behind a newer one if there is one",
            ) from None
        if seal.is_current(proof):
            return
    with connection:
        anew = sum(_seal_anew(connection, seal, *column) for column in _COLUMNS)
        connection.execute("DELETE FROM sealed_by")
        connection.execute(
            "INSERT INTO sealed_by (key, proof) VALUES (?, ?)", (seal.key_id, seal.seal(b"", _PROOF))
        )
    if found is not None or anew:
        event(_log, "journal sealed with another key", key=Id(seal.key_id), values=anew)
    # What was not sealed must not stay in the WAL. Where somebody reads, the first quiet second empties it.
    with contextlib.suppress(apsw.BusyError):
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def _why(error: SealError, seal: Seal) -> str:
    return "it is not there" if error.key_id not in seal.key_ids else "the one that is there is another"


def _seal_anew(
    connection: apsw.Connection, seal: Seal, table: str, names: str, column: str, which: str
) -> int:
    """How many values there were."""
    number = 0
    places = names.split(", ")
    where = " AND ".join(f"{name} = ?" for name in places)
    update = f"UPDATE {table} SET {column} = ? WHERE {where}"  # noqa: S608
    select = f"SELECT rowid, {names}, {column} FROM {table} WHERE {which}"  # noqa: S608
    for row in _rows(connection, select):
        number += 1
        *place, value = row
        context = _CONTEXTS[table](*place)
        if isinstance(value, bytes):
            plain = opened_frames(seal, value, context)
            connection.execute(update, (seal.seal_octets(plain, context), *place))
        else:
            plain = opened_text(seal, value, context)
            connection.execute(update, (seal.seal(plain, context), *place))
    return number


def _rows(connection: apsw.Connection, select: str) -> Iterator[list[Any]]:
    """Its rows, without their rowid: by pages, for what is read is written meanwhile."""
    after = -1
    while page := list(
        connection.execute(f"{select} AND rowid > ? ORDER BY rowid LIMIT ?", (after, _AT_ONCE))
    ):
        after = page[-1][0]
        yield from ([*rest] for _, *rest in page)


_CONTEXTS: Final[dict[str, Callable[..., bytes]]] = {
    "job": body_context, "inbound_part": part_context, "parked": receipt_context, "event": frames_context,
}  # fmt: skip
