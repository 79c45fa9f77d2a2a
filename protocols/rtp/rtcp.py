"""RTCP (§6): sender and receiver reports, CNAME, BYE, and the compound packets they travel in."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from protocols.rtp.errors import LocalProtocolError, PacketError

__all__ = [
    "Goodbye", "ReceiverReport", "Report", "ReportBlock", "SenderReport", "SourceDescription", "encode",
    "interval", "ntp", "parse", "round_trip_s",
]  # fmt: skip

SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203

_CNAME = 1
_M32 = 0xFFFFFFFF
_VERSION = 0x80
_PADDING = 0x20
_COUNT = 0x1F
_HEADER = struct.Struct(">BBH")
_SENDER = struct.Struct(">QIII")
_BLOCK = struct.Struct(">IIIIII")
_NTP_EPOCH: Final = 2208988800
"""1900 to 1970, in seconds."""
_MIN_INTERVAL_S = 5.0
_COMPENSATION = 1.21828
"""e - 3/2: what reconsideration of timers makes of the mean (§6.3.1)."""


class ReportBlock(NamedTuple):
    """What one side receives of the source `ssrc` (§6.4.1).

    fraction_lost  in 1/256, since the report before
    lost           packets in all; negative with duplicates
    highest        sequence number, extended by its cycles to 32 bits
    jitter         in timestamp units
    last_report    the middle 32 bits of the NTP timestamp of the source's last SR; 0 without
    delay          from that SR to this report, in 1/65536 s
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class SenderReport(NamedTuple):
    """`ntp` of 64 bits and `timestamp` are the same instant; packets and octets since the stream began."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(NamedTuple):
    """Of somebody who has sent nothing since the report before."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


class SourceDescription(NamedTuple):
    """CNAMEs by SSRC; "" for a chunk without. The other items (who, where) are not kept."""

    cnames: tuple[tuple[int, str], ...]


class Goodbye(NamedTuple):
    """These sources have ended."""

    sources: tuple[int, ...]


Report = SenderReport | ReceiverReport | SourceDescription | Goodbye


def ntp(unix_s: float) -> int:
    """64-bit NTP timestamp (§4) of seconds since 1970."""
    return int((unix_s + _NTP_EPOCH) * (1 << 32)) & (1 << 64) - 1


def round_trip_s(block: ReportBlock, arrived: int) -> float | None:
    """From our SR to the report about it, less the peer's own delay; `arrived` as an NTP timestamp (§6.4.1).

    None when the peer had no SR of ours, and for times that cannot be.
    """
    if not block.last_report:
        return None
    units = (arrived >> 16) - block.last_report - block.delay & 0xFFFFFFFF
    # The clocks of both ends cut their fractions: what is a little below zero is none.
    if units >= 0xFFFFFFFF - 655:
        return 0.0
    return None if units & 0x80000000 else units / 65536


def interval(draw: float, first: bool) -> float:
    """Seconds to the next report of a conversation of two (§6.2, §6.3.1); `draw` is uniform in [0, 1)."""
    return (_MIN_INTERVAL_S / 2 if first else _MIN_INTERVAL_S) * (0.5 + draw) / _COMPENSATION


def encode(reports: Sequence[Report]) -> bytes:
    """A compound packet (§6.1); LocalProtocolError unless a report comes first and an SDES follows."""
    if not reports or not isinstance(reports[0], SenderReport | ReceiverReport):
        raise LocalProtocolError("reports", "SR or RR comes first")
    if not any(isinstance(report, SourceDescription) for report in reports):
        raise LocalProtocolError("reports", "SDES with the CNAME is in every compound packet")
    return b"".join(map(_encode, reports))


def _encode(report: Report) -> bytes:
    if isinstance(report, SenderReport):
        sender = _SENDER.pack(report.ntp, report.timestamp, report.packets & _M32, report.octets & _M32)
        return _framed(SR, len(report.blocks), _ssrc(report.ssrc) + sender + _blocks(report.blocks))
    if isinstance(report, ReceiverReport):
        return _framed(RR, len(report.blocks), _ssrc(report.ssrc) + _blocks(report.blocks))
    if isinstance(report, SourceDescription):
        return _framed(SDES, len(report.cnames), b"".join(_chunk(*chunk) for chunk in report.cnames))
    return _framed(BYE, len(report.sources), b"".join(map(_ssrc, report.sources)))


