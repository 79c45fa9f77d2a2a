"""The model as its users see it: what it believes after this and that."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf, nan
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.routing.arrival import ArrivalModel, ArrivalSettings, Cell, Watch
from connector.routing.arrival.use import LOOKS_S

DE = Cell("DE", "a")


class Traffic:
    """Flights of first attempts on some routes, in virtual time; refreshed four times a second."""

    def __init__(self, seed: int, model: ArrivalModel | None = None) -> None:
        print("seed", seed)
        self.rng = Random(seed)
        self.model = model or ArrivalModel(ArrivalSettings(), 0.0)
        self.now = 0.0
        self.events: list[Any] = []
        self.order = count()

    def run(
        self, seconds: float, route: str = "north", *, rate: float = 8.0, lost: float = 0.05, cell: Cell = DE,
        slower: float = 1.0, used: float | None = None,
    ) -> None:  # fmt: skip
        end = self.now + seconds
        while self.now < end:
            self.now += 0.25
            whole, rest = divmod(rate * 0.25, 1.0)
            for _ in range(int(whole) + (self.rng.random() < rest)):
                self.send(route, cell, lost, slower, used)
            self.settle()

    def send(self, route: str, cell: Cell, lost: float, slower: float, used: float | None) -> None:
        at = self.now - self.rng.random() * 0.25
        watch = self.model.sent(route, "sms", cell, at, first=True)
        if self.rng.random() < lost:
            self.push(at + 60.0, "over", watch)
            return
        told_at = at + self.rng.lognormvariate(1.1, 0.6) * slower
        self.push(told_at, "arrived", watch)
        if used is not None:
            use_s = 2.0 + 6.0 * self.rng.random() if self.rng.random() < used else inf
            for look_s in LOOKS_S:
                if look_s < use_s:
                    self.push(told_at + look_s, "look", watch)
            if use_s < inf:
                self.push(told_at + use_s, "used", watch)

    def push(self, at: float, what: str, watch: Watch) -> None:
        heappush(self.events, (at, next(self.order), what, watch))

    def settle(self) -> None:
        model = self.model
        while self.events and self.events[0][0] <= self.now:
            at, _, what, watch = heappop(self.events)
            if what == "arrived":
                model.arrived(watch, at)
            elif what == "over":
                model.over([watch], at)
            else:
                model.conversion(watch, at, True if what == "used" else None)
        model.refresh(self.now)

    def p(self, t_s: float, route: str = "north", cell: Cell = DE) -> float:
        return self.model.curve(route, "sms", cell, self.now).p(t_s)


def test_before_anything_was_seen() -> None:
    model = ArrivalModel(ArrivalSettings(), 0.0)
    sms = model.curve("north", "sms", DE, 0.0)
    assert sms.p(4.0) == pytest.approx(0.5, abs=0.04)
    assert sms.p(12.0) == pytest.approx(0.92, abs=0.03)
    voice = model.curve("trunk", "voice", DE, 0.0)
    assert voice.p(11.0) == pytest.approx(0.36, abs=0.05)
    assert voice.p(60.0) == pytest.approx(0.71, abs=0.04)
    assert sms.weight == 0.0
    assert model.table(0.0) == []


@pytest.mark.parametrize("seed", range(3))
def test_what_is_usual_is_learned(seed: int) -> None:
    traffic = Traffic(seed)
    traffic.run(400.0)
    assert traffic.p(3.0) == pytest.approx(0.5 * 0.95, abs=0.07)
    assert traffic.p(20.0) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_silence_is_heard_within_seconds(seed: int) -> None:
    traffic = Traffic(seed)
    traffic.run(600.0)
    usual = traffic.model.usual("north", "sms", DE, traffic.now)
    traffic.run(10.0, lost=1.0)
    assert traffic.p(20.0) < 0.6
    traffic.run(10.0, lost=1.0)
    assert traffic.p(20.0) < 0.2
    after = traffic.model.usual("north", "sms", DE, traffic.now)
    assert after.p(20.0) == pytest.approx(usual.p(20.0), abs=0.08)


@pytest.mark.parametrize("seed", range(3))
def test_a_route_that_works_again_is_believed_soon(seed: int) -> None:
    traffic = Traffic(seed)
    traffic.run(600.0)
    traffic.run(60.0, lost=1.0)
    traffic.run(30.0)
    assert traffic.p(20.0) > 0.8


def test_a_route_that_has_recovered_is_believed_at_once() -> None:
    traffic = Traffic(1)
    traffic.run(600.0)
    traffic.run(30.0, lost=1.0)
    traffic.model.recovered("north", "sms", traffic.now)
    traffic.model.refresh(traffic.now)
    assert traffic.p(20.0) > 0.8


def test_an_outage_of_a_route_is_one_of_all_its_networks() -> None:
    traffic = Traffic(2)
    for _ in range(60):
        traffic.run(5.0)
        traffic.run(5.0, cell=Cell("FR", "b"))
    traffic.run(20.0, lost=1.0)
    assert traffic.p(20.0, cell=Cell("FR", "b")) < 0.4


def test_an_outage_of_one_country_is_not_held_against_the_others() -> None:
    traffic = Traffic(2)
    fr = Cell("FR", "b")
    for _ in range(60):
        traffic.run(5.0)
        traffic.run(5.0, cell=fr)
    usual = traffic.p(20.0, cell=fr)
    traffic.run(20.0, lost=1.0)
    traffic.model.confined("north", "sms", "DE")
    traffic.run(10.0, lost=1.0)
    assert traffic.p(20.0) < 0.4
    assert traffic.p(20.0, cell=fr) > usual - 0.1
    traffic.model.recovered("north", "sms", traffic.now)
    traffic.run(30.0, lost=1.0)
    assert traffic.p(20.0, cell=fr) < 0.4


def test_ten_times_slower() -> None:
    traffic = Traffic(3)
    traffic.run(600.0)
    traffic.run(120.0, slower=10.0)
    assert traffic.p(20.0) == pytest.approx(0.24, abs=0.12)


def test_a_new_network_borrows_from_its_country_and_that_from_the_route() -> None:
    traffic = Traffic(4)
    traffic.run(200.0, lost=0.5)
    known = traffic.p(20.0)
    assert known < 0.65
    assert traffic.p(20.0, cell=Cell("DE", "new")) == pytest.approx(known, abs=0.1)
    assert traffic.p(20.0, cell=Cell("FR", "new")) == pytest.approx(known, abs=0.1)
    assert traffic.p(20.0, route="unknown") > 0.9
    traffic.run(2.0, cell=Cell("DE", "new"), lost=0.0)
    traffic.run(10.0, cell=Cell("DE", "new"), rate=0.0)
    assert known < traffic.p(20.0, cell=Cell("DE", "new")) < 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_few_silent_messages_do_not_write_off_a_network_of_a_known_route(seed: int) -> None:
    traffic = Traffic(seed)
    new = Cell("DE", "new")
    traffic.run(300.0)
    traffic.run(1.0, cell=new, rate=4.0, lost=1.0)
    traffic.run(60.0)
    assert 0.75 < traffic.p(20.0, cell=new) < traffic.p(20.0)


def test_a_question_creates_no_cell() -> None:
    model = ArrivalModel(ArrivalSettings(cells=4), 0.0)
    for i in range(100):
        model.curve(f"r{i}", "sms", Cell("DE", str(i)), 0.0)
    assert model.table(0.0) == []


def test_cells_are_bounded_and_what_goes_is_kept_by_the_levels_above() -> None:
    model = ArrivalModel(ArrivalSettings(cells=10), 0.0)
    first = model.sent("north", "sms", Cell("DE", "first"), 0.0, first=True)
    for i in range(500):
        watch = model.sent("north", "sms", Cell("DE", str(i)), i * 1.0, first=True)
        if i % 2:
            model.arrived(watch, i + 4.0)
    model.refresh(510.0)
    assert len(model._levels.leaves) <= 10
    model.arrived(first, 511.0)
    model.refresh(512.0)
    (route,) = [row for row in model.table(512.0) if not row.country]
    assert route.flights > 300
    for country in range(100):
        model.sent(f"r{country}", "x" * country, Cell(str(country), ""), 600.0, first=True)
    for levels in (model._levels.leaves, model._levels.routes, model._levels.countries, model._levels.hours):
        assert len(levels) <= 20
    assert len(model._levels.channels) <= 16


# ---------------------------------------------------------------- what is said and what is true


@pytest.mark.parametrize("seed", range(3))
def test_invented_receipts_are_exposed(seed: int) -> None:
    traffic = Traffic(seed)
    for _ in range(30):
        traffic.run(4.0, "north", used=0.85)
        traffic.run(4.0, "south", used=0.85)
    traffic.run(15.0, "north", rate=0.0)
    honest = traffic.model.curve("north", "sms", DE, traffic.now)
    assert honest.p_given_receipt() > 0.9
    assert honest.doubt == ""
    traffic.run(20.0, "south", used=0.0)
    fake = traffic.model.curve("south", "sms", DE, traffic.now)
    assert fake.p_given_receipt() < 0.3
    assert fake.p_given_receipt(looks=3) < fake.p_given_receipt()
    assert fake.p(20.0) < 0.4
    assert fake.doubt.startswith("of ")
    assert "followed by use; elsewhere 8" in fake.doubt
    assert traffic.model.curve("north", "sms", DE, traffic.now).p_given_receipt() > 0.9
    (row,) = [row for row in traffic.model.table(traffic.now) if row.route == "south" and not row.country]
    assert row.doubt == fake.doubt
    assert row.trust < 0.3


def test_without_any_feedback_receipts_are_believed() -> None:
    traffic = Traffic(5)
    traffic.run(120.0, used=0.0)
    assert traffic.model.curve("north", "sms", DE, traffic.now).p_given_receipt() > 0.9


class Jobs:
    """Jobs of two routes: a second flight after 8 silent seconds; codes are used 5 s after they came."""

    def __init__(self, seed: int, *, unreachable: float, lost: tuple[float, float], hushed: float) -> None:
        print("seed", seed)
        rng = Random(seed)
        self.model = model = ArrivalModel(ArrivalSettings(), 0.0)
        events: list[Any] = []
        for i in range(3000):
            start = i * 0.25
            order = "ab" if i % 3 else "ba"
            reachable = rng.random() >= unreachable
            arrivals = [
                start + after + rng.lognormvariate(1.0, 0.4) if reachable and rng.random() >= loss else inf
                for after, loss in zip((0.0, 8.0), lost if order == "ab" else lost[::-1], strict=True)
            ]
            told = [at if rng.random() >= hushed else inf for at in arrivals]
            used_at = min(arrivals[0], arrivals[1] if told[0] > start + 8.0 else inf) + 5.0
            used_at = used_at if rng.random() < 0.9 else inf
            events.append((start, i, order, told, used_at))
        self.run(model, events)

    def run(self, model: ArrivalModel, events: list[Any]) -> None:
        queue: list[Any] = [(job[0], job[1], 0, (job[0], *job[2:]), []) for job in events]
        refreshed = 0.0
        while queue:
            at, i, what, job, watches = heappop(queue)
            start, order, told, used_at = job
            while refreshed + 0.25 < at:
                refreshed += 0.25
                model.refresh(refreshed)
            if what <= 1:
                if what == 1 and (told[0] <= at or used_at <= at):
                    continue
                watches.append(model.sent(order[what], "sms", DE, at, first=what == 0))
                if told[what] < start + 30.0:
                    heappush(queue, (max(told[what], at), i, 3 + what, job, watches))
                if what == 0:
                    heappush(queue, (start + 8.0, i, 1, job, watches))
                    heappush(queue, (min(start + 30.0, used_at), i, 2, job, watches))
            elif what == 2:
                if used_at <= at:
                    silent = [w for w in watches if not w.told_at]
                    model.conversion(next((w for w in watches if w.told_at), *silent[:1]), at, True)
                model.over(watches, at)
            elif what - 3 < len(watches):
                model.arrived(watches[what - 3], at)


@pytest.mark.parametrize("seed", range(2))
def test_a_handset_that_cannot_be_reached_is_not_counted_once_more_for_each_route(seed: int) -> None:
    jobs = Jobs(seed, unreachable=0.08, lost=(0.1, 0.05), hushed=0.0)
    a, b = (jobs.model.curve(route, "sms", DE, 750.0) for route in "ab")
    assert 0.03 < a.unreachable < 0.12
    assert a.p(30.0) == pytest.approx(0.92 * 0.9, abs=0.05)
    assert b.p(30.0) == pytest.approx(0.92 * 0.95, abs=0.1), "though it is tried where the other was silent"
    u = a.unreachable
    neither = u + (1.0 - u) * (1.0 - a.p(30.0) / (1.0 - u)) * (1.0 - b.p(30.0) / (1.0 - u))
    assert neither == pytest.approx(0.08 + 0.92 * 0.1 * 0.05, abs=0.035)
    assert neither > 1.5 * (1.0 - a.p(30.0)) * (1.0 - b.p(30.0)), "they do not fail independently"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("hushed", [0.0, 0.1, 0.25])
def test_what_arrives_without_a_receipt(seed: int, hushed: float) -> None:
    jobs = Jobs(seed, unreachable=0.0, lost=(0.04, 0.04), hushed=hushed)
    (row,) = [row for row in jobs.model.table(750.0) if row.route == "a" and not row.country]
    assert row.no_receipt == pytest.approx(hushed, abs=0.05)
    assert jobs.model.curve("a", "sms", DE, 750.0).p(30.0) == pytest.approx(0.96, abs=0.04)


def test_a_handset_that_is_said_to_be_absent_is_not_held_against_the_route() -> None:
    model = ArrivalModel(ArrivalSettings(), 0.0)
    for i in range(400):
        watch = model.sent("north", "sms", DE, i * 0.25, first=True)
        if i % 4:
            model.arrived(watch, i * 0.25 + 3.0)
        else:
            model.failed(watch, i * 0.25 + 3.0, everywhere=True)
            model.over([watch], i * 0.25 + 3.0)
        model.refresh(i * 0.25)
    model.refresh(110.0)
    (row,) = [row for row in model.table(110.0) if not row.country]
    assert row.never < 0.05
    assert 0.1 < row.unreachable < 0.3


# ---------------------------------------------------------------- state


def _filled(seed: int) -> Traffic:
    traffic = Traffic(seed)
    for i in range(12):
        traffic.run(10.0, "north", cell=Cell("DE", str(i % 3)), used=0.8, lost=0.1)
        traffic.run(10.0, "south", cell=Cell("FR", str(i % 2)), used=0.2)
    return traffic


def test_what_was_learned_survives_a_restart() -> None:
    traffic = _filled(6)
    data = traffic.model.dump()
    other = ArrivalModel(ArrivalSettings(), 0.0)
    other.restore(data, traffic.now)
    assert other.dump() == data
    other.refresh(traffic.now)
    traffic.model.refresh(traffic.now)
    for t in (2.0, 5.0, 20.0):
        assert other.curve("north", "sms", Cell("DE", "1"), traffic.now).p(t) == pytest.approx(
            traffic.p(t, cell=Cell("DE", "1")), abs=0.02
        )
    assert {(r.route, r.country, r.network) for r in other.table(traffic.now)} == {
        (r.route, r.country, r.network) for r in traffic.model.table(traffic.now)
    }


def test_a_restart_forgets_what_has_grown_old() -> None:
    traffic = _filled(7)
    other = ArrivalModel(ArrivalSettings(), 0.0)
    other.restore(traffic.model.dump(), traffic.now + 600.0)
    before = {(r.route, r.country, r.network): r.flights for r in traffic.model.table(traffic.now)}
    for row in other.table(traffic.now + 600.0):
        assert row.flights <= before[row.route, row.country, row.network] * 0.75


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    model = ArrivalModel(ArrivalSettings(), 0.0)
    with pytest.raises(ValueError):
        model.restore(data, 0.0)
    assert model.curve("north", "sms", DE, 0.0).p(20.0) > 0.9


_DUMP = _filled(8).model.dump()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_state_is_refused_or_harmless(data: st.DataObject) -> None:
    damaged = bytearray(_DUMP)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    model = ArrivalModel(ArrivalSettings(), 0.0)
    try:
        model.restore(bytes(damaged), 1000.0)
    except ValueError:
        return
    model.refresh(1001.0)
    for row in model.table(1001.0):
        curve = model.curve(row.route, row.channel, Cell(row.country, row.network), 1001.0)
        assert 0.0 <= curve.p(10.0) <= 1.0


def test_another_version_is_refused() -> None:
    content = msgspec.msgpack.decode(_DUMP)
    content["version"] += 1
    with pytest.raises(ValueError, match="version"):
        ArrivalModel(ArrivalSettings(), 0.0).restore(msgspec.msgpack.encode(content), 0.0)


# ---------------------------------------------------------------- anything in any order

moments = st.floats(-10.0, 2000.0) | st.sampled_from([0.0, inf, -inf, nan, 1e18])
steps = st.tuples(
    st.sampled_from(["sent", "arrived", "failed", "everywhere", "used", "unused", "look", "close", "over",
                     "refresh", "recovered"]),
    moments, st.integers(0, 7),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=40))
def test_nothing_that_is_told_does_harm(told: list[tuple[str, float, int]]) -> None:
    model = ArrivalModel(ArrivalSettings(cells=3), 0.0)
    watches: list[Watch] = []
    cells = [Cell("DE", "a"), Cell("DE", "b"), Cell("", ""), Cell("FR", ""), Cell("ES", "a")]
    for what, at, i in told:
        watch = watches[i % len(watches)] if watches else None
        if what == "sent" or watch is None:
            watches.append(model.sent("ab"[i % 2], "sms", cells[i % 5], at, first=i % 3 > 0))
        elif what == "arrived":
            model.arrived(watch, at)
        elif what in ("failed", "everywhere"):
            model.failed(watch, at, what == "everywhere")
        elif what in ("used", "unused", "look"):
            model.conversion(watch, at, {"used": True, "unused": False, "look": None}[what])
        elif what == "close":
            model.close(watch, at)
        elif what == "over":
            model.over(watches[i:], at)
        elif what == "refresh":
            model.refresh(at)
        else:
            model.recovered("a", "sms", at)
    model.refresh(2100.0)
    for cell in cells:
        curve = model.curve("a", "sms", cell, 2100.0)
        values = [curve.p(t) for t in (0.1, 1.0, 5.0, 20.0, 100.0, 1000.0)]
        assert values == sorted(values)
        assert values[0] >= 0.0
        assert values[-1] <= 1.0
        assert 0.0 <= curve.p_given_receipt() <= 1.0
    model.restore(model.dump(), 2200.0)
    assert all(0.0 <= row.trust <= 1.0 for row in model.table(2200.0))


def test_a_silence_after_few_quick_receipts_is_not_the_handsets_fault_for_certain() -> None:
    """A route that has lost nothing yet may begin to: another one must be worth trying."""
    model, at = ArrivalModel(ArrivalSettings(), 0.0), 0.0
    for _ in range(40):
        watch = model.sent("north", "sms", Cell("DE", "x"), at, first=True)
        model.arrived(watch, at + 0.4)
        model.over([watch], at + 0.4)
        at += 1.0
        model.refresh(at)
    curve = model.curve("north", "sms", Cell("DE", "x"), at)
    assert curve.unreachable / curve.silence(3.0) < 0.25
    assert curve.p(3.0) > 0.95
