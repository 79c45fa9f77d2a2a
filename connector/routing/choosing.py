"""The first route of a job, or the one of a step that must start: the greatest utility wins."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random

from connector.routing.arrival import Curve
from connector.routing.breaker import Breakers
from connector.routing.classes import Worth
from connector.routing.decision import Decision, OfferRecord, Plan, Rule, encode
from connector.routing.errand import Cell, Choice, Errand, Offer
from connector.routing.planner import Planner, bucket
from connector.routing.utility import Alternative, Planned

__all__ = ["Choosing"]

_DRAW = 1.0  # standard deviations of the posterior
_FRESH_S = 2.0  # what was computed serves so long
_MOST_CHOICES = 128  # sets of offers whose choice is kept
_MOST_PROSPECTS = 4_000
_FORESIGHT = 0.5  # part of a follow-up's gain that counts in the choice: leaning on it costs extra sends
_FEW = 1.0  # weight of evidence below which nothing is drawn
_ONLY_LIMIT = 1_000

Ranked = tuple[float, float, Offer]
"""Utility in currency, chance in time, offer."""


class _Prospects:
    """What is computed once for one cell, class and patience."""

    __slots__ = ("choice", "choices", "curves", "drawn", "gains", "kind", "scale", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.scale = _DRAW
        self.curves: dict[str, Curve] = {}
        self.drawn: dict[str, Curve] = {}
        self.gains: dict[tuple[str, tuple[str, ...]], Planned | None] = {}
        self.choices: dict[object, Choice] = {}
        self.kind: object = None
        self.choice: Choice | None = None  # the last one, of `kind`


class Choosing:
    """mean_price: of the lane's average message."""

    def __init__(self, planner: Planner, breakers: Breakers, rng: Random, mean_price: float) -> None:
        self.mean_price = mean_price
        self._planner = planner
        self._breakers = breakers
        self._rng = rng
        self._prospects: dict[tuple[Cell, str, int], _Prospects] = {}
        self._only: dict[tuple[str, int, str], Choice] = {}

    def clear(self) -> None:
        """A breaker has changed: compute anew."""
        self._prospects.clear()

    def choose(
        self, errand: Errand, offers: Sequence[Offer], then: Sequence[Offer], worth: Worth, step: int,
        rule: Rule, now: float,
    ) -> Choice | None:  # fmt: skip
        """See `Router.choose`."""
        left_s = errand.deadline_at - now
        if len(offers) == 1 and not then:
            return self._the_only(offers[0], left_s, step, rule)
        if self._breakers.open and (trial := self._trial(errand, offers, then, worth, left_s, step, now)):
            return trial
        key = (errand.cell, errand.klass, bucket(left_s))
        prospects = self._prospects.get(key)
        if prospects is None or now >= prospects.until:
            if len(self._prospects) >= _MOST_PROSPECTS:
                self._prospects.clear()
            prospects = self._prospects[key] = _Prospects(now + _FRESH_S)
        kind = (step, rule, *offers, *then)
        if kind == prospects.kind and prospects.choice is not None:
            # The same offers, mostly the very same objects: cheaper to compare than to hash.
            return prospects.choice
        choice = prospects.choices.get(kind)
        if choice is None:
            found = self._compute(prospects, errand, offers, then, worth, step, rule, now)
            if found is None:
                return None
            decision, wait_s = found
            choice = Choice(decision.chosen, wait_s, encode(decision))
            if len(prospects.choices) >= _MOST_CHOICES:
                prospects.choices.clear()
            prospects.choices[kind] = choice
        prospects.kind, prospects.choice = kind, choice
        return choice

    def _the_only(self, offer: Offer, left_s: float, step: int, rule: Rule) -> Choice | None:
        if offer.wait_s >= left_s:
            return None
        if offer.wait_s > 0.0:
            return Choice(offer.route, offer.wait_s, self._alone(offer.route, step, rule).decision)
        return self._alone(offer.route, step, rule)

    def _alone(self, route: str, step: int, rule: Rule) -> Choice:
        key = (route, step, rule)
        choice = self._only.get(key)
        if choice is None:
            if len(self._only) >= _ONLY_LIMIT:
                self._only.clear()
            said: Rule = rule if step else "only_candidate"
            record = encode(Decision(said, route, (route,), step))
            choice = self._only[key] = Choice(route, 0.0, record)
        return choice

    def expected(
        self, errand: Errand, offers: Sequence[Offer], then: Sequence[Offer], worth: Worth, now: float
    ) -> Decision | None:
        """The decision without a draw, and without a trace."""
        prospects = _Prospects(now)
        prospects.scale = 0.0
        found = self._compute(prospects, errand, offers, then, worth, 0, "at_once", now)
        return found[0] if found is not None else None

    def _compute(
        self, prospects: _Prospects, errand: Errand, offers: Sequence[Offer], then: Sequence[Offer],
        worth: Worth, step: int, rule: Rule, now: float,
    ) -> tuple[Decision, float] | None:  # fmt: skip
        left_s = errand.deadline_at - now
        pool, tiered = self._pool(errand, offers, left_s)
        if not pool:
            return None
        names = tuple(offer.route for offer in then)
        others: list[Alternative] | None = None
        if names:
            others = self._planner.alternatives(errand, then, worth, left_s, now)
        self._draw(prospects, errand, pool, now)
        rows = []
        for offer in pool:
            p = prospects.drawn[offer.route].p(left_s - offer.wait_s)
            gain = self._gain(prospects, offer, others, worth, left_s, names)
            rows.append((worth.value * p - offer.price + gain, p, offer))
        ranked = _ranked(rows)
        best = ranked[0][2]
        drawn = self._what_the_draw_did(prospects, ranked, others, worth, left_s, names)
        said: Rule = rule
        if not step:
            said = "only_candidate" if len(ranked) == 1 else "best_utility"
            if tiered and len(ranked) == 1:
                # Others of the same priority had no room at this moment.
                lower = any(offer.priority > best.priority for offer in offers)
                said = "priority" if lower else "only_candidate"
        planned = prospects.gains.get((best.route, names))
        record = Decision(
            said, best.route, tuple(offer.route for _, _, offer in ranked), step, drawn,
            self._records(ranked, offers, errand, now), plan=_plan(planned),
        )  # fmt: skip
        return record, best.wait_s

    def _pool(self, errand: Errand, offers: Sequence[Offer], left_s: float) -> tuple[list[Offer], bool]:
        """The offers that compete; True: others of a higher number of priority do not."""
        usable = [offer for offer in offers if offer.wait_s < left_s]
        if self._breakers.open:
            find, country = self._breakers.find, errand.cell[0]
            usable = [offer for offer in usable if find(offer.route, country) is None] or usable
        if not usable:
            return [], False
        lowest = min(offer.priority for offer in usable)
        tier = [offer for offer in usable if offer.priority == lowest and offer.wait_s <= 0.0]
        return (tier, len(tier) < len(usable)) if tier else (usable, False)

    def _draw(self, prospects: _Prospects, errand: Errand, pool: Sequence[Offer], now: float) -> None:
        """Curves, and a draw of each where there is evidence at all."""
        new = [offer for offer in pool if offer.route not in prospects.curves]
        for offer in new:
            prospects.curves[offer.route] = self._planner.curve(offer, errand.cell, now)
        scale = prospects.scale if any(curve.weight >= _FEW for curve in prospects.curves.values()) else 0.0
        for offer in new:
            curve = prospects.curves[offer.route]
            prospects.drawn[offer.route] = curve.sampled(self._rng, scale) if len(pool) > 1 else curve

    def _gain(
        self, prospects: _Prospects, offer: Offer, others: Sequence[Alternative] | None, worth: Worth,
        left_s: float, names: tuple[str, ...],
    ) -> float:  # fmt: skip
        """What the follow-up adds, should this route stay silent."""
        if others is None:
            return 0.0
        key = (offer.route, names)
        if key not in prospects.gains:
            curve = prospects.drawn[offer.route]
            # Nobody follows himself: what is silent there would be silent again.
            rest = [other for other in others if other.route != offer.route]
            prospects.gains[key] = self._planner.fresh(curve, rest, left_s - offer.wait_s, worth.value)
        planned = prospects.gains[key]
        return _FORESIGHT * planned.gain if planned is not None else 0.0

    def _what_the_draw_did(
        self, prospects: _Prospects, ranked: list[Ranked], others: Sequence[Alternative] | None, worth: Worth,
        left_s: float, names: tuple[str, ...],
    ) -> float | None:  # fmt: skip
        """What it added to the winner's chance, where another would have won without."""
        if len(ranked) == 1:
            return None
        _, p, best = ranked[0]
        plain = prospects.curves[best.route].p(left_s - best.wait_s)
        rows = []
        for utility, drawn, offer in ranked:
            expected = prospects.curves[offer.route].p(left_s - offer.wait_s)
            rows.append((utility + worth.value * (expected - drawn), expected, offer))
        return None if _ranked(rows)[0][2] is best else round(p - plain, 4)

    def _trial(
        self, errand: Errand, offers: Sequence[Offer], then: Sequence[Offer], worth: Worth, left_s: float,
        step: int, now: float,
    ) -> Choice | None:  # fmt: skip
        """Whether this job is to try a route whose breaker is open: with another to follow."""
        country = errand.cell[0]
        if errand.flights:
            return None
        for offer in offers:
            breaker = self._breakers.find(offer.route, country)
            if breaker is None or offer.wait_s > 0.0 or not breaker.trial_due(now):
                continue
            others = self._planner.alternatives(errand, then, worth, left_s, now)
            if not any(other.route != offer.route for other in others):
                continue
            self._breakers.trial_left(offer.route, country, now)
            names = (offer.route, *(other.route for other in offers if other is not offer))
            record = Decision(
                "trial", offer.route, names, step,
                offers=(OfferRecord(offer.route, reason=breaker.reason(now)),),
            )  # fmt: skip
            return Choice(offer.route, 0.0, encode(record), trial=True)
        return None

    def _records(
        self, ranked: list[Ranked], offers: Sequence[Offer], errand: Errand, now: float
    ) -> tuple[OfferRecord, ...]:
        mean = self.mean_price
        rows = [
            OfferRecord(
                o.route, round(p, 4), round(o.price / mean, 4), round(u / mean, 3), round(o.wait_s, 3)
            )
            for u, p, o in ranked
        ]
        seen = {offer.route for _, _, offer in ranked}
        for offer in offers:
            if offer.route not in seen:
                rows.append(OfferRecord(offer.route, reason=self._why_not(offer, errand, now)))
        return tuple(rows)

    def _why_not(self, offer: Offer, errand: Errand, now: float) -> str:
        breaker = self._breakers.find(offer.route, errand.cell[0])
        if breaker is not None:
            return breaker.reason(now)
        if offer.reason:
            return offer.reason
        if offer.wait_s >= errand.deadline_at - now:
            return "no room before the deadline" if offer.wait_s < inf else "cannot send"
        return "no room now" if offer.wait_s > 0.0 else "another priority"


def _ranked(rows: list[Ranked]) -> list[Ranked]:
    """The best first; among equals the cheapest, then who waits least, then by priority, then as offered."""
    return sorted(rows, key=lambda row: (-row[0], row[2].price, row[2].wait_s, row[2].priority))


def _plan(planned: Planned | None) -> Plan | None:
    return Plan(round(planned.at, 2), planned.route) if planned is not None else None
