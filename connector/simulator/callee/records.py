"""What a test, or a user, may ask the callee about its calls."""

from __future__ import annotations

import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .recording import Recording

Trace = Callable[[str, dict[str, object]], None]
"""Called with the name of an event and its fields, which JSON can carry."""


@dataclass(slots=True)
class CallRecord:
    """One INVITE that was taken as a call; times in `at` are seconds after it came.

    to, from_     the dialled and the calling number, digits as they were sent
    at            ring, early_media, answer, ack, first_rtp, end; absent is what never happened
    status        of the final response to INVITE; None while there is none
    ended_by      caller, callee, cancelled, rejected, transport, session_timer; None while it lasts
    cause         Q.850 cause of the BYE or CANCEL that ended it
    pressed       keys this callee pressed, `heard` those that the caller pressed
    received      statistics of the RTP that came, `sent` the packets that left
    """

    id: int
    to: str
    from_: str
    call_id: str
    transport: str
    began_at: str
    at: dict[str, float] = field(default_factory=dict)
    status: int | None = None
    ended_by: str | None = None
    cause: int | None = None
    codec: str | None = None
    pressed: list[dict[str, object]] = field(default_factory=list)
    heard: str = ""
    sent: int = 0
    received: dict[str, object] = field(default_factory=dict)
    held: int = 0
    referred: bool = False
    recording: str | None = None
    recorded_s: float = 0.0

    def as_json(self) -> dict[str, object]:
        """With `from` for `from_`."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {name.rstrip("_"): value for name, value in told.items()}


@dataclass(slots=True)
class Counters:
    """Since the start or the last reset."""

    calls: int = 0
    answered: int = 0
    rejected: int = 0
    cancelled: int = 0
    challenged: int = 0
    registered: int = 0
    refused_requests: int = 0
    broken_messages: int = 0


class Records:
    """The newest calls, and the newest recordings, in memory or as files of `folder`."""

    def __init__(self, folder: Path | None, trace: Trace | None) -> None:
        self.counters = Counters()
        self.calls: deque[CallRecord] = deque()
        self.trace = trace
        self._folder = folder
        self._recordings: OrderedDict[int, Recording | Path] = OrderedDict()

    def begun(self, record: CallRecord, limit: int) -> None:
        """A call has come; at most `limit` records are kept."""
        self.counters.calls += 1
        self.calls.append(record)
        while len(self.calls) > limit:
            self.calls.popleft()

    def ended(self, record: CallRecord, recording: Recording | None, limit: int) -> None:
        """A call is over; at most `limit` recordings are kept, in memory where the folder takes no more."""
        if recording is not None and recording.seconds and limit:
            record.recorded_s = round(recording.seconds, 3)
            self._recordings[record.id] = recording
            if self._folder is not None:
                path = self._folder / f"call-{record.id:04}.wav"
                with contextlib.suppress(OSError):
                    path.write_bytes(recording.wav())
                    record.recording = str(path)
                    self._recordings[record.id] = path
        while len(self._recordings) > limit:
            _, oldest = self._recordings.popitem(last=False)
            if isinstance(oldest, Path):
                oldest.unlink(missing_ok=True)
        if self.trace is not None:
            self.trace("call", record.as_json())

    def wav(self, id: int) -> bytes | None:
        """The recording of a call that is over, as a WAV file. Raises OSError."""
        recording = self._recordings.get(id)
        if isinstance(recording, Path):
            return recording.read_bytes()
        return None if recording is None else recording.wav()

    def reset(self) -> None:
        """Forget calls that are over; those under way go on."""
        self.counters = Counters()
        under_way = [record for record in self.calls if record.ended_by is None]
        self.calls.clear()
        self.calls.extend(under_way)
