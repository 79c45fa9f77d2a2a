"""Records of the chain as CSV, JSON lines or Parquet, line by line: memory does not grow with the chain."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final, Literal

import msgspec

from connector.evidence.filters import Line
from connector.evidence.rows import COLUMNS, Cell, Kind, row

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "Format", "ParquetMissing", "cell_text", "export", "list_text", "time_text"]

Format = Literal["csv", "jsonl", "parquet"]

_SCHEMA: Final = 1
_ROWS_A_GROUP: Final = 2_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""What a spreadsheet takes for the begin of a formula, full-width forms included, and the apostrophe that
says it is none."""


class ParquetMissing(Exception):
    """pyarrow is not installed."""


def export(lines: Iterable[Line], format: Format, out: IO[bytes], *, numbers: bool = False) -> int:
    """Write `lines` to `out`, and say how many there were.

    numbers  with whole telephone numbers; JSON lines bring the personal part with it, salt included, so that
             the record's commitment to it can be checked

    Raises ParquetMissing before anything is written.
    """
    return FORMATS[format](lines, out, numbers)


def time_text(at: datetime) -> str:
    """RFC 3339 in UTC, with microseconds."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def list_text(values: Sequence[str]) -> str:
    """`a|b`: several values in one cell; a bar or backslash within one has a backslash before it."""
    return "|".join(value.replace("\\", "\\\\").replace("|", "\\|") for value in values)


def cell_text(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula: with an apostrophe before it where it might.

    One that begins with an apostrophe gets another, so that taking off the first one always gives it back.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(lines: Iterable[Line], out: IO[bytes], numbers: bool) -> int:
    writer = csv.writer(_Encoded(out), quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([column.name for column in COLUMNS])
    count = 0
    for line in lines:
        writer.writerow([_csv_cell(cell) for cell in row(line, numbers=numbers)])
        count += 1
    return count


def _csv_cell(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return time_text(cell)
    if isinstance(cell, list):
        return cell_text(list_text(cell))
    return cell_text(cell) if isinstance(cell, str) else cell


class _Encoded:
    """What csv writes, as UTF-8."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())


def _jsonl(lines: Iterable[Line], out: IO[bytes], numbers: bool) -> int:
    count = 0
    for line in lines:
        fields: dict[str, Any] = {"schema": _SCHEMA}
        for column, cell in zip(COLUMNS, row(line, numbers=numbers), strict=True):
            fields[column.name] = time_text(cell) if isinstance(cell, datetime) else cell
        fields["record"] = line["record"]
        if numbers and line.get("personal"):
            fields["personal_part"] = line["personal"]
        out.write(msgspec.json.encode(fields) + b"\n")
        count += 1
    return count


def _parquet(lines: Iterable[Line], out: IO[bytes], numbers: bool) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ParquetMissing("Parquet needs pyarrow: pip install 'carrier-connector[parquet]'") from error
    types = _types(pa)
    fields = [pa.field(name, types[kind], metadata={"about": about}) for name, kind, about, _ in COLUMNS]
    fields.append(pa.field("record", pa.string(), metadata={"about": "the whole record, JSON"}))
    schema = pa.schema(fields)
    rows_left = ([*row(line, numbers=numbers), _compact(line["record"])] for line in lines)
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while rows := list(islice(rows_left, _ROWS_A_GROUP)):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _types(pa: Any) -> dict[Kind, pa.DataType]:
    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "real": pa.float64(),
        "time": pa.timestamp("us", "UTC"),
        "texts": pa.list_(pa.string()),
    }


def _compact(record: Any) -> str:
    return msgspec.json.encode(record).decode()


FORMATS: Final[dict[Format, Callable[[Iterable[Line], IO[bytes], bool], int]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
