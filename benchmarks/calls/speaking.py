"""Calls that speak to one far end: the process whose cost is measured.

    python -m benchmarks.calls.speaking CALLS SECONDS PORT SEED [srtp]

Prints one JSON object: processor time and memory of its calls, and what it sent and received.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from connector.voice.audio import Audio, CodecName
from connector.voice.media.clock import MediaClock
from connector.voice.media.session import MediaSession, PortRange
from protocols.sip.sdp import Agreed, Crypto

_PORTS = (20000, 29998)
_PROMPT_S = 4.0
_SETTLE_S = 1.0


class Speaker:
    """Begins its prompt anew whenever it is over."""

    listening = False

    def __init__(self, prompt: Audio) -> None:
        self.prompt = prompt
        self.session: MediaSession | None = None
        self.prompts = 0

    def first_packet(self, now: float) -> None: ...

    def digit(self, digit: str, now: float) -> None: ...

    def audio(self, frame: bytes, codec: CodecName, now: float) -> None: ...

    def timed_out(self, now: float) -> None: ...

    def played(self, now: float) -> None:
        assert self.session is not None
        self.prompts += 1
        self.session.play(self.prompt)


def _agreed(port: int, index: int, rng: Random, srtp: bool) -> Agreed:
    """Half of the calls in each law."""
    codec: CodecName = "PCMA" if index % 2 else "PCMU"
    keys = [Crypto(1, "AES_CM_128_HMAC_SHA1_80", rng.randbytes(30)) if srtp else None for _ in range(2)]
    payload_type = 8 if codec == "PCMA" else 0
    return Agreed("127.0.0.1", port, codec, payload_type, 101, 20, True, True, *keys)


def _resident_kb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1000


async def speak(calls: int, seconds: float, port: int, seed: int, srtp: bool) -> dict[str, Any]:
    rng = Random(seed)
    prompt = Audio.from_pcm(rng.randbytes(2 * round(_PROMPT_S * 8000)))
    clock = MediaClock(asyncio.get_running_loop())
    ports = PortRange(*_PORTS)
    agreements = [_agreed(port, index, rng, srtp) for index in range(calls)]
    clock.start()
    before_kb = _resident_kb()
    sessions = []
    for agreed in agreements:
        speaker = Speaker(prompt)
        speaker.session = MediaSession(clock, "127.0.0.1", ports, rng=rng.randbytes, listener=speaker)
        sessions.append(speaker.session)
        speaker.session.play(prompt)
        speaker.session.connect(agreed, clock.now())
        await asyncio.sleep(0)
    await asyncio.sleep(_SETTLE_S)
    begin, used = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took, used = time.monotonic() - begin, time.process_time() - used
    kb = (_resident_kb() - before_kb) / calls
    statistics = [session.statistics() for session in sessions]
    for session in sessions:
        session.close()
    clock.stop()
    return {
        "cpu_percent": round(100 * used / took, 1),
        "media_kb_per_call": round(kb, 1),
        "sent": sum(each.sent for each in statistics),
        "received": sum(each.received for each in statistics),
        "unsent": sum(each.unsent for each in statistics),
        "skipped": clock.skipped,
    }


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> int:
    calls, seconds, port, seed = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        result = runner.run(speak(calls, seconds, port, seed, "srtp" in sys.argv[5:]))
    print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
