"""What people and their machines say when a telephone is answered: lines.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["LANGUAGES", "Spoken"]


class Spoken(NamedTuple):
    """One language. `office` are humans who answer with a whole sentence, as at work."""

    voice: str
    human: tuple[str, ...]
    greeting: tuple[str, ...]
    office: tuple[str, ...] = ()


LANGUAGES: Final = tuple(
    Spoken(voice, **{key: tuple(lines) for key, lines in kinds.items()})
    for voice, kinds in tomllib.loads(Path(__file__).with_name("lines.toml").read_text("utf-8")).items()
)
