"""Why a text cannot become a short message, or a short message a text."""

from __future__ import annotations


class GsmError(ValueError):
    """Base of the errors of this package."""


class Unencodable(GsmError):
    """The alphabet has no ``character``, found at index ``position`` of the text."""

    def __init__(self, position: int, character: str) -> None:
        super().__init__(f"U+{ord(character):04X} at position {position} is not in the alphabet")
        self.position = position
        self.character = character


class TooManyParts(GsmError):
    """The text needs ``parts`` segments and only ``max_parts`` are allowed."""

    def __init__(self, parts: int, max_parts: int) -> None:
        super().__init__(f"the text needs {parts} parts, at most {max_parts} are allowed")
        self.parts = parts
        self.max_parts = max_parts


class UdhError(GsmError):
    """The user data header does not add up."""
