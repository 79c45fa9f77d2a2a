"""On which line of a TOML document each key and each array element stands.

`tomllib` gives values without positions. This walks the text of a document that `tomllib` has accepted, so it
need not judge it: it only follows the nesting of TOML 1.0's tables, dotted keys, strings, arrays and inline
tables.
"""

from __future__ import annotations

import re
import tomllib

from .problem import Path

__all__ = ["key_lines"]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]*")


def key_lines(text: str) -> dict[Path, int]:
    """Line (1-based) of every key, table and array element of a valid TOML document.

    Of a table opened several times (by its own header and by those of its children) the first line counts.
    """
    return _Walk(text).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {}
        self._array_tables: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._position):
                table = self._header(2)
            elif self._text[self._position] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self._lines

    def _skip_blank(self) -> bool:
        self._take(_BLANK)
        return self._position < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            return ""
        self._position = match.end()
        return match[0]

    def _mark(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
        for depth in range(1, len(path) + 1):
            self._lines.setdefault(path[:depth], self._line)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while part := self._take(_KEY_PART).strip():
            parts.append(_unquote(part))
            if not self._text.startswith(".", self._position):
                break
            self._position += 1
        return parts

    def _header(self, brackets: int) -> Path:
        self._position += brackets
        parts = self._key()
        path: Path = ()
        for index, part in enumerate(parts):
            path = (*path, part)
            if brackets == 2 and index == len(parts) - 1:
                self._array_tables[path] = self._array_tables.get(path, -1) + 1
            if path in self._array_tables:
                path = (*path, self._array_tables[path])
        self._mark(path)
        self._position += brackets
        return path

    def _pair(self, table: Path) -> None:
        path = (*table, *self._key())
        self._mark(path)
        self._position += 1
        self._take(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self._text[self._position : self._position + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif first in ('"', "'"):
            self._take(_STRING)
        else:
            self._take(_SCALAR)

    def _array(self, path: Path) -> None:
        self._position += 1
        index = 0
        while self._skip_blank() and self._text[self._position] != "]":
            self._mark((*path, index))
            self._value((*path, index))
            index += 1
            self._comma()
        self._position += 1

    def _inline_table(self, path: Path) -> None:
        self._position += 1
        while self._skip_blank() and self._text[self._position] != "}":
            self._pair(path)
            self._comma()
        self._position += 1

    def _comma(self) -> None:
        if self._skip_blank() and self._text[self._position] == ",":
            self._position += 1


def _unquote(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return next(iter(tomllib.loads(f"{part} = 0")))
    return part
