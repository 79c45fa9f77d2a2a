"""What can be wrong with a configuration, as values: all problems are collected, none is raised alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

from connector.errors import ConnectorError

__all__ = ["ConfigError", "Path", "Problem", "did_you_mean", "dotted"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

Path = tuple[str | int, ...]
"""Where a value stands in a TOML document: ("application", 0, "uids")."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, in one line.

    code     a key of `connector.errors.ERRORS`
    file     path of the file or folder
    line     1-based; 1 where the problem is the file as a whole
    key      dotted path of the key, e.g. `application[0].uids`, or `(file)` / `(folder)`
    message  what is wrong, what is expected, did you mean
    """

    code: str
    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.message}"


class ConfigError(ConnectorError):
    """The configuration cannot be used. `problems` has all of them, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems[0].code, "\n".join(map(str, self.problems)))


def dotted(path: Path) -> str:
    """`("application", 0, "uids")` → `application[0].uids`; keys that need quotes have them."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if _BARE_KEY.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`, did you mean "right"?`, or nothing when no known name is near."""
    near = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""
