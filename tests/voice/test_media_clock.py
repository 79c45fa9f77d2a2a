"""The wheel: who sends when, what becomes of late slots, and one run on a real event loop."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random

import pytest

from connector.voice.media.clock import MediaClock
from connector.voice.media.session import MediaSession, PortRange
from tests.voice.media_stage import HOST, Ear, Loop, Stage, agreed, tune


class Call:
    """Something paced: when it was asked for a packet, and how many slots it was told to leave out."""

    def __init__(self) -> None:
        self.slots: list[float] = []
        self.skipped = 0

    def slot(self, now: float) -> None:
        self.slots.append(now)

    def skip(self, slots: int) -> None:
        self.skipped += slots


class Wheel:
    def __init__(self, calls: int) -> None:
        self.now = 50.0005
        self.loop = Loop()
        self.clock = MediaClock(self.loop, monotonic=lambda: self.now)  # type: ignore[arg-type]
        self.calls = [Call() for _ in range(calls)]
        for call in self.calls:
            self.clock.join(call, self.now)

    def turn_after(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000
        self.clock.turn(self.now)


@pytest.mark.rule("rtp.phases")
def test_calls_are_spread_over_twenty_groups_of_a_millisecond() -> None:
    wheel = Wheel(50)
    sent = []
    for _ in range(20):
        before = sum(len(call.slots) for call in wheel.calls)
        wheel.turn_after(1)
        sent.append(sum(len(call.slots) for call in wheel.calls) - before)
    assert sorted(sent) == [2] * 10 + [3] * 10
    assert {len(call.slots) for call in wheel.calls} == {1}
    wheel.clock.stop()


@pytest.mark.rule("rtp.phases")
def test_each_call_has_a_slot_every_twenty_milliseconds() -> None:
    wheel = Wheel(7)
    for _ in range(2000):
        wheel.turn_after(1)
    for call in wheel.calls:
        assert len(call.slots) == 100
        for earlier, later in pairwise(call.slots):
            assert later - earlier == pytest.approx(0.02)
    wheel.clock.stop()


def test_a_call_that_ends_makes_room_for_the_next() -> None:
    wheel = Wheel(40)
    group = wheel.clock._group_of[wheel.calls[13]]
    wheel.clock.leave(wheel.calls[13])
    wheel.clock.leave(wheel.calls[13])
    late = Call()
    wheel.clock.join(late, wheel.now)
    wheel.clock.join(late, wheel.now)
    assert wheel.clock._group_of[late] is group
    assert wheel.clock.calls == 40
    wheel.clock.stop()


def test_a_call_that_ends_in_its_slot_takes_no_turn_from_its_group() -> None:
    wheel = Wheel(60)
    first = wheel.calls[0]
    first.slot = lambda now: wheel.clock.leave(first)  # type: ignore[method-assign]
    for _ in range(20):
        wheel.turn_after(1)
    assert [len(call.slots) for call in wheel.calls] == [0] + [1] * 59
    wheel.clock.stop()


@pytest.mark.parametrize("step", [1.0, 0.3, 2.7, 7.0, 19.0, 33.0, 59.0])
def test_however_the_clock_is_woken_no_slot_is_missing(step: float) -> None:
    wheel = Wheel(20)
    begun = wheel.now
    while wheel.now < begun + 10:
        wheel.turn_after(step)
    assert {len(call.slots) for call in wheel.calls} <= set(range(499, 504))
    assert wheel.clock.skipped == 0
    wheel.clock.stop()


def test_late_slots_are_sent_at_once_and_the_rest_left_out() -> None:
    wheel = Wheel(20)
    wheel.turn_after(20)
    wheel.turn_after(1000)
    for call in wheel.calls:
        assert len(call.slots) == 1 + 3
        assert call.skipped == 47
    assert wheel.clock.skipped == 47 * 20
    for _ in range(20):
        wheel.turn_after(1)
    assert {len(call.slots) for call in wheel.calls} == {5}
    wheel.clock.stop()


@pytest.mark.parametrize("behind", range(58, 84))
def test_sent_and_left_out_make_up_the_time_that_passed(behind: int) -> None:
    wheel = Wheel(20)
    wheel.turn_after(behind)
    total = sum(len(call.slots) + call.skipped for call in wheel.calls)
    assert total == behind
    assert max(len(call.slots) for call in wheel.calls) <= 3
    wheel.clock.stop()


def test_time_without_calls_is_not_made_up_for() -> None:
    wheel = Wheel(0)
    wheel.turn_after(60_000)
    late = Call()
    wheel.clock.join(late, wheel.now)
    wheel.turn_after(20)
    assert (len(late.slots), late.skipped) == (1, 0)
    wheel.turn_after(-500)
    assert len(late.slots) == 1
    wheel.clock.stop()


def test_lateness_is_measured_for_every_packet() -> None:
    wheel = Wheel(40)
    for _ in range(20):
        wheel.turn_after(1)
    # Turned in the middle of each millisecond.
    assert wheel.clock.pacing.count == 40
    assert wheel.clock.pacing.sum == pytest.approx(40 * 0.0005)
    wheel.turn_after(20)
    assert wheel.clock.pacing.sum == pytest.approx(
        40 * 0.0005 + 2 * sum(0.0005 + n / 1000 for n in range(20))
    )
    wheel.clock.stop()


def test_a_prompt_is_whole_after_a_stall(random: Random) -> None:
    """Slots that were left out are a gap in time, marked, and nothing of the code is missing."""
    audio = tune(random, 20 * 160)
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        session.play(audio)
        stage.slots(5)
        stage.stall(500)
        stage.slots(12)
        packets = far.take(20)
        assert b"".join(packet.payload for packet in packets) == audio.pcma
        assert [at for at, packet in enumerate(packets) if packet.marker] == [0, 5]
        assert [packet.sequence - packets[0].sequence & 0xFFFF for packet in packets] == list(range(20))
        assert packets[5].timestamp - packets[4].timestamp & 0xFFFFFFFF == 160 * (1 + stage.clock.skipped)


def test_a_flood_into_one_socket_takes_a_thousand_a_second(random: Random) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        for number in range(200):
            far.send(session, number)
        taken = [session.statistics().received]
        for _ in range(10):
            stage.advance(1)
            taken.append(session.statistics().received)
        assert max(later - earlier for earlier, later in pairwise(taken)) == 1


@pytest.mark.asyncio
async def test_on_a_running_loop(random: Random) -> None:
    """By itself, in real time: started before there is a call, idle again after the last."""
    clock = MediaClock(asyncio.get_running_loop())
    clock.start()
    assert clock._timer is None
    ports, ear, over = PortRange(20_000, 29_999), Ear(listening=True), asyncio.Event()
    talker = Ear()
    talker.then = lambda what: over.set() if what == "played" else None
    one, other = (
        MediaSession(clock, HOST, ports, rng=random.randbytes, listener=each) for each in (talker, ear)
    )
    audio = tune(random, 10 * 160)
    one.connect(agreed(other.local[1]), clock.now())
    other.connect(agreed(one.local[1]), clock.now())
    await asyncio.sleep(0.05)
    one.play(audio)
    async with asyncio.timeout(20):
        await over.wait()
        while audio.pcma not in ear.sound():
            await asyncio.sleep(0.01)
    assert clock.pacing.count >= 20
    one.close()
    other.close()
    await asyncio.sleep(0.01)
    assert clock._timer is None
    clock.stop()
