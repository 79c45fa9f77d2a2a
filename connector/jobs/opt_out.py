"""Numbers that asked to be left alone."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from connector.config import ConfigError, Problem
from connector.config.document import FILE

__all__ = ["OptOut", "read_opt_out"]

_READ: Final = 1 << 18
_SHOWN: Final = 20
_LONGEST_LINE: Final = 1_000
_BUCKETS: Final = 1_024
_LINE: Final = re.compile(rb"[ \t]*(\+[1-9][0-9]{6,14})?[ \t]*(?:#.*)?\r?")
_PLAIN: Final = re.compile(rb"(?:\+[1-9][0-9]{6,14}\n)+")


class OptOut:
    """A set of E.164 numbers with +, at 8 octets each: a million is 8 MB, where a set of texts has 120.

    Numbers are spread over buckets and sorted in each, so that neither making it nor a search needs them all.
    """

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        buckets = [array("Q") for _ in range(_BUCKETS)]
        for number in numbers:
            buckets[number % _BUCKETS].append(number)
        self._buckets = [array("Q", sorted(set(bucket))) for bucket in buckets]
        self._size = sum(map(len, self._buckets))  # every job asks whether there are any

    def __contains__(self, number: str) -> bool:
        key = int(number)
        bucket = self._buckets[key % _BUCKETS]
        place = bisect_left(bucket, key)
        return place < len(bucket) and bucket[place] == key

    def __len__(self) -> int:
        return self._size


def read_opt_out(path: Path) -> OptOut:
    """One E.164 number a line; # begins a comment, empty lines count for nothing.

    Raises ConfigError with file and line of each fault: a list that is partly understood would let some be
    written to who asked not to be. A million numbers take half a second.
    """
    problems: list[Problem] = []
    found = OptOut(_numbers(path, problems))
    if problems:
        raise ConfigError(problems)
    return found


def _numbers(path: Path, problems: list[Problem]) -> Iterator[int]:
    line = 1
    try:
        with path.open("rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            while lines := file.readlines(_READ):
                text = b"".join(lines)
                if _PLAIN.fullmatch(text):
                    yield from map(int, lines)
                else:
                    yield from _with_comments(path, lines, line, problems)
                line += len(lines)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}, expected one E.164 number a line"
        problems.append(_problem(path, 1, message, "config_unreadable"))


def _with_comments(path: Path, lines: list[bytes], first: int, problems: list[Problem]) -> Iterator[int]:
    for line, text in enumerate(lines, first):
        found = _LINE.fullmatch(text.rstrip(b"\n")) if len(text) <= _LONGEST_LINE else None
        if found is None:
            # The number itself is not shown: whoever asked to be left alone does not want to stand in logs.
            if len(problems) < _SHOWN:
                message = "is no number, expected + and 7 to 15 digits, or a comment behind #"
                problems.append(_problem(path, line, message))
        elif found[1] is not None:
            yield int(found[1])


def _problem(path: Path, line: int, message: str, code: str = "config_wrong_value") -> Problem:
    return Problem(code=code, file=str(path), line=line, key=FILE, message=message)
