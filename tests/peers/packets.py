"""Capture files that nothing was captured for: octets of ours, as packets that a dissector takes for real."""

from collections.abc import Iterable
from pathlib import Path
from struct import pack

# https://www.tcpdump.org/linktypes.html
RAW_IP = 101
USER_0 = 147

_ESME = (bytes((192, 0, 2, 1)), 40_000)
_SMSC = (bytes((192, 0, 2, 2)), 2775)
SMSC_PORT = _SMSC[1]


def write(file: Path, packets: Iterable[bytes], link_type: int) -> None:
    """In the format of libpcap, one packet a millisecond."""
    with file.open("wb") as written:
        written.write(pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFF, link_type))
        for number, packet in enumerate(packets):
            seconds, rest = divmod(number, 1000)
            written.write(pack("<IIII", seconds, rest * 1000, len(packet), len(packet)) + packet)


def of_esme(frames: Iterable[bytes]) -> Iterable[bytes]:
    """IP packets of a TCP connection from its SYN, one PDU of an ESME in each."""
    yield _tcp(0, 0x02, b"")
    sent = 1
    for frame in frames:
        yield _tcp(sent, 0x18, frame)
        sent += len(frame)


def _tcp(sequence: int, flags: int, data: bytes) -> bytes:
    (source, source_port), (target, target_port) = _ESME, _SMSC
    segment = pack(">HHIIBBHHH", source_port, target_port, sequence, 0, 5 << 4, flags, 0xFFFF, 0, 0) + data
    return pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + source + target + segment
