"""Taking personal parts out: which records hold them, and their lines without."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from connector.evidence.chain import BadLine, read_line
from connector.evidence.days import held_by, octets
from connector.evidence.files import sync_folder
from connector.evidence.spans import Span, in_spans, merged

__all__ = ["redact_file", "redact_lines", "spans_of"]


class _To(msgspec.Struct):
    to: str = ""


_to = msgspec.json.Decoder(_To).decode


def spans_of(state: Path, number: str) -> tuple[list[Span], int]:
    """(records whose recipient is `number` and that hold their personal part, the last record looked at).

    `number` as in jobs: E.164 with +. Reads every file: not for an event loop. What it finds goes into an
    ops.Redact; with its `again`, more has come meanwhile.
    """
    held = held_by(state)
    looked = held.state.seq if held.state is not None else 0
    found = []
    for _, text in octets(state, held):
        seq = _seq_of(text, number)
        if seq:
            found.append((seq, seq))
            looked = max(looked, seq)
    return merged(found), looked


def _seq_of(text: bytes, number: str) -> int:
    """The record's number where its personal part is of `number`, else 0."""
    if number.encode() not in text:
        return 0
    with contextlib.suppress(BadLine, msgspec.MsgspecError):
        line = read_line(text)
        if line.personal is not msgspec.UNSET and _to(line.personal).to == number:
            return line.seq
    return 0


def redact_lines(lines: bytes, spans: Sequence[Span], number: str = "") -> tuple[bytes, list[int]]:
    """Lines without the personal parts of records in `spans` or of `number`; and whose were taken out."""
    out, gone = [], []
    for text in lines.split(b"\n"):
        try:
            line = read_line(text)
        except BadLine:
            out.append(text)
            continue
        taken = in_spans(line.seq, spans) or (number and _seq_of(text, number))
        if taken and line.personal is not msgspec.UNSET:
            gone.append(line.seq)
            text = line.public()
        out.append(text)
    return b"\n".join(out), gone


def redact_file(path: Path, spans: Sequence[Span]) -> None:
    """The same for a day's file, whole or not at all; it stays as it is where nothing is to be taken out."""
    fresh = path.with_name(path.name + ".new")
    changed = False
    with (
        path.open("rb") as old,
        os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as new,
    ):
        for text in old:
            redacted, gone = redact_lines(text.removesuffix(b"\n"), spans)
            changed = changed or bool(gone)
            new.write(redacted + b"\n" if text.endswith(b"\n") else text)
        new.flush()
        os.fsync(new.fileno())
    if changed:
        fresh.replace(path)
        sync_folder(path.parent)
    else:
        fresh.unlink()
