"""By which carrier a job leaves: what each offers it, and the router's word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from connector.carriers.contract import Carrier
from connector.dispatch.course import Course, Start
from connector.dispatch.rooms import Rooms
from connector.dispatch.routing import Routing
from connector.model import Channel, LiveJob, Standing
from connector.routing.decision import Decision, Rule, encode
from connector.routing.errand import Choice, Offer
from connector.routing.router import Router

__all__ = ["Choosing"]

LOOK_AGAIN_S: Final = 0.25
_RULES: Final[dict[Start, Rule]] = {
    "at_once": "at_once", "again": "at_once", "after": "after", "on_failure": "on_failure",
    "on_predicted_miss": "on_failure",
}  # fmt: skip


class Choosing:
    """Among the carriers of `use`, by the prices of `routing`."""

    def __init__(self, routing: Routing, router: Router) -> None:
        self.routing = routing
        self.ahead: Counter[str] = Counter()
        self.channels: Mapping[Channel, frozenset[str]] = {}
        self._router = router
        self._carriers: Mapping[str, Carrier] = {}

    def use(self, carriers: Mapping[str, Carrier], channels: Mapping[Channel, frozenset[str]]) -> None:
        self._carriers, self.channels = carriers, channels

    def rooms(self, now: float) -> Rooms:
        """What everybody takes at this moment."""
        return Rooms(self._carriers, self.ahead, now)

    def permitted(self, standing: Standing) -> Collection[str]:
        """All that a job of this standing may use, whether they have tried or not."""
        return self.channels[standing.channel] if standing.routes is None else standing.routes

    def is_cut_off(self, standing: Standing) -> bool:
        """Of those that it may use alone, none can send."""
        carriers, routes = self._carriers, standing.routes
        return routes is not None and not any(n in carriers and carriers[n].bound for n in routes)

    def choose(
        self,
        job: LiveJob,
        course: Course,
        standing: Standing,
        fit: Collection[str],
        rooms: Rooms,
        now: float,
    ) -> Choice | None:
        """By whom it leaves; somebody beside `fit`, those with room: it is worth waiting for that one.

        None: nobody has it there before its deadline, or a follow-up is not worth its price any more.
        """
        names = [name for name in self.permitted(standing) if name not in standing.tried]
        foreseen = course.doubles
        if len(names) == 1 and not foreseen:
            return _only(names[0], course.step, _RULES[course.start])
        offers = self._offers(job, course, names, rooms, fit)
        rule = "follow_up" if foreseen else _RULES[course.start]
        then = () if course.errand.flights else self._later(job, course, rooms)
        return self._router.choose(course.errand, offers, now, then=then, step=course.step, rule=rule)

    def _offers(
        self, job: LiveJob, course: Course, names: Collection[str], rooms: Rooms, fit: Collection[str]
    ) -> list[Offer]:
        """Of `names`, the roomiest first; of those for need only where none of the others can."""
        offers = []
        for offer in self._of(job, names, rooms):
            if offer.wait_s == 0.0 and offer.route not in fit:  # a rate below the carrier's own holds it
                offer = offer._replace(wait_s=LOOK_AGAIN_S)
            offers.append(offer)
        if others := course.others.get(course.step):
            usual = [offer for offer in offers if offer.route not in others]
            if any(offer.wait_s < math.inf for offer in usual):
                return usual
        return offers

    def _of(self, job: LiveJob, names: Iterable[str], rooms: Rooms) -> list[Offer]:
        price = self.routing.price
        return [rooms.offer(name, price(name, job.recipient)) for name in rooms.roomiest_first(names)]

    def _later(self, job: LiveJob, course: Course, rooms: Rooms) -> list[Offer]:
        """What a follow-up of its first attempt may use."""
        if course.single:
            return []
        return self._of(job, course.rivals(self.channels), rooms)

    def offers(self, job: LiveJob, names: Collection[str], now: float) -> list[Offer]:
        """Of these routes, as they are now."""
        return self._of(job, names, self.rooms(now))

    def expected(self, job: LiveJob, course: Course, now: float) -> dict[str, Any] | None:
        """What would be decided of a job of this moment, as it is recorded; nothing changes."""
        rooms = self.rooms(now)
        names = course.names(course.steps[0], self.channels)
        return self._router.preview(
            course.errand.cell,
            course.errand.klass,
            job.deadline_at - now,
            self._offers(job, course, names, rooms, rooms.fit(names, ())),
            now,
            self._later(job, course, rooms),
        )


@lru_cache(maxsize=1024)
def _only(route: str, step: int, rule: Rule) -> Choice:
    """There is nobody else."""
    return Choice(route, 0.0, encode(Decision(rule if step else "only_candidate", route, (route,), step)))
