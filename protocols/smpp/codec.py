"""Writing and reading a PDU body by its declaration.

The fast forms are closures over what the layout says, made once a class: one ``%`` writes a whole body, one
loop over the strings reads it. Whenever a fast form stumbles, the slow form walks the layout parameter by
parameter: it names the one at fault, or finds that the body is only untidy and reads it all the same.
"""

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from protocols.smpp import tlv
from protocols.smpp.constants import RESPONSE_BIT, Status
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import COctets, Counted, FieldKind, Layout, Octet

HEADER_LENGTH = 16

BodyEncoder = Callable[[Any], bytes]
BodyDecoder = Callable[[bytes], Any]


def body_encoder(layout: Layout) -> BodyEncoder:
    """A function from a PDU to the octets after its header; it raises LocalProtocolError, never truncates."""
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


def _refuse(layout: Layout, pdu: Any) -> NoReturn:
    """Name the first parameter that cannot be written."""
    wrong = ((name, _expected(kind, getattr(pdu, name))) for name, kind in layout.fields)
    name, expected = next((name, expected) for name, expected in wrong if expected)
    raise LocalProtocolError(name, expected) from None


def _expected(kind: FieldKind, value: object) -> str | None:
    """What would be right in place of ``value``; None when it is right."""
    if isinstance(kind, Octet):
        fits = isinstance(value, int) and 0 <= value <= 255
        return None if fits else f"an integer from 0 to 255, not {value!r}"
    if not isinstance(value, bytes):
        return f"bytes, not {type(value).__name__}"
    if isinstance(kind, Counted):
        fits = len(value) <= kind.limit
        return None if fits else f"at most {kind.limit} octets, not {len(value)}"
    if len(value) not in kind.lengths:
        bound = f"0 or {kind.size - 1}" if kind.fixed else f"at most {kind.size - 1}"
        return f"{bound} octets, not {len(value)}"
    return "a string without NUL octets" if 0 in value else None


def body_decoder(layout: Layout, command_id: int, pdu_class: type[msgspec.Struct]) -> BodyDecoder:
    """A function from a whole frame to a PDU; it raises PduError, and nothing else, for a body that it
    cannot read. Octets behind the body of a PDU without TLVs are ignored.
    """
    leading, groups = _groups(layout)
    counted = bool(layout.names(Counted))
    optional = layout.tlvs
    lenient = bool(command_id & RESPONSE_BIT)

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
        return _decode_untidy(layout, command_id, pdu_class, frame, lenient)

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


def _decode_untidy(
    layout: Layout, command_id: int, pdu_class: type[msgspec.Struct], frame: bytes, lenient: bool
) -> Any:
    """Read parameter by parameter, forgiving what real SMSCs do: no NUL after the last string, and in a
    response, whose message was taken all the same, a broken end of the TLVs.
    """
    end = len(frame)
    position = HEADER_LENGTH
    values: dict[str, Any] = {}

    def unreadable(status: int, field: str, reason: str) -> PduError:
        return PduError(status, command_id, int.from_bytes(frame[12:16], "big"), field, reason)

    for name, kind in layout.fields:
        if isinstance(kind, COctets):
            stop = frame.find(0, position)
            stop = end if stop < 0 else stop
            values[name] = frame[position:stop]
            position = min(stop + 1, end)
            continue
        if position >= end:
            raise unreadable(Status.ESME_RINVCMDLEN, name, "the body ends before it")
        if isinstance(kind, Octet):
            values[name] = frame[position]
            position += 1
            continue
        length = frame[position]
        start, position = position + 1, position + 1 + length
        if position > end:
            reason = f"{kind.length_name} is {length}, {end - start} octets are left"
            raise unreadable(Status.ESME_RINVMSGLEN, name, reason)
        values[name] = frame[start:position]
    if layout.tlvs:
        values["tlvs"], stop = tlv.decode_all(frame, position)
        if stop != end and not lenient:
            raise unreadable(Status.ESME_RINVOPTPARSTREAM, "tlvs", f"{end - stop} octets are no whole TLV")
    return pdu_class(**values)
