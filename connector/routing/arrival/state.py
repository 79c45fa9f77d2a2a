"""What survives a restart: the counts of all levels, in MessagePack."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from connector.routing.arrival.grid import BINS
from connector.routing.arrival.handset import COUNTRIES, LIKELY, Handsets, Silence
from connector.routing.arrival.level import Level
from connector.routing.arrival.levels import Levels
from connector.routing.arrival.settings import ArrivalSettings, Cell
from connector.routing.arrival.shift import BANDS
from connector.routing.arrival.unannounced import RATIOS
from connector.routing.arrival.use import Use

__all__ = ["dump", "restore"]

_VERSION: Final = 1

_Counts = Annotated[list[float], Meta(min_length=BINS, max_length=BINS)]
_Bands = Annotated[list[float], Meta(min_length=len(BANDS), max_length=len(BANDS))]
_Four = Annotated[list[float], Meta(min_length=4, max_length=4)]
_Likely = Annotated[list[float], Meta(min_length=len(LIKELY), max_length=len(LIKELY))]
_Three = Annotated[list[float], Meta(min_length=3, max_length=3)]
_Ratios = Annotated[list[float], Meta(min_length=len(RATIOS), max_length=len(RATIOS))]


class _Level(msgspec.Struct, array_like=True):
    key: tuple[str, ...]
    at: float
    d: _Counts
    f: _Counts
    n: _Counts
    shift_at: float
    basis: float
    seen: list[_Bands]
    wanted: list[_Bands]


class _Use(msgspec.Struct, array_like=True):
    route: str
    channel: str
    at: tuple[float, float]
    trust: float
    silent_at: float
    told: float
    silent: _Ratios
    used: tuple[_Four, _Four]
    unused: tuple[_Three, _Three]


class _Silence(msgspec.Struct, array_like=True):
    at: float
    total: float
    silent: _Likely


class _State(msgspec.Struct):
    version: int
    at: float
    hours: list[_Level]
    routes: list[_Level]
    countries: list[_Level]
    leaves: list[_Level]
    uses: list[_Use]
    all: _Silence
    later: _Silence
    handsets: dict[str, _Silence]


def dump(levels: Levels, handsets: Handsets, now: float) -> bytes:
    """All counts as they are; flights that are silent still are not part of it."""
    return msgspec.msgpack.encode(
        _State(
            version=_VERSION,
            at=now,
            hours=[_level(level) for level in levels.hours.values()],
            routes=[_level(level) for level in levels.routes.values()],
            countries=[_level(level) for level in levels.countries.values()],
            leaves=[_level(level) for level in levels.leaves.values()],
            uses=[_use(route, channel, use) for (route, channel), use in levels.uses.items()],
            all=_silence(handsets.all),
            later=_silence(handsets.later),
            handsets={country: _silence(silence) for country, silence in handsets.countries.items()},
        )
    )


def _level(level: Level) -> _Level:
    shift = level.shift
    if shift is None:
        return _Level(level.key, level.at, level.d, level.f, level.n, 0.0, 0.0, [], [])
    sudden = (shift.at, shift.basis, shift.seen, shift.wanted)
    return _Level(level.key, level.at, level.d, level.f, level.n, *sudden)


def _use(route: str, channel: str, use: Use) -> _Use:
    recent, long = use.tallies
    used, unused = (recent.used, long.used), (recent.unused, long.unused)
    silent = use.unannounced
    at = (recent.at, long.at)
    return _Use(route, channel, at, use.trust, silent.at, silent.told, silent.silent, used, unused)


def _silence(silence: Silence) -> _Silence:
    return _Silence(silence.at, silence.total, silence.silent)


def restore(data: bytes, settings: ArrivalSettings, now: float) -> tuple[Levels, Handsets]:
    """The levels and handsets of a dump, faded as for the time since. ValueError: it is something else."""
    try:
        state = msgspec.msgpack.decode(data, type=_State)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a state of the arrival model: {error}") from error
    if state.version != _VERSION:
        raise ValueError(f"a state of version {state.version}, expected {_VERSION}")
    levels = Levels(settings, now)
    for entry in state.hours:
        route, channel, hour = _key(entry, 3)
        if not hour.isdecimal():
            raise ValueError(f"{hour!r} is no hour")
        _fill(levels.hour(route, channel, int(hour) % 24 * 3600.0), entry, now)
    for entry in state.routes:
        route, channel = _key(entry, 2)
        _fill(levels.route(route, channel, now), entry, now)
    for entry in state.countries:
        route, channel, country = _key(entry, 3)
        _fill(levels.country(route, channel, country, now), entry, now)
    for entry in state.leaves:
        route, channel, country, network = _key(entry, 4)
        _fill(levels.leaf(route, channel, Cell(country, network), now), entry, now)
    for use in state.uses:
        _fill_use(levels.use(use.route, use.channel, now), use, now)
    handsets = Handsets(settings.unreachable, settings.half_life_s, now)
    handsets.all, handsets.later = _unsilence(state.all, now), _unsilence(state.later, now)
    for country, silence in [*state.handsets.items()][:COUNTRIES]:
        handsets.countries[country] = _unsilence(silence, now)
    return levels, handsets


def _key(entry: _Level, length: int) -> tuple[str, ...]:
    if len(entry.key) != length:
        raise ValueError(f"{len(entry.key)} names, expected {length}")
    return entry.key


def _fill(level: Level, entry: _Level, now: float) -> None:
    level.d, level.f, level.n = _counts(entry.d), _counts(entry.f), _counts(entry.n)
    level.at = level.used_at = min(_finite(entry.at), now)
    shift = level.shift
    if shift is not None and len(entry.seen) == len(entry.wanted) == len(shift.seen):
        shift.seen = [_counts(row) for row in entry.seen]
        shift.wanted = [_counts(row) for row in entry.wanted]
        shift.at = min(_finite(entry.shift_at), now)
        shift.basis = min(max(_finite(entry.basis), 0.0), 1.0)
        shift.weigh()


def _fill_use(use: Use, entry: _Use, now: float) -> None:
    use.trust = min(max(_finite(entry.trust), 0.0), 1.0)
    silent = use.unannounced
    silent.at = min(_finite(entry.silent_at), now)
    silent.told, *silent.silent = _counts([entry.told, *entry.silent])
    silent.stale = True
    for tally, at, used, unused in zip(use.tallies, entry.at, entry.used, entry.unused, strict=True):
        tally.used, tally.unused = _counts(used), _counts(unused)
        tally.at = min(_finite(at), now)


def _unsilence(entry: _Silence, now: float) -> Silence:
    silence = Silence(min(_finite(entry.at), now))
    silence.total, *silence.silent = _counts([entry.total, *entry.silent])
    return silence


def _counts(values: list[float]) -> list[float]:
    """Sums of differences of floats may end a little below 0."""
    return [max(_finite(value), -1e-3) for value in values]


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("not a finite number")
    return value
