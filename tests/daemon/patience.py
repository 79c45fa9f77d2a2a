"""A world for the patience engine: two carriers, a trunk, people who use the codes, and the judge.

`alpha` is the preferred carrier, `beta` the next one; numbers of NARROW have only alpha and the trunk `west`.
Everything is judged by what the simulators recorded, and by the moment the daemon says it accepted a job.
"""

from __future__ import annotations

import asyncio
import base64
import io
import re
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, NamedTuple

from connector.client import Event
from connector.config import load
from connector.voice.speech import Speech
from connector.voice.speech.hearing import hear
from protocols.rtp.g711 import PCMU
from tests.daemon.callee import TEMPLATE, TRUNK, SimulatedCallee
from tests.daemon.harness import PATIENCE_S, Application, CarrierFile, Daemon, Lane, SimulatedCarrier, Site

WIDE, NARROW = "+4915112", "+4917612"
"""Prefixes of the two kinds of numbers: reached by both carriers, and by alpha alone."""
DEADLINE_S, NARROW_DEADLINE_S = 12.0, 32.0
"""A call that says a code to its end takes half of the longer one."""
_DIGITS = 4
SLACK_S = 1.0
"""What may lie, on a busy machine, between the moment something leaves and the moment it is written down."""

_LOOK_S = 0.1
_CODE = re.compile(rf"\d{{{_DIGITS}}}")

JOURNEY: Mapping[str, object] = {
    "steps": [
        {"channel": "sms"},
        {"channel": "sms", "start": "on_predicted_miss", "attempts": 2},
        {"channel": "voice", "start": "on_predicted_miss", "script": "quick"},
    ]
}
"""By the best carrier, by the best alternative when the first one seems to fail, then a call."""


class Seen(NamedTuple):
    """Something that a simulator wrote down: a submit, what a handset shows, or a call. `at` is Unix time."""

    at: float
    route: str
    to: str
    code: str = ""


@dataclass(slots=True)
class Person:
    """Somebody who waits for a code. `arrived` is the first route whose code was seen or heard."""

    job: str
    to: str
    codes: tuple[str, ...]
    submitted_at: float
    deadline_s: float
    accepted_at: float = 0.0
    arrived_at: float | None = None
    arrived: str | None = None
    converts: bool = True

    @property
    def deadline_at(self) -> float:
        return self.accepted_at + self.deadline_s

    @property
    def in_time(self) -> bool:
        return self.arrived_at is not None and self.arrived_at <= self.deadline_at


