"""The labelled set: tests/content/lines.toml, on which the gate was tuned, and held_out.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["Line", "lines"]

_FOLDER = Path(__file__).parents[2] / "tests" / "content"
Part = Literal["lines", "held_out"]


class Line(NamedTuple):
    """One line, its language and its label."""

    text: str
    lang: str
    dirty: bool


def lines(part: Part) -> Iterator[Line]:
    found = tomllib.loads((_FOLDER / f"{part}.toml").read_text("utf-8"))
    for lang, labels in found.items():
        for label in ("clean", "dirty"):
            yield from (Line(text, lang, label == "dirty") for text in labels[label])
