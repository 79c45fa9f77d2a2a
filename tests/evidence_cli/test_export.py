import csv
import io
import json
import os
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.evidence.days import lines
from connector.evidence.export import cell_text, export, list_text, time_text
from connector.evidence.filters import moment
from connector.evidence.rows import COLUMNS
from tests.evidence_cli import samples
from tests.evidence_cli.conftest import Evidence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NAMES = [column.name for column in COLUMNS]
KINDS = {column.name: column.kind for column in COLUMNS}


def split(cell: str) -> list[str]:
    """The inverse of list_text, written by hand."""
    found, current, escaped = [], "", False
    for character in cell:
        if escaped or character not in "\\|":
            current, escaped = current + character, False
        elif character == "\\":
            escaped = True
        else:
            found.append(current)
            current = ""
    return [*found, current] if cell else []


def plain(kind: str, cell: str) -> Any:
    """What a cell of CSV stands for."""
    text = cell.removeprefix("'")
    if kind == "texts":
        return split(text)
    if text == "":
        return None
    return {"integer": int, "real": float}.get(kind, str)(text)


def from_csv(octets: bytes) -> list[dict[str, Any]]:
    head, *rows = csv.reader(io.StringIO(octets.decode(), newline=""))
    return [{name: plain(KINDS[name], cell) for name, cell in zip(head, row, strict=True)} for row in rows]


def from_jsonl(octets: bytes) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in octets.decode().split("\n")[:-1]]
    assert {row.pop("schema") for row in rows} <= {1}
    for row in rows:
        del row["record"]
        row.pop("personal_part", None)
    return rows


def from_parquet(octets: bytes) -> list[dict[str, Any]]:
    rows = pq.read_table(io.BytesIO(octets)).drop_columns(["record"]).to_pylist()
    return [
        {name: time_text(cell) if isinstance(cell, datetime) else cell for name, cell in row.items()}
        for row in rows
    ]


READ = {"csv": from_csv, "jsonl": from_jsonl, "parquet": from_parquet}


def exported(format: Any, chain: Any, *, numbers: bool = False) -> bytes:
    out = io.BytesIO()
    export(chain, format, out, numbers=numbers)
    return out.getvalue()


texts = st.text(st.characters(codec="utf-8"), max_size=12)
formulas = st.sampled_from(FORMULA).flatmap(lambda first: texts.map(lambda rest: first + rest))
words = st.one_of(
    texts, formulas, st.sampled_from(["'", "'=1", "|", "a|b", "\\", 'say "it"', "a,b", "a\r\nb"])
)
jobs = st.builds(
    lambda id, app, reason, errors, ids, klass: samples.job(
        id=id, app=app, reason=reason, **{"class": klass},
        attempts=[samples.attempt(parts=[
            samples.part(1, 1, error=error, message_id=id.encode("latin-1", "replace").hex())
            for error, id in zip(errors, ids, strict=False)])],
    ),
    words, words, words, st.lists(words, max_size=3), st.lists(words, max_size=3), st.none() | words,
)  # fmt: skip


@given(st.lists(jobs, max_size=3), st.booleans())
def test_all_formats_say_the_same(chain: list[dict[str, Any]], numbers: bool) -> None:
    first, *others = [read(exported(format, chain, numbers=numbers)) for format, read in READ.items()]
    assert len(first) == len(chain)
    for other in others:
        assert other == first


def test_all_formats_say_the_same_of_real_jobs(evidence: Evidence) -> None:
    chain = [line for _, line in lines(evidence.state)]
    rows = {format: read(exported(format, chain)) for format, read in READ.items()}
    assert rows["csv"] == rows["jsonl"] == rows["parquet"]
    assert [row["seq"] for row in rows["csv"]] == [1, 2, 3, 4, 5, 6, 7]
    called = rows["csv"][3]
    assert (called["channels"], called["talk_s"], called["keys"]) == (["voice"], 24.1, "10")
    assert rows["csv"][4] | {"what": ["feedback"], "converted": "yes"} == rows["csv"][4]


@given(words)
def test_no_cell_is_a_formula_and_none_is_changed(text: str) -> None:
    cell = cell_text(text)
    assert not cell.startswith(FORMULA)
    assert cell.removeprefix("'") == text or (cell == text and not text.startswith("'"))


@given(st.lists(words.filter(bool)))
def test_several_values_can_be_told_apart(values: list[str]) -> None:
    assert split(list_text(values)) == values


@given(jobs)
def test_no_cell_of_a_file_is_a_formula(line: dict[str, Any]) -> None:
    for row in csv.reader(io.StringIO(exported("csv", [line]).decode(), newline="")):
        assert [cell for cell in row if cell.startswith(FORMULA)] == []


def test_json_lines_have_the_whole_record(evidence: Evidence) -> None:
    chain = [line for _, line in lines(evidence.state)]
    rows = [json.loads(line) for line in exported("jsonl", chain, numbers=True).splitlines()]
    assert [row["record"] for row in rows] == [line["record"] for line in chain]
    assert [row.get("personal_part") for row in rows] == [line.get("personal") for line in chain]
    (table,) = [pq.read_table(io.BytesIO(exported("parquet", chain)))]
    assert [json.loads(text) for text in table["record"].to_pylist()] == [line["record"] for line in chain]


