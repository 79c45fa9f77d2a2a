"""What one configuration says of routes, in one place: journeys, candidates, prices, quiet hours."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from connector.config import Config, JobClass, Journey, RoutingSettings, Step
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
_DEFAULT_CLASS = "default"


class Routing:
    """Without a configuration: every job goes one step, by all carriers of its channel, at one price."""

    def __init__(self, config: Config | None = None) -> None:
        self._journeys: dict[str, Journey] = dict(config.journeys) if config else {}
        self._classes = dict(config.classes) if config else {_DEFAULT_CLASS: JobClass()}
        self._table = RouteTable(config) if config else None
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
        """Read what is known of numbers now: the first jobs need not wait for it."""
        if self._analyses:
            prepare()

    def router(self, rng: Random, now: float) -> Router:
        """One that has learned nothing yet."""
        return Router(self._settings, self._classes, self.mean_price, rng, now)

    def configure(self, router: Router) -> None:
        """Have one that has learned go on by this configuration."""
        router.configure(self._settings, self._classes, self.mean_price)

    def course(self, job: LiveJob) -> Course:
        """The beginning of its journey."""
        destination = analyse(job.recipient) if self._analyses else _UNKNOWN
        klass = self.job_class(job.klass)
        errand = Errand(Cell(*destination.cell), klass, job.accepted_at, job.deadline_at)
        journey = self.journey(job)
        course = Course(journey, destination, errand, existing(journey, destination.country, job.recipient))
        self.settle(course, job)
        return course

    def job_class(self, name: str) -> str:
        """The one of the configuration."""
        return name if name in self._classes else _DEFAULT_CLASS

    def journey(self, job: LiveJob) -> Journey:
        """By its name; one that is not in the configuration any more has one step, as the built-in ones."""
        journey = self._journeys.get(job.journey_name)
        if journey is None or any(not self._says(job, step.channel) for step in journey.steps):
            return _plain(job.channel)
        return journey

    def _says(self, job: LiveJob, channel: Channel) -> bool:
        return bool(job.body.sms if channel == "sms" else job.body.voice)

    def settle(self, course: Course, job: LiveJob) -> None:
        """Say by whom each of its steps may go."""
        course.settled_by = self
        if self._table is None or self._prices is None:
            return
        course.cost_limit = course.journey.max_cost * self._prices.mean
        course.pricing = self._prices.group(job.recipient)
        for index in course.progress.steps:
            step = course.journey.steps[index]
            course.preferred[index], course.others[index] = self._table.candidates(
                job.recipient, course.destination, step.channel, job.body.pins, job.body.fallback,
                step.carriers,
            )  # fmt: skip

    @property
    def mean_price(self) -> float:
        """Of one message."""
        return self._prices.mean if self._prices else 1.0

    def price(self, route: str, number: str) -> float:
        """Of one message part or one call."""
        return self._prices.of(route, number) if self._prices else 1.0

    def quiet_until(self, job: LiveJob, now: float) -> float | None:
        """When the recipient's quiet hours end; None outside of them."""
        if self._hours is None:
            return None
        return self._hours.closed_until(job.recipient, analyse(job.recipient), now)


@lru_cache(maxsize=2)
def _plain(channel: Channel) -> Journey:
    return Journey(steps=(Step(channel=channel),))
