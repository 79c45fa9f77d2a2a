"""Writing and reading a PDU body by its declaration.

The fast forms are closures over what the layout says, made once a class: one ``%`` writes a whole body, one
loop over the strings reads it. Whenever a fast form stumbles, the slow form walks the layout parameter by
parameter: it names the one at fault, or finds that the body is only untidy and reads it all the same. A PDU
with a list has the slow form only.
"""

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from protocols.smpp import tlv
from protocols.smpp.constants import RESPONSE_BIT, Status
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import (
    COctets,
    Counted,
    Entry,
    FieldKind,
    Integer,
    Layout,
    Listed,
    Octet,
    layout_of,
)

HEADER_LENGTH = 16

BodyEncoder = Callable[[Any], bytes]
BodyDecoder = Callable[[bytes], Any]

_FAST = frozenset((COctets, Octet, Counted))


def body_encoder(layout: Layout) -> BodyEncoder:
    """A function from a PDU to the octets after its header; it raises LocalProtocolError, never truncates."""
    if not _is_fast(layout):
        return _slow_encoder(layout)
    marks = {COctets: b"%b\0", Octet: b"%c", Counted: b"%c%b"}
    template = b"".join(marks[type(kind)] for _, kind in layout.fields)
    values = _getter(tuple(name for name, kind in layout.fields if not isinstance(kind, Counted)))
    strings = _getter(layout.names(COctets))
    allowed = tuple(kind.lengths for _, kind in layout.fields if isinstance(kind, COctets))
    counted = layout.fields[-1] if layout.names(Counted) else None

    def fixed_part(pdu: Any) -> bytes:
        texts = strings(pdu)
        if not all(map(operator.contains, allowed, map(len, texts))) or 0 in b"".join(texts):
            raise ValueError
        if counted is None:
            return template % values(pdu)
        text = getattr(pdu, counted[0])
        if len(text) > counted[1].limit:  # type: ignore[union-attr]
            raise ValueError
        return template % (*values(pdu), len(text), text)

    def encode(pdu: Any) -> bytes:
        try:
            body = fixed_part(pdu)
        except (TypeError, ValueError, OverflowError):
            _refuse(layout, pdu)
        return body + tlv.encode_all(pdu.tlvs) if layout.tlvs and pdu.tlvs else body

    return encode


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """``attrgetter`` that gives a tuple for one name and for none, too."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda pdu: tuple(getattr(pdu, name) for name in names)


def _is_fast(layout: Layout) -> bool:
    return _FAST.issuperset(type(kind) for _, kind in layout.fields)


def _slow_encoder(layout: Layout) -> BodyEncoder:
    def encode(pdu: Any) -> bytes:
        for name, kind in layout.fields:
            if expected := _expected(kind, getattr(pdu, name)):
                raise LocalProtocolError(name, expected)
        return _written(layout, pdu) + (tlv.encode_all(pdu.tlvs) if layout.tlvs else b"")

    return encode


def _written(layout: Layout, values: Any) -> bytes:
    """The mandatory parameters, which are known to fit."""
    parts = []
    for name, kind in layout.fields:
        value = getattr(values, name)
        if isinstance(kind, COctets):
            parts.append(value + b"\0")
        elif isinstance(kind, Octet | Integer):
            parts.append(value.to_bytes(_size(kind), "big"))
        else:
            parts.append(bytes((len(value),)))
            parts += [value] if isinstance(kind, Counted) else map(_written_entry, value)
    return b"".join(parts)


def _written_entry(entry: Entry) -> bytes:
    flag = b"" if entry.flag is None else bytes((entry.flag,))
    return flag + _written(layout_of(type(entry)), entry)


def _size(kind: Octet | Integer) -> int:
    return kind.size if isinstance(kind, Integer) else 1


def _refuse(layout: Layout, pdu: Any) -> NoReturn:
    """Name the first parameter that cannot be written."""
    wrong = ((name, _expected(kind, getattr(pdu, name))) for name, kind in layout.fields)
    name, expected = next((name, expected) for name, expected in wrong if expected)
    raise LocalProtocolError(name, expected) from None


def _expected(kind: FieldKind, value: object) -> str | None:
    """What would be right in place of ``value``; None when it is right."""
    if isinstance(kind, Octet | Integer):
        limit = (1 << 8 * _size(kind)) - 1
        fits = isinstance(value, int) and 0 <= value <= limit
        return None if fits else f"an integer from 0 to {limit}, not {value!r}"
    if isinstance(kind, Listed):
        return _expected_entries(kind, value)
    if not isinstance(value, bytes):
        return f"bytes, not {type(value).__name__}"
    if isinstance(kind, Counted):
        fits = len(value) <= kind.limit
        return None if fits else f"at most {kind.limit} octets, not {len(value)}"
    if len(value) not in kind.lengths:
        bound = f"0 or {kind.size - 1}" if kind.fixed else f"at most {kind.size - 1}"
        return f"{bound} octets, not {len(value)}"
    return "a string without NUL octets" if 0 in value else None


def _expected_entries(kind: Listed, value: object) -> str | None:
    if not isinstance(value, tuple) or not all(isinstance(entry, kind.entries) for entry in value):
        return f"a tuple of {' and '.join(entry.__name__ for entry in kind.entries)}"
    if len(value) > kind.limit:
        return f"at most {kind.limit} entries, not {len(value)}"
    for number, entry in enumerate(value, 1):
        entry_class: type[Entry] = type(entry)
        for name, inner in layout_of(entry_class).fields:
            if expected := _expected(inner, getattr(entry, name)):
                return f"in entry {number} {name}: {expected}"
    return None


def body_decoder(layout: Layout, command_id: int, pdu_class: type[msgspec.Struct]) -> BodyDecoder:
    """A function from a whole frame to a PDU; it raises PduError, and nothing else, for a body that it
    cannot read. Octets behind the body of a PDU without TLVs are ignored.
    """
    if not _is_fast(layout):
        return lambda frame: _decode_slowly(layout, command_id, pdu_class, frame)
    leading, groups = _groups(layout)
    counted = bool(layout.names(Counted))
    optional = layout.tlvs

    def decode(frame: bytes) -> Any:
        try:
            position = HEADER_LENGTH + leading
            values: list[Any] = list(frame[HEADER_LENGTH:position])
            for octets in groups:
                end = frame.index(0, position)
                values.append(frame[position:end])
                position = end + 1 + octets
                if octets:
                    values += frame[end + 1 : position]
            if counted:
                start = position + 1
                position = start + frame[position]
                values.append(frame[start:position])
            if optional and position < len(frame):
                found, stop = tlv.decode_all(frame, position)
                values.append(found)
                position = stop if stop == len(frame) else -1
            if 0 <= position <= len(frame):
                return pdu_class(*values)
        except (ValueError, IndexError, TypeError):
            pass
        return _decode_slowly(layout, command_id, pdu_class, frame)

    return decode


def _groups(layout: Layout) -> tuple[int, tuple[int, ...]]:
    """The number of octets before the first string, and after each string up to the next."""
    leading, groups = 0, list[int]()
    for _, kind in layout.fields:
        if isinstance(kind, COctets):
            groups.append(0)
        elif isinstance(kind, Octet):
            if groups:
                groups[-1] += 1
            else:
                leading += 1
    return leading, tuple(groups)


def _decode_slowly(
    layout: Layout, command_id: int, pdu_class: type[msgspec.Struct], frame: bytes
) -> msgspec.Struct:
    """Read parameter by parameter, forgiving what real SMSCs do: no NUL after the last string, and in a
    response, whose message was taken all the same, a broken end of the TLVs.
    """
    body = _Body(frame, command_id)
    values = body.take_all(layout)
    if layout.tlvs:
        values["tlvs"], stop = tlv.decode_all(frame, body.position)
        if stop != body.end and not command_id & RESPONSE_BIT:
            reason = f"{body.end - stop} octets are no whole TLV"
            raise body.unreadable(Status.ESME_RINVOPTPARSTREAM, "tlvs", reason)
    return pdu_class(**values)


class _Body:
    """A frame and how far it has been read."""

    def __init__(self, frame: bytes, command_id: int) -> None:
        self.position = HEADER_LENGTH
        self.end = len(frame)
        self._frame = frame
        self._command_id = command_id

    def unreadable(self, status: int, field: str, reason: str) -> PduError:
        sequence = int.from_bytes(self._frame[12:16], "big")
        return PduError(status, self._command_id, sequence, field, reason)

    def take_all(self, layout: Layout) -> dict[str, Any]:
        return {name: self._take(name, kind) for name, kind in layout.fields}

    def _take(self, name: str, kind: FieldKind) -> Any:
        if isinstance(kind, COctets):
            start = self.position
            stop = self._frame.find(0, start)
            stop = self.end if stop < 0 else stop
            self.position = min(stop + 1, self.end)
            return self._frame[start:stop]
        if isinstance(kind, Octet | Integer):
            return self._integer(name, _size(kind))
        count = self._integer(name, 1)
        if isinstance(kind, Listed):
            return tuple(self._entry(f"{name}[{index}]", kind) for index in range(count))
        start, self.position = self.position, self.position + count
        if self.position > self.end:
            reason = f"{kind.length_name} is {count}, {self.end - start} octets are left"
            raise self.unreadable(Status.ESME_RINVMSGLEN, name, reason)
        return self._frame[start : self.position]

    def _integer(self, name: str, size: int) -> int:
        start, self.position = self.position, self.position + size
        if self.position > self.end:
            raise self.unreadable(Status.ESME_RINVCMDLEN, name, "the body ends before it")
        return int.from_bytes(self._frame[start : self.position], "big")

    def _entry(self, name: str, kind: Listed) -> Entry:
        if self.position >= self.end:
            raise self.unreadable(Status.ESME_RINVCMDLEN, name, "the body ends before it")
        classes = {entry.flag: entry for entry in kind.entries}
        flag = None if None in classes else self._integer(name, 1)
        if flag not in classes:
            raise self.unreadable(Status.ESME_RINVDESTFLAG, name, f"{flag} is no kind of entry")
        entry_class = classes[flag]
        return entry_class(**self.take_all(layout_of(entry_class)))
