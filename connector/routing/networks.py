"""Who was given a block of numbers: the longest prefix, as one search in a sorted table."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

import phonenumbers

__all__ = ["Networks", "network_of"]

_DIGITS: Final = 9
_PACKAGE: Final = "phonenumbers.carrierdata"


def network_of(digits: str) -> str:
    """Of an international number without +; "" where none is known. The first call takes 50 ms."""
    return _networks().of(digits)


class Networks:
    """Prefixes of at most nine digits, made into ranges that do not overlap: where each begins, and whose it
    is. Six octets a range; the dictionaries of the library have sixty times as much.
    """

    def __init__(self, prefixes: Iterable[tuple[str, str]]) -> None:
        self._starts, self._owners = array("I", [0]), array("H", [0])
        names = {"": 0}
        found = array("Q")
        for prefix, name in prefixes:
            owner = names.setdefault(name, len(names))
            # In the order of where they begin, the wide before the narrow.
            start = int(prefix.ljust(_DIGITS, "0"))
            found.append(start << 24 | len(prefix) << 16 | owner)
        enclosing: list[tuple[int, int]] = [(10**_DIGITS, 0)]
        for entry in sorted(found):
            start, length, owner = entry >> 24, entry >> 16 & 0xFF, entry & 0xFFFF
            self._close(enclosing, start)
            self._begin(start, owner)
            enclosing.append((start + 10 ** (_DIGITS - length), owner))
        self._close(enclosing, 10**_DIGITS - 1)
        # As one text: single ones would keep the pages alive between which they were read.
        self._names = "\n".join(names).split("\n")

    def of(self, digits: str) -> str:
        key = int(digits[:_DIGITS] if len(digits) >= _DIGITS else digits.ljust(_DIGITS, "0"))
        return self._names[self._owners[bisect_right(self._starts, key) - 1]]

    def _close(self, enclosing: list[tuple[int, int]], start: int) -> None:
        """End the ranges that end before `start`: what lies around them goes on."""
        while enclosing[-1][0] <= start:
            end, _ = enclosing.pop()
            self._begin(end, enclosing[-1][1])

    def _begin(self, start: int, owner: int) -> None:
        if self._starts[-1] == start:
            self._owners[-1] = owner
        else:
            self._starts.append(start)
            self._owners.append(owner)


@cache
def _networks() -> Networks:
    return Networks(_library())


def _library() -> Iterator[tuple[str, str]]:
    """(prefix, network) of the library's table, file by file: as a whole it would leave 10 MB behind."""
    folder = Path(phonenumbers.__file__).with_name("carrierdata")
    for path in sorted(folder.glob("data*.py")):
        spec = spec_from_file_location(f"{_PACKAGE}.{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        for prefix, names in module.data.items():
            if (name := names.get("en")) is not None:
                yield prefix, name
