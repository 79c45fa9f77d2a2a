"""The simulated callee: a SIP endpoint at which every number is a telephone with habits and faults."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.sip import events
from protocols.sip.agent import UserAgent
from protocols.sip.uas import IncomingCall

from .disorder import Disorder
from .front import digits_of, user_of
from .gate import Gate
from .line import Line
from .network import Network
from .options import CalleeOptions, line_changes
from .pace import Pace
from .records import CallRecord, Records, Trace
from .shortcuts import Shortcuts
from .stories import STORIES

if TYPE_CHECKING:
    from protocols.sip.events import Flow

_PARTING_S = 1.0
_NUMBERS = 10_000


class Callee:
    """Telephones behind one SIP address, driven by the running event loop.

    Everything random comes from `seed`: the same calls in the same order have the same fates. `trace` is
    called with every event. Recordings become files of the folder `recordings` where there is one.
    """

    def __init__(
        self,
        options: CalleeOptions | None = None,
        seed: int = 0,
        trace: Trace | None = None,
        recordings: Path | None = None,
    ) -> None:
        self.options = options or CalleeOptions()
        self.records = Records(recordings, trace)
        self.host = ""
        self._seed = seed
        self._numbers: dict[str, dict[str, object]] = {}
        self._lines: dict[int, Line] = {}
        self._by_call_id: dict[str, Line] = {}
        self._last_id = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._idle = asyncio.Event()
        self._disorder = {way: self._disordered(way) for way in ("in", "out")}

    def stream(self, name: str) -> random.Random:
        """A random stream of its own for one purpose."""
        return random.Random(f"{self._seed}/{name}")

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port, chosen by the system when 0 was asked for. Raises OSError."""
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.host = host
        self.pace = Pace(self.loop)
        self.agent = UserAgent(
            rng=self.stream("agent").randbytes, product="simulated-callee", accepts_calls=True
        )
        self.gate = Gate(self.stream("nonces"), self.records.counters)
        self._shortcuts = Shortcuts(self)
        self._network = Network(self._received, self._lost, (self._disorder["in"], self._disorder["out"]))
        return await self._network.open(host, port, tcp=self.options.tcp)

    async def stop(self) -> None:
        """Hang up every call and close the ports; what callers do not confirm within a second is gone."""
        for line in list(self._lines.values()):
            line.hang_up()
        self.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                while self._lines:
                    self._idle.clear()
                    await self._idle.wait()
        for line in list(self._lines.values()):
            line.ended("callee", None)
        self.pace.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._network.close()

    def set(self, changes: Mapping[str, object]) -> None:
        """Change options from the next call on; values may be text. Raises OptionError, changing nothing."""
        self.options = options = self.options.changed(changes)
        for disorder in self._disorder.values():
            disorder.configure(options.sip_drop, options.sip_duplicate, options.sip_reorder)

    def number(self, number: str, changes: Mapping[str, object]) -> dict[str, object]:
        """Give a dialled number options of its own, in place of those it had; all its options.

        Raises OptionError, changing nothing.
        """
        digits = digits_of(number)
        parsed = line_changes(dict(changes))
        self._numbers.pop(digits, None)
        if parsed:
            self._numbers[digits] = parsed
        while len(self._numbers) > _NUMBERS:
            del self._numbers[next(iter(self._numbers))]
        return self.options_for(digits).as_json()

    def options_for(self, digits: str) -> CalleeOptions:
        """The server's options, under those of the number's story, under its own."""
        story = STORIES.get(digits) if self.options.stories else None
        changes = {**(story.changes if story else {}), **self._numbers.get(digits, {})}
        return self.options.changed(changes) if changes else self.options

    def line(self, id: int) -> Line | None:
        """A call that lasts."""
        return self._lines.get(id)

    def line_of(self, call_id: str) -> Line | None:
        """A call that lasts, by its Call-ID."""
        return self._by_call_id.get(call_id)

    def stats(self) -> dict[str, object]:
        """Counters, calls that last, what became of datagrams, and the CPU seconds of this process."""
        ways = self._disorder.items()
        return {
            **dataclasses.asdict(self.records.counters),
            "lines_open": len(self._lines),
            "sip_dropped": {way: disorder.dropped for way, disorder in ways},
            "sip_duplicated": {way: disorder.duplicated for way, disorder in ways},
            "sip_reordered": {way: disorder.reordered for way, disorder in ways},
            "cpu_s": time.process_time(),
        }

    def traced(self, event: str, record: CallRecord) -> None:
        """Report an event of a call."""
        if self.records.trace is not None:
            self.records.trace(event, {"id": record.id, "to": record.to, "at": record.at[event]})

    def send(self, flow: Flow, data: bytes) -> None:
        """Send what the user agent knows nothing of."""
        self._network.send(flow, data)

    # ------------------------------------------------------------ driving the user agent

    def flush(self) -> None:
        """Hand events on, send what is to be sent, and set the alarm."""
        agent = self.agent
        while occurred := agent.events():
            for event in occurred:
                self._on(event)
        for flow, data in agent.data_to_send():
            self._network.send(flow, data)
        due = agent.next_timer()
        if due != self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if due is None else self.loop.call_at(due, self._ring_alarm)
            self._due = due

    def _ring_alarm(self) -> None:
        self._timer = self._due = None
        self.agent.handle_timer(self.now())
        self.flush()

    def _received(self, data: bytes, flow: Flow) -> None:
        if not self._shortcuts.take(data, flow):
            self.agent.receive(data, flow, self.now())
        self.flush()

    def _lost(self, flow: Flow, reason: str) -> None:
        self.agent.flow_lost(flow, reason, self.now())
        self.flush()

    def _on(self, event: events.Event) -> None:
        if isinstance(event, events.Invited):
            self._invited(event)
        elif isinstance(event, events.Refused):
            self.records.counters.refused_requests += 1
        elif isinstance(event, events.RemoteProtocolError):
            self.records.counters.broken_messages += 1
            if event.close:
                self._network.drop(event.flow)
        elif isinstance(line := getattr(event, "call", None) and event.call.context, Line):  # type: ignore[union-attr]
            self._of_line(event, line)

    def _of_line(self, event: events.Event, line: Line) -> None:
        if isinstance(event, events.Answered):
            line.acknowledged(event.agreed)
        elif isinstance(event, events.MediaChanged):
            line.connect(event.agreed)
        elif isinstance(event, events.Digit):
            line.digit(event.digit)
        elif isinstance(event, events.TransferAsked):
            line.transfer()
        elif isinstance(event, events.Cancelled):
            self.records.counters.cancelled += 1
            line.ended("cancelled", event.cause)
        elif isinstance(event, events.Rejected):
            line.ended("rejected", event.cause)
        elif isinstance(event, events.Ended):
            by = {"peer": "caller", "us": "callee"}.get(event.by, event.by)
            line.ended(by, event.cause)

    def _invited(self, event: events.Invited) -> None:
        call, request = event.call, event.request
        assert isinstance(call, IncomingCall)
        number = user_of(request.to)
        options = self.options_for(number)
        if refusal := self.gate.refusal(request, options):
            call.reject(refusal.status, self.now(), headers=refusal.headers)
            return
        self._last_id += 1
        record = CallRecord(
            self._last_id,
            number,
            user_of(request.from_),
            request.call_id,
            request.via.transport.lower(),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        line = Line(self, call, options, record, self._hung_up)
        call.context = line
        busy = bool(options.lines) and len(self._lines) >= options.lines
        self._lines[record.id] = self._by_call_id[record.call_id] = line
        self.records.begun(record, options.call_limit)
        line.begin(busy=busy)

    def _hung_up(self, line: Line) -> None:
        self._lines.pop(line.record.id, None)
        self._by_call_id.pop(line.record.call_id, None)
        self._idle.set()

    def _disordered(self, way: str) -> Disorder[tuple[bytes, Flow]]:
        options = self.options
        return Disorder(
            self.stream(f"sip-{way}"), options.sip_drop, options.sip_duplicate, options.sip_reorder
        )