@pytest.mark.parametrize("format", READ)
def test_numbers_are_masked_unless_asked_for(evidence: Evidence, format: str) -> None:
    chain = [line for _, line in lines(evidence.state)]

    def shown(numbers: bool) -> str:
        octets = exported(format, chain, numbers=numbers)
        return str(pq.read_table(io.BytesIO(octets)).to_pylist()) if format == "parquet" else octets.decode()

    hidden = shown(numbers=False)
    assert "+4477•••••23" in hidden
    assert samples.NUMBER[3:] not in hidden
    assert samples.NUMBER[1:].encode().hex() not in hidden
    assert samples.NUMBER in shown(numbers=True)


FILTERS = {
    ("--app", "shop"): [2, 3, 4, 5, 7],
    ("--job", "order-4711"): [2, 5],
    ("--job", "order-4711", "--job", "risk-warning-1"): [2, 4, 5],
    ("--outcome", "undelivered"): [6],
    ("--outcome", "undelivered", "--outcome", "expired"): [6, 7],
    ("--country", "GB"): [2, 3, 4, 7],
    ("--template", "new-device"): [4],
    ("--lang", "pt-BR"): [3],
    ("--carrier", "east"): [3],
    ("--channel", "voice"): [3, 4],
    ("--class", "payments"): [3],
    ("--journey", "voice"): [4],
    ("--to", samples.NUMBER): [2, 3, 4, 6, 7],
    ("--to", "+447700900124"): [],
    ("--kind", "start"): [1],
    ("--kind", "job", "--kind", "late"): [2, 3, 4, 5, 6, 7],
    ("--from", "2026-11-24"): [5, 6, 7],
    ("--until", "2026-11-23"): [1, 2, 3, 4],
    ("--from", "2026-11-23T07:33:48.1Z", "--until", "2026-11-23T07:34:20Z"): [2, 4],
    ("--from", "2026-11-23T09:33:48.2+02:00", "--until", "2026-11-23"): [3, 4],
    ("--outcome", "delivered", "--channel", "sms", "--country", "GB"): [2, 3],
    ("--outcome", "delivered", "--carrier", "nobody"): [],
}


@pytest.mark.parametrize(("options", "seqs"), FILTERS.items(), ids=[" ".join(key) for key in FILTERS])
def test_filters(evidence: Evidence, options: tuple[str, ...], seqs: list[int]) -> None:
    done = evidence.run("export", "--format", "jsonl", *options)
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == seqs


def test_a_date_is_a_day_of_utc() -> None:
    assert moment("2026-11-23") == moment("2026-11-23T00:00:00Z")
    assert moment("2026-11-23", end=True) == moment("2026-11-24T00:00:00+00:00") == moment("2026-11-24")
    for wrong in ("2026-11-23T10:00", "2026-11-23 10:00:00", "yesterday", "", "2026-13-01"):
        with pytest.raises(ValueError, match="expected"):
            moment(wrong)
    with pytest.raises(ValueError, match="expected"):
        moment("9999-12-31", end=True)


def test_a_wrong_time_is_bad_usage(evidence: Evidence) -> None:
    done = evidence.run("export", "--from", "2026-11-23T10:00")
    assert done.exit_code == 2
    assert "expected an offset from UTC" in done.output


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_a_file_is_whole_and_ours_alone(evidence: Evidence, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    done = evidence.run("export", "-o", path)
    assert (done.exit_code, done.stderr) == (0, f"7 records in {path}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [row["seq"] for row in READ[path.suffix[1:]](path.read_bytes())] == [1, 2, 3, 4, 5, 6, 7]
    assert sorted(os.listdir(tmp_path)) == [name, "state"]


def test_parquet_without_pyarrow(evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = evidence.run("export", "-o", tmp_path / "out.parquet")
    assert done.exit_code == 1
    assert done.stderr == "Error: Parquet needs pyarrow: pip install 'carrier-connector[parquet]'\n"
    assert os.listdir(tmp_path) == ["state"]


def test_parquet_into_a_pipe_is_bad_usage(evidence: Evidence) -> None:
    assert evidence.run("export", "--format", "parquet").exit_code == 2


class Sink(io.RawIOBase):
    """Counts, and keeps nothing."""

    def __init__(self) -> None:
        self.octets = 0

    def writable(self) -> bool:
        return True

    def write(self, octets: Any) -> int:
        self.octets += len(octets)
        return len(octets)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_memory_does_not_grow_with_the_chain(format: Any) -> None:
    line, sink = samples.three_attempts(), Sink()

    def chain() -> Iterator[dict[str, Any]]:
        yield from islice(repeat(line), 3_000)

    tracemalloc.start()
    try:
        export(chain(), format, sink)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.octets > 2_000_000
    assert peak < 1_000_000


def test_parquet_is_written_group_by_group(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    with path.open("wb") as file:
        assert export(repeat_of(samples.job(), 4_001), "parquet", file) == 4_001
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(index).num_rows for index in range(groups.num_row_groups)] == [2_000, 2_000, 1]


def repeat_of(line: dict[str, Any], times: int) -> Iterator[dict[str, Any]]:
    return islice(repeat(line), times)


def connector(evidence: Evidence, *arguments: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "connector",
        "evidence",
        "export",
        "--state",
        str(evidence.state),
        *arguments,
    ]


def test_a_disk_that_is_full_is_said(evidence: Evidence) -> None:
    for arguments, out in (((), "/dev/full"), (("-o", "/dev/full"), os.devnull)):
        with open(out, "wb") as stdout:
            done = subprocess.run(
                connector(evidence, *arguments), stdout=stdout, stderr=subprocess.PIPE, text=True
            )
        assert done.returncode == 1
        assert done.stderr == "Error: No space left on device\n"
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_who_reads_may_have_seen_enough(evidence: Evidence) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(connector(evidence), stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
