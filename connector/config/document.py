"""One TOML file, read and parsed, with the line of every key."""

from __future__ import annotations

import re
import tomllib
from datetime import date, time
from pathlib import Path as FilePath
from typing import Any, Final

from msgspec import Struct

from .lines import key_lines
from .problem import Path, Problem, dotted

__all__ = ["FILE", "FOLDER", "Document", "plain", "read_document"]

FILE: Final = "(file)"
FOLDER: Final = "(folder)"

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_AT_END = " (at end of document)"


class Document(Struct, frozen=True):
    """A TOML file as plain values. `file` is the path as problems show it."""

    file: str
    data: dict[str, Any]
    lines: dict[Path, int]

    @property
    def stem(self) -> str:
        """The file's name without `.toml`."""
        return FilePath(self.file).stem

    def line(self, path: Path) -> int:
        """Where `path` stands, or the nearest table above it; 1 for the whole document."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1

    def problem(self, path: Path, message: str, code: str = "config_wrong_value") -> Problem:
        """A problem with the value at `path`."""
        return Problem(
            code=code, file=self.file, line=self.line(path), key=dotted(path) or FILE, message=message
        )


def read_document(file: FilePath) -> Document | Problem:
    """Read one TOML file; what makes that impossible comes back as the problem."""
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        reason = error.strerror or str(error)
        return _unusable(
            file, 1, f"cannot be read: {reason}, expected a readable TOML file", "config_unreadable"
        )
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return _unusable(file, line, "is not UTF-8, expected TOML in UTF-8")
    text = text.replace("\r\n", "\n")
    try:
        return Document(str(file), plain(tomllib.loads(text)), key_lines(text))
    except tomllib.TOMLDecodeError as error:
        return _syntax(file, text, str(error))
    except RecursionError:
        return _unusable(file, 1, "is nested too deeply, expected plain tables and lists")


def plain(data: Any) -> Any:
    """TOML's values with dates and times as text (RFC 3339), so that one schema serves files and editors."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(value) for value in data]
    return data.isoformat() if isinstance(data, date | time) else data


def _syntax(file: FilePath, text: str, message: str) -> Problem:
    found = _AT_LINE.search(message)
    if found is not None:
        line, message = int(found[1]), message[: found.start()]
    else:
        line, message = text.rstrip("\n").count("\n") + 1, message.removesuffix(_AT_END)
    return _unusable(file, line, f"is not TOML: {message}, expected TOML 1.0")


def _unusable(file: FilePath, line: int, message: str, code: str = "config_syntax") -> Problem:
    return Problem(code=code, file=str(file), line=line, key=FILE, message=message)
