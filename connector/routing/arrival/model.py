"""The arrival model: evidence in, curves out."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import accumulate
from math import isfinite
from operator import mul
from typing import Final

from connector.routing.arrival import jobs, state
from connector.routing.arrival.curve import Curve
from connector.routing.arrival.grid import BINS, EDGES, LAST_S, bin_of
from connector.routing.arrival.handset import Handsets
from connector.routing.arrival.level import Leaf, Level
from connector.routing.arrival.levels import Levels
from connector.routing.arrival.report import RouteReport, report
from connector.routing.arrival.settings import ArrivalSettings, Cell
from connector.routing.arrival.shift import BANDS, Shift
from connector.routing.arrival.use import TELL, Reference, Use
from connector.routing.arrival.watch import SLOT_S, Slot, State, Watch

__all__ = ["ArrivalModel"]


_CERTAIN: Final = 8.0
_LONGER: Final = 6.0  # receipts get lost at a rate that changes less than their delay
_WEIGH_S: Final = 10.0  # how the silent ones count changes slowly
_UNTOLD: Final = 0.5  # of the silence of handsets that can be reached
_BELIEVED: Final = 50.0  # flights that the belief in what a route loses is worth
_APART: Final = 0.8
"""What happens during a sudden change stays out of the long memory, so far."""


class ArrivalModel:
    """What is known of all routes. Evidence counts from the next `refresh` on."""

    def __init__(self, settings: ArrivalSettings, now: float) -> None:
        self.settings = settings
        self._now = now
        self._weights = (settings.pooling, settings.few)
        self._levels = Levels(settings, now)
        self._handsets = Handsets(settings.unreachable, settings.half_life_s, now)
        self._reference = Reference()
        self._dirty: list[Leaf] = []
        self._due: list[tuple[float, int, Slot]] = []  # when a slot reaches the next interval
        self._slots = 0
        self._epoch = 0

    # ---------------------------------------------------------------- evidence

    def sent(self, route: str, channel: str, cell: Cell, at: float, *, first: bool) -> Watch:
        """A flight begins; `first`: nothing left for this job before."""
        if not isfinite(at):
            at = self._now
        leaf = self._levels.leaf(route, channel, cell, at)
        slot = leaf.slots[first]
        if slot is None or not 0.0 <= at - slot.at < SLOT_S or slot.bin:
            slot = leaf.slots[first] = Slot(leaf, at, first)
            self._slots += 1
            heappush(self._due, (at + EDGES[1], self._slots, slot))
        slot.open += 1
        return Watch(slot, at)

    def arrived(self, watch: Watch, at: float) -> None:
        """The final receipt says delivered, or the call was heard to its end. May come after `close`."""
        if watch.state is not State.SILENT and watch.state is not State.CLOSED:
            return
        if not isfinite(at):
            at = self._now
        slot = watch.slot
        leaf = slot.leaf
        self._unsay(watch, leaf)
        k = bin_of(at - watch.left_at)
        full = leaf.full
        full[0] += 1.0
        if k < BINS:
            full[k + 1] -= 1.0
            leaf.events[k] += 1.0
        if slot.first:
            leaf.told += 1
        watch.state = State.ARRIVED
        watch.told_at = at
        if not leaf.dirty:
            leaf.dirty = True
            self._dirty.append(leaf)

    def failed(self, watch: Watch, at: float, everywhere: bool) -> None:
        """A definite no; `everywhere`: the handset's, so that this route is not to blame."""
        if watch.state is not State.SILENT and watch.state is not State.CLOSED:
            return
        if not isfinite(at):
            at = self._now
        leaf = watch.slot.leaf
        self._unsay(watch, leaf)
        if everywhere:
            watch.state = State.UNREACHABLE
        else:
            k = bin_of(at - watch.left_at)
            leaf.full[0] += 1.0
            if k < BINS:
                leaf.full[k + 1] -= 1.0
                leaf.failures[k] += 1.0
            watch.state = State.FAILED
        watch.told_at = at
        self._touch(leaf)

    def conversion(self, watch: Watch, at: float, converted: bool | None) -> None:
        """The code of this flight was used, or will not be. None: a look after its receipt passed in vain."""
        if watch.used_at:
            return
        if not isfinite(at):
            at = self._now
        if converted:
            watch.used_at = at
        if watch.state is State.ARRIVED:
            if watch.slot.first:
                use = self._use(watch.slot.leaf)
                use.look(watch, converted, use.trust >= TELL or self._reference.lost)
        elif converted and watch.mark >= 0.0:
            self._use(watch.slot.leaf).unannounced.used(int(watch.mark))

    def close(self, watch: Watch, at: float) -> None:
        """Nobody looks any more; a receipt may still be told."""
        if watch.state is not State.SILENT:
            return
        if not isfinite(at):
            at = self._now
        slot = watch.slot
        slot.open -= 1
        seen = min(bin_of(at - watch.left_at), BINS)
        silent = slot.leaf.silent[slot.first]
        silent[slot.bin] += 1.0
        silent[seen] -= 1.0
        watch.state = State.CLOSED
        watch.told_at = at
        self._touch(slot.leaf)

    def over(self, watches: Sequence[Watch], at: float) -> None:
        """A job is over: closes all its flights (in order of leaving) and learns from them together."""
        if not isfinite(at):
            at = self._now
        if watches and watches[0].state is not State.ARRIVED:
            self._learn([(watch, self.curve_at(watch.slot.leaf, at)) for watch in watches], at)
        for watch in watches:
            self.close(watch, at)

    def _learn(self, flights: list[tuple[Watch, Curve]], at: float) -> None:
        """From a job whose first flight got no receipt; the others are counted at `refresh`."""
        first = flights[0][0]
        leaf = first.slot.leaf
        lost = jobs.all_lost(flights, at)
        self._handsets.job(leaf.key[2], lost, at)
        if len(flights) > 1:
            self._handsets.tried_again(None if lost is None else jobs.all_lost(flights[1:], at), at)
        if first.slot.first and first.state in (State.SILENT, State.CLOSED):
            ratio = jobs.ratio_of_arrival(flights, self._reference, at)
            unannounced = self._use(leaf).unannounced
            unannounced.fade(at, self.settings.half_life_s * _LONGER)
            first.mark = float(unannounced.add(ratio))
            if ratio > _CERTAIN:
                # No receipt will come: to be cut off here would say that it may.
                self._unsay(first, leaf)
                leaf.full[0] += 1.0
                first.state, first.told_at = State.CLOSED, first.left_at + LAST_S
                self._touch(leaf)

    def _unsay(self, watch: Watch, leaf: Leaf) -> None:
        """The flight was not silent, or not the route's to answer for: take back what was counted so far."""
        slot = watch.slot
        silent = leaf.silent[slot.first]
        silent[0] -= 1.0
        if watch.state is State.CLOSED:
            silent[min(bin_of(watch.told_at - watch.left_at), BINS)] += 1.0
        else:
            silent[slot.bin] += 1.0
            slot.open -= 1

    def _touch(self, leaf: Leaf) -> None:
        if not leaf.dirty:
            leaf.dirty = True
            self._dirty.append(leaf)

    def _use(self, leaf: Leaf) -> Use:
        return self._levels.use(leaf.key[0], leaf.key[1], self._now)

    # ---------------------------------------------------------------- refresh

    def refresh(self, now: float) -> None:
        """Count the silence up to now, forget, and let curves be renewed."""
        if not isfinite(now):
            return
        self._now = max(now, self._now)
        self._age(now)
        touched: list[Level] = []
        for leaf in self._dirty:
            self._gather(leaf, now, touched)
        self._dirty.clear()
        for level in touched:
            level.absorb(now, self.settings.few)
        uses = list(self._levels.uses.values())
        self._reference.learn(uses)
        for use in uses:
            use.judge(self._reference, now)
        self._epoch += 1

    def _age(self, now: float) -> None:
        due, later = self._due, []
        while due and due[0][0] <= now:
            _, order, slot = heappop(due)
            if not slot.open:
                continue
            reached = min(bin_of(now - slot.at), BINS)
            if reached > slot.bin:
                silent = slot.leaf.silent[slot.first]
                silent[slot.bin] += slot.open
                silent[reached] -= slot.open
                slot.bin = reached
                self._touch(slot.leaf)
            if reached < BINS:
                later.append((slot.at + EDGES[reached + 1], order, slot))
        for entry in later:
            heappush(due, entry)

    def _gather(self, leaf: Leaf, now: float, touched: list[Level]) -> None:
        """The new counts of a leaf go to it and all levels above, and are held against what was expected."""
        hazards = leaf.hazards or leaf.estimate(now, *self._weights)
        d, f, n = leaf.take()
        seen = [sum(d[a:b]) for a, b in BANDS]
        wanted = [sum(map(mul, n[a:b], hazards[a:b])) for a, b in BANDS]
        above = leaf.route.shift
        if above is not None:
            if not leaf.apart:
                above.add(seen, wanted, leaf.route.n[0], now)
            if above.factors is not None:
                wanted = [x * factor for x, factor in zip(wanted, above.factors, strict=True)]
        if leaf.shift is not None:
            leaf.shift.add(seen, wanted, leaf.n[0], now)
        unusual = max(above.certainty if above else 0.0, leaf.shift.certainty if leaf.shift else 0.0)
        if unusual:
            kept = 1.0 - _APART * unusual
            d, f, n = [a * kept for a in d], [a * kept for a in f], [a * kept for a in n]
        if leaf.told:
            self._handsets.reached(leaf.key[2], leaf.told, now)
            self._use(leaf).unannounced.told += leaf.told
            leaf.told = 0
        hour = self._levels.hour(leaf.key[0], leaf.key[1], now)
        leaf.route.parent = hour
        level: Level | None = leaf
        while level is not None and level.parent is not None:
            if level.add(d, f, n):
                touched.append(level)
            level = level.parent

    # ---------------------------------------------------------------- curves

    def curve(self, route: str, channel: str, cell: Cell, now: float) -> Curve:
        """The estimate as of the last `refresh`."""
        level = self._levels.nearest(route, channel, cell, now)
        if level.epoch == self._epoch and level.curve is not None:
            return level.curve
        return self.curve_at(level, now)

    def usual(self, route: str, channel: str, cell: Cell, now: float) -> Curve:
        """The long memory alone: what is to be expected if nothing suddenly changed. Believes receipts."""
        level = self._levels.nearest(route, channel, cell, now)
        self.curve(route, channel, cell, now)
        if level.usual is None or level.usual_of != level.version:
            level.usual = self._build(level, level.hazards, [], None)
            level.usual_of = level.version
        return level.usual

    def recovered(self, route: str, channel: str, now: float) -> None:
        """Trials have shown that the route is as usual again: forget the sudden change, and the doubt."""
        use = self._levels.uses.get((route, channel))
        if use is not None:
            use.forget()
        for level in (*self._levels.routes.values(), *self._levels.leaves.values()):
            if level.key[:2] == (route, channel) and level.shift is not None:
                level.shift.forget()
                if isinstance(level, Leaf):
                    level.apart = False

    def confined(self, route: str, channel: str, country: str) -> None:
        """The route has failed in this country and not elsewhere: until it has recovered, a sudden change
        there says nothing of the others. Else it would be spared there too, and nothing would tell otherwise.
        """
        for leaf in self._levels.leaves.values():
            if leaf.key[:3] == (route, channel, country):
                leaf.apart = True
        shift = self._route_shift(self._levels.route(route, channel, self._now))
        if shift is not None:
            shift.forget()

    def curve_at(self, level: Level, now: float) -> Curve:
        """The same of a level."""
        level.epoch = self._epoch
        hazards = level.estimate(now, *self._weights)
        route = level.route if isinstance(level, Leaf) else level
        use = self._levels.uses.get((level.key[0], level.key[1])) if len(level.key) > 1 else None
        shifts = [s for s in (self._route_shift(level), level.shift if level is not route else None) if s]
        for shift in shifts:
            shift.pass_to(now)
        basis = (level.version, *(s.version for s in shifts), 0 if use is None else use.version)
        if level.curve is not None and basis == level.curve_of and now - level.estimated_at < 5.0:
            return level.curve
        level.curve_of = basis
        level.curve = self._build(level, hazards, shifts, use)
        return level.curve

    def _route_shift(self, level: Level) -> Shift | None:
        if len(level.key) < 2:
            return None
        route = self._levels.routes.get((level.key[0], level.key[1]))
        return None if route is None else route.shift

    def _build(self, level: Level, hazards: list[float], shifts: list[Shift], use: Use | None) -> Curve:
        for shift in shifts:
            hazards = shift.applied(hazards)
        failing = level.failing
        stays = [1.0 - h - f for h, f in zip(hazards, failing, strict=True)]
        if min(stays) < 0.0:
            stays = [max(part, 0.0) for part in stays]
        silent = list(accumulate(stays, mul))
        unreachable = self._handsets.unreachable(level.key[2] if len(level.key) > 2 else "")
        reachable = 1.0 - unreachable
        if isinstance(level, Leaf) and self._now - level.weighed_at > _WEIGH_S:
            level.weighed_at = self._now
            level.weights = (
                _reachable(silent, self._handsets.unreachable_later()),
                _reachable(silent, unreachable),
            )
        share = self.settings.no_receipt if use is None else use.unannounced.share(self.settings.no_receipt)
        lost = self._lost_at_least(level, silent[-1])
        told = (1.0 - lost) * reachable
        receipts = list(accumulate([told * s * h for s, h in zip([1.0, *silent[:-1]], hazards, strict=True)]))
        silent = [lost + (1.0 - lost) * s for s in silent]
        unannounced = share / max(1.0 - share, 1e-3)
        if not any(self._reference.by_look) and receipts[-1] > 0.0:
            # Nobody tells of use: what stays silent was lost as likely as it has arrived.
            unannounced = min(unannounced, _UNTOLD * reachable * silent[-1] / receipts[-1])
        return Curve(
            receipts,
            [unreachable + reachable * s for s in silent], unreachable=unreachable,
            trust=1.0 if use is None else use.trust, unannounced=unannounced,
            weight=level.n[0], doubt="" if use is None else use.doubt(self._reference),
            used=tuple(self._reference.by_look),
        )  # fmt: skip

    def _lost_at_least(self, level: Level, silent: float) -> float:
        """Part of the messages to reachable handsets that is taken away from those that arrive at all.

        Where all of a few have arrived, and quickly, the hazards leave nothing for the route to lose, and
        every silence would be the handset's fault. So as much is lost as is believed beforehand, until
        enough flights have said otherwise.
        """
        route = self._levels.routes.get((level.key[0], level.key[1])) if len(level.key) > 1 else None
        flights = (level if route is None else route).n[0]
        least = self.settings.lost * _BELIEVED / (_BELIEVED + flights)
        return max(0.0, least - silent) / (1.0 - silent) if silent < 1.0 else 0.0

    # ---------------------------------------------------------------- state

    def dump(self) -> bytes:
        """All that was learned, to be kept over a restart (MessagePack, versioned)."""
        return state.dump(self._levels, self._handsets, self._now)

    def restore(self, data: bytes, now: float) -> None:
        """What `dump` gave, and forget as for the time that passed. ValueError: it is something else."""
        self._levels, self._handsets = state.restore(data, self.settings, now)
        self._dirty.clear()
        self._due.clear()
        self._epoch += 1
        self._now = now
        self._reference.learn(list(self._levels.uses.values()))

    def table(self, now: float, *, cells: bool = True) -> list[RouteReport]:
        """Every route as a whole and, with `cells`, to each of its destinations."""
        levels: list[Level] = [*self._levels.routes.values()]
        if cells:
            levels += self._levels.leaves.values()
        rows = [report(level.key, self.curve_at(level, now)) for level in levels]
        return sorted(rows, key=lambda row: (row.channel, row.route, row.country, row.network))


def _reachable(silent: list[float], unreachable: float) -> list[float]:
    """P(the handset can be reached | silent when an interval begins)."""
    rest = 1.0 - unreachable
    before = [1.0, *silent[:-1]]
    return [rest * s / (unreachable + rest * s) if unreachable > 0.0 else 1.0 for s in before]
