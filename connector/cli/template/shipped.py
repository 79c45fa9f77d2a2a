"""Where the catalogue is: the templates that come with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["CATALOGUE"]

_INSTALLED: Final = Path(__file__).parent / "catalogue"
_IN_REPOSITORY: Final = Path(__file__).parents[3] / "config/catalogue"

CATALOGUE: Final = _INSTALLED if _INSTALLED.is_dir() else _IN_REPOSITORY
