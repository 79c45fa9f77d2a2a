"""Two legs that hear each other: what one peer sends, the other receives under our own numbers."""

from __future__ import annotations

from random import Random

import pytest

from connector.voice.media.session import MediaSession
from protocols.rtp.dtmf import DigitReceiver
from protocols.rtp.g711 import A_TO_MU, MU_TO_A
from tests.voice.media_stage import Ear, FarEnd, Stage, agreed, tune


class Bridge:
    """A listener at far end `one`, an agent at far end `other`; `ears` are those of our two sessions."""

    def __init__(self, stage: Stage, one: str = "PCMA", other: str = "PCMA", **terms: object) -> None:
        self.stage = stage
        self.ears = Ear(), Ear()
        self.far: tuple[FarEnd, FarEnd] = (stage.far_end(), stage.far_end())
        self.legs: tuple[MediaSession, MediaSession] = tuple(stage.session(ear) for ear in self.ears)  # type: ignore[assignment]
        for leg, far, codec in zip(self.legs, self.far, (one, other), strict=True):
            leg.connect(agreed(far.port, codec, **terms), stage.now)  # type: ignore[arg-type]
        self.legs[0].bridge(self.legs[1])

    def heard(self, leg: int, count: int) -> None:
        self.stage.until(lambda: self.legs[leg].statistics().received == count)


@pytest.mark.parametrize(
    ("one", "other", "table"),
    [("PCMA", "PCMA", None), ("PCMU", "PCMU", None), ("PCMU", "PCMA", MU_TO_A), ("PCMA", "PCMU", A_TO_MU)],
)
def test_audio_crosses_in_the_codec_of_the_other_leg(
    random: Random, one: str, other: str, table: bytes | None
) -> None:
    frames = [random.randbytes(160) for _ in range(20)]
    with Stage(random) as stage:
        bridge = Bridge(stage, one, other)
        for number, frame in enumerate(frames):
            bridge.far[0].send(bridge.legs[0], number, frame, payload_type=0 if one == "PCMU" else 8)
        bridge.heard(0, 19)
        packets = bridge.far[1].take(19)
        assert [packet.payload for packet in packets] == [
            frame.translate(table) if table else frame for frame in frames[1:]
        ]
        assert {packet.payload_type for packet in packets} == {0 if other == "PCMU" else 8}
        assert {packet.ssrc for packet in packets} == {bridge.legs[1]._stream.ssrc}
        first = packets[0]
        for at, packet in enumerate(packets):
            assert packet.sequence == first.sequence + at & 0xFFFF
            assert packet.timestamp == first.timestamp + at * 160 & 0xFFFFFFFF
            assert packet.marker == (at == 0)


def test_both_ways_at_once(random: Random) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        for number in range(10):
            for leg in (0, 1):
                bridge.far[leg].send(bridge.legs[leg], number, bytes([leg]) * 160)
            stage.slots(1)
        bridge.heard(0, 9)
        bridge.heard(1, 9)
        for leg in (0, 1):
            relayed = [p.payload for p in bridge.far[leg].drain() if p.payload == bytes([1 - leg]) * 160]
            assert len(relayed) == 9


def test_loss_and_disorder_stay_what_they_are(random: Random) -> None:
    """The far side's receiver sees the gaps by their numbers, and can put in order what was swapped."""
    with Stage(random) as stage:
        bridge = Bridge(stage)
        order = [0, 1, 2, 4, 3, 7, 6, 6, 9]
        for number in order:
            bridge.far[0].send(bridge.legs[0], number, bytes([number]) * 160)
        bridge.heard(0, 7)
        packets = bridge.far[1].take(7)
        first = packets[0]
        offsets = [packet.sequence - first.sequence & 0xFFFF for packet in packets]
        assert [offset + 1 for offset in offsets] == [1, 2, 4, 3, 7, 6, 9]
        assert [packet.payload[0] for packet in packets] == [1, 2, 4, 3, 7, 6, 9]
        for packet, offset in zip(packets, offsets, strict=True):
            assert packet.timestamp == first.timestamp + 160 * offset & 0xFFFFFFFF


def test_keys_cross_and_are_told(random: Random) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        bridge.legs[1].connect(agreed(bridge.far[1].port, telephone_event=110), stage.now)
        far, leg = bridge.far[0], bridge.legs[0]
        far.send(leg, 0)
        far.send(leg, 1)
        for number, payload in enumerate(("090a00a0", "090a0140", "098a01e0", "098a01e0", "098a01e0"), 2):
            far.send(leg, number, bytes.fromhex(payload), payload_type=101, timestamp=320, marker=number == 2)
        far.send(leg, 7)
        bridge.heard(0, 7)
        assert bridge.ears[0].digits == "9"
        assert bridge.ears[1].digits == ""
        packets = bridge.far[1].take(7)
        events = [packet for packet in packets if packet.payload_type == 110]
        assert len(events) == 5
        assert len({packet.timestamp for packet in events}) == 1
        receiver = DigitReceiver()
        assert "".join(receiver.receive(p.timestamp, p.payload) for p in events) == "9"
        assert packets[-1].timestamp == packets[0].timestamp + 6 * 160 & 0xFFFFFFFF


