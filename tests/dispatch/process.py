"""One life of the daemon's heart, for `World`: it ends where the test says, at any instant."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from random import Random
from types import FunctionType, ModuleType
from typing import Any

import msgspec

from connector.carriers.contract import Attempt
from connector.config import Config, Journey
from connector.dispatch import Dispatcher, Routing
from connector.journal.ops import Accept, Batch, Finish
from connector.metrics import Metrics
from connector.model import Body, Content, LiveJob, Voice
from tests.journal.book import Book

from .stage import JumpingLoop
from .world import LateJournal, Message, NearEnd, Wish, World

__all__ = ["Process"]

GIVE_UP_S = 20.0
_SWEEP_S = 1.0
_TICK_S = 0.25
_TEXTS = 8


def follow(journey: Journey) -> int:
    """As the gate says it, see LiveJob."""
    if "delivered" not in journey.stop:
        return 2
    return int(journey.max_attempts > 1 and sum(step.attempts for step in journey.steps) > 1)


class Process:
    """Rules call its verbs; `turn` and `pass_time` let happen what follows."""

    def __init__(self, world: World, at: float) -> None:
        self.world = world
        self.loop = JumpingLoop(at)
        self.loop.set_exception_handler(self._failed)
        self.now = self.loop.time
        self.book = Book(world.path)
        self.book.store.connection.pragma("synchronous", "OFF")  # the machine does not die, only we do
        self.book.now = at
        self.journal = LateJournal(self.loop, self._commit, self._told)
        self.dispatcher = Dispatcher(
            self.journal, Metrics(), self.now, Routing(world.config), Random(7)  # type: ignore[arg-type]
        )  # fmt: skip
        self.near: dict[str, NearEnd] = {}
        self.run(self._start)

    async def _start(self) -> None:
        self.dispatcher.start(self._carriers())
        reader = self.book.reader()
        self.dispatcher.recover(reader.recover(self.now()), self.now())
        reader.close()
        self.dispatcher.opt_out(self.world.opted_out, self.now())
        self.loop.call_later(_SWEEP_S, self._sweep)
        self.loop.call_later(_TICK_S, self._tick)

    def _carriers(self) -> list[NearEnd]:
        config = self.world.config
        names = [route.name for route in (*config.carriers, *config.trunks) if route.enabled]
        for name in names:
            if name not in self.near:
                self.near[name] = NearEnd(self, name)
        return [self.near[name] for name in names]

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.world.faults.append(f"{context['message']}: {error!r}")
        if isinstance(error, BaseException) and self.world.error is None:
            self.world.error = error

    def _commit(self, batch: Batch) -> None:
        self.book.now = self.now()
        self.book.commit_batch(batch)
        for event in self.book.told.pop(self.book.app, ()):
            self.world.told(event)

    def _told(self, batch: Batch) -> None:
        """In the order of the daemon."""
        now = self.now()
        dispatcher = self.dispatcher
        dispatcher.intends_committed(batch.intends, now)
        for accept in batch.accepts:
            dispatcher.enqueue(accept.job)
            newer = self.world.wishes[accept.job.id]
            for older in self.world.older(newer):
                self.stopped(older, f"superseded by {newer.id}")
        dispatcher.acknowledgements.receipts(batch.receipts, now)
        dispatcher.acknowledgements.parked(batch.found, batch.unmatched, now)
        dispatcher.following.told(batch.told, now)
        dispatcher.ended(batch.ended)

    def _sweep(self) -> None:
        self.journal.batch.sweep_at = self.now()
        self.journal.touch()
        self.loop.call_later(_SWEEP_S, self._sweep)

    def _tick(self) -> None:
        self.dispatcher.tick(self.now())
        self.loop.call_later(_TICK_S, self._tick)

    def leaves(self, attempt: Attempt, now: float) -> None:
        self.world.leaves(
            attempt,
            now,
            self.book.rows(
                "SELECT n, step, channel, result, carrier FROM attempt WHERE job = ? ORDER BY n",
                attempt.job.key,
            ),
        )

    def stopped(self, wish: Wish, why: str) -> None:
        """Nothing may leave any more; what rings must not ring on."""
        wish.stopped = why
        for near in self.near.values():
            for attempt in near.open if near.channel == "voice" else ():
                if attempt.job.id == wish.id and attempt.written and attempt not in near.said | near.hung_up:
                    self.world.fault("rings on", attempt)

    # Time

    def run(self, act: Callable[[], Any]) -> None:
        self.loop.run_until_complete(act())

    def turn(self, number: int = 1) -> None:
        """Let happen what needs no time, so many turns of the loop of it."""

        async def turns() -> None:
            for _ in range(number):
                await asyncio.sleep(0)

        self.run(turns)

    def pass_time(self, seconds: float) -> None:
        self.run(lambda: asyncio.sleep(seconds))

    def die(self) -> float:
        """As by kill -9; when it was."""
        at = self.now()
        self.book.store.connection.close()
        self.loop.close()
        return at

    # What the application does

    def submit(self, wish: Wish) -> None:
        texts = [f"{wish.id} {n}" for n in range(1, _TEXTS)]
        journey = self.world.config.journeys[wish.journey]
        channels = {step.channel for step in journey.steps}
        sms = tuple(Content(text, "Acme") for text in texts) if "sms" in channels else ()
        calls = tuple(Content(text, "", voice=Voice("", "en", text)) for text in texts)
        body = Body(sms, calls if "voice" in channels else (), wish.pins, wish.fallback)
        job = LiveJob(
            key=next(self.book._rows), app=self.book.app, id=wish.id, recipient=wish.to, body=body,
            accepted_at=self.now(), deadline_at=wish.deadline_at, on_unknown=wish.on_unknown,  # type: ignore[arg-type]
            follow=follow(journey), journey_name=wish.journey, klass="", supersedes=wish.supersedes,
        )  # fmt: skip
        self.world.wishes[wish.id] = wish
        self.dispatcher.admit(job)
        stored = msgspec.json.encode(body).decode()
        self.journal.batch.accepts.append(Accept(job, "d", stored, wish.deadline_at + GIVE_UP_S, None))
        self.journal.touch()

    def cancel(self, wish: Wish) -> None:
        """As jobs.methods does, but that no carrier takes anything back."""
        job = self.dispatcher.live.get((self.book.app, wish.id))
        if job is not None:
            self.dispatcher.cancel(job, wish.id, self.now())
            self.stopped(wish, "cancelled")

    def feedback(self, wish: Wish, converted: bool, attempt: int | None) -> None:
        row = self.book.rows("SELECT id, outcome FROM job WHERE app = ? AND ext = ?", self.book.app, wish.id)
        if not row:
            return  # not committed yet: unknown to the application's side as well
        ((key, outcome),) = row
        if converted and outcome is None:
            self.journal.batch.finishes.append(
                Finish(key, self.book.app, wish.id, "delivered", "converted", "the user used it", self.now())
            )
            self.journal.touch()
        self.dispatcher.feedback(key, self.book.app, wish.id, converted, attempt, self.now())
        if converted:
            self.stopped(wish, "converted")

    def opt_out(self, numbers: frozenset[str]) -> None:
        """The list has these now, and no others."""
        self.world.opted_out = numbers
        self.dispatcher.opt_out(numbers, self.now())
        for wish in self.world.wishes.values():
            if wish.to in numbers:
                self.stopped(wish, "opted out")

    # What is left

    def reload(self, config: Config) -> None:
        self.world.config = config
        self.dispatcher.configure(Routing(config))
        self.dispatcher.use(self._carriers())

    def attempts(self, channel: str) -> list[tuple[NearEnd, Attempt]]:
        """Those under way."""
        return [
            (near, attempt)
            for _, near in sorted(self.near.items())
            if near.channel == channel
            for attempt in near.open
            if attempt.written
        ]

    def report(self, message: Message, state: str, result: str | None) -> None:
        if message.carrier in self.near:
            self.near[message.carrier].report(message, state, result)

    def held(self) -> list[str]:
        """Jobs that the dispatcher can still reach, and by which way."""
        seen = {id(each) for each in (self, self.world, self.loop, self.journal, *self.near.values())}
        found: list[str] = []
        ahead: list[tuple[object, str]] = [(vars(self.dispatcher), "")]
        while ahead:
            holder, way = ahead.pop()
            for each in gc.get_referents(holder):
                if id(each) in seen or isinstance(each, (type, str, ModuleType, FunctionType)):
                    continue
                seen.add(id(each))
                if isinstance(each, LiveJob):
                    found.append(f"{each.id} in {way}")
                else:
                    ahead.append((each, f"{way} {type(each).__name__}"))
        return found
