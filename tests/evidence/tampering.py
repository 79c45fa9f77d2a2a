"""Single tamperings with the evidence of a state folder, drawn at random, and taken back afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import apsw

from connector.evidence.canonical import canonical
from connector.evidence.chain import read_line

_ROWS = "SELECT first, last, lines FROM evidence ORDER BY first"
_DUMP = (_ROWS, "SELECT * FROM evidence_state", "SELECT * FROM evidence_pending")


class Tamperer:
    """`once` does one thing that nobody may do and says what it was; `restore` takes it back.

    `older`: states of the chain as they were sealed earlier.
    """

    def __init__(self, state: Path, random: Random, older: list[tuple[str, str]]) -> None:
        self._random = random
        self._folder = state / "evidence"
        self._journal = state / "journal.db"
        self._older = older
        self._before = {path: path.read_bytes() for path in self._files()} | {
            self._journal: self._journal.read_bytes()
        }
        self._touched: set[Path] = set()
        self.kinds: dict[str, Callable[[], str]] = {
            name.removeprefix("_do_"): getattr(self, name) for name in dir(self) if name.startswith("_do_")
        }

    def once(self, kind: str) -> str:
        """Until something is different: some of what is drawn changes nothing."""
        while True:
            before = self._dump() if kind.startswith("table") else None
            said = self.kinds[kind]()
            if before is None or self._dump() != before:
                return f"{kind}: {said}"

    def restore(self) -> None:
        for path in self._touched:
            path.write_bytes(self._before[path])
        self._touched = set()
        for path in self._folder.iterdir():
            if path not in self._before:
                path.unlink()

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix in (".json", ".jsonl")]

    def _days(self) -> list[Path]:
        return sorted(path for path in self._before if path.suffix == ".jsonl")

    def _heads(self) -> list[Path]:
        return sorted(path for path in self._before if path.suffix == ".json")

    def _write(self, path: Path, octets: bytes) -> None:
        self._touched.add(path)
        path.write_bytes(octets)

    def _lines(self, path: Path) -> list[bytes]:
        return self._before[path].splitlines(keepends=True)

    def _day(self, least: int = 1) -> tuple[Path, list[bytes]]:
        path = self._random.choice([day for day in self._days() if len(self._lines(day)) >= least])
        return path, self._lines(path)

    # Of the files

    def _do_file_field(self) -> str:
        path, lines = self._day()
        at = self._random.randrange(len(lines))
        lines[at], what = self._edited(lines[at])
        self._write(path, b"".join(lines))
        return f"{path.name}:{at + 1} {what}"

    def _do_file_octet(self) -> str:
        path = self._random.choice([*self._days(), *self._heads()])
        octets = bytearray(self._before[path])
        at = self._random.randrange(len(octets))
        octets[at] ^= self._random.randint(1, 255)
        self._write(path, bytes(octets))
        return f"{path.name} octet {at}"

    def _do_file_personal(self) -> str:
        path, lines = self._day()
        at = self._random.choice([
            i for i, line in enumerate(lines) if b'"personal":{' in line
        ] or [0])  # fmt: skip
        line = read_line(lines[at][:-1])
        if line.public() == line.whole():
            return self._do_file_personal()
        lines[at] = line.public() + b"\n"
        self._write(path, b"".join(lines))
        return f"{path.name}:{at + 1} taken out"

    def _do_file_delete_line(self) -> str:
        path, lines = self._day()
        at = self._random.randrange(len(lines))
        del lines[at]
        self._write(path, b"".join(lines))
        return f"{path.name}:{at + 1}"

    def _do_file_insert_line(self) -> str:
        path, lines = self._day()
        other, others = self._day()
        line = self._random.choice(others)
        if self._random.random() < 0.5:
            line, _ = self._edited(line)
        at = self._random.randint(0, len(lines))
        lines.insert(at, line)
        self._write(path, b"".join(lines))
        return f"{path.name}:{at + 1} from {other.name}"

    def _do_file_reorder(self) -> str:
        path, lines = self._day(least=2)
        one, other = self._random.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]
        self._write(path, b"".join(lines))
        return f"{path.name}:{one + 1} and {other + 1}"

    def _do_file_truncate(self) -> str:
        path = self._random.choice([*self._days(), *self._heads()])
        octets = self._before[path]
        end = self._random.randrange(len(octets))
        if self._random.random() < 0.5:
            end = octets.rfind(b"\n", 0, end) + 1
        self._write(path, octets[:end])
        return f"{path.name} at {end}"

    def _do_file_delete(self) -> str:
        path = self._random.choice([*self._days(), *self._heads()])
        self._touched.add(path)
        path.unlink()
        return path.name

    def _do_file_add(self) -> str:
        path, lines = self._day()
        name = f"{self._random.choice(['2020-01-01', '2023-11-13', '2031-05-06'])}.jsonl"
        (self._folder / name).write_bytes(b"".join(lines))
        return f"{path.name} as {name}"

    def _do_file_swap_days(self) -> str:
        one, other = self._random.sample(self._days(), 2)
        self._write(one, self._before[other])
        self._write(other, self._before[one])
        heads = [path.with_name(path.name.replace(".jsonl", ".head.json")) for path in (one, other)]
        if all(head in self._before for head in heads) and self._random.random() < 0.5:
            self._write(heads[0], self._before[heads[1]])
            self._write(heads[1], self._before[heads[0]])
        return f"{one.name} and {other.name}"

    def _do_head_field(self) -> str:
        path = self._random.choice(self._heads())
        octets, what = self._edited(self._before[path])
        self._write(path, octets)
        return f"{path.name} {what}"

    def _do_head_signature(self) -> str:
        path = self._random.choice(self._heads())
        head = json.loads(self._before[path])
        other = json.loads(self._before[self._random.choice(self._heads())])
        new = self._random.choice([other["signature"], self._random.randbytes(64).hex(), ""])
        if new == head["signature"]:
            return self._do_head_signature()
        self._write(path, canonical(head | {"signature": new}) + b"\n")
        return path.name

    def _do_head_replay(self) -> str:
        one, other = self._random.sample(self._heads(), 2)
        self._write(one, self._before[other])
        return f"{other.name} as {one.name}"

    # Of the journal

    def _sql(self, statement: str, *values: Any) -> None:
        self._touched.add(self._journal)
        connection = apsw.Connection(str(self._journal))
        connection.pragma("synchronous", "OFF")
        connection.execute(statement, values)
        connection.close()

    def _dump(self) -> list[Any]:
        connection = apsw.Connection(str(self._journal), flags=apsw.SQLITE_OPEN_READONLY)
        dump = [list(connection.execute(statement)) for statement in _DUMP]
        connection.close()
        return dump

    def _rows(self) -> list[Any]:
        rows: list[Any] = self._dump()[0]
        return rows

    def _do_table_field(self) -> str:
        first, _, text = self._random.choice(self._rows())
        lines = text.split(b"\n")
        at = self._random.randrange(len(lines))
        edited, what = self._edited(lines[at] + b"\n")
        lines[at] = edited[:-1]
        self._sql("UPDATE evidence SET lines = ? WHERE first = ?", b"\n".join(lines), first)
        return f"{first} {what}"

    def _do_table_octet(self) -> str:
        first, _, text = self._random.choice(self._rows())
        octets = bytearray(text)
        at = self._random.randrange(len(octets))
        octets[at] ^= self._random.randint(1, 255)
        self._sql("UPDATE evidence SET lines = ? WHERE first = ?", bytes(octets), first)
        return f"{first} octet {at}"

    def _do_table_numbers(self) -> str:
        first, last, _ = self._random.choice(self._rows())
        column = self._random.choice(["first", "last"])
        by = self._random.choice([-60, -1, 100])
        self._sql(f"UPDATE OR IGNORE evidence SET {column} = {column} + ? WHERE first = ?", by, first)
        return f"{column} of {first} to {last} by {by}"

    def _do_table_delete(self) -> str:
        first, last, _ = self._random.choice(self._rows())
        self._sql("DELETE FROM evidence WHERE first = ?", first)
        return f"{first} to {last}"

    def _do_table_truncate(self) -> str:
        first, _, _ = self._random.choice(self._rows())
        self._sql("DELETE FROM evidence WHERE first >= ?", first)
        return f"from {first}"

    def _do_table_insert(self) -> str:
        first, _, text = self._random.choice(self._rows())
        at = first + self._random.choice([-1_000, 1_000])
        self._sql("INSERT INTO evidence VALUES (?, ?, ?)", at, at, text)
        return f"at {at}"

    def _do_table_reorder(self) -> str:
        (one, _, lines), (other, _, others) = self._random.sample(self._rows(), 2)
        self._sql(
            "UPDATE evidence SET lines = iif(first = ?1, ?2, ?3) WHERE first IN (?1, ?4)",
            one, others, lines, other,
        )  # fmt: skip
        return f"{one} and {other}"

    def _do_table_state(self) -> str:
        kind = self._random.choice(["field", "seal", "delete", "replay"])
        if kind == "delete":
            self._sql("DELETE FROM evidence_state")
        elif kind == "replay":
            self._sql("UPDATE evidence_state SET state = ?, seal = ?", *self._random.choice(self._older))
        elif kind == "seal":
            self._sql("UPDATE evidence_state SET seal = ?", self._random.randbytes(32).hex())
        else:
            state = json.loads(self._dump()[1][0][1])
            at = self._random.randrange(len(state))
            state[at] = self._other(state[at])
            self._sql("UPDATE evidence_state SET state = ?", canonical(state).decode())
            return f"field {at}"
        return kind

    def _do_table_pending(self) -> str:
        first = self._random.randint(40, 60)
        self._sql("INSERT OR IGNORE INTO evidence_pending VALUES (?, ?)", first, first + 1)
        return f"{first}"

    # A value is another one

    def _edited(self, text: bytes) -> tuple[bytes, str]:
        """One value of a line or head, wherever it is, changed, removed or added."""
        value = json.loads(text)
        path, at = "", value
        while True:
            names = sorted(at) if isinstance(at, dict) else list(range(len(at)))
            name = self._random.choice(names)
            path += f".{name}"
            if not (isinstance(at[name], dict | list) and at[name]) or self._random.random() < 0.1:
                break
            at = at[name]
        draw = self._random.random()
        if draw < 0.15:
            del at[name]
            path = f"without {path}"
        elif draw < 0.25 and isinstance(at, dict):
            at[f"{name}_"] = self._other(at[name])
            path = f"with {path}_"
        else:
            at[name] = self._other(at[name])
        edited = canonical(value) + b"\n"
        return (edited, path) if edited != text else self._edited(text)

    def _other(self, value: Any) -> Any:
        draw = self._random
        if isinstance(value, bool) or value is None:
            return draw.choice([not value, 1, "x"])
        if isinstance(value, int):
            return draw.choice([value + 1, value - 1, value * 10 + 7, str(value)])
        if isinstance(value, float):
            return draw.choice([value + 0.001, value - 86_400.0, int(value) + 1])
        if isinstance(value, str) and value:
            at = draw.randrange(len(value))
            other = draw.choice([c for c in "0123456789abcdef+Z" if c != value[at]])
            return draw.choice([value[:at] + other + value[at + 1 :], value[:at] + value[at + 1 :], None])
        return draw.choice(["x", 7, [value]])
