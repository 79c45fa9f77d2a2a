"""Bounds on what one connection may make the other side hold in memory."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Upper bounds for one incoming frame.

    ``frame`` is in octets and includes everything from the first octet of the outer array;
    ``string`` is in octets of UTF-8 (and of ``bin``), ``array`` and ``map`` in elements, ``nesting`` in
    containers around a value, the outer array of the frame included. The server tells its own to the
    client in the result of ``hello``.
    """

    frame: int = 256 * 1024
    string: int = 16 * 1024
    array: int = 1024
    map: int = 1024
    nesting: int = 12

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            if getattr(self, field) < 1:
                raise ValueError(f"Limits.{field} must be at least 1")
