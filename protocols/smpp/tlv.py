"""Optional parameters (TLVs), SMPP 3.4 §3.2.4 and §5.3: raw on the wire, typed on request.

Tags are not checked against a list: vendors' tags are everyday traffic, and the same tag means different
things to different carriers.
"""

from struct import Struct
from struct import error as struct_error

from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.fields import Tlv, Tlvs

_HEADER = Struct(">HH")


def encode_all(tlvs: Tlvs) -> bytes:
    """The octets of ``tlvs``; LocalProtocolError for a tag or a length that does not fit in 16 bits."""
    parts = []
    try:
        for tag, value in tlvs:
            parts.append(_HEADER.pack(tag, len(value)))
            parts.append(value)
        return b"".join(parts)
    except (struct_error, TypeError, ValueError):
        expected = "pairs of a tag 0–0xFFFF and at most 65535 octets"
        raise LocalProtocolError("tlvs", expected) from None


def decode_all(frame: bytes, start: int) -> tuple[Tlvs, int]:
    """The TLVs from ``start`` to the end of ``frame``, and where reading stopped.

    Reading stops before the first TLV that is not whole; it then stops short of ``len(frame)``.
    """
    found = []
    end = len(frame)
    while start + 4 <= end:
        tag, length = _HEADER.unpack_from(frame, start)
        stop = start + 4 + length
        if stop > end:
            break
        found.append((tag, frame[start + 4 : stop]))
        start = stop
    return tuple(found), start


def get(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first TLV with this tag, as it came."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def uint(tlvs: Tlvs, tag: int) -> int | None:
    """An integer of whatever length it came in (peers send one octet for two and the reverse)."""
    value = get(tlvs, tag)
    return int.from_bytes(value, "big") if value else None


def c_octet(tlvs: Tlvs, tag: int) -> bytes | None:
    """A C-octet string up to its NUL; the NUL may be missing."""
    value = get(tlvs, tag)
    return None if value is None else value.partition(b"\0")[0]


def of_uint(tag: int, value: int, size: int) -> Tlv:
    """An integer of ``size`` octets, big-endian (§3.1)."""
    if not 0 <= value < 1 << (8 * size):
        raise LocalProtocolError(f"TLV 0x{tag:04X}", f"an integer of {size} octets, not {value}")
    return tag, value.to_bytes(size, "big")
