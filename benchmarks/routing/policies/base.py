"""What a policy is asked, and what it is told. Routes and networks are their places in the world's file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from benchmarks.routing.desk import Desk
from benchmarks.routing.job import Flight, Job
from benchmarks.routing.truth import Truth
from benchmarks.routing.world import World

__all__ = ["Policy", "Scene"]


class Scene(NamedTuple):
    """`world` for names, prices and the utility alone; `truth` for the clairvoyant."""

    world: World
    desk: Desk
    truth: Truth | None
    seed: int


class Policy:
    """Sends once and never again; what differs is overridden."""

    name: ClassVar[str]
    clairvoyant: ClassVar[bool] = False

    def __init__(self, scene: Scene) -> None:
        self.world = scene.world
        self.desk = scene.desk
        self.carriers = range(len(scene.world.carriers))
        self.trunks = range(len(self.carriers), len(self.carriers) + len(scene.world.trunks))

    def usable(self, job: Job, now: float) -> list[int]:
        """The carriers, or the trunks where there are none, that are up and have not turned this job away."""
        wait = self.desk.wait
        routes = self.carriers or self.trunks
        return [route for route in routes if route not in job.refused and wait(route, now) < math.inf]

    def choose(self, job: Job, now: float) -> int:
        """The route of the first attempt; it is asked again when that turned it away. -1: none for now."""
        raise NotImplementedError

    def plan(self, job: Job, now: float) -> float:
        """When `follow` is to be asked, as far as is known now; inf: never."""
        return math.inf

    def follow(self, job: Job, now: float) -> int:
        """The route of a further attempt that leaves now. -1: none; `plan` says when to ask again."""
        return -1

    def tick(self, now: float) -> Iterable[Job]:
        """Four times a second: the jobs of which `follow` is to be asked."""
        return ()

    def left(self, job: Job, flight: Flight, now: float) -> None:
        """An attempt has left; it is the last of the job's flights."""

    def turned_away(self, job: Job, flight: Flight, now: float, throttled: bool) -> None:
        """Its submit was answered with an error: nothing was accepted, it is no flight any more."""

    def accepted(self, job: Job, flight: Flight, now: float) -> None:
        """Its submit was answered: the carrier has taken it."""

    def receipt(self, job: Job, flight: Flight, now: float) -> None:
        """A receipt says "delivered", or the call was heard to its end."""

    def failed(self, job: Job, flight: Flight, now: float, everywhere: bool) -> None:
        """A receipt says that it will not arrive, or nobody answered the call. everywhere: the handset is the
        cause."""

    def converted(self, job: Job, number: int, now: float) -> None:
        """The user entered the code of attempt `number`."""

    def closed(self, job: Job, now: float) -> None:
        """Converted or past its deadline. Receipts may still come."""
