"""What the declaration of an option consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STATUS_MAX = 0xFFFFFFFF


class OptionError(ValueError):
    """An option that does not exist or a value outside what it takes; the text says what is expected."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What an option does and which values it takes.

    `choices` of an option with several values are those of each value; `check` raises ValueError for what
    no list of choices can say.
    """

    help: str
    low: float = 0
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    check: Callable[[Any], object] | None = None
