"""The kinds of parameter a PDU is declared from (SMPP 3.4 §3.1), and the layout they add up to."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, get_type_hints

import msgspec


class Shown(Enum):
    """How a parameter appears in the ``repr`` of its PDU, and so in tracebacks."""

    PLAIN = "as it is"
    TAIL = "its last two octets"
    SECRET = "not at all"


@dataclass(frozen=True)
class COctets:
    """A C-octet string: ``size`` octets at most, the closing NUL counted (§3.1).

    ``fixed`` is the specification's "1 or 17": either empty or exactly of the full size (§3.1, note on
    the length of fixed C-octet strings).
    """

    size: int
    fixed: bool = False
    shown: Shown = Shown.PLAIN

    @property
    def lengths(self) -> frozenset[int]:
        """The lengths, without the NUL, that may leave this side."""
        return frozenset((0, self.size - 1) if self.fixed else range(self.size))


@dataclass(frozen=True)
class Octet:
    """An integer of one octet (§3.1)."""


@dataclass(frozen=True)
class Integer:
    """An integer of ``size`` octets, big-endian (§3.1)."""

    size: int


@dataclass(frozen=True)
class Counted:
    """An octet string after an octet with its length (sm_length and short_message, §5.2.21–22)."""

    limit: int
    length_name: str


class Declared(msgspec.Struct, frozen=True, gc=False):
    """What is declared by annotating its parameters with their kinds: PDUs and the entries of their lists.

    The ``repr`` leaves out what is empty, passwords and texts, and shows the ends of addresses only.
    """

    def __repr__(self) -> str:
        values = ((name, kind, getattr(self, name)) for name, kind in layout_of(type(self)).fields)
        parts = [f"{name}={_shown(kind, value)}" for name, kind, value in values if value]
        parts += [f"tlv_0x{tag:04X}=[{len(value)} octets]" for tag, value in getattr(self, "tlvs", ())]
        return f"{type(self).__name__}({', '.join(parts)})"


class Entry(Declared, frozen=True, gc=False):
    """One entry of a list. ``flag`` is the octet in front that tells its kind, where there is one."""

    flag: ClassVar[int | None] = None


@dataclass(frozen=True)
class Listed:
    """Entries after an octet with their number (dest_address, §4.5.1.1; unsuccess_sme, §4.5.2.1)."""

    limit: int
    entries: tuple[type[Entry], ...]


FieldKind = COctets | Octet | Integer | Counted | Listed

UInt8 = Annotated[int, Octet()]
UInt32 = Annotated[int, Integer(4)]
ServiceType = Annotated[bytes, COctets(6)]
Address = Annotated[bytes, COctets(21, shown=Shown.TAIL)]
LongAddress = Annotated[bytes, COctets(65, shown=Shown.TAIL)]
MessageId = Annotated[bytes, COctets(65)]
Time = Annotated[bytes, COctets(17, fixed=True)]
ShortMessage = Annotated[bytes, Counted(254, "sm_length")]

Tlv = tuple[int, bytes]
Tlvs = tuple[Tlv, ...]
"""Optional parameters as they are on the wire: (tag, value) in order (§5.3)."""


@dataclass(frozen=True)
class Layout:
    """What a PDU class declares, in wire order: parameters, then TLVs where they are allowed."""

    fields: tuple[tuple[str, FieldKind], ...]
    tlvs: bool

    def names(self, kind: type[FieldKind]) -> tuple[str, ...]:
        return tuple(name for name, field in self.fields if isinstance(field, kind))


@cache
def layout_of(pdu_class: type[msgspec.Struct]) -> Layout:
    """Read the declaration of a PDU class; TypeError when it is not one that the codec understands."""
    hints = get_type_hints(pdu_class, include_extras=True)
    fields: list[tuple[str, FieldKind]] = []
    names = list(pdu_class.__struct_fields__)
    tlvs = bool(names) and names[-1] == "tlvs"
    for name in names[:-1] if tlvs else names:
        kinds = [mark for mark in getattr(hints[name], "__metadata__", ()) if isinstance(mark, FieldKind)]
        if len(kinds) != 1:
            raise TypeError(f"{pdu_class.__name__}.{name} must be annotated with one kind of field")
        fields.append((name, kinds[0]))
    if any(isinstance(kind, Counted) for _, kind in fields[:-1]):
        raise TypeError(f"{pdu_class.__name__}: a counted string must be the last mandatory parameter")
    return Layout(tuple(fields), tlvs)


def _shown(kind: FieldKind, value: Any) -> str:
    if isinstance(kind, Counted):
        return f"[{len(value)} octets]"
    shown = kind.shown if isinstance(kind, COctets) else Shown.PLAIN
    if shown is Shown.PLAIN:
        return repr(value)
    tail = value[-2:] if shown is Shown.TAIL and len(value) > 4 else b""
    return f"…{tail!r}" if tail else "…"
