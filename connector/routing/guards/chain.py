"""All guards of a lane, one after the other."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from math import inf
from typing import Any, Final, Literal, Protocol

import msgpack  # type: ignore[import-untyped]

from connector.routing.destination import Destination

from .ask import Ask, Objection, Refusal
from .calls import Calls
from .conversion import Conversion
from .daily import Budget
from .destinations import Destinations
from .hashing import BLOCK, Hasher, tail_of
from .meter import VelocityNumber
from .parts import Parts
from .place import BLOCK_DIGITS, MOST_PLACES, Place
from .sequential import Sequential
from .settings import GuardSettings
from .velocity import Velocity, VelocityApplication, VelocityCountry, VelocityPrefix

__all__ = ["Guards"]

Action = Literal["refused", "dry_run"]

_VERSION: Final = 2
_KEPT: Final = 100
_SMS: Final = frozenset[Literal["sms", "voice"]](["sms"])
_GARBAGE: Final = (
    ValueError, TypeError, KeyError, AttributeError, OverflowError, msgpack.UnpackException,
)  # fmt: skip


class _Remembering(Protocol):
    name: str

    def dump(self, now: float) -> Parts: ...
    def restore(self, parts: Any, now: float) -> None: ...
    def overview(self, now: float) -> Any: ...


class Guards:
    """Pure: the time is an argument, in seconds of Unix time: budgets and caps are by day of UTC.

    key   keyed hashes of numbers are made with it: the same over restarts, or what was counted is lost
    hits  how often each guard refused, or would have
    """

    def __init__(self, settings: GuardSettings, key: bytes, now: float) -> None:
        self.hits: Counter[tuple[str, Action]] = Counter()
        self._hasher = Hasher(key)
        self._offsets = self._hasher.offsets
        self._calls = Calls(settings.rules)
        self._noticed: deque[Refusal] = deque(maxlen=_KEPT)
        self._now = now
        self._set(settings, now)

    def configure(self, settings: GuardSettings) -> None:
        """Judge by another configuration from now on; what was counted for limits that stay as they are goes
        on.
        """
        kept = {guard.name: [*guard.dump(self._now).each] for guard in self._remembering}
        self._set(settings, self._now)
        self._calls.configure(settings.rules)
        for guard in self._remembering:
            if guard.name in kept:
                guard.restore(kept[guard.name], self._now)

    def _set(self, settings: GuardSettings, now: float) -> None:
        self._settings = settings
        rules = settings.rules
        self._destinations = Destinations(rules, settings.countries)
        self._budget = Budget(rules.budget, settings.budgets)
        self._sequential = (
            Sequential(rules.sequential, self._hasher, now) if rules.sequential.numbers else None
        )
        self._number = VelocityNumber(rules.velocity_number, now) if rules.velocity_number.limits else None
        every: tuple[tuple[Velocity, object], ...] = (
            (VelocityPrefix(rules.velocity_prefix), rules.velocity_prefix.limits),
            (VelocityCountry(rules.velocity_country), rules.velocity_country.limits),
            (VelocityApplication(rules.velocity_application), rules.velocity_application.limits),
        )
        self._velocities = tuple(guard for guard, limits in every if limits)
        self._conversion = Conversion(rules.conversion, now) if rules.conversion.floor else None
        self._hashes = self._sequential is not None or self._number is not None
        ones = (self._budget, self._sequential, self._number, *self._velocities, self._conversion)
        self._remembering: list[_Remembering] = [guard for guard in ones if guard is not None]
        self._cut = -min([BLOCK_DIGITS, *(limit.last_digits for limit in rules.velocity_prefix.limits)])
        self._places: dict[str, Place] = {}
        self._books_turned = 0

    # Jobs

    def admit(self, ask: Ask, now: float) -> Refusal | None:
        """What the first guard says that refuses it; None: it is counted as accepted."""
        self._now = now
        app, number, destination, channels, price = ask
        place = self._places.get(app + number[: self._cut])
        if place is None or place.destination is not destination:
            place = self._place(ask, now)
        objections = place.objections.get(channels)
        if objections is None:
            objections = self._object(place, ask)
        key = 0
        in_a_row = False
        if self._hashes:
            tail = tail_of(number)
            offset = tail % BLOCK
            block = place.blocks[tail // BLOCK]
            if block is None:
                block = place.blocks[tail // BLOCK] = self._hasher.block(number[:-3])
            key = block ^ self._offsets[offset]
            if self._sequential is not None:
                in_a_row = self._sequential.in_a_row(number, block, offset, place.salt, now)
        if objections or in_a_row or not self._free(place, key, price, now):
            return self._weigh(place, key, price, objections, in_a_row, now)
        self._take(place, key, price, now)
        return None

    def _free(self, place: Place, key: int, price: float, now: float) -> bool:
        """Whether no guard that counts objects; `_objections` says which one does."""
        account = place.account
        if account is not None and not account.fits(price, place.budget, now):
            return False
        if self._number is not None and not self._number.free(key, now):
            return False
        for gauge in place.gauges:
            if gauge.at - now > gauge.room_s:
                return False
        conversion = self._conversion
        if conversion is not None:
            if not conversion.since <= now < conversion.until:
                conversion.slide(now)
            if place.teller is not None and place.teller.until > now:
                for share in place.shares:
                    if share.small:
                        return False
        return True

    def _take(self, place: Place, key: int, price: float, now: float) -> None:
        if place.account is not None:
            place.account.ask(price, now)
        if self._number is not None:
            self._number.take(key, now)
        for gauge in place.gauges:
            at = gauge.at
            gauge.at = (at if at > now else now) + gauge.step_s
        if self._conversion is not None and place.teller is not None and place.teller.until > now:
            self._conversion.newest.append(place.shares)

    def _weigh(
        self,
        place: Place,
        key: int,
        price: float,
        standing: tuple[Objection, ...],
        in_a_row: bool,
        now: float,
    ) -> Refusal | None:
        objecting = set()
        for objection in self._objections(place, key, price, standing, in_a_row, now):
            refusal = self._hit(objection)
            if refusal is not None:
                return refusal
            objecting.add(objection.guard)
        # On a dry run nobody else refuses what does not fit: as in earnest, it takes nothing of that guard.
        if place.account is not None and self._budget.name not in objecting:
            place.account.ask(price, now)
        if self._number is not None and self._number.name not in objecting:
            self._number.take(key, now)
        for guard, gauges in zip(self._velocities, place.velocities, strict=True):
            if guard.name not in objecting:
                for gauge in gauges:
                    gauge.take(now)
        conversion = self._conversion
        if conversion is not None and conversion.name not in objecting and _tells(place, now):
            conversion.count(place.shares, now)
        return None

    def _objections(
        self,
        place: Place,
        key: int,
        price: float,
        standing: tuple[Objection, ...],
        in_a_row: bool,
        now: float,
    ) -> Iterator[Objection]:
        """All of them, in the order of the guards."""
        found: list[Objection | None] = [*standing]
        if place.account is not None:
            found.append(self._budget.judge(place.account, price, place.budget, now))
        if in_a_row and self._sequential is not None:
            found.append(self._sequential.objection)
        if self._number is not None:
            found.append(self._number.judge(key, now))
        for guard, gauges in zip(self._velocities, place.velocities, strict=True):
            found.append(guard.judge(gauges, now))
        if self._conversion is not None and _tells(place, now):
            if not self._conversion.since <= now < self._conversion.until:
                self._conversion.slide(now)
            found.append(self._conversion.judge(place.shares, now))
        return (objection for objection in found if objection is not None)

    def _place(self, ask: Ask, now: float) -> Place:
        budget = self._budget.limit(ask.app)
        conversion = self._conversion
        place = Place(
            ask.destination,
            account=self._budget.account(ask.app) if budget < inf else None,
            budget=budget,
            velocities=tuple(guard.of(ask, now) for guard in self._velocities),
            shares=conversion.of(ask, now) if conversion is not None else (),
            teller=conversion.teller(ask.app) if conversion is not None else None,
            salt=Sequential.salt(ask.app),
        )
        turned = self._turned()
        if turned != self._books_turned:
            # Places may hold what their books have forgotten, this one too.
            self._places.clear()
            self._books_turned = turned
        else:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            self._places[ask.app + ask.number[: self._cut]] = place
        return place

    def _turned(self) -> int:
        turned = sum(guard.gauges.turned for guard in self._velocities)
        return turned + (self._conversion.shares.turned if self._conversion is not None else 0)

    def _object(self, place: Place, ask: Ask) -> tuple[Objection, ...]:
        objections = self._destinations.judge(ask)
        if self._destinations.longest <= len(ask.number) + self._cut:
            place.objections[ask.channels] = objections
        return objections

    def release(self, ask: Ask, now: float) -> None:
        """It was accepted, and was none: a repetition, or it could not be stored."""
        place = self._places.get(ask.app + ask.number[: self._cut]) or self._place(ask, now)
        if place.account is not None:
            place.account.ask(-ask.price, now)
        if self._number is not None:
            block = self._hasher.block(ask.number[:-3])
            self._number.give_back(block ^ self._offsets[tail_of(ask.number) % BLOCK])
        for gauge in place.gauges:
            gauge.give_back()
        if self._conversion is not None:
            self._conversion.undo(place.shares)

    def feedback(self, app: str, number: str, destination: Destination, converted: bool, now: float) -> None:
        """The user has used the code of a job of this application, or not. Once for each job."""
        if converted and self._conversion is not None:
            self._conversion.feedback(Ask(app, number, destination, _SMS, 0.0), now)

    def spent(self, app: str, price: float, now: float) -> None:
        """Something has left, at this price: the first message of a job, a further one, a call. Below 0: a
        carrier did not take it.
        """
        self._budget.account(app).pay(price, now)

    def _hit(self, objection: Objection) -> Refusal | None:
        """The refusal, where it is a real one."""
        guard, dry_run, verdict = objection
        self.hits[guard, "dry_run" if dry_run else "refused"] += 1
        refusal = Refusal(guard, *verdict, dry_run)
        if not dry_run:
            return refusal
        self._noticed.append(refusal)
        return None

    # Calls

    def call_may_start(self, number: str, country: str, now: float) -> Refusal | None:
        """Asked when a call is about to leave: of a job that was accepted, or that goes on as a call."""
        dear = self._destinations.call(number)
        if dear is not None and (refusal := self._hit(dear)):
            return refusal
        for objection in self._calls.judge(country, now):
            if refusal := self._hit(objection):
                return refusal
        return None

    def call_started(self, country: str, now: float) -> None:
        self._calls.started(country, now)

    def call_ended(self, country: str, now: float) -> None:
        """Once for each that has started."""
        self._calls.ended(country)

    def longest_call_s(self, country: str) -> float | None:
        """When a call is hung up; None: [guards.voice_length] says nothing of it."""
        longest_s, dry_run = self._calls.longest_s(country)
        return None if dry_run else longest_s

    # For operators

    def dry_runs(self) -> list[Refusal]:
        """What guards on a dry run would have refused since this was asked last: the newest, for the log."""
        noticed = list(self._noticed)
        self._noticed.clear()
        return noticed

    def overview(self, now: float) -> list[dict[str, Any]]:
        """Each guard with its hits of this process, and what it counts."""
        rules = self._settings.rules
        details: dict[str, dict[str, Any]] = {
            guard.name: dict(guard.overview(now)) for guard in self._remembering
        }
        details |= {name: {"countries": countries} for name, countries in self._calls.overview(now)}
        return [
            {
                "guard": name,
                "dry_run": getattr(rules, name).dry_run,
                "refused": self.hits[name, "refused"],
                "would_have_refused": self.hits[name, "dry_run"],
                **details.get(name, {}),
            }
            for name in rules.__struct_fields__
        ]

    def dump(self) -> Iterator[bytes]:
        """What was counted, for `restore` of a later process. Numbers are hashed.

        In pieces that take a millisecond or two each and belong together. Jobs may be judged between them: a
        piece tells what has been counted when it is asked for. MessagePack: version, parts of each guard by
        its name, calls.
        """
        pack = msgpack.Packer()
        remembering = (*self._remembering,)
        yield pack.pack_array_header(3) + pack.pack(_VERSION) + pack.pack_map_header(len(remembering))
        for guard in remembering:
            length, parts = guard.dump(self._now)
            yield pack.pack(guard.name) + pack.pack_array_header(length)
            yield from map(pack.pack, parts)
        yield pack.pack(self._calls.dump())

    def restore(self, data: bytes, now: float) -> None:
        """Go on from what `dump` gave, all of it. Raises ValueError on anything else; then nothing is counted
        yet.
        """
        self._now = now
        try:
            version, kept, calls = msgpack.unpackb(data, strict_map_key=False)
            if version != _VERSION:
                raise ValueError("of another version")
            for guard in self._remembering:
                if guard.name in kept:
                    guard.restore(kept[guard.name], now)
            self._calls.restore(calls)
        except _GARBAGE as error:
            self._set(self._settings, now)
            self._calls = Calls(self._settings.rules)
            raise ValueError("not what guards have counted") from error
        self._places.clear()


def _tells(place: Place, now: float) -> bool:
    """Whether the application's silence says something."""
    return place.teller is not None and place.teller.until > now
