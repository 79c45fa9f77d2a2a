"""`python -m connector.voice.speech.worker`: one engine in a process of its own.

It reads requests from standard input and answers on standard output (wire.py), one after the other, and ends
when either is closed or when its parent ends. numpy, soxr and babel are loaded here and nowhere in the
daemon.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .errors import SpeechError
from .wire import Hello, Refused, Reply, Settings, Speak, Spoken, encode, read

if TYPE_CHECKING:
    from .speaker import Speaker

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_NICENESS = 10


def main() -> int:
    """0 when the daemon is gone, 1 when there is no engine."""
    # Both reach the whole group, and a daemon that drains still has calls that speak.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A process that hangs in its engine never sees that standard input was closed.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Media of calls under way come first. In connector@.service, which permits no such call, by Nice= of the
    # unit.
    with contextlib.suppress(PermissionError):
        os.nice(_NICENESS)
    replies = _own_output()
    settings = read(sys.stdin.buffer)
    if not isinstance(settings, Settings):
        return 0
    return _serve(settings, sys.stdin.buffer, replies)


def _own_output() -> BinaryIO:
    """Standard output for our replies alone: whatever a library prints goes nowhere."""
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return replies


def _serve(settings: Settings, requests: BinaryIO, replies: BinaryIO) -> int:
    try:
        from .engines import open_engine
        from .engines.recordings import Recordings
        from .sound import PROCESSING
        from .speaker import Speaker

        engine = open_engine(settings.engine, Path(settings.models) if settings.models else None)
        recordings = Recordings(Path(settings.recordings)) if settings.recordings else None
    except ImportError as error:
        _write(Hello(problem=f"{error.name} is not installed, which the speech worker needs"), replies)
        return 1
    except SpeechError as error:
        _write(Hello(problem=str(error)), replies)
        return 1
    known = recordings.digests() if recordings is not None else {}
    _write(Hello(f"{engine.name} processing {PROCESSING}", known), replies)
    speaker = Speaker(engine, recordings)
    while isinstance(request := read(requests), Speak):
        _write(_answer(request, speaker), replies)
    return 0


def _answer(request: Speak, speaker: Speaker) -> Reply:
    try:
        audio = speaker.speak(request)
    except SpeechError as error:
        return Refused(request.id, str(error))
    except Exception as error:
        # Its message may hold what was to be spoken; its type does not.
        return Refused(request.id, f"the speech worker failed: {type(error).__name__}")
    return Spoken(request.id, audio.pcmu, audio.pcma)


def _write(reply: Reply, replies: BinaryIO) -> None:
    try:
        replies.write(encode(reply))
        replies.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
