"""Keys that come twice, as telephone-event and as INFO, count once. Pure."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["Keys", "Source"]

Source = Literal["rfc4733", "info"]

_MOST: Final = 256
"""Of one call; who presses more has lost us."""


class Keys:
    """Both ways tell the same keys in the same order, so a key is new when it is one more than the other way
    has told: how far apart the two come does not matter. What one way lost, the other brings.
    """

    def __init__(self) -> None:
        self.pressed = 0
        self._told: dict[Source, int] = {"rfc4733": 0, "info": 0}

    def press(self, source: Source) -> bool:
        """True when the key is to be heard."""
        self._told[source] += 1
        if self._told[source] <= self.pressed or self.pressed >= _MOST:
            return False
        self.pressed += 1
        return True
