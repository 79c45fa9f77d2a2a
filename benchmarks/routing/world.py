"""A world: carriers, trunks, networks, users and what goes wrong, as a TOML file describes it.

All times are seconds, all shares are of 1, prices are in one currency. Times of messages are log-normal,
given by their median and the sigma of their logarithm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

from connector.config.document import Document, read_document
from connector.config.problem import ConfigError, Problem, did_you_mean
from connector.config.schema import FileKind
from connector.config.validate import file_problems

__all__ = [
    "Burst", "Carrier", "Cell", "Deadline", "Kind", "Network", "Outage", "Traffic", "Trunk", "Users",
    "Utility", "World", "load_world", "shipped_worlds",
]  # fmt: skip

Named = TypeVar("Named", "Network", "Carrier", "Trunk")

WORLDS = Path(__file__).parent / "worlds"

Share = Annotated[float, Meta(ge=0, le=1, title="a share, from 0 to 1")]
Positive = Annotated[float, Meta(gt=0, title="a number above 0")]
Amount = Annotated[float, Meta(ge=0, title="a number, 0 or more")]
Sigma = Annotated[float, Meta(gt=0, le=3, title="a sigma of the logarithm, above 0 and at most 3")]
Whole = Annotated[int, Meta(ge=1, title="a whole number above 0")]
Name = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$", title="a name of small letters, digits, - and _")
]
Kind = Literal["hard", "down", "throttle", "silent", "slow", "fake"]
Profile = Literal["usual", "throttle", "fake", "low"]


class Burst(Struct, frozen=True, forbid_unknown_fields=True):
    """`rate` jobs a second instead of the usual ones."""

    at_s: Amount
    for_s: Positive
    rate: Positive


class Deadline(Struct, frozen=True, forbid_unknown_fields=True):
    """So many of the jobs (`share`, relative to the others') are worth something for `s` seconds."""

    s: Annotated[float, Meta(ge=1, le=600, title="seconds, from 1 to 600")]
    share: Positive = 1.0


class Traffic(Struct, frozen=True, forbid_unknown_fields=True):
    """Jobs a second on average; `rhythm` is the amplitude of its day, as a share of it."""

    rate: Positive
    rhythm: Share = 0.0
    bursts: tuple[Burst, ...] = ()
    deadlines: Annotated[tuple[Deadline, ...], Meta(min_length=1, title="at least one deadline")] = (
        Deadline(30.0),
    )


class Users(Struct, frozen=True, forbid_unknown_fields=True):
    """`converts` of those who got their code in time enter it, `delay_s` after it came.

    `unreachable` handsets get nothing from any carrier; of `told` of them a carrier says so, after `told_s`.
    """

    converts: Share = 0.85
    delay_s: Positive = 6.0
    sigma: Sigma = 0.6
    unreachable: Share = 0.004
    told: Share = 0.3
    told_s: Positive = 8.0
    code_per_attempt: bool = False


class Utility(Struct, frozen=True, forbid_unknown_fields=True):
    """What a code in time is worth and what an extra send costs besides its price, in average SMS prices.

    extra_sends  the budget of ours: extra sends a job, on average over ten minutes; 16 never binds
    """

    value: Positive = 40.0
    annoyance: Amount = 1.0
    extra_sends: Annotated[float, Meta(ge=0, le=16, title="a number from 0 to 16")] = 16.0


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    """`share` relative to the others'; `slower` and `loss` multiply what its carriers have."""

    name: Name
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$", title='a country of two letters, as "DE"')]
    share: Positive = 1.0
    slower: Positive = 1.0
    loss: Amount = 1.0


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """A carrier in one network, where it differs from its other networks."""

    median_s: Positive | None = None
    sigma: Sigma | None = None
    loss: Share | None = None
    slow: Share | None = None


class Carrier(Struct, frozen=True, forbid_unknown_fields=True):
    """An SMS carrier. Static priority takes carriers in the order of the file.

    tps         PDUs a second that it takes
    slow        share of messages that take `slow_s` instead of `median_s` (log-normal, sigma 0.5)
    loss        share that never arrives; of `told` of these it says so, after `told_s`
    no_receipt  share of the delivered ones without a receipt
    fake        share that never arrives and has a receipt all the same
    rhythm      how much slower and lossier it is at the busiest hour, as a share
    drift       amplitude of the slow wander of the logarithm of `median_s`, one swing in `drift_s`
    """

    name: Name
    price: Positive
    median_s: Positive
    sigma: Sigma = 0.6
    slow: Share = 0.03
    slow_s: Positive = 40.0
    loss: Share = 0.02
    told: Share = 0.3
    told_s: Positive = 6.0
    no_receipt: Share = 0.1
    fake: Share = 0.0
    rhythm: Amount = 0.0
    drift: Amount = 0.0
    drift_s: Positive = 3600.0
    tps: Positive = 100.0
    answers_s: Positive = 0.06
    networks: dict[str, Cell] = {}


class Trunk(Struct, frozen=True, forbid_unknown_fields=True):
    """A voice trunk: `setup_s` (log-normal) and ringing (from half to one and a half `ring_s`), then speech.

    price     of a call, answered or not
    answers   share of calls that are answered; the others end after `rings_s`
    heard_s   from the answer until the code has been heard
    capacity  calls at a time; `cps` new ones a second
    """

    name: Name
    price: Positive
    setup_s: Positive = 3.0
    setup_sigma: Sigma = 0.4
    ring_s: Positive = 6.0
    answers: Share = 0.75
    rings_s: Positive = 25.0
    heard_s: Positive = 6.0
    capacity: Whole = 30
    cps: Positive = 5.0


class Outage(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong with `routes` (empty `networks`: with all of them) for `for_s` from `at_s`.

    hard      submits are answered with an error
    down      its binds are gone
    throttle  it takes only `tps`, and answers the others with "too fast"
    silent    `share` of the messages are lost and nobody is told
    slow      times × `factor`
    fake      `share` of the messages are lost, with a receipt that says "delivered"
    """

    kind: Kind
    routes: Annotated[tuple[str, ...], Meta(min_length=1, title="at least one name of a carrier")]
    at_s: Amount
    for_s: Positive
    networks: tuple[str, ...] = ()
    share: Share = 1.0
    factor: Positive = 10.0
    tps: Positive = 1.0


class World(Struct, frozen=True, forbid_unknown_fields=True):
    """One file. `hour` is the local time at the start, `day_s` how long a day takes.

    warm_up_s    jobs accepted before it are not counted
    step_s       how often rhythm and drift move on
    spread       each carrier and network has a median, a sigma and a loss of its own: times exp of a normal
                 draw of this deviation (a third of it for sigma), from `spread_seed`
    targets      see benchmarks/routing/targets.py
    """

    says: str
    duration_s: Annotated[float, Meta(ge=10, le=1e6, title="seconds, from 10 to 1,000,000")]
    traffic: Traffic
    networks: Annotated[tuple[Network, ...], Meta(min_length=1, max_length=1000, title="1 to 1,000 networks")]
    carriers: Annotated[tuple[Carrier, ...], Meta(max_length=64, title="at most 64 carriers")] = ()
    trunks: Annotated[tuple[Trunk, ...], Meta(max_length=16, title="at most 16 trunks")] = ()
    users: Users = Users()
    utility: Utility = Utility()
    outages: tuple[Outage, ...] = ()
    targets: Profile = "usual"
    warm_up_s: Amount = 300.0
    hour: Annotated[float, Meta(ge=0, lt=24, title="an hour, from 0 to below 24")] = 9.0
    day_s: Positive = 86_400.0
    step_s: Positive = 30.0
    spread: Amount = 0.0
    spread_seed: int = 1
    max_attempts: Whole = 4
    name: str = ""

    @property
    def ways(self) -> tuple[Carrier | Trunk, ...]:
        """Carriers, then trunks: a route is its place here."""
        return (*self.carriers, *self.trunks)

    @property
    def mean_price(self) -> float:
        """Of a message over the carriers, or of a call where there are none: the unit of all costs."""
        prices = [way.price for way in self.carriers or self.trunks]
        return sum(prices) / len(prices)


def load_world(file: Path) -> World:
    """The world in `file`. Raises ConfigError, a line for each problem: file, line, key, what is expected."""
    document = read_document(file)
    if isinstance(document, Problem):
        raise ConfigError((document,))
    if problems := file_problems(document, cast("FileKind", World)):
        raise ConfigError(problems)
    world = msgspec.structs.replace(msgspec.convert(document.data, World), name=file.stem)
    if problems := [*_problems(document, world)]:
        raise ConfigError(problems)
    return world


def shipped_worlds() -> list[Path]:
    """The files that come with the benchmark, by name."""
    return sorted(WORLDS.glob("*.toml"))


def _problems(document: Document, world: World) -> Iterator[Problem]:
    networks = {network.name for network in world.networks}
    routes = {way.name for way in world.ways}
    if not routes:
        yield document.problem(
            ("carriers",), "is missing, expected a carrier or a trunk", "config_missing_key"
        )
    if world.warm_up_s >= world.duration_s:
        yield document.problem(("warm_up_s",), "is too long, expected less than duration_s")
    yield from _repeated(document, "networks", world.networks, set())
    yield from _repeated(document, "carriers", world.carriers, set())
    yield from _repeated(document, "trunks", world.trunks, {carrier.name for carrier in world.carriers})
    for number, carrier in enumerate(world.carriers):
        for name in carrier.networks:
            if name not in networks:
                yield _unknown(document, ("carriers", number, "networks", name), name, networks, "network")
    carriers = {carrier.name for carrier in world.carriers}
    for number, outage in enumerate(world.outages):
        for name in outage.routes:
            if name not in carriers:
                yield _unknown(document, ("outages", number, "routes"), name, carriers, "carrier")
        for name in outage.networks:
            if name not in networks:
                yield _unknown(document, ("outages", number, "networks"), name, networks, "network")


def _repeated(document: Document, key: str, ways: tuple[Named, ...], seen: set[str]) -> Iterator[Problem]:
    for number, way in enumerate(ways):
        if way.name in seen:
            yield document.problem(
                (key, number, "name"), f'"{way.name}" is there twice, expected another name'
            )
        seen.add(way.name)


def _unknown(
    document: Document, path: tuple[str | int, ...], name: str, known: set[str], what: str
) -> Problem:
    names = ", ".join(sorted(known)) or "none"
    return document.problem(
        path, f'no {what} is called "{name}", expected one of {names}{did_you_mean(name, known)}'
    )
