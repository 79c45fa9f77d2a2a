"""A state folder with evidence in it, written by the chain itself but without a daemon."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from connector.evidence.canonical import canonical, commitment, day_of
from connector.evidence.chain import Chain, Entry, read_line
from connector.evidence.head import Head, signed_head
from connector.evidence.keys import Keys, load
from connector.evidence.layout import day_file, head_file


class Ledger:
    """Days are closed in order, each with its signed head."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.keys: Keys = load(state)
        self._chain = Chain(self.keys.chain)

    def close_day(self, lines: Iterable[dict[str, Any]]) -> Head:
        """Chain the kind, record and personal part of `lines`; their numbers and MACs are the chain's."""
        first, previous = self._chain.seq + 1, self._chain.mac
        written, day = [], ""
        for line in lines:
            record = {key: value for key, value in line["record"].items() if key != "personal"}
            personal = canonical(line["personal"]) if "personal" in line else None
            if personal is not None:
                record["personal"] = commitment(personal)
            entry = Entry(line["kind"], canonical(record), personal)
            written.append(self._chain.append(line["at"], entry))
            day = day or day_of(line["at"])
        with day_file(self.state, day).open("wb") as file:
            file.writelines(line + b"\n" for line in written)
        digest = sha256(b"".join(read_line(line).public() + b"\n" for line in written)).hexdigest()
        head = signed_head(
            Head(
                day=day, first=first, last=self._chain.seq, count=len(written), previous_mac=previous,
                mac=self._chain.mac, sha256=digest, key="",
            ),
            self.keys,
        )  # fmt: skip
        head_file(self.state, day).write_bytes(head.octets())
        return head

    def file(self, day: str) -> Path:
        return day_file(self.state, day)
