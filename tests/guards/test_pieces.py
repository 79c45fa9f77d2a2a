"""The state is written down in small pieces, and jobs that come between them do it no harm."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import msgpack
import pytest

from connector.config.guards import GuardRules, Limit, VelocityGuard
from connector.routing.guards import Guards, GuardSettings, conversion, meter, parts, sequential, velocity
from tests.guards.conftest import ask, name
from tests.guards.replay import KEY, accustom
from tests.guards.test_state import NOW, RULES, SETTINGS, after, dumped, used

SLACK = 200  # octets that a piece has besides what is counted in it


def number(random: Random) -> str:
    """One of 30,000, of 300 blocks."""
    return f"+9991{random.randrange(300):05d}{random.randrange(100):03d}"


def busy(random: Random, jobs: int = 5_000) -> Guards:
    """Guards with more in their tables than stands in one piece."""
    guards = Guards(SETTINGS, KEY, NOW)
    accustom(guards)
    for index in range(jobs):
        come(guards, random, NOW + index * 0.01)
    return guards


def come(guards: Guards, random: Random, now: float) -> None:
    """A job, sometimes of another application, with all that follows."""
    asked = ask(number(random), app=f"app{random.randrange(40)}", price=0.01)
    if guards.admit(asked, now) is None:
        guards.spent(asked.app, 0.01, now)
        if random.random() < 0.1:
            guards.release(asked, now)
    guards.feedback(asked.app, asked.number, asked.destination, True, now)
    guards.call_may_start(asked.number, "XA", now)
    guards.call_started("XA", now)


def entries(value: Any) -> int:
    """How many entries of tables stand in this part of a state."""
    if isinstance(value, dict):
        return len(value) + sum(map(entries, value.values()))
    if isinstance(value, list):
        return sum(map(entries, value))
    return 0


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 50)
    monkeypatch.setattr(parts, "_STRETCH", 150)


def test_no_piece_has_more_entries_than_it_may(small: None, random: Random) -> None:
    pieces = [*busy(random).dump()]
    assert len(pieces) > 50
    found = 0
    for piece in pieces:
        try:
            here = entries(msgpack.unpackb(piece, strict_map_key=False))
        except ValueError:  # it only begins what those after it are in
            assert len(piece) < 50
            continue
        assert here <= 50
        found += here
    assert found > 2_000
    # Each block of `sequential` has 125 octets, and no entry has more.
    assert max(map(len, pieces)) <= 50 * 140 + SLACK


def test_pieces_of_a_full_table_are_as_small(random: Random) -> None:
    limits = (Limit(jobs=3, within_s=600.0), Limit(jobs=9, within_s=86_400.0))
    guards = Guards(GuardSettings(GuardRules(velocity_number=VelocityGuard(limits=limits)), {}, {}), KEY, NOW)
    for index in range(25_000):
        for _ in range(2):
            guards.admit(ask(f"+9991{index:08d}"), NOW)
    pieces = [*guards.dump()]
    assert len(pieces) > 25
    assert max(map(len, pieces)) <= parts.PART * (9 + 1 + 18) + SLACK
    held = msgpack.unpackb(b"".join(pieces), strict_map_key=False)[1]["velocity_number"]
    assert [len(part) for part in held[1:]] == [parts.PART] * 25


def test_a_sketch_comes_in_pieces(monkeypatch: pytest.MonkeyPatch, random: Random) -> None:
    monkeypatch.setattr(meter.VelocityNumber.__init__, "__defaults__", (10,))
    rules = GuardRules(velocity_number=VelocityGuard(limits=(Limit(jobs=2, within_s=600.0),)))
    guards = Guards(GuardSettings(rules, {}, {}), KEY, NOW)
    people = [f"+9991{random.randrange(10**8):08d}" for _ in range(3_000)]
    for each in people * 2:
        guards.admit(ask(each), NOW)
    pieces = [*guards.dump()]
    assert 100_000 < max(map(len, pieces)) < 140_000
    fresh = after(guards, b"".join(pieces), NOW + 1.0)
    assert {name(fresh, ask(each), NOW + 1.0) for each in people} == {"velocity_number"}
    later = Guards(guards._settings, KEY, NOW)
    later.restore(b"".join(pieces), NOW + 1.0)
    later.admit(ask(), NOW + 5_000.0)
    assert len(dumped(later)) < 1_000  # what is over is not kept


def test_jobs_may_come_between_the_pieces(
    small: None, random: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also such as make a table turn, or a book forget."""
    monkeypatch.setattr(velocity, "MOST_GAUGES", 400)
    monkeypatch.setattr(conversion, "MOST_SHARES", 400)
    monkeypatch.setattr(sequential, "MOST_BLOCKS", 400)
    for pace_s in (0.001, 0.1, 30.0, 5_000.0):
        guards = busy(random, 2_000)
        now = NOW + 20.0
        pieces = []
        for piece in guards.dump():
            pieces.append(piece)
            for _ in range(5):
                now += pace_s
                come(guards, random, now)
        assert len(pieces) > 20
        fresh = after(guards, b"".join(pieces), now)
        come(fresh, random, now + 1.0)
        fresh.overview(now + 1.0)
        after(fresh, dumped(fresh), now + 2.0)