def test_keys_do_not_cross_to_who_takes_none(random: Random) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        bridge.legs[1].connect(agreed(bridge.far[1].port, telephone_event=None), stage.now)
        far, leg = bridge.far[0], bridge.legs[0]
        far.send(leg, 0)
        far.send(leg, 1)
        far.send(leg, 2, bytes.fromhex("098a01e0"), payload_type=101, timestamp=320)
        bridge.heard(0, 2)
        assert bridge.ears[0].digits == "9"
        assert len(bridge.far[1].drain()) == 1


def test_a_quiet_side_is_filled_with_silence(random: Random) -> None:
    """Nobody shall take the call for dead; and the numbers go on without a step back."""
    with Stage(random) as stage:
        bridge = Bridge(stage)
        far, leg = bridge.far
        for number in range(4):
            far.send(bridge.legs[0], number, b"\1" * 160)
            stage.slots(1)
        bridge.heard(0, 3)
        stage.slots(20)
        far.send(bridge.legs[0], 24, b"\2" * 160)
        bridge.heard(0, 4)
        packets = leg.drain()
        kinds = "".join({1: "a", 2: "b", 0xD5: "s"}[packet.payload[0]] for packet in packets)
        assert kinds.strip("s").startswith("aaa") and kinds.endswith("b")
        assert 14 <= kinds[kinds.index("a") :].count("s") <= 16
        sequences = [packet.sequence - packets[0].sequence & 0xFFFF for packet in packets]
        assert sequences == list(range(len(packets)))
        times = [packet.timestamp - packets[0].timestamp & 0xFFFFFFFF for packet in packets]
        assert times == sorted(times) and len(set(times)) == len(times)
        assert packets[-1].marker
        # The slots that were left to the other side are in the timestamps of the first that was not.
        last = kinds.rindex("a")
        assert times[last + 1] - times[last] == 6 * 160
        assert packets[last + 1].marker


def test_a_prompt_into_one_leg_is_heard_by_that_one(random: Random) -> None:
    audio = tune(random, 3 * 160)
    with Stage(random) as stage:
        bridge = Bridge(stage)
        bridge.legs[1].play(audio)
        for number in range(6):
            bridge.far[0].send(bridge.legs[0], number, b"\1" * 160)
            stage.slots(1)
        bridge.heard(0, 5)
        sound = b"".join(packet.payload for packet in bridge.far[1].drain())
        assert audio.pcma in sound
        assert sound.count(b"\1" * 160) >= 1
        assert audio.pcma not in b"".join(packet.payload for packet in bridge.far[0].drain())
        assert [what for what, _ in bridge.ears[1].told] == ["played"]


@pytest.mark.parametrize("end", ["unbridge", "close"])
def test_after_the_bridge_each_leg_is_silent_again(random: Random, end: str) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        for number in range(3):
            bridge.far[0].send(bridge.legs[0], number, b"\1" * 160)
        bridge.heard(0, 2)
        bridge.far[1].drain()
        getattr(bridge.legs[0], end)()
        stage.slots(3)
        packets = bridge.far[1].take(3)
        assert {packet.payload for packet in packets} == {b"\xd5" * 160}
        if end == "unbridge":
            bridge.far[0].send(bridge.legs[0], 3, b"\1" * 160)
            bridge.heard(0, 3)
        assert bridge.far[1].drain() == []


def test_a_new_bridge_ends_the_old_ones(random: Random) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        third = stage.far_end()
        agent = stage.session()
        agent.connect(agreed(third.port), stage.now)
        bridge.legs[0].bridge(agent)
        for number in range(3):
            bridge.far[0].send(bridge.legs[0], number, b"\1" * 160)
            bridge.far[1].send(bridge.legs[1], number, b"\2" * 160)
        bridge.heard(0, 2)
        bridge.heard(1, 2)
        assert [packet.payload[0] for packet in third.take(2)] == [1, 1]
        assert bridge.far[0].drain() == bridge.far[1].drain() == []
        with pytest.raises(ValueError, match="itself"):
            agent.bridge(agent)


def test_nothing_crosses_to_a_leg_on_hold(random: Random) -> None:
    with Stage(random) as stage:
        bridge = Bridge(stage)
        bridge.legs[1].connect(agreed(bridge.far[1].port, send=False), stage.now)
        for number in range(4):
            bridge.far[0].send(bridge.legs[0], number)
        bridge.heard(0, 3)
        stage.slots(3)
        assert bridge.far[1].drain() == []
