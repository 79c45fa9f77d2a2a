"""A lane whose process can die at any instant, and the carriers around it, which remember all the same.

`World` is what stays: jobs as they were submitted, what has left, what carriers accepted, the journal's file.
`Process` is one life of the daemon's heart: dispatcher, journal, carriers' near ends, on a loop of its own.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from connector.carriers.contract import Attempt, CallEnd, PartAnswer, SentPart
from connector.carriers.statuses import Statuses
from connector.config import Config
from connector.journal.ops import Batch, Query, Receipt
from connector.metrics import CarrierLive
from connector.model import Channel, LiveJob
from protocols.rpc.event import Event
from protocols.smpp.id_keys import lookup_keys, stored_key

from .lane_folder import CHANNELS, PRIORITIES, permitted

ANSWER_S = 6.0
CALL_S = 30.0
NOT_COUNTED = ("refused", "deferred", "unsent", "missed")
"""Nothing has left; or nobody answered, and the trunk's own rules say whether the call is made again."""


@dataclass
class Wish:
    """One job as the application submitted it."""

    id: str
    to: str
    country: str
    journey: str
    deadline_at: float
    on_unknown: str
    pins: tuple[str, ...]
    fallback: bool
    supersedes: str | None
    stopped: str = ""  # by what, as soon as nothing may leave any more
    events: list[Event] = field(default_factory=list)

    @property
    def purpose(self) -> tuple[str, str] | None:
        return (self.to, self.supersedes) if self.supersedes else None

    @property
    def final(self) -> bool:
        return any(event.final for event in self.events)


@dataclass
class Message:
    """What a carrier accepted, and will tell of."""

    id: bytes
    carrier: str
    account: int
    wish: Wish
    attempt: int
    told: bool = False


class World:
    """Collects what must never happen in `faults`: it is seen inside of callbacks."""

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.whole = config  # before anything was switched off
        self.config = config
        self.wishes: dict[str, Wish] = {}
        self.messages: list[Message] = []
        self.left: defaultdict[str, list[Attempt]] = defaultdict(list)
        self.said: dict[Attempt, str] = {}
        self.faults: list[str] = []
        self.error: BaseException | None = None  # that escaped
        self.quiet_at: tuple[float, float] | None = None
        self.opted_out: frozenset[str] = frozenset()
        self.last_seq = 0
        self._ids = 0

    def fault(self, what: str, attempt: Attempt) -> None:
        job = attempt.job
        self.faults.append(f"{what}: {job.id} attempt {attempt.number} by {attempt.carrier.name}")

    def id(self) -> bytes:
        self._ids += 1
        return f"m{self._ids:05}".encode()

    def chosen(self, attempt: Attempt, now: float) -> None:
        """The dispatcher has chosen a carrier, which writes down what is to be said."""
        content = attempt.job.content
        self.said[attempt] = content.voice.code if content.voice is not None else content.text
        wish = self.wishes[attempt.job.id]
        if self.quiet_at and wish.country != "GB" and self.quiet_at[0] <= now < self.quiet_at[1]:
            self.fault("chosen in quiet hours", attempt)

    def leaves(self, attempt: Attempt, now: float, rows: list[tuple[Any, ...]]) -> None:
        """Its bytes leave. `rows`: (n, step, channel, result, carrier) of its job's attempts so far."""
        wish = self.wishes[attempt.job.id]
        self.left[wish.id].append(attempt)
        if now >= wish.deadline_at:
            self.fault("after its deadline", attempt)
        if wish.stopped:
            self.fault(f"although {wish.stopped}", attempt)
        if wish.final:
            self.fault("although it is final", attempt)
        rows = [row for row in rows if row[0] <= attempt.number]
        if not rows or rows[-1][0] != attempt.number:
            self.fault("without an intent", attempt)
            return
        n, step, channel, result, carrier = rows[-1]
        journey = self.config.journeys[wish.journey]
        if (result, carrier, channel) != (None, attempt.carrier.name, attempt.carrier.channel):
            self.fault("unlike its intent", attempt)
        if not 0 <= step < len(journey.steps) or journey.steps[step].channel != channel:
            self.fault(f"in another step, {step}", attempt)
            return
        if carrier not in permitted(self.whole, wish.journey, step, wish.country, wish.pins, wish.fallback):
            self.fault(f"outside of step {step}, table or pins", attempt)
        more = wish.on_unknown == "resend_once"
        counted = [row for row in rows if row[3] not in NOT_COUNTED]
        if len(counted) > journey.max_attempts + more:
            self.fault("once too often", attempt)
        if sum(row[1] == step for row in counted) > journey.steps[step].attempts + more:
            self.fault(f"once too often in step {step}", attempt)
        if (said := self.said.pop(attempt)) != f"{wish.id} {n}":
            self.fault(f"saying {said!r}", attempt)

    def older(self, newer: Wish) -> list[Wish]:
        """Jobs for the same person and purpose that were submitted before it and may not be stopped yet."""
        before = takewhile(lambda wish: wish is not newer, self.wishes.values())
        return [
            wish for wish in before if newer.purpose and wish.purpose == newer.purpose and not wish.stopped
        ]

    def outlive(self) -> None:
        """The process has died: what was not committed was never acknowledged. What was accepted still stops
        what is older.
        """
        self.wishes = {id: wish for id, wish in self.wishes.items() if wish.events}
        newest = {wish.purpose: wish for wish in self.wishes.values()}
        for wish in self.wishes.values():
            newer = newest[wish.purpose] if wish.purpose else wish
            wish.stopped = "" if newer is wish else f"superseded by {newer.id}"
            if wish.to in self.opted_out:
                wish.stopped = "opted out"

    def told(self, event: Event) -> None:
        """The journal has committed an event."""
        if event.seq != self.last_seq + 1:
            self.faults.append(f"event {event.seq} after {self.last_seq}")
        self.last_seq = event.seq
        wish = self.wishes[event.id]
        if event.final and wish.final:
            self.faults.append(f"a second end of {event.id}: {event.type}")
        wish.events.append(event)