def test_what_was_counted_before_is_in_it(small: None, random: Random) -> None:
    guards = busy(random)
    for _ in range(3):
        guards.admit(ask("+999177770000"), NOW + 50.0)
    pieces = []
    for piece in guards.dump():
        pieces.append(piece)
        come(guards, random, NOW + 50.0)
    assert name(guards, ask("+999177770000"), NOW + 50.5) == "velocity_number"
    fresh = after(guards, b"".join(pieces), NOW + 50.5)
    assert name(fresh, ask("+999177770000"), NOW + 50.5) == "velocity_number"


def test_a_configuration_may_change_between_the_pieces(small: None, random: Random) -> None:
    guards = busy(random, 2_000)
    state = guards.dump()
    begun = [*islice(state, 10)]
    guards.configure(GuardSettings(GuardRules(), {}, {}))
    rest = [*state]
    assert len(rest) > 10
    fresh = Guards(SETTINGS, KEY, NOW + 30.0)
    fresh.restore(b"".join([*begun, *rest]), NOW + 30.0)
    rows = {row["guard"]: row for row in fresh.overview(NOW + 30.0)}
    assert rows["velocity_prefix"]["fullest"] != []


def test_after_a_restart_more_blocks_than_may_be_are_no_reason_to_forget_all(
    random: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequential, "MOST_BLOCKS", 20)
    guards = Guards(SETTINGS, KEY, NOW)

    def runs(blocks: Iterator[int]) -> None:
        for block in blocks:
            for last in (100, 500):
                guards.admit(ask(f"+9991{block:05d}{last}", app=f"app{block}"), NOW)

    runs(iter(range(18)))
    guards = after(guards, dumped(guards), NOW + 1.0)
    runs(iter(range(100, 109)))
    after(guards, dumped(guards), NOW + 2.0)


def test_a_state_that_breaks_off_is_refused(small: None, random: Random) -> None:
    pieces = [*busy(random, 500).dump()]
    for missing in range(1, len(pieces)):
        with pytest.raises(ValueError, match="not what guards have counted"):
            Guards(SETTINGS, KEY, NOW).restore(b"".join(pieces[:-missing]), NOW)
    whole = b"".join(pieces)
    with pytest.raises(ValueError, match="not what guards have counted"):
        Guards(SETTINGS, KEY, NOW).restore(whole + b"\x00", NOW)


def test_tables_that_are_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dumped(used())
    after(used(), data, NOW)
    for module, most in ((velocity, "MOST_GAUGES"), (conversion, "MOST_SHARES"), (sequential, "MOST_BLOCKS")):
        with monkeypatch.context() as patch:
            patch.setattr(module, most, 0)
            with pytest.raises(ValueError, match="not what guards have counted"):
                Guards(GuardSettings(RULES, {}, {}), KEY, NOW).restore(data, NOW)
