"""The RTCP of one session: what is reported, when, and what the peer's reports say."""

from __future__ import annotations

import base64
from collections.abc import Callable

from protocols.rtp import rtcp
from protocols.rtp.errors import PacketError
from protocols.rtp.sender import Stream
from protocols.rtp.sources import Sources

__all__ = ["Reporting"]

_CNAME_OCTETS = 12
"""96 random bits, good for one call and telling nothing about this host (RFC 7022 §4.2)."""


class Reporting:
    """SR or RR about every five seconds, and what comes back.

    due_at                monotonic seconds of the next report
    remote_lost_fraction  of our packets, by the peer's last report
    """

    def __init__(
        self, stream: Stream, sources: Sources, rng: Callable[[int], bytes], unix_offset: float, now: float
    ) -> None:
        self._stream = stream
        self._sources = sources
        self._rng = rng
        self._unix_offset = unix_offset
        self._cname = base64.b64encode(rng(_CNAME_OCTETS)).decode()
        self._packets_reported = 0
        self.due_at = now + rtcp.interval(self._draw(), first=True)
        self.remote_lost_fraction: float | None = None
        self.round_trip_s: float | None = None

    def _draw(self) -> float:
        return int.from_bytes(self._rng(4), "big") / (1 << 32)

    def compose(self, now: float, goodbye: bool = False) -> bytes:
        """The compound packet to send now: SR when something was sent since the last one, RR otherwise."""
        self.due_at = now + rtcp.interval(self._draw(), first=False)
        stream, source = self._stream, self._sources.current
        blocks = (source.report(now),) if source is not None and source.valid else ()
        report: rtcp.Report
        if stream.packets != self._packets_reported:
            self._packets_reported = stream.packets
            instant = rtcp.ntp(now + self._unix_offset)
            report = rtcp.SenderReport(
                stream.ssrc, instant, stream.timestamp, stream.packets, stream.octets, blocks
            )
        else:
            report = rtcp.ReceiverReport(stream.ssrc, blocks)
        reports: list[rtcp.Report] = [report, rtcp.SourceDescription(((stream.ssrc, self._cname),))]
        if goodbye:
            reports.append(rtcp.Goodbye((stream.ssrc,)))
        return rtcp.encode(reports)

    def receive(self, datagram: bytes, now: float) -> bool:
        """Take in a compound packet; False when it is none."""
        try:
            reports = rtcp.parse(datagram)
        except PacketError:
            return False
        for report in reports:
            if isinstance(report, rtcp.SenderReport):
                source = self._sources.current
                if source is not None and source.ssrc == report.ssrc:
                    source.sender_report(report.ntp, now)
            if isinstance(report, rtcp.SenderReport | rtcp.ReceiverReport):
                self._read(report.blocks, now)
        return True

    def _read(self, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        for block in blocks:
            if block.ssrc == self._stream.ssrc:
                self.remote_lost_fraction = block.fraction_lost / 256
                round_trip = rtcp.round_trip_s(block, rtcp.ntp(now + self._unix_offset))
                if round_trip is not None:
                    self.round_trip_s = round_trip
