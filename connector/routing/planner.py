"""Errands and offers seen as probabilities: what the utility is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from connector.routing.arrival import ArrivalModel, Curve
from connector.routing.breaker import Breakers
from connector.routing.classes import Worth
from connector.routing.conversion import LOOKS_S, Conversions
from connector.routing.errand import Cell, Errand, Flight, Offer
from connector.routing.utility import Alternative, Belief, Leg, Outlook, Planned, outlook, plan

__all__ = ["Broken", "Planner"]

_USED_S = (3.5, 9.0, 17.0)  # what is used by each look was used about so long after it came
_BROKEN = 0.1  # part of the usual arrivals that is hoped for while the breaker is open
_ON_TRIAL = 0.5  # and of a trial
_LITTLE_USE = 0.05  # the share of codes whose use is told, below which nobody waits for it
_UNANSWERED = 0.5  # submits without an answer that did reach the carrier
_ABSENT = 0.97  # a carrier said that the handset cannot be reached: so it is for the others
_AGAIN = 1.0  # a route that was silent once is a little less likely to work for the same handset
_UNKNOWN = 1.0  # weight of evidence below which only what is usual anywhere is known
_EVER_S = 600.0
_MOST = 3  # alternatives whose instants are compared


class Broken:
    """A curve of a route whose breaker is open: a part of its arrivals."""

    __slots__ = ("_curve", "_part", "unreachable")

    def __init__(self, curve: Outlook, part: float) -> None:
        self._curve = curve
        self._part = part
        self.unreachable = curve.unreachable

    def p(self, t_s: float) -> float:
        """As of a curve."""
        return self._part * self._curve.p(t_s)

    def p_given_silence(self, t_s: float, silent_s: float) -> float:
        """As of a curve."""
        silence = self._curve.silence(silent_s)
        both = self._part * silence * self._curve.p_given_silence(t_s, silent_s)
        return both / (1.0 - self._part * (1.0 - silence))

    def silence(self, s: float) -> float:
        """As of a curve."""
        return 1.0 - self._part * (1.0 - self._curve.silence(s))


class Heard:
    """A curve where applications tell of use: what came without a receipt is heard of when it is used."""

    __slots__ = ("_curve", "_known", "_steps", "unreachable")

    def __init__(self, curve: Curve) -> None:
        self._curve = curve
        self._known: dict[float, tuple[float, float]] = {}  # a plan asks for the same instants again
        self.unreachable = curve.unreachable
        share = curve.unannounced / (curve.unannounced + curve.trust)
        before = 0.0
        steps = []
        for after_s, used in zip(_USED_S, curve.used, strict=False):
            steps.append((after_s, share * (used - before)))
            before = used
        self._steps = steps

    def p(self, t_s: float) -> float:
        """As of a curve."""
        return self._curve.p(t_s)

    def p_given_silence(self, t_s: float, silent_s: float) -> float:
        """P(arrives, or has arrived without being heard of, within `t_s` | nothing heard in `silent_s`)."""
        silence, used = self._known.get(silent_s) or self._at(silent_s)
        both = silence * self._curve.p_given_silence(t_s, silent_s) - used
        return max(0.0, both) / max(silence - used, 1e-9)

    def silence(self, s: float) -> float:
        """P(neither a receipt, nor a failure, nor use within `s`)."""
        silence, used = self._known.get(s) or self._at(s)
        return silence - used

    def _at(self, s: float) -> tuple[float, float]:
        """P(neither a receipt nor a failure by `s`), P(arrived without a receipt, and used by then)."""
        p, used = self._curve.p, 0.0
        for after_s, part in self._steps:
            if s <= after_s:
                break
            used += part * p(s - after_s)
        found = self._known[s] = self._curve.silence(s), used
        return found


class Planner:
    """Reads the model and the breakers; changes nothing."""

    def __init__(self, model: ArrivalModel, breakers: Breakers, conversions: Conversions) -> None:
        self._model = model
        self._breakers = breakers
        self._conversions = conversions

    def curve(self, offer: Offer, cell: Cell, now: float) -> Curve:
        """What is believed of a route to a cell."""
        return self._model.curve(offer.route, offer.channel, cell, now)

    def leg(self, errand: Errand, flight: Flight, now: float) -> Leg | None:
        """A flight as the plan sees it; None: it has failed."""
        if flight.state == "failed":
            return None
        curve = self._model.curve(flight.route, flight.channel, errand.cell, now)
        if flight.state == "arrived":
            return Leg(curve, flight.left_at, silent=False, arrives=self._trust(errand, flight, curve, now))
        if flight.state == "unknown":
            chance = _UNANSWERED * curve.p(errand.deadline_at - flight.left_at)
            return Leg(curve, flight.left_at, silent=False, arrives=chance)
        heard = self.heard(curve)
        if self._breakers.open and self._breakers.find(flight.route, errand.cell[0]) is not None:
            return Leg(Broken(heard, _ON_TRIAL if flight.trial else _BROKEN), flight.left_at)
        return Leg(heard, flight.left_at)

    def heard(self, curve: Curve) -> Outlook:
        """The curve of a flight of which use can tell as well."""
        return Heard(curve) if curve.used[-1] > _LITTLE_USE and curve.unannounced > 0.0 else curve

    def patient_until(self, errand: Errand, now: float) -> float:
        """Where nothing is known of its only flight, silence says nothing before most are usually there."""
        if len(errand.flights) != 1:
            return now
        flight = errand.flights[0]
        curve = self._model.curve(flight.route, flight.channel, errand.cell, now)
        if curve.weight >= _UNKNOWN or (flight.state != "under_way" and flight.state != "sent"):
            return now
        half, s = 0.5 * curve.p(_EVER_S), 1.0
        while curve.p(s) < half:
            s *= 1.25
        return min(flight.left_at + s, 0.5 * (flight.left_at + errand.deadline_at))

    def legs(self, errand: Errand, now: float) -> list[Leg]:
        """All flights of which something may still be hoped."""
        found = (self.leg(errand, flight, now) for flight in errand.flights)
        return [leg for leg in found if leg is not None]

    def belief(self, errand: Errand, legs: Sequence[Leg], now: float) -> Belief:
        """What is believed of the flights together."""
        belief = outlook(legs, now, errand.deadline_at)
        if errand.absent and belief.unreachable < _ABSENT:
            return Belief(_ABSENT, belief.missed)
        return belief

    def alternatives(
        self, errand: Errand, offers: Sequence[Offer], worth: Worth, left_s: float, now: float
    ) -> list[Alternative]:
        """The best few of the routes by which a further message may go."""
        tried = {flight.route for flight in errand.flights}
        found: list[tuple[float, Alternative]] = []
        half_s = left_s * 0.5
        for offer in offers:
            route, wait_s = offer.route, offer.wait_s
            if wait_s >= left_s or self._breakers.find(route, errand.cell[0]):
                continue
            curve: Outlook = self.curve(offer, errand.cell, now)
            if route in tried:
                curve = Broken(curve, _AGAIN)
            cost = offer.price + worth.annoyance
            chance = curve.p(left_s - wait_s) + curve.p(half_s - wait_s)
            found.append((worth.value * chance * 0.25 - cost, Alternative(route, curve, wait_s, cost)))
        found.sort(key=lambda pair: -pair[0])
        return [alternative for _, alternative in found[:_MOST]]

    def fresh(
        self, curve: Curve, others: Sequence[Alternative], left_s: float, value: float
    ) -> Planned | None:
        """About the best follow-up of a flight that leaves at 0 and has `left_s`."""
        return plan((Leg(self.heard(curve), 0.0),), others, 0.0, left_s, value, roughly=True)

    def _trust(self, errand: Errand, flight: Flight, curve: Curve, now: float) -> float:
        """How far the receipt is to be believed, nobody having used the code since."""
        looks = 0
        track = flight.watch
        if track is not None and track.told_at is not None and self._conversions.known(errand.klass, now):
            looks = sum(now - track.told_at >= age_s for age_s in LOOKS_S)
        trust = curve.p_given_receipt(looks)
        breaker = self._breakers.find(flight.route, errand.cell[0])
        return min(trust, _BROKEN) if breaker is not None and breaker.doubts_receipts else trust


def bucket(seconds: float) -> int:
    """Patience that differs by three hundredths is the same."""
    return int(log(max(seconds, 0.01)) * 32.0)