class NearEnd:
    """A carrier or trunk as the dispatcher knows it; keeps the contract.

    open     attempts whose end was not told
    unknown  those reported so, which may be answered late
    """

    def __init__(self, process: Any, name: str) -> None:
        self.name = name
        self.channel: Channel = CHANNELS[name]  # type: ignore[assignment]
        self.priority = PRIORITIES.get(name, 0)
        self.account = process.book.store.account(name)
        self.window = 3
        self.up = True
        self.prepared: list[Attempt] = []
        self.open: list[Attempt] = []
        self.unknown: list[Attempt] = []
        self.said: set[Attempt] = set()
        self.hung_up: set[Attempt] = set()
        self._process = process
        self._handed: list[Attempt] = []
        self._draining = False

    @property
    def bound(self) -> bool:
        return self.up and not self._draining

    def room(self, now: float) -> int:
        return max(0, self.window - len(self.open) - len(self.prepared)) if self.bound else 0

    def rate(self, now: float) -> float:
        return 10.0

    def room_at(self, now: float) -> float | None:
        return now if self.room(now) > 0 else None

    def limits(self, job: LiveJob) -> tuple[int, ...]:
        return ()

    def limited_until(self, limits: tuple[int, ...], now: float) -> float:
        return now

    def prepare(self, job: LiveJob, now: float) -> Attempt:
        assert self.room(now) > 0
        attempt = Attempt(job, self, 1)
        self.prepared.append(attempt)
        self._process.world.chosen(attempt, now)
        return attempt

    def send(self, attempt: Attempt, now: float) -> None:
        self.prepared.remove(attempt)
        self.open.append(attempt)
        self._handed.append(attempt)
        if not attempt.refused and now < attempt.job.deadline_at:
            attempt.written = 1
            self._process.leaves(attempt, now)
            wait = ANSWER_S if self.channel == "sms" else CALL_S
            self._process.loop.call_later(wait, self._time_out, attempt)

    def pump(self, now: float) -> None:
        handed, self._handed = self._handed, []
        for attempt in handed:
            if not attempt.written:
                self._settle(attempt)
                if self.channel == "sms":
                    self._process.dispatcher.unsent(attempt, "deadline", now)
                else:
                    self.end_call(attempt, CallEnd("unsent", "deadline"))

    def query(self, queries: list[Query], now: float) -> None: ...
    def receipts_committed(self, receipts: list[Receipt], now: float) -> None: ...
    def receipts_found(self, receipts: list[Receipt], now: float) -> None: ...
    def remember_forms(self, forms: Mapping[str, int]) -> None: ...
    def inbound_committed(self, arrived: list[Any], now: float) -> None: ...

    async def recall(self, sent: SentPart) -> bool:
        return False

    def hang_up(self, attempt: Attempt, now: float) -> bool:
        if self.channel == "sms" or attempt not in self.open or attempt in self.said:
            return False
        if attempt not in self.hung_up:
            self.hung_up.add(attempt)
            self._process.loop.call_later(
                0.2, self.end_call, attempt, CallEnd("undelivered", "cancelled", 487)
            )
        return True

    def live(self, now: float) -> CarrierLive:
        return CarrierLive(self.name, (), 0.0)

    def start(self) -> None: ...

    async def drain(self) -> None:
        self._draining = True
        while self.open or self.prepared:
            await asyncio.sleep(0.1)

    async def stop(self) -> None: ...

    # What happens to attempts

    def _settle(self, attempt: Attempt) -> None:
        attempt.settled = True
        self.open.remove(attempt)

    def _time_out(self, attempt: Attempt) -> None:
        if self.channel == "sms":
            self.lose(attempt)
        else:
            self.end_call(attempt, CallEnd("undelivered", "no answer", 480))

    def accept(self, attempt: Attempt) -> None:
        """Also late, of an attempt that is unknown."""
        late = attempt.settled
        if late:
            self.unknown.remove(attempt)
        else:
            self._settle(attempt)
        attempt.answered = 1
        process, id = self._process, self._process.world.id()
        wish = process.world.wishes[attempt.job.id]
        process.world.messages.append(Message(id, self.name, self.account, wish, attempt.number))
        process.dispatcher.sent(attempt, PartAnswer(1, stored_key(id), id.hex(), late), process.now())
        process.dispatcher.room()

    def refuse(self, attempt: Attempt, status: int) -> None:
        if attempt.settled:
            self.unknown.remove(attempt)
        else:
            self._settle(attempt)
        attempt.refused = True
        process = self._process
        process.dispatcher.refused(attempt, status, Statuses({}).classify(status), process.now())
        process.dispatcher.room()

    def lose(self, attempt: Attempt) -> None:
        if not attempt.settled:
            self._settle(attempt)
            self.unknown.append(attempt)
            self._process.dispatcher.unknown(attempt, "no answer", self._process.now())
            self._process.dispatcher.room()

    def give_back(self, attempt: Attempt) -> None:
        self._settle(attempt)
        attempt.written = 0
        self._process.dispatcher.unsent(attempt, "the bind went down", self._process.now())
        self._process.dispatcher.room()

    def progress(self, attempt: Attempt, step: str, digit: str | None = None) -> None:
        if step == "answered":
            self.said.add(attempt)
        self._process.dispatcher.call_progress(attempt, step, self._process.now(), digit)

    def end_call(self, attempt: Attempt, end: CallEnd) -> None:
        if attempt in self.open:
            self._settle(attempt)
        elif attempt.written:
            return
        self.said.discard(attempt)
        self.hung_up.discard(attempt)
        self._process.dispatcher.call_ended(attempt, end, self._process.now())
        self._process.dispatcher.room()

    def report(self, message: Message, state: str, result: str | None) -> None:
        message.told = message.told or result is not None
        receipt = Receipt(
            message.account, self.name, lookup_keys(message.id), message.wish.to[1:], state, result,  # type: ignore[arg-type]
            b"id:".hex() + message.id.hex(), self._process.now(), None, message.id.hex(),
        )  # fmt: skip
        self._process.dispatcher.receipt(receipt)


class LateJournal:
    """As connector.journal.writer without its thread: what was handed over is told of `wait_s` later."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, commit: Callable[[Batch], None], told: Callable[[Batch], None]
    ) -> None:
        self.batch = Batch()
        self.wait_s = 0.0
        self._loop = loop
        self._commit = commit
        self._told = told
        self._scheduled = self._busy = False

    def touch(self) -> None:
        if not self._scheduled and not self._busy:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._scheduled = False
        if self._busy or not len(self.batch):
            return
        batch, self.batch = self.batch, Batch()
        self._busy = True
        self._commit(batch)
        if self.wait_s:
            self._loop.call_later(self.wait_s, self._committed, batch)
        else:
            self._loop.call_soon(self._committed, batch)

    def _committed(self, batch: Batch) -> None:
        self._busy = False
        self._hand_over()
        self._told(batch)
        self._hand_over()