def _framed(kind: int, count: int, body: bytes) -> bytes:
    if count > _COUNT:
        raise LocalProtocolError("count", "31 at most in one packet")
    return _HEADER.pack(_VERSION | count, kind, len(body) // 4) + body


def _ssrc(ssrc: int) -> bytes:
    return ssrc.to_bytes(4, "big")


def _blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc, block.fraction_lost << 24 | block.lost & 0xFFFFFF, block.highest, block.jitter,
            block.last_report, block.delay,
        )
        for block in blocks
    )  # fmt: skip


def _chunk(ssrc: int, cname: str) -> bytes:
    text = cname.encode()
    if len(text) > 255:
        raise LocalProtocolError("cname", "255 octets at most")
    items = bytes([_CNAME, len(text)]) + text
    # One to four octets of zero end the list of items and fill its last word (§6.5).
    return _ssrc(ssrc) + items + bytes(4 - len(items) % 4)


def parse(datagram: bytes) -> tuple[Report, ...]:
    """The reports of a compound packet in their order; packets of other types are passed over.

    Raises PacketError for what A.2 does not let pass: no part of such a datagram is used.
    """
    reports: list[Report] = []
    at = 0
    while at < len(datagram):
        kind, count, end = _frame(datagram, at)
        if at == 0 and (kind not in (SR, RR) or datagram[0] & _PADDING):
            raise PacketError("does not begin with SR or RR")
        body = datagram[at + _HEADER.size : end]
        if datagram[at] & _PADDING:
            if end != len(datagram) or not 0 < datagram[-1] <= len(body) or datagram[-1] % 4:
                raise PacketError("padding where none can be")
            body = body[: -datagram[-1]]
        if (report := _parse(kind, count, body)) is not None:
            reports.append(report)
        at = end
    if not reports:
        raise PacketError("empty")
    return tuple(reports)


def _frame(datagram: bytes, at: int) -> tuple[int, int, int]:
    """Type, count, and where the packet at `at` ends."""
    if len(datagram) < at + _HEADER.size:
        raise PacketError("ends within a header")
    first, kind, words = _HEADER.unpack_from(datagram, at)
    end = at + _HEADER.size + 4 * words
    if first & 0xC0 != _VERSION:
        raise PacketError("not version 2")
    if end > len(datagram):
        raise PacketError("ends within a packet")
    return kind, first & _COUNT, end


def _parse(kind: int, count: int, body: bytes) -> Report | None:
    try:
        if kind == SR:
            ntp_stamp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
            blocks = _read_blocks(body, 24, count)
            return SenderReport(_u32(body, 0), ntp_stamp, timestamp, packets, octets, blocks)
        if kind == RR:
            return ReceiverReport(_u32(body, 0), _read_blocks(body, 4, count))
        if kind == SDES:
            return SourceDescription(_read_chunks(body, count))
        if kind == BYE:
            return Goodbye(tuple(_u32(body, 4 * i) for i in range(count)))
    except (struct.error, IndexError) as error:
        raise PacketError("shorter than it says") from error
    return None


def _u32(body: bytes, at: int) -> int:
    value: int = struct.unpack_from(">I", body, at)[0]
    return value


def _read_blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for i in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(body, at + i * _BLOCK.size)
        lost = (loss & 0xFFFFFF ^ 0x800000) - 0x800000
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last, delay))
    return tuple(blocks)


def _read_chunks(body: bytes, count: int) -> tuple[tuple[int, str], ...]:
    chunks, at = [], 0
    for _ in range(count):
        ssrc, cname, at = _u32(body, at), "", at + 4
        while body[at]:
            size = body[at + 1]
            if at + 2 + size >= len(body):
                raise PacketError("ends within an item")
            if body[at] == _CNAME:
                cname = body[at + 2 : at + 2 + size].decode(errors="replace")
            at += 2 + size
        at += 4 - at % 4
        chunks.append((ssrc, cname))
    return tuple(chunks)
