"""The route of each job, and the instant of each further attempt, from what is known at the moment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

import msgpack  # type: ignore[import-untyped]
import msgspec

from connector.routing.arrival import ArrivalModel, ArrivalSettings
from connector.routing.breaker import BreakerChange, Breakers
from connector.routing.budget import Budget
from connector.routing.choosing import Choosing
from connector.routing.classes import DEFAULT, Worth, worths
from connector.routing.decision import Decision, Rule, Silent, encode
from connector.routing.errand import Cell, Choice, Errand, FailureKind, Flight, FollowUp, Offer, OffersOf
from connector.routing.evidence import Evidence
from connector.routing.follow_up import Watched, Wheel
from connector.routing.overview import route_rows
from connector.routing.planner import Planner, bucket
from connector.routing.throttling import Throttling
from connector.routing.utility import Leg, Planned, plan

if TYPE_CHECKING:
    from connector.config.routing import JobClass, RoutingSettings

__all__ = ["Choice", "Errand", "FailureKind", "Flight", "FollowUp", "Offer", "Router"]

_VERSION = 2
_IN_LINE_S = 0.5  # a flight that left longer ago is not the youngest of its line
_NEAR = 0.025  # part of the time left: an instant as near as this is now
_REFRESH_S = 1.0  # curves are estimated anew after this
_INSTANTS_S = 0.5  # so long a planned instant serves errands like its own
_MOST_INSTANTS = 10_000
_AGAIN_S = 2.0  # where the budget forbids a follow-up, ask again after this


class Router:
    """Pure: time is an argument. All times in seconds, absolute.

    classes     what jobs are worth, by name of their class
    mean_price  of the lane's average message, in the currency of the price list
    """

    def __init__(
        self,
        settings: RoutingSettings,
        classes: Mapping[str, JobClass],
        mean_price: float,
        rng: Random,
        now: float,
    ) -> None:
        self.model = ArrivalModel(ArrivalSettings(half_life_s=settings.half_life_s), now)
        self._breakers = Breakers()
        self._evidence = Evidence(self.model, self._breakers, now)
        self._planner = Planner(self.model, self._breakers, self._evidence.conversions)
        self._choosing = Choosing(self._planner, self._breakers, rng, mean_price)
        self._wheel = Wheel(self._fresh_age, self._own_instant)
        self._worths = worths(classes, mean_price)
        self._budgets: dict[str, Budget] = {}
        self._throttling = Throttling(now)
        self._version = 0
        self._refreshed_at = now
        self._instants: dict[Hashable, float] = {}
        self._instants_at = now
        self._set_budgets(now)

    def configure(
        self, settings: RoutingSettings, classes: Mapping[str, JobClass], mean_price: float, now: float = 0.0
    ) -> None:
        """Another configuration, what was learned stays. `half_life_s` holds from the next start on."""
        self._worths = worths(classes, mean_price)
        self._choosing.mean_price = mean_price
        self._choosing.clear()
        self._set_budgets(now)

    def _set_budgets(self, now: float) -> None:
        before = self._budgets
        self._budgets = {}
        for name, worth in self._worths.items():
            budget = before.get(name) or Budget(worth.extra_sends, worth.cost, now)
            budget.extra_sends, budget.cost = worth.extra_sends, worth.cost
            self._budgets[name] = budget

    # Decisions

    def choose(
        self,
        errand: Errand,
        offers: Sequence[Offer],
        now: float,
        *,
        then: Sequence[Offer] = (),
        step: int = 0,
        rule: Rule = "at_once",
    ) -> Choice | None:
        """The best of `offers` to leave by. None: none of them before the deadline, or no budget for more.

        then  what a follow-up may use; what it would add counts for the choice, and is recorded as the plan
        step  number of the journey's step, for the record
        rule  what makes the step start; "follow_up": the instant that `follow_up` told has come
        """
        worth = self._worths.get(errand.klass) or self._worths[DEFAULT]
        if rule == "follow_up":
            planned = self._plan(errand, offers, worth, now, now_only=True)
            if planned is None:
                return None
            record = self._record(errand, offers, planned, now, step)
            wait_s = next(offer.wait_s for offer in offers if offer.route == planned.route)
            return Choice(planned.route, wait_s, record)
        return self._choosing.choose(errand, offers, then, worth, step, rule, now)

    def follow_up(
        self, errand: Errand, offers: Sequence[Offer], now: float, *, step: int = 0
    ) -> FollowUp | None:
        """When, and by which of `offers`, a further attempt is worth most. None: never its price."""
        worth = self._worths.get(errand.klass) or self._worths[DEFAULT]
        planned = self._plan(errand, offers, worth, now)
        if planned is None:
            return None
        if planned.at - now > _NEAR * (errand.deadline_at - now):
            return FollowUp(planned.at, planned.route, "")
        return FollowUp(now, planned.route, self._record(errand, offers, planned, now, step))

    def _plan(
        self, errand: Errand, offers: Sequence[Offer], worth: Worth, now: float, *, now_only: bool = False
    ) -> Planned | None:
        left_s = errand.deadline_at - now
        if left_s <= 0.0:
            return None
        legs = self._planner.legs(errand, now)
        belief = self._planner.belief(errand, legs, now)
        most = worth.value * (1.0 - belief.unreachable) * belief.missed
        if most < worth.annoyance and not any(leg.silent for leg in legs):
            return None  # waiting tells nothing, and the best of routes would not be worth it
        others = self._planner.alternatives(errand, offers, worth, left_s, now)
        budget = self._budgets.get(errand.klass) or self._budgets[DEFAULT]
        others = [other for other in others if budget.allows(other.cost - worth.annoyance, now)]
        if not others:
            return None
        if not now_only:
            planned = plan(legs, others, now, errand.deadline_at, worth.value, belief)
            earliest = self._planner.patient_until(errand, now)
            return planned._replace(at=earliest) if planned is not None and planned.at < earliest else planned
        scale = worth.value * (1.0 - belief.unreachable) * belief.missed
        best = max(others, key=lambda other: scale * other.curve.p(left_s - other.wait_s) - other.cost)
        p = best.curve.p(left_s - best.wait_s) / (1.0 - best.curve.unreachable)
        return Planned(now, best.route, 0.0, min(1.0, p))

    def _record(
        self, errand: Errand, offers: Sequence[Offer], planned: Planned, now: float, step: int
    ) -> str:
        silent = None
        flight = next((f for f in reversed(errand.flights) if f.state in ("under_way", "sent")), None)
        if flight is not None and (leg := self._planner.leg(errand, flight, now)) is not None:
            s = max(0.0, now - flight.left_at)
            p = leg.curve.p_given_silence(errand.deadline_at - flight.left_at, s)
            silent = Silent(flight.route, round(s, 2), round(p, 4), round(planned.p, 4), round(s, 2))
        names = (planned.route, *(offer.route for offer in offers if offer.route != planned.route))
        return encode(Decision("follow_up", planned.route, names, step, silent=silent))

    # Evidence

    def left(self, errand: Errand, flight: Flight, now: float, *, trial: bool = False) -> None:
        """Its bytes have left: the flight becomes the errand's last. `trial`: as its choice said."""
        flights = errand.flights
        flight.trial = trial
        first = not errand.sends and not errand.absent
        if not flights or flights[-1] is not flight:
            flights.append(flight)
        self._throttling.left(flight.route)
        price = flight.price
        errand.spent += price
        errand.sends += 1
        budget = self._budgets.get(errand.klass) or self._budgets[DEFAULT]
        if errand.sends == 1:
            budget.job(price, now)
        else:
            budget.extra(price, now)
        flight.watch = self._evidence.left(flight, errand, now, first=first)

    def accepted(self, errand: Errand, flight: Flight, now: float) -> None:
        """The route has taken it."""
        if flight.state == "under_way" or flight.state == "unknown":
            flight.state = "sent"

    def arrived(self, errand: Errand, flight: Flight, at: float) -> None:
        """Its last receipt says so, or the call was heard to its end."""
        flight.state = "arrived"
        if flight.watch is not None:
            self._evidence.arrived(flight.watch, at)
            self._notice(at)

    def failed(self, errand: Errand, flight: Flight, at: float, kind: FailureKind) -> None:
        """It will not arrive, or (UNANSWERED) nobody will tell."""
        flight.state = "unknown" if kind is FailureKind.UNANSWERED else "failed"
        if kind is FailureKind.HANDSET:
            errand.absent = True
        elif kind is FailureKind.REFUSED or kind is FailureKind.THROTTLED:
            errand.sends -= 1
            errand.spent -= flight.price
        if flight.watch is not None:
            self._evidence.failed(flight.watch, at, kind)
            self._notice(at)

    def closed(self, errand: Errand, now: float) -> None:
        """Nothing more is sent for it. Receipts and feedback that come later are evidence all the same."""
        if errand.watched is not None:
            self.unwatch(errand)
        tracks = [flight.watch for flight in errand.flights if flight.watch is not None]
        if tracks:
            self._evidence.closed(tracks, now)

    def throttled(self, route: str, now: float) -> None:
        """The route has answered that it is too fast. Its pace and its waits are the carrier's matter."""
        self._throttling.throttled(route)

    def feedback(self, errand: Errand, converted: bool, now: float, attempt: int | None = None) -> None:
        """The user has used the code, or will not. `attempt`: number of the flight whose code it was."""
        tracks = [
            flight.watch
            for flight in errand.flights
            if flight.watch is not None and (attempt is None or flight.number == attempt)
        ]
        if attempt is None and len(tracks) > 1:
            # Whose code it was nobody says: of those of which a receipt came, else of any.
            tracks = [track for track in tracks if track.told_at is not None] or tracks
        alone = attempt is not None or errand.sends <= 1
        for track in tracks:
            if converted:
                self._evidence.converted(track, now, alone=alone)
            else:
                self._evidence.unused(track, now)
        self._notice(now)

    def tick(self, now: float) -> None:
        """About four times a second: look at what stays silent, forget, plan anew."""
        self._evidence.tick(now)
        if now - self._refreshed_at >= _REFRESH_S:
            self._refreshed_at = now
            self.model.refresh(now)
            self._throttling.tick(now)
        self._notice(now)
        self._wheel.tick(now)

    def breaker_changes(self) -> list[BreakerChange]:
        """What breakers have done since this was asked last, for metrics and the log."""
        return self._breakers.changes()

    def _notice(self, now: float) -> None:
        if self._version != self._breakers.version:
            self._version = self._breakers.version
            self._choosing.clear()
            self._instants.clear()
            self._wheel.changed(now)

    # Follow-ups

    def watch(self, errand: Errand, token: Any, group: Hashable, offers_of: OffersOf, now: float) -> None:
        """Tell `token` by `due` when a follow-up of the errand becomes worth its price.

        group      errands of the same group have the same offers: what they may use and what it costs
        offers_of  those offers at a time; asked for one errand of the group, about once a second
        """
        watched = errand.watched = Watched(errand, token, offers_of)
        if errand.sends == 1:
            flight = errand.flights[-1]
            left_at = flight.left_at
            if now - left_at < _IN_LINE_S and (flight.state == "sent" or flight.state == "under_way"):
                left_s = bucket(errand.deadline_at - left_at)
                key = (flight.route, flight.trial, errand.cell, errand.klass, left_s, group)
                self._wheel.join(watched, key, left_at, now)
                return
        self._wheel.wait(watched, self._shared_instant(errand, offers_of, group, now))

    def unwatch(self, errand: Errand) -> None:
        """It is not watched any more."""
        if errand.watched is not None:
            self._wheel.leave(errand.watched)
            errand.watched = None

    def due(self, now: float) -> list[Any]:
        """The tokens whose instant has come; they are not watched any more. Ask `follow_up`, and `watch`
        again where it says later, or no.
        """
        tokens = []
        for watched in self._wheel.due(now):
            assert watched.errand is not None
            watched.errand.watched = None
            tokens.append(watched.token)
        return tokens

    def next_due(self) -> float | None:
        """When `due` has something to tell, at the earliest."""
        return self._wheel.next_due()

    def _fresh_age(self, errand: Errand, offers_of: OffersOf, now: float) -> float | None:
        """The age at which a follow-up of its only flight is worth most, had it just left; inf: at none.

        None: something was heard of the flight.
        """
        worth = self._worths.get(errand.klass) or self._worths[DEFAULT]
        flight = errand.flights[0]
        left_s = errand.deadline_at - flight.left_at
        leg = self._planner.leg(errand, flight, now)
        if leg is None or not leg.silent:
            return None
        others = self._planner.alternatives(errand, offers_of(now), worth, left_s, now)
        planned = plan((Leg(leg.curve, 0.0),), others, 0.0, left_s, worth.value)
        if planned is None:
            return inf
        return max(planned.at, self._planner.patient_until(errand, flight.left_at) - flight.left_at)

    def _shared_instant(self, errand: Errand, offers_of: OffersOf, group: Hashable, now: float) -> float:
        """That of an errand of which all that counts is about the same, asked about a moment ago."""
        if now - self._instants_at >= _INSTANTS_S or len(self._instants) > _MOST_INSTANTS:
            self._instants.clear()
            self._instants_at = now
        flights = tuple(
            (flight.route, flight.state, flight.trial, bucket(now - flight.left_at))
            for flight in errand.flights
            if flight.state != "failed"
        )
        key = (group, errand.cell, errand.klass, errand.absent, bucket(errand.deadline_at - now), flights)
        after_s = self._instants.get(key)
        if after_s is None:
            after_s = self._instants[key] = self._own_instant(errand, offers_of, now) - now
        return now + after_s

    def _own_instant(self, errand: Errand, offers_of: OffersOf, now: float) -> float:
        found = self.follow_up(errand, offers_of(now), now)
        if found is not None:
            return found.at
        budget = self._budgets.get(errand.klass) or self._budgets[DEFAULT]
        return inf if budget.allows(0.0, now) else now + _AGAIN_S

    # For operators

    def preview(
        self, cell: Cell, klass: str, deadline_s: float, offers: Sequence[Offer], now: float,
        then: Sequence[Offer] = (),
    ) -> dict[str, Any] | None:  # fmt: skip
        """The decision about a job of this moment, as it is recorded. Nothing is drawn, nothing changes."""
        worth = self._worths.get(klass) or self._worths[DEFAULT]
        errand = Errand(cell, klass, now, now + deadline_s)
        decision = self._choosing.expected(errand, offers, then, worth, now)
        return msgspec.to_builtins(decision) if decision is not None else None

    def routes(self, now: float, deadline_s: float = 30.0, *, cells: bool = True) -> list[dict[str, Any]]:
        """Each route, over all its destinations and, with `cells`, to each; `in_time`: its chance within
        `deadline_s`; `throttled`: the share of its recent submits that were too fast.
        """
        reports = self.model.table(now, cells=cells)
        return route_rows(reports, self.model, self._breakers, self._throttling, deadline_s, now)

    def classes(self, now: float) -> list[dict[str, Any]]:
        """What each class has cost a job over the last ten minutes, in average messages, and its limits."""
        mean = self._choosing.mean_price
        rows = []
        for name, budget in self._budgets.items():
            extra, cost = budget.averages(now)
            rows.append({
                "class": name, "extra_sends": extra, "extra_sends_limit": budget.extra_sends,
                "cost": cost / mean, "cost_limit": budget.cost / mean,
            })  # fmt: skip
        return rows

    def dump(self, now: float) -> bytes:
        """What was learned, for `restore` of a later process."""
        budgets = {name: budget.dump(now) for name, budget in self._budgets.items()}
        evidence = self._evidence
        learned = [evidence.conversions.dump(), evidence.forecasts.dump()]
        state = [_VERSION, self.model.dump(), self._breakers.dump(), *learned, budgets]
        packed: bytes = msgpack.packb(state)
        return packed

    def restore(self, data: bytes, now: float) -> None:
        """Go on from what `dump` gave. Raises ValueError on anything else; then nothing has changed but,
        perhaps, the model.
        """
        try:
            version, model, breakers, conversions, forecasts, budgets = msgpack.unpackb(data)
            if version != _VERSION:
                raise ValueError("of another version")
            self.model.restore(model, now)
            self._breakers.restore(breakers, now)
            self._evidence.conversions.restore(conversions)
            self._evidence.forecasts.restore(forecasts)
            for name, counts in budgets.items():
                if name in self._budgets:
                    self._budgets[name].restore(counts)
        except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
            raise ValueError("not what a router has learned") from error
        self._notice(now)
