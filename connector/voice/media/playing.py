"""What a session speaks: Audio after Audio, cut into slots of 20 ms."""

from __future__ import annotations

from collections import deque

from connector.voice.audio import Audio, CodecName
from protocols.rtp.g711 import PCMA, PCMU

__all__ = ["SLOT_SAMPLES", "Playback"]

SLOT_SAMPLES = 160
"""20 ms of G.711, the default of RFC 3551 §4.2; the ptime that a peer asks for is a wish (RFC 8866 §6.4)."""

_MAX_QUEUE = 64
_SILENCE = {"PCMU": bytes([PCMU.silence]) * SLOT_SAMPLES, "PCMA": bytes([PCMA.silence]) * SLOT_SAMPLES}


class Playback:
    """A queue of Audio.

    silence  a slot of nothing, in the codec
    over     an Audio ended with the last slot; whoever reports it takes the mark away
    busy     there is something to play
    """

    __slots__ = ("_at", "_codec", "_now", "_queue", "_samples", "over", "silence")

    def __init__(self, codec: CodecName) -> None:
        self._codec = codec
        self._queue: deque[Audio] = deque()
        self._now: Audio | None = None
        self._samples = b""
        self._at = 0
        self.over = False
        self.silence = _SILENCE[codec]

    @property
    def busy(self) -> bool:
        return self._now is not None

    def use(self, codec: CodecName) -> None:
        """Another codec from the next slot on; what is being played goes on where it is."""
        self._codec = codec
        self.silence = _SILENCE[codec]
        if self._now is not None:
            self._samples = self._now.samples(codec)

    def add(self, audio: Audio) -> None:
        """To be played after what is there; raises ValueError when 64 wait already."""
        if self._now is None:
            self._begin(audio)
        elif len(self._queue) < _MAX_QUEUE:
            self._queue.append(audio)
        else:
            raise ValueError(f"{_MAX_QUEUE} wait to be played already")

    def _begin(self, audio: Audio) -> None:
        self._now, self._samples, self._at = audio, audio.samples(self._codec), 0

    def clear(self) -> None:
        """Nothing any more, at once."""
        self._queue.clear()
        self._now, self._samples, self.over = None, b"", False

    def frame(self) -> bytes:
        """The next slot; the last one of an Audio is filled up with silence."""
        if self._now is None:
            return self.silence
        at = self._at
        end = self._at = at + SLOT_SAMPLES
        if end < len(self._samples):
            return self._samples[at:end]
        last = self._samples[at:]
        self.over = True
        if self._queue:
            self._begin(self._queue.popleft())
        else:
            self._now, self._samples = None, b""
        return last + self.silence[len(last) :]
