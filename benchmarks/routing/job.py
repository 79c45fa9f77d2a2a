"""A job in the simulation and its attempts, as policies see them."""

from __future__ import annotations

import math
from typing import Any, Literal

__all__ = ["Flight", "Job", "State"]

State = Literal["sent", "arrived", "failed"]


class Flight:
    """An attempt that left at `left_at`. `arrived`: its receipt says so, at `told_at`."""

    __slots__ = ("left_at", "mark", "number", "route", "state", "told_at")

    def __init__(self, route: int, number: int, left_at: float) -> None:
        self.route = route
        self.number = number
        self.left_at = left_at
        self.state: State = "sent"
        self.told_at = math.inf
        self.mark: Any = None  # the policy's own


class Job:
    """`network` by its place in the world; `plan_at`: when its policy wants to look at it again.

    hopeless   a route said that the handset cannot be reached at all
    refused    routes that turned this job away
    the rest of the keys is for scores: policies may not look at them
    """

    __slots__ = (
        "accepted_at", "closed", "converts_at", "cost", "deadline_at", "first_arrival", "first_number",
        "flights", "hopeless", "index", "mark", "network", "plan_at", "queued", "refused", "sends",
    )  # fmt: skip

    def __init__(self, index: int, accepted_at: float, deadline_at: float, network: int) -> None:
        self.index = index
        self.accepted_at = accepted_at
        self.deadline_at = deadline_at
        self.network = network
        self.flights: list[Flight] = []
        self.refused: tuple[int, ...] = ()
        self.hopeless = False
        self.closed = False
        self.queued = False
        self.plan_at = math.inf
        self.cost = 0.0
        self.sends = 0
        self.first_arrival = math.inf
        self.first_number = 0
        self.converts_at = math.inf
        self.mark: Any = None  # the policy's own
