"""Where one job is in its journey: which step comes next, by whom, and what has left already."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from connector.config import Journey
from connector.journal.flights import Flight as PastFlight
from connector.model import Channel, LiveJob
from connector.routing.arrival import Cell
from connector.routing.destination import Destination
from connector.routing.errand import Errand, Flight
from connector.routing.journey import Due, Progress, due, is_over

__all__ = ["Course", "Start"]

Start = Literal["at_once", "on_failure", "on_predicted_miss", "after", "again"]
"""What makes a step start; again: nobody knows whether the attempt before it has left."""

_NOTHING = Due((), None, ())


class Course:
    """The way of one job.

    preferred    by step: carriers or trunks to use; absent: all of the channel
    others       the same, when none of those can
    settled_by   what said so
    steps        of the journey, those that exist for its destination
    free         no step names its carriers
    single       one attempt is all there is, but for carriers that refuse it
    step, start  that it waits to start, and what made that step start
    paused       it waits before it is tried again
    stopped      nothing more is sent
    void         it waits to be sent again, and that is not needed any more
    closed       the router knows that the job is final
    cost_limit   of all attempts together, in the currency of the prices
    pricing      courses of one pricing have the same prices
    """

    __slots__ = (
        "_progress", "_rivals", "closed", "cost_limit", "destination", "errand", "free", "journey", "others",
        "paused", "preferred", "pricing", "settled_by", "single", "start", "step", "steps", "stopped",
        "void",
    )  # fmt: skip

    def __init__(
        self,
        journey: Journey,
        destination: Destination,
        errand: Errand,
        steps: tuple[int, ...],
        *,
        single: bool,
        free: bool,
    ) -> None:
        self.journey = journey
        self.destination = destination
        self.errand = errand
        self.steps = steps
        self.single = single
        self.free = free
        self.preferred: Mapping[int, tuple[str, ...]] = {}
        self.others: Mapping[int, tuple[str, ...]] = {}
        self.settled_by: object = None
        self.step = 0
        self.start: Start = "at_once"
        self.paused = self.stopped = self.void = self.closed = False
        self.cost_limit = math.inf
        self.pricing = ""
        self._progress: Progress | None = None
        self._rivals: frozenset[str] | None = None

    @property
    def progress(self) -> Progress:
        """Which of its steps were started; made when it is needed: most journeys have one step."""
        if self._progress is None:
            self._progress = Progress(self.journey, self.steps)
        return self._progress

    def move(self, destination: Destination) -> None:
        """It is known better where the number is."""
        self.destination = destination
        self.errand.cell = Cell(*destination.cell)

    @property
    def doubles(self) -> bool:
        """What it waits to start is a follow-up of something that may still arrive."""
        return self.start == "on_predicted_miss" and self.hopeful

    @property
    def hopeful(self) -> bool:
        """Something has left that may still arrive, or has."""
        return self.hopeful_besides(None)

    def hopeful_besides(self, number: int | None) -> bool:
        """The same without one attempt."""
        return any(flight.state != "failed" and flight.number != number for flight in self.errand.flights)

    def routes_by_channel(
        self, channels: Mapping[Channel, Collection[str]]
    ) -> dict[Channel, tuple[str, ...]]:
        """Who may carry it, over all steps that exist; `channels` has all there are."""
        found: dict[Channel, tuple[str, ...]] = {}
        for index in self.steps:
            channel = self.journey.steps[index].channel
            names = self.preferred.get(index, channels[channel])
            known = found.get(channel, ())
            found[channel] = known + tuple(
                name for name in (*names, *self.others.get(index, ())) if name not in known
            )
        return found

    def flight(self, number: int) -> Flight | None:
        """That of an attempt, once it has left."""
        for flight in reversed(self.errand.flights):
            if flight.number == number:
                return flight
        return None

    def names(self, step: int, channels: Mapping[Channel, frozenset[str]]) -> frozenset[str]:
        """All that the step may use."""
        if step in self.preferred:
            return frozenset(self.preferred[step] + self.others[step])
        return channels[self.journey.steps[step].channel]

    def rivals(self, channels: Mapping[Channel, frozenset[str]]) -> frozenset[str]:
        """All that its follow-ups may use, by steps on a predicted miss."""
        if self._rivals is None:
            steps = [index for index in self.steps if _foreseen(self.journey, index)]
            self._rivals = frozenset().union(*(self.names(step, channels) for step in steps))
        return self._rivals

    def unused(self, step: int, job: LiveJob, channels: Mapping[Channel, frozenset[str]]) -> frozenset[str]:
        """Those that have neither refused the job for good nor carry it already."""
        return self.names(step, channels) - job.barred - {flight.route for flight in self.errand.flights}

    def due(self, job: LiveJob, now: float, channels: Mapping[Channel, frozenset[str]]) -> Due:
        """What may start now; nothing once it is stopped or has cost what it may."""
        if self.stopped or self.errand.spent >= self.cost_limit:
            return _NOTHING
        found = due(self.journey, self.progress, self.errand.flights, now, self._left(job, channels))
        if any(flight.channel == "voice" and flight.state == "under_way" for flight in self.errand.flights):
            # A telephone that rings already is busy for a further call.
            texts = [index for index, step in enumerate(self.journey.steps) if step.channel == "sms"]
            found = found._replace(
                now=tuple(step for step in found.now if step in texts),
                predicted=tuple(step for step in found.predicted if step in texts),
            )
        return found

    def is_over(self, job: LiveJob, channels: Mapping[Channel, frozenset[str]]) -> bool:
        """Nothing more will start, whatever is heard."""
        if self.stopped or self.errand.spent >= self.cost_limit:
            return True
        return is_over(self.journey, self.progress, self.errand.flights, self._left(job, channels))

    def _left(self, job: LiveJob, channels: Mapping[Channel, frozenset[str]]) -> list[int]:
        return [step for step in self.steps if self.unused(step, job, channels)]

    def resume(self, job: LiveJob, past: Iterable[PastFlight], price: Callable[[str, str], float]) -> None:
        """Go on after a restart: what was under way then, nobody knows about now. `price`: of `Routing`."""
        self.stopped = job.follow < 0
        for each in past:
            cost = price(each.route, job.recipient)
            flight = Flight(each.route, each.channel, each.step, each.number, each.left_at, cost)
            self.errand.sends += 1
            self.errand.spent += cost
            flight.state = "unknown" if each.state == "under_way" else each.state
            self.errand.flights.append(flight)
            if each.step < len(self.journey.steps):
                self.progress.begin(each.step, each.left_at)
                self.step = each.step
            job.turn_to(each.channel)

    def drop(self, number: int) -> None:
        """An attempt never was: nothing left, or the carrier refused it."""
        if (flight := self.flight(number)) is not None:
            self.errand.flights.remove(flight)
            self.progress.undo(flight.step)


def _foreseen(journey: Journey, step: int) -> bool:
    return journey.steps[step].start == "on_predicted_miss"