class World:
    """Carriers, a callee and a daemon. `answers`, `receipts`: seconds, as the simulators' options."""

    def __init__(self, site: Site, *, receipts: str = "lognormal:0.5,0.3", **both: object) -> None:
        options = {"receipt_delay": receipts, "response_delay": "uniform:0.005,0.02", **both}
        self.site = site
        self.alpha: SimulatedCarrier = site.carrier(**options)
        self.beta: SimulatedCarrier = site.carrier(**options)
        self.callee = SimulatedCallee(
            site, answer_after="uniform:0.6,1.2", ring_after="fixed:0.2", recording_limit=40
        )
        self.daemon: Daemon | None = None

    @property
    def carriers(self) -> dict[str, SimulatedCarrier]:
        return {"alpha": self.alpha, "beta": self.beta}

    def write(
        self,
        journeys: Mapping[str, Mapping[str, object]] | None = None,
        *,
        binds: Mapping[str, object] | None = None,
        beta_priority: int = 1,
        other: Mapping[str, object] | None = None,
    ) -> None:
        """Write the lane; the first journey is its usual one."""
        journeys = journeys or {"code": JOURNEY}
        timed = {"window": 50, "response_timeout_s": 2.0, **(binds or {})}
        carriers = tuple(
            CarrierFile(
                carrier.port, name, priority, {"system_id": name}, timed, other={"price": {"sms": 0.05}},
            )
            for (name, carrier), priority in zip(self.carriers.items(), (0, beta_priority), strict=True)
        )  # fmt: skip
        self.site.write(
            Lane(
                carriers,
                jobs={
                    "free_text": False, "journey": next(iter(journeys)), "receipt_wait_s": 5.0,
                    "default_deadline_s": DEADLINE_S,
                },
                other={
                    "voice": {"listen": "127.0.0.1:0", "rtp_ports": [30_000, 34_999]},
                    "scripts": {"quick": {"gate": False, "repeats": 0}},
                    "journeys": journeys,
                    "routes": [{"prefix": NARROW, "carriers": ["alpha", "west"]}],
                    "routing": {"half_life_s": 60.0},
                    # The outage is most of this world's time: it may cost more than one in a usual week.
                    "classes": {"default": {"extra_sends": 3.0}},
                    **(other or {}),
                },
            )
        )  # fmt: skip
        for folder in ("trunks", "templates"):
            (self.site.config / folder).mkdir(exist_ok=True)
        trunk = TRUNK.format(port=self.callee.port, most=40) + "ring_s = 10\nmax_s = 25\n"
        (self.site.config / "trunks/west.toml").write_text(f"{trunk}\n[price]\ncall = 0.10\n")
        (self.site.config / "templates/login-code.toml").write_text(TEMPLATE)

    def start(self) -> Daemon:
        self.daemon = self.site.start()
        return self.daemon

    @staticmethod
    def now() -> float:
        """Unix time, by which all records are kept."""
        return time.time()

    def submits(self) -> list[Seen]:
        """Every message that a carrier accepted, also those that never arrive."""
        return sorted(
            Seen(one["at"], name, one["to"], _code(one["text"]))
            for name, carrier in self.carriers.items()
            for one in carrier.ask("messages")
        )

    def arrivals(self) -> list[Seen]:
        """Every message that a handset shows."""
        return sorted(
            Seen(one["at"], name, one["to"], _code(one["text"]))
            for name, carrier in self.carriers.items()
            for one in carrier.ask("handsets")
        )

    def rings_long(self, number: str) -> None:
        """Nobody takes the telephone of this number for a minute."""
        self.callee.ask("number", number=number, options={"answer_after": "fixed:60"})

    def calls(self) -> list[Seen]:
        """Every call, by when its INVITE came."""
        return [
            Seen(datetime.fromisoformat(one["began_at"]).timestamp(), "west", f"+{one['to']}")
            for one in self.callee.calls()
        ]

    def left_for(self, person: Person) -> list[Seen]:
        """What left for a person, in order."""
        return [seen for seen in sorted(self.submits() + self.calls()) if seen.to == person.to]

    def went_by(self, person: Person) -> list[str]:
        """The routes by which anything left for a person, in order."""
        return [seen.route for seen in self.left_for(person)]

    async def until(self, condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Look until the simulators' records make `condition` true."""
        end = time.monotonic() + timeout_s
        while not await asyncio.to_thread(condition):
            assert time.monotonic() < end, f"{what}: not within {timeout_s:g} s"
            await asyncio.sleep(_LOOK_S)

    async def heard(self, person: Person) -> str | None:
        """The code that the telephone heard in its last call: its recording against the daemon's digits."""
        last = [one for one in self.callee.calls() if f"+{one['to']}" == person.to][-1]
        found = await asyncio.to_thread(self.callee.ask, "recording", call=last["id"])
        with wave.open(io.BytesIO(base64.b64decode(found["wav"]))) as file:
            pcm = file.readframes(file.getnframes())
        speech = Speech(load(self.site.config).voice.speech, self.site.state)
        await speech.start(("en",))
        try:
            digits = await speech.digits("en")
            heard = hear(pcm, {key: PCMU.decode(sound.pcmu) for key, sound in digits.items()}, _DIGITS)
        finally:
            await speech.stop()
        return heard.code if heard is not None and heard.certain else None

    def why(self, job: str) -> str:
        """What `connector why` prints of a job."""
        told = subprocess.run(
            [sys.executable, "-m", "connector", "why", "--socket", self.site.socket_path, job],
            capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
        return told.stdout


@dataclass
class Crowd:
    """People who ask for codes, and use them as soon as one arrives.

    `feedback`: whether the application tells the daemon. Used as a context it looks at the handsets all the
    time; a person's number is nobody else's.
    """

    world: World
    shop: Application
    random: Random
    feedback: bool = True
    reaction_s: tuple[float, float] = (0.3, 0.8)
    people: list[Person] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _by_to: dict[str, Person] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None
    _errors: list[BaseException] = field(default_factory=list)

    async def __aenter__(self) -> Crowd:
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._looking is not None
        for task in (self._looking, *self._tasks):
            task.cancel()
        for task in (self._looking, *list(self._tasks)):
            with suppress(asyncio.CancelledError):
                await task

    def new(
        self,
        prefix: str = WIDE,
        *,
        to: str | None = None,
        deadline_s: float | None = None,
        codes: int = 1,
        **fields: object,
    ) -> tuple[Person, dict[str, object]]:
        """Somebody with a number of their own, or `to`, and a job for them; `codes`: one an attempt."""
        if deadline_s is None:
            deadline_s = NARROW_DEADLINE_S if prefix == NARROW else DEADLINE_S
        number = to or f"{prefix}{next(self._numbers):06d}"
        drawn = tuple(f"{self.random.randrange(10**_DIGITS):0{_DIGITS}d}" for _ in range(codes))
        which = {"params": {"code": drawn[0]}} if codes == 1 else {"codes": list(drawn)}
        job = self.shop.job(number, deadline_s=deadline_s, template="login-code", **which, **fields)
        del job["text"]
        person = Person(str(job["id"]), number, drawn, time.time(), deadline_s)
        return person, job

    async def ask(self, prefix: str = WIDE, *, converts: bool = True, **fields: Any) -> Person:
        """One person asks for a code, now."""
        person, job = self.new(prefix, **fields)
        person.converts = converts
        self._by_to[person.to] = person
        self.people.append(person)
        await self.shop.client.submit(job)
        person.accepted_at = (await self.shop.event(person.job, "accepted")).at
        return person

    async def come(self, seconds: float, per_s: float, *, narrow: float = 0.0, **fields: Any) -> list[Person]:
        """People ask at that rate for so long; a share `narrow` of them is reached by alpha alone."""
        began, loop = len(self.people), asyncio.get_running_loop()
        start, asked = loop.time(), 0
        while (passed := loop.time() - start) < seconds:
            while asked < passed * per_s:
                asked += 1
                prefix = NARROW if self.random.random() < narrow else WIDE
                self._spawn(self.ask(prefix, **fields))
            await asyncio.sleep(0.5 / per_s)
        return self.people[began:]

    async def settle(self, people: Sequence[Person], timeout_s: float = 2 * PATIENCE_S) -> None:
        """Wait until the jobs of these people have their ends."""
        try:
            await self.shop.until(lambda: all(one.job in self.shop.finished for one in people), timeout_s)
        except AssertionError:
            open_ = [one.job for one in people if one.job not in self.shop.finished]
            told = {job: self.shop.types(job) for job in open_[:8]}
            raise AssertionError(f"{len(open_)} jobs without an end after {timeout_s:g} s: {told}") from None
        await self._look_once()
        assert not self._errors, self._errors

    def ending(self, person: Person) -> Event:
        return self.shop.of(person.job)[-1]

    def _spawn(self, doing: Any) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)

    async def _look(self) -> None:
        while True:
            await self._look_once()
            await asyncio.sleep(_LOOK_S)

    async def _look_once(self) -> None:
        """At every handset and at the ends of calls; whoever finds a code reacts."""
        for arrival in await asyncio.to_thread(self.world.arrivals):
            self._reach(arrival)
        for person in self.people:
            heard = next((event for event in self.shop.of(person.job) if event.type == "completed"), None)
            if heard is not None:
                self._reach(Seen(heard.at, "west", person.to, person.codes[0]))

    def _reach(self, seen: Seen) -> None:
        person = self._by_to.get(seen.to)
        if person is None or seen.code not in person.codes:
            return
        if person.arrived_at is None:
            person.arrived_at, person.arrived = seen.at, seen.route
            if self.feedback and person.converts:
                self._spawn(self._convert(person))

    async def _convert(self, person: Person) -> None:
        await asyncio.sleep(self.random.uniform(*self.reaction_s))
        await self.shop.client.feedback(person.job, converted=True)


class Judgement(NamedTuple):
    """What the simulators' records say of some people.

    in_time    share with their code before the deadline
    late       what left after its deadline
    by         how many have the first code from each route
    sends      messages and calls a person
    """

    in_time: float
    late: list[Seen]
    by: dict[str, int]
    sends: float


def judge(world: World, people: Sequence[Person]) -> Judgement:
    """Asks the simulators; the people's jobs should be over."""
    by_to = {person.to: person for person in people}
    left = [seen for seen in sorted(world.submits() + world.calls()) if seen.to in by_to]
    late = [seen for seen in left if seen.at > by_to[seen.to].deadline_at + SLACK_S]
    by: dict[str, int] = {}
    for person in people:
        if person.arrived is not None:
            by[person.arrived] = by.get(person.arrived, 0) + 1
    share = sum(person.in_time for person in people) / max(1, len(people))
    return Judgement(share, late, by, len(left) / max(1, len(people)))


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[0] if found else ""
