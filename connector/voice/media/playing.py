"""What a session speaks: Sound after Sound, cut into slots of 20 ms."""

from __future__ import annotations

from collections import deque

from connector.voice.audio import CodecName, Sound
from protocols.rtp.g711 import PCMA, PCMU

__all__ = ["SLOT_SAMPLES", "Playback"]

SLOT_SAMPLES = 160
"""20 ms of G.711, the default of RFC 3551 §4.2; the ptime that a peer asks for is a wish (RFC 8866 §6.4)."""

_MAX_QUEUE = 64
_SILENCE = {"PCMU": bytes([PCMU.silence]) * SLOT_SAMPLES, "PCMA": bytes([PCMA.silence]) * SLOT_SAMPLES}


class Playback:
    """A queue of Sounds.

    silence  a slot of nothing, in the codec
    over     a Sound ended with the last slot; whoever reports it takes the mark away
    busy     there is something to play
    """

    __slots__ = ("_at", "_codec", "_now", "_piece", "_pieces", "_queue", "_samples", "over", "silence")

    def __init__(self, codec: CodecName) -> None:
        self._codec = codec
        self._queue: deque[Sound] = deque()
        self._now: Sound | None = None
        self._pieces: tuple[bytes, ...] = ()
        self._piece = 0
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
            self._pieces = self._now.pieces(codec)
            self._samples = self._pieces[self._piece]

    def add(self, sound: Sound) -> None:
        """To be played after what is there; raises ValueError when 64 wait already."""
        if self._now is None:
            self._begin(sound)
        elif len(self._queue) < _MAX_QUEUE:
            self._queue.append(sound)
        else:
            raise ValueError(f"{_MAX_QUEUE} wait to be played already")

    def _begin(self, sound: Sound) -> None:
        self._now, self._pieces = sound, sound.pieces(self._codec)
        self._piece, self._samples, self._at = 0, self._pieces[0], 0

    def _end(self) -> None:
        self._now, self._pieces, self._samples = None, (), b""

    def clear(self) -> None:
        """Nothing any more, at once."""
        self._queue.clear()
        self._end()
        self.over = False

    def frame(self) -> bytes:
        """The next slot; the last one of a Sound is filled up with silence."""
        if self._now is None:
            return self.silence
        at = self._at
        end = self._at = at + SLOT_SAMPLES
        if end < len(self._samples):
            return self._samples[at:end]
        frame = self._samples[at:end]
        while self._piece + 1 < len(self._pieces):
            self._piece += 1
            self._samples = self._pieces[self._piece]
            self._at = SLOT_SAMPLES - len(frame)
            frame += self._samples[: self._at]
            if self._at < len(self._samples):
                return frame
        self.over = True
        if self._queue:
            self._begin(self._queue.popleft())
        else:
            self._end()
        return frame + self.silence[len(frame) :]
