"""What a journey lets start, and when. Pure: a step is started by the caller, who tells it with `begin`.

A step *exists* for a destination or does not; of those that exist each *opens* when the one before it was
started, or never can be because no carrier is left for it. Steps on a predicted miss that follow one another
are rivals: they open together, and the next step when all of them were started. An open step starts by the
condition in `STARTS`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from enum import StrEnum
from math import inf
from typing import Final, Literal, NamedTuple, Protocol

from connector.config.journey import Journey, Start, Step

__all__ = ["STARTS", "Due", "Flown", "Progress", "When", "due", "existing", "is_over"]


class When(StrEnum):
    """What an open step waits for."""

    NOW = "nothing"
    TIME = "its time after the first start of the step before"
    FAILURE = "the failure for good of all that has left"
    MISS = "a follow-up that is worth it, or the failure for good of all that has left"


STARTS: Final[dict[Start, tuple[When, When]]] = {
    #                    first start   each further one
    "at_once":           (When.NOW, When.FAILURE),
    "after":             (When.TIME, When.FAILURE),
    "on_failure":        (When.FAILURE, When.FAILURE),
    "on_predicted_miss": (When.MISS, When.MISS),
}  # fmt: skip


class Flown(Protocol):
    """What is read of a flight. Only `failed` is a definite no: what is unknown may still arrive."""

    @property
    def state(self) -> Literal["under_way", "sent", "unknown", "failed", "arrived"]: ...


class Progress:
    """How far one job has come in its journey.

    steps       indexes of the steps that exist for its destination, see `existing`
    starts      by index of step: how often it was started
    started_at  by index of step: when it was started first; None: not yet
    """

    __slots__ = ("started_at", "starts", "steps")

    def __init__(self, journey: Journey, steps: tuple[int, ...]) -> None:
        self.steps = steps
        self.starts = [0] * len(journey.steps)
        self.started_at: list[float | None] = [None] * len(journey.steps)

    def begin(self, step: int, at: float) -> None:
        """A flight of this step begins. After a restart: once for each flight, in the order they left."""
        self.starts[step] += 1
        if self.started_at[step] is None:
            self.started_at[step] = at

    def undo(self, step: int) -> None:
        """Its newest flight never was: the carrier refused it, or nothing left. The caller drops the flight.

        The step may be started again as if for the first time; `after_s` of the next one counts from then.
        Steps that it had opened and that were started stay so.
        """
        self.starts[step] -= 1
        if not self.starts[step]:
            self.started_at[step] = None


class Due(NamedTuple):
    """What a journey permits at one instant.

    now        steps that must start, in order; of those that start because all has failed only the first
    at         when the next one starts by time alone, unless something happens before; None: none does
    predicted  steps among which a follow-up may be planned, in order. Where all has failed one of them may
               be in `now`: any of them may then be started in its place
    """

    now: tuple[int, ...]
    at: float | None
    predicted: tuple[int, ...]


_NOTHING: Final = Due((), None, ())


def existing(journey: Journey, country: str, number: str) -> tuple[int, ...]:
    """Indexes of the steps that exist for an E.164 number with + in a country ("" unknown), in order."""
    return tuple(index for index, step in enumerate(journey.steps) if _exists(step, country, number))


def _exists(step: Step, country: str, number: str) -> bool:
    if not step.countries and not step.prefixes:
        return True
    return country in step.countries or number.startswith(step.prefixes)


def due(
    journey: Journey,
    progress: Progress,
    flights: Iterable[Flown],
    now: float,
    left: Container[int] | None = None,
) -> Due:
    """What may start at `now`, and when to look again.

    flights  one for each start that was not undone
    left     steps that still have a carrier, whether it has room or not; None: all of them

    Corners:
    - Steps that start at once open together with one before them that starts now: they go in parallel.
    - `after_s` counts from the first start of the nearest step before it that was started. Where none
      was, because none exists or none has a carrier left, there is nothing to wait for: it starts now.
    - All has failed also where nothing has left: so starts a journey whose first step does not exist for this
      destination, or has no carrier left. What is unknown, sent or under way has not failed.
    - A failure does not hasten a step that waits for its time, nor any step behind it.
    - A step stays in `now`, however late it is, until `begin` or another change of what is given.
    - Nothing is said of the deadline, of what stops a journey, or of its cost: that is the caller's.
    """
    room = journey.max_attempts - sum(progress.starts)
    if room <= 0:
        return _NOTHING
    failed = all(flight.state == "failed" for flight in flights)
    starting: list[int] = []
    predicted: list[int] = []
    times: list[float] = []
    for index, when, before in _open(journey, progress, left):
        time = _time(journey.steps[index], when, before)
        if when is When.MISS:
            predicted.append(index)
        if time is None:
            if failed:
                failed = False  # the first of them alone
                starting.append(index)
        elif time > now:
            times.append(time)
        else:
            starting.append(index)
    if starting and not progress.starts[starting[-1]]:
        starting += _together(journey, progress, starting[-1], left)
    if len(starting) < room:
        return Due(tuple(starting), min(times, default=None), tuple(predicted))
    chosen = tuple(starting[:room])
    return Due(chosen, None, tuple(predicted) if set(chosen).intersection(predicted) else ())


def is_over(
    journey: Journey,
    progress: Progress,
    flights: Iterable[Flown],
    left: Container[int] | None = None,
) -> bool:
    """No step can start any more, whatever becomes of what is under way; arguments as of `due`.

    It stays so unless a start is undone or `left` changes. What has arrived rules out the steps
    that wait for failure and those behind them, not a follow-up: a receipt may be doubted.
    """
    if sum(progress.starts) >= journey.max_attempts:
        return True
    arrived = any(flight.state == "arrived" for flight in flights)
    return all(arrived and when is When.FAILURE for _, when, _ in _open(journey, progress, left))


def _open(
    journey: Journey, progress: Progress, left: Container[int] | None
) -> Iterator[tuple[int, When, float | None]]:
    """Open steps that may be started once more, what they wait for, and the first start of the step before.

    Of those that were not started yet only one can be open, or rivals: the router says which is worth more.
    """
    before: float | None = None
    rivals = False
    for index in progress.steps:
        step, starts = journey.steps[index], progress.starts[index]
        if rivals and step.start != "on_predicted_miss":
            return
        usable = left is None or index in left
        if usable and starts < step.attempts:
            yield index, STARTS[step.start][starts > 0], before
        if starts:
            before = progress.started_at[index]
        elif usable:
            if step.start != "on_predicted_miss":
                return
            rivals = True


def _time(step: Step, when: When, before: float | None) -> float | None:
    """When the clock alone starts an open step; None: it does not."""
    if when is When.TIME and before is not None and step.after_s is not None:
        return before + step.after_s
    return -inf if when in (When.NOW, When.TIME) else None


def _together(journey: Journey, progress: Progress, first: int, left: Container[int] | None) -> Iterator[int]:
    """Steps behind `first`, not started yet, that go together with its first start."""
    for index in progress.steps:
        if index <= first or not (left is None or index in left) or progress.starts[index]:
            continue
        if STARTS[journey.steps[index].start][0] is not When.NOW:
            return
        yield index
