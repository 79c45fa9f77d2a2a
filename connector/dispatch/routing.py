"""What one configuration says of routes, in one place: journeys, candidates, prices, quiet hours."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import NamedTuple

from connector.config import Config, JobClass, Journey, RoutingSettings, Step
from connector.config.journey import Stop
from connector.dispatch.course import Course
from connector.model import Channel, LiveJob
from connector.routing.arrival import Cell
from connector.routing.destination import Destination, analyse, prepare
from connector.routing.errand import Errand
from connector.routing.hours import Hours
from connector.routing.journey import existing
from connector.routing.prices import Prices
from connector.routing.router import Router
from connector.routing.table import RouteTable

__all__ = ["Routing"]

_UNKNOWN = Destination("", "other", "", True)
_UNKNOWN_CELL = Cell("", "")
_DEFAULT_CLASS = "default"
_ANYBODY: dict[int, tuple[str, ...]] = {}


class Way(NamedTuple):
    """What is the same of all jobs of one journey.

    single  one attempt is all there is, but for carriers that refuse it
    steps   those that exist for every destination; None: it depends
    free    no step names its carriers
    """

    journey: Journey
    single: bool
    steps: tuple[int, ...] | None
    free: bool


class Routing:
    """Without a configuration: every job goes one step, by all carriers of its channel, at one price."""

    def __init__(self, config: Config | None = None) -> None:
        self._ways = {name: _way(journey) for name, journey in config.journeys.items()} if config else {}
        self._classes = dict(config.classes) if config else {_DEFAULT_CLASS: JobClass()}
        self._table = RouteTable(config) if config else None
        self._rules = bool(config and config.routes)
        self._settings = config.routing if config else RoutingSettings()
        self._prices = Prices(config) if config else None
        self._hours = Hours(config.quiet_hours) if config and config.quiet_hours else None
        # Whom a number belongs to matters only where there is a choice.
        self._analyses = config is not None and bool(
            len(config.carriers) + len(config.trunks) > 1
            or config.routes
            or config.lookup
            or any(step.countries for journey in config.journeys.values() for step in journey.steps)
        )

    def prepare(self) -> None:
        """Read what is known of numbers now: the first jobs, and their guards, need not wait for it."""
        prepare()

    def router(self, rng: Random, now: float) -> Router:
        """One that has learned nothing yet."""
        return Router(self._settings, self._classes, self.mean_price, rng, now)

    def configure(self, router: Router) -> None:
        """Have one that has learned go on by this configuration."""
        router.configure(self._settings, self._classes, self.mean_price)

    def course(self, job: LiveJob) -> Course:
        """The beginning of its journey."""
        way = self._way(job)
        destination, cell = _UNKNOWN, _UNKNOWN_CELL
        if self._analyses:
            destination = analyse(job.recipient)
            cell = Cell(*destination.cell)
        errand = Errand(cell, self.job_class(job.klass), job.accepted_at, job.deadline_at)
        steps = way.steps
        if steps is None:
            steps = existing(way.journey, destination.country, job.recipient)
        # A journey that has become shorter meanwhile is still followed: more than one attempt may have left.
        single = way.single and not job.follow
        course = Course(way.journey, destination, errand, steps, single=single, free=way.free)
        self.settle(course, job)
        return course

    def job_class(self, name: str) -> str:
        """The one of the configuration."""
        return name if name in self._classes else _DEFAULT_CLASS

    def stop_of(self, name: str) -> tuple[Stop, ...]:
        """What stops the journey of this name, besides its deadline and being cancelled."""
        way = self._ways.get(name)
        return (_plain("sms") if way is None else way).journey.stop

    def _way(self, job: LiveJob) -> Way:
        """By its name; one that is not in the configuration any more has one step, as the built-in ones."""
        way = self._ways.get(job.journey_name)
        if way is None:
            return _plain(job.channel)
        for step in way.journey.steps:
            if not job.body.says(step.channel):
                return _plain(job.channel)
        return way

    def settle(self, course: Course, job: LiveJob) -> None:
        """Say by whom each of its steps may go."""
        course.settled_by = self
        if self._table is None or self._prices is None:
            return
        if not course.single:
            course.cost_limit = course.journey.max_cost * self._prices.mean
        course.pricing = self._prices.group(job.recipient)
        if course.free and not self._rules and not job.body.pins:
            course.preferred = course.others = _ANYBODY
            return
        steps = [course.journey.steps[index] for index in course.steps]
        found = [
            self._table.candidates(
                job.recipient, course.destination, step.channel, job.body.pins, job.body.fallback,
                step.carriers,
            )
            for step in steps
        ]  # fmt: skip
        course.preferred = {index: first for index, (first, _) in zip(course.steps, found, strict=True)}
        course.others = {index: others for index, (_, others) in zip(course.steps, found, strict=True)}

    @property
    def mean_price(self) -> float:
        """Of one message."""
        return self._prices.mean if self._prices else 1.0

    def price(self, route: str, number: str) -> float:
        """Of one message part or one call."""
        return self._prices.of(route, number) if self._prices else 1.0

    def quiet_until(self, job: LiveJob, now: float) -> float | None:
        """When the recipient's quiet hours end; None outside of them, and for a job that heeds none."""
        return self.opens_at(job.recipient, now) if job.body.quiet else None

    def opens_at(self, number: str, now: float) -> float | None:
        """When the quiet hours end that an E.164 number is in at `now`; None: it is in none."""
        if self._hours is None:
            return None
        return self._hours.closed_until(number, analyse(number), now)


def _way(journey: Journey) -> Way:
    steps = journey.steps
    everywhere = not any(step.countries or step.prefixes for step in steps)
    return Way(
        journey,
        single=len(steps) == 1 and steps[0].attempts == 1,
        steps=tuple(range(len(steps))) if everywhere else None,
        free=not any(step.carriers for step in steps),
    )


@lru_cache(maxsize=2)
def _plain(channel: Channel) -> Way:
    return _way(Journey(steps=(Step(channel=channel),)))
