"""Calls set up and torn down against SIPp: INVITE, 180, 200, ACK, BYE, 200, and no media.

    python -m benchmarks.calls.setups PORT CALLS SEED

is the process that is measured: the endpoint of the daemon with its user agent on one core, SIPp's own UAS
on another. So many calls are open at a time that neither waits for the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.calls.uas import LOOPBACK, hears_at
from benchmarks.ports import free_port
from connector.voice.endpoint import Endpoint
from connector.voice.resolve import Target
from protocols.sip import events as sip
from protocols.sip.sdp import LocalMedia

__all__ = ["measure"]

CALLS: Final = 10_000
OPEN_AT_ONCE: Final = 100
PATIENCE_S: Final = 60.0


def measure(seed: int, calls: int = CALLS) -> dict[str, Any]:
    """Calls per second, by the clock and by the processor time of one core, and the share that went wrong.

    Without SIPp only the reason.
    """
    if shutil.which("sipp") is None:
        return {"setups_per_s": None, "reason": "sipp is not installed (apt-get install sip-tester)"}
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = cores[0], cores[-1]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        sipp = subprocess.Popen(
            ["sipp", "-sn", "uas", "-nostdin", "-skip_rlimit", "-i", LOOPBACK, "-bind_local", "-p", str(port),
             "-mi", LOOPBACK, "-mp", str(port + 2), "-cp", str(port + 1)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            os.sched_setaffinity(sipp.pid, {theirs})
            hears_at(port, sipp)
            command = [sys.executable, "-m", "benchmarks.calls.setups", str(port), str(calls), str(seed)]
            done = subprocess.run(
                ["taskset", "-c", str(ours), *command],
                cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=PATIENCE_S, check=True,
            )  # fmt: skip
        finally:
            sipp.kill()
            sipp.wait()
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


class _Placing:
    """Keeps calls open until all have been placed; each hangs up as soon as it is answered."""

    def __init__(self, endpoint: Endpoint, calls: int) -> None:
        self.endpoint = endpoint
        self.ended: Counter[str] = Counter()
        self.done = asyncio.Event()
        self._left = self._open = calls

    def start(self, flow: sip.Flow) -> None:
        self._flow = flow
        for _ in range(min(OPEN_AT_ONCE, self._left)):
            self._place(time.monotonic())

    def _place(self, now: float) -> None:
        self._left -= 1
        number = f"+4477009{self._left % 100_000:05}"
        invitation = sip.Invitation(
            request_uri=f"sip:{number}@carrier.example",
            from_="<sip:+447700900999@carrier.example>",
            to=f"<sip:{number}@carrier.example>",
            contact_user="+447700900999",
            offer=LocalMedia(LOOPBACK, 40_000),
        )
        self.endpoint.agent.invite(invitation, self._flow, now).context = self
        self.endpoint.touch()

    def sip(self, event: Any, now: float) -> None:
        match event:
            case sip.Answered(call):
                call.hang_up(now)
                self.endpoint.touch()
            case sip.Ended(_, by):
                self._over(by, now)
            case sip.Rejected(_, status):
                self._over(str(status), now)

    def _over(self, how: str, now: float) -> None:
        self.ended[how] += 1
        self._open -= 1
        if self._left:
            self._place(now)
        elif not self._open:
            self.done.set()


async def _place(port: int, calls: int, seed: int) -> dict[str, Any]:
    endpoint = Endpoint((LOOPBACK, 0), "", now=time.monotonic, rng=Random(seed).randbytes)
    await endpoint.open()
    flow = await endpoint.flow(Target("udp", LOOPBACK, port, LOOPBACK))
    placing = _Placing(endpoint, calls)
    began, busy = time.perf_counter(), time.process_time()
    placing.start(flow)
    with suppress(TimeoutError):
        await asyncio.wait_for(placing.done.wait(), PATIENCE_S / 2)
    took, busy = time.perf_counter() - began, time.process_time() - busy
    await endpoint.close()
    good = placing.ended["us"]
    return {
        "setups_per_s": round(good / took),
        "setups_per_core_s": round(good / busy),
        "cpu_us_per_call": round(busy / max(good, 1) * 1e6, 1),
        "calls": calls,
        "failed_share": round(1 - good / calls, 5),
    }


def main() -> int:
    port, calls, seed = map(int, sys.argv[1:])
    factory = None
    with suppress(ImportError):
        from uvloop import new_event_loop as factory
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(_place(port, calls, seed))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
