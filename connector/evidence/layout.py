"""Where evidence lies: a table of the journal for the newest records, a file a day for all others.

Records are committed to the table with what ends their job. Every few seconds the oldest of them are
appended to the file of their day, and leave the table once that file is on the disk.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from connector.evidence.keys import FOLDER

__all__ = ["JOURNAL", "day_file", "days_in", "head_file"]

JOURNAL: Final = "journal.db"
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.(jsonl|head\.json)")


def day_file(state: Path, day: str) -> Path:
    """The lines of a day, one record each."""
    return state / FOLDER / f"{day}.jsonl"


def head_file(state: Path, day: str) -> Path:
    """The signed head of a closed day."""
    return state / FOLDER / f"{day}.head.json"


def days_in(state: Path) -> list[str]:
    """Days of which a file or a head is there, in order."""
    folder = state / FOLDER
    names = [_DAY.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted({match[1] for match in names if match})
