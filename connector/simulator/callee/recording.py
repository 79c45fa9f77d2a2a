"""What a callee hears, put where it belongs by its RTP timestamps; what was lost stays silent."""

from __future__ import annotations

import io
import wave

from .sounds import RATE

_OCTETS = 2
_ASTRAY_S = 5.0
_HALF = 1 << 31
_WHOLE = 1 << 32


class Recording:
    """Mono, 16 bits, 8 kHz, from the first packet on, `limit_s` seconds at most."""

    def __init__(self, limit_s: float) -> None:
        self._limit = round(limit_s * RATE) * _OCTETS
        self._samples = bytearray()
        self._source: int | None = None
        self._timestamp = 0
        self._place = 0
        self._began_at = 0.0

    @property
    def seconds(self) -> float:
        return len(self._samples) / (RATE * _OCTETS)

    def place(self, source: int, timestamp: int, pcm: bytes, now: float) -> None:
        """Take in the samples of one packet of the SSRC `source`, whose clock may begin anywhere.

        A new source, or one whose clock has jumped by seconds against ours, goes on at the present instant.
        """
        clock = round((now - self._began_at) * RATE) if self._source is not None else 0
        ahead = (timestamp - self._timestamp + _HALF) % _WHOLE - _HALF
        if self._source is None:
            self._began_at = now
            self._follow(source, timestamp, 0)
        elif source != self._source or abs(self._place + ahead - clock) > _ASTRAY_S * RATE:
            self._follow(source, timestamp, clock)
        else:
            self._follow(source, timestamp, self._place + ahead)
        begin = self._place * _OCTETS
        if begin < 0 or begin >= self._limit:
            return
        pcm = pcm[: self._limit - begin]
        if begin > len(self._samples):
            self._samples.extend(bytes(begin - len(self._samples)))
        self._samples[begin : begin + len(pcm)] = pcm

    def _follow(self, source: int, timestamp: int, place: int) -> None:
        self._source, self._timestamp, self._place = source, timestamp, place

    @property
    def pcm(self) -> bytes:
        return bytes(self._samples)

    def wav(self) -> bytes:
        """The recording as a WAV file."""
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(_OCTETS)
            writer.setframerate(RATE)
            writer.writeframes(self._samples)
        return file.getvalue()
