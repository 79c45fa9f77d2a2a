"""The national language tables of TS 23.038 Annex A, in the forms that encoding and decoding want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocols.gsm.languages import Language
from protocols.gsm.national import locking, single

__all__ = ["LOCKING", "SINGLE", "UNASSIGNED"]

# codecs.charmap_decode reads it as "no character".
UNASSIGNED: Final = "\ufffe"

_NAMES: Final = {
    "LF": "\n", "FF": "\f", "CR": "\r", "SP": " ", "ESC": "\x1b", "--": UNASSIGNED,
}  # fmt: skip


def _character(cell: str) -> str:
    return _NAMES.get(cell) or (cell if len(cell) == 1 else chr(int(cell, 16)))


def _tables(cells: Mapping[Language, str]) -> dict[Language, str]:
    return {language: "".join(map(_character, rows.split())) for language, rows in cells.items()}


LOCKING: Final = _tables(locking.CELLS)
"""128 characters a language, UNASSIGNED where there is none, ESC at its own place."""

SINGLE: Final = {
    language: {
        code: character for code, character in enumerate(table) if character not in (UNASSIGNED, "\x1b")
    }
    for language, table in _tables(single.CELLS).items()
}
"""The character of the septet after ESC, a language."""
