"""One call's media over loopback, on a clock that is turned by hand."""

from __future__ import annotations

import socket
from random import Random

import pytest

from connector.voice.audio import Audio, AudioSequence, OneLaw
from protocols.rtp import rtcp
from protocols.rtp.g711 import A_TO_MU, MU_TO_A
from tests.voice.media_stage import HOST, Ear, Stage, agreed, tune

SILENCE = b"\xd5" * 160


def test_silence_in_every_slot_from_the_first_on(random: Random) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        stage.slots(5)
        packets = far.take(5)
        assert far.drain() == []
        assert [packet.payload for packet in packets] == [SILENCE] * 5
        assert {packet.payload_type for packet in packets} == {8}
        assert [packet.marker for packet in packets] == [True] + [False] * 4
        first = packets[0]
        for at, packet in enumerate(packets):
            assert packet.sequence == first.sequence + at & 0xFFFF
            assert packet.timestamp == first.timestamp + at * 160 & 0xFFFFFFFF
        assert session.statistics().sent == 5
        assert stage.now - 0.1 <= (session.statistics().first_sent_at or 0) <= stage.now - 0.08


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_what_is_played_arrives_whole(random: Random, codec: str) -> None:
    audio = tune(random, 3 * 160 + 37)
    with Stage(random) as stage:
        ear = Ear(listening=True)
        one, _ = stage.pair(Ear(), ear, codec=codec)
        stage.slots(3)
        one.play(audio)
        stage.slots(8)
        stage.until(lambda: len(ear.frames) >= 10)
        octets = audio.pcmu if codec == "PCMU" else audio.pcma
        silence = b"\xff" if codec == "PCMU" else b"\xd5"
        heard = ear.sound()
        at = heard.index(octets)
        assert heard == silence * at + octets + silence * (len(heard) - at - len(octets))
        assert {(len(frame), name) for frame, name in ear.frames} == {(160, codec)}


def test_played_is_told_when_the_last_slot_is_over(random: Random) -> None:
    with Stage(random) as stage:
        ear, far = Ear(), stage.far_end()
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        stage.slots(1)
        session.play(tune(random, 2 * 160))
        begun = stage.now
        stage.slots(2)
        assert ear.told == []
        stage.slots(1)
        assert ear.all("played") == [pytest.approx(begun + 0.06)]
        stage.slots(5)
        assert len(ear.told) == 1


def test_one_after_the_other_without_a_gap(random: Random) -> None:
    first, second, third = (tune(random, samples) for samples in (320, 160, 480))
    with Stage(random) as stage:
        ear, far = Ear(), stage.far_end()
        session = stage.session(ear)
        session.play(first)
        session.play(second)
        # The third is asked for only when the first is over.
        ear.then = lambda what: session.play(third) if len(ear.told) == 2 else None
        session.connect(agreed(far.port), stage.now)
        stage.slots(8)
        sound = b"".join(packet.payload for packet in far.take(8))
        assert sound[: 6 * 160] == first.pcma + second.pcma + third.pcma
        assert len(ear.all("played")) == 3


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_sequence_is_played_as_if_it_were_one(random: Random, codec: str) -> None:
    """Pieces that end within a slot, at its end, within the next, and one of nothing."""
    parts = [tune(random, samples) for samples in (160, 37, 1, 0, 123, 159, 500, 320, 3)]
    sequence, whole = AudioSequence(tuple(parts)), Audio.join(parts)
    assert (sequence.pcmu, sequence.pcma, sequence.seconds) == (whole.pcmu, whole.pcma, whole.seconds)
    with Stage(random) as stage:
        ear, far = Ear(), stage.far_end()
        session = stage.session(ear)
        session.play(sequence)
        session.play(whole)
        session.connect(agreed(far.port, codec), stage.now)
        slots = -(-len(whole.pcmu) // 160)
        stage.slots(2 * slots + 1)
        packets = [packet.payload for packet in far.take(2 * slots)]
        assert packets[:slots] == packets[slots:]
        assert b"".join(packets).startswith(whole.samples(codec))  # type: ignore[arg-type]
        assert len(ear.all("played")) == 2


def test_a_sequence_goes_on_where_it_is_in_another_codec(random: Random) -> None:
    parts = [tune(random, samples) for samples in (100, 250, 290)]
    sequence = AudioSequence(tuple(parts))
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.play(sequence)
        session.connect(agreed(far.port, "PCMA"), stage.now)
        stage.slots(2)
        session.connect(agreed(far.port, "PCMU"), stage.now)
        stage.slots(2)
        sound = b"".join(packet.payload for packet in far.take(4))
        assert sound == sequence.pcma[:320] + sequence.pcmu[320:]


def test_one_law_is_turned_into_the_other_where_the_call_changes_to_it(random: Random) -> None:
    audio = tune(random, 400)
    for law, other, table in (("PCMA", "PCMU", A_TO_MU), ("PCMU", "PCMA", MU_TO_A)):
        kept = OneLaw(law, audio.samples(law))
        assert kept.seconds == audio.seconds and kept.pieces(law) == (audio.samples(law),)
        assert kept.pieces(other) == (audio.samples(law).translate(table),)


def test_stop_playing_is_silent_in_the_next_slot(random: Random) -> None:
    with Stage(random) as stage:
        ear, far = Ear(), stage.far_end()
        session = stage.session(ear)
        session.play(tune(random, 16_000))
        session.play(tune(random, 16_000))
        session.connect(agreed(far.port), stage.now)
        stage.slots(3)
        session.stop_playing()
        stage.slots(3)
        payloads = [packet.payload for packet in far.take(6)]
        assert SILENCE not in payloads[:3]
        assert payloads[3:] == [SILENCE] * 3
        assert ear.told == []


def test_an_audio_of_nothing_ends_as_well(random: Random) -> None:
    with Stage(random) as stage:
        ear, far = Ear(), stage.far_end()
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        session.play(Audio(b"", b""))
        stage.slots(2)
        assert len(ear.all("played")) == 1


def test_more_than_can_wait_is_refused(random: Random) -> None:
    with Stage(random) as stage:
        session = stage.session()
        with pytest.raises(ValueError, match="64"):
            for _ in range(66):
                session.play(tune(random, 160))


def test_another_codec_in_the_middle_of_a_prompt(random: Random) -> None:
    """SSRC, sequence and timestamps go on, and so does the prompt where it is."""
    audio = tune(random, 4 * 160)
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port, "PCMA"), stage.now)
        session.play(audio)
        stage.slots(2)
        session.connect(agreed(far.port, "PCMU"), stage.now)
        stage.slots(2)
        packets = far.take(4)
        assert [packet.payload_type for packet in packets] == [8, 8, 0, 0]
        assert b"".join(packet.payload for packet in packets) == audio.pcma[:320] + audio.pcmu[320:]
        assert len({packet.ssrc for packet in packets}) == 1
        assert packets[3].sequence == packets[0].sequence + 3 & 0xFFFF
        assert packets[3].timestamp == packets[0].timestamp + 480 & 0xFFFFFFFF


@pytest.mark.parametrize("hold", [{"send": False}, {"host": "0.0.0.0"}])
def test_on_hold_nothing_is_sent_and_the_prompt_waits(random: Random, hold: dict[str, object]) -> None:
    audio = tune(random, 4 * 160)
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        session.play(audio)
        stage.slots(2)
        session.connect(agreed(far.port, **hold), stage.now)
        stage.slots(10)
        session.connect(agreed(far.port), stage.now)
        stage.slots(2)
        packets = far.take(4)
        assert far.drain() == []
        assert b"".join(packet.payload for packet in packets) == audio.pcma
        assert packets[2].timestamp == packets[1].timestamp + 11 * 160 & 0xFFFFFFFF
        assert [packet.marker for packet in packets] == [True, False, True, False]


@pytest.mark.rule("rtp.event-timestamp", "rtp.event-end")
def test_keys_arrive_and_the_prompt_pauses_for_them(random: Random) -> None:
    audio = tune(random, 60 * 160)
    with Stage(random) as stage:
        ear = Ear(listening=True)
        one, other = stage.pair(Ear(), ear)
        stage.slots(2)
        one.play(audio)
        assert all(one.send_digit(digit) for digit in "11*#0")
        stage.slots(115)
        stage.until(lambda: ear.digits == "11*#0" and audio.pcma in ear.sound())
        statistics = other.statistics()
        assert (statistics.lost, statistics.malformed, statistics.spoofed) == (0, 0, 0)


def test_keys_have_pauses_between_them(random: Random) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        session.send_digit("1")
        session.send_digit("1")
        stage.slots(20)
        kinds = "".join("k" if packet.payload_type == 101 else "a" for packet in far.take(20))
        assert kinds == "k" * 7 + "a" * 3 + "k" * 7 + "a" * 3


def test_keys_of_a_source_that_took_over(random: Random) -> None:
    """Its timestamps are its own: a little lower than those before is no repetition of the past."""
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        for ssrc, timestamp in ((1, 20_000), (2, 10_000)):
            far.send(session, 0, ssrc=ssrc)
            far.send(session, 1, ssrc=ssrc)
            far.send(session, 2, bytes.fromhex("078a0140"), payload_type=101, timestamp=timestamp, ssrc=ssrc)
        stage.until(lambda: ear.digits == "77")


def test_keys_that_cannot_be_sent(random: Random) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        assert not session.send_digit("1")
        session.connect(agreed(far.port, telephone_event=None), stage.now)
        assert not session.send_digit("1")
        session.connect(agreed(far.port), stage.now)
        assert [session.send_digit("1") for _ in range(33)] == [True] * 32 + [False]
        for digit in ("", "12", "x"):
            with pytest.raises(ValueError, match="key"):
                session.send_digit(digit)


@pytest.mark.rule("rtp.event-marker")
def test_keys_with_the_peers_numbers_or_ours(random: Random) -> None:
    """We send with the number of the peer's description; it may send with that of ours, without marker."""
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        session = stage.session(ear, telephone_event=97)
        session.connect(agreed(far.port, telephone_event=110), stage.now)
        session.send_digit("5")
        stage.slots(1)
        assert far.take(1)[0].payload_type == 110
        far.send(session, 0)
        far.send(session, 1)
        far.send(session, 2, bytes.fromhex("070a00a0"), payload_type=97, timestamp=320)
        far.send(session, 3, bytes.fromhex("078a0140"), payload_type=97, timestamp=320)
        far.send(session, 4, bytes.fromhex("080a00a0"), payload_type=110, timestamp=900)
        stage.until(lambda: ear.digits == "78")


def test_nothing_is_listened_to_unasked(random: Random) -> None:
    with Stage(random) as stage:
        ear = Ear(listening=False)
        _, other = stage.pair(Ear(), ear)
        stage.slots(10)
        stage.until(lambda: other.statistics().received == 9)
        assert ear.frames == []
        assert [what for what, _ in ear.told] == ["first"]


def test_loss_duplicates_and_disorder_are_counted(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        for number in (65533, 65534, 65535, 65538, 65537, 65538, 65540):
            far.send(session, number)
        stage.until(lambda: session.statistics().received == 5 and session.statistics().duplicates == 1)
        statistics = session.statistics()
        assert (statistics.lost, statistics.reordered) == (2, 1)
        # The first is on probation, the duplicate was heard before.
        assert len(ear.frames) == 5


def test_what_is_no_rtp_of_this_call(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        for datagram in (b"", b"\x80", bytes(200), b"\xff" * 200, random.randbytes(1472)):
            far.socket.sendto(datagram, session.local)
        far.send(session, 0, payload_type=96)
        far.send(session, 1, payload_type=3)
        far.socket.sendto(b"\x80\xc9\0\1\0\0\0\1", session.local)
        stage.until(lambda: session.statistics().malformed == 8)
        assert session.statistics().received == 0
        # Comfort noise is of this call, and has nothing to hear.
        far.send(session, 10, payload_type=13, payload=b"\x40")
        far.send(session, 11, payload_type=13, payload=b"\x40")
        far.send(session, 12)
        stage.until(lambda: session.statistics().received == 2)
        assert len(ear.frames) == 1
        assert session.statistics().malformed == 8


def test_a_broken_key_is_counted(random: Random) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        for number in range(3):
            far.send(session, number, b"\1\2\3", payload_type=101)
        stage.until(lambda: session.statistics().malformed == 2)


@pytest.mark.rule("rtp.timeout")
def test_media_that_stop_coming(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        session = stage.session(ear, timeout_s=5.0)
        session.connect(agreed(far.port), stage.now)
        begun = stage.now
        stage.advance(5600)
        (told,) = ear.all("timed out")
        assert 5.0 <= told - begun <= 5.6
        stage.advance(6000)
        assert len(ear.told) == 1
        far.send(session, 0)
        far.send(session, 1)
        stage.until(lambda: session.statistics().received == 1)
        stage.advance(5600)
        assert [what for what, _ in ear.told] == ["timed out", "first", "timed out"]


@pytest.mark.rule("rtp.timeout")
def test_a_stall_of_ours_does_not_put_the_time_out_off(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        stage.session(ear, timeout_s=0.9).connect(agreed(far.port), stage.now)
        stage.stall(1000)
        stage.slots(1)
        assert [what for what, _ in ear.told] == ["timed out"]


def test_no_media_are_missed_while_none_are_to_come(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        session = stage.session(ear, timeout_s=5.0)
        session.connect(agreed(far.port, receive=False), stage.now)
        stage.advance(11_000)
        assert ear.told == []
        session.connect(agreed(far.port), stage.now)
        stage.advance(5600)
        assert [what for what, _ in ear.told] == ["timed out"]


def test_reports_tell_loss_and_round_trip(random: Random) -> None:
    with Stage(random) as stage:
        far, control = stage.far_pair()
        session = stage.session()
        session.connect(agreed(far.port), stage.now)
        stage.advance(4000)
        report, description = rtcp.parse(control.socket.recv(1500))
        assert isinstance(report, rtcp.SenderReport) and isinstance(description, rtcp.SourceDescription)
        assert report.octets == report.packets * 160 > 0
        assert report.blocks == ()
        block = rtcp.ReportBlock(report.ssrc, 64, 3, 0, 0, report.ntp >> 16 & 0xFFFFFFFF, 0)
        sent_at = report.ntp / (1 << 32) - 2208988800 - stage.clock.unix_offset
        of_another = rtcp.ReportBlock(report.ssrc ^ 1, 255, 3, 0, 0, 1, 0)
        answer = rtcp.encode(
            [rtcp.ReceiverReport(1, (block, of_another)), rtcp.SourceDescription(((1, "far"),))]
        )
        control.socket.sendto(answer, (HOST, session.local[1] + 1))
        stage.until(lambda: session.statistics().remote_lost_fraction is not None)
        statistics = session.statistics()
        assert statistics.remote_lost_fraction == 0.25
        assert statistics.round_trip_s == pytest.approx(stage.now - sent_at, abs=0.001)


def test_two_sessions_report_to_each_other(random: Random) -> None:
    with Stage(random) as stage:
        one, other = stage.pair(Ear(), Ear())
        for _ in range(60):
            stage.advance(300)
        stage.until(lambda: all(each.statistics().round_trip_s is not None for each in (one, other)))
        for session in (one, other):
            statistics = session.statistics()
            assert statistics.remote_lost_fraction == 0.0
            assert statistics.round_trip_s is not None and statistics.round_trip_s < 0.1
            assert (statistics.lost, statistics.spoofed, statistics.malformed) == (0, 0, 0)


def test_goodbye_names_the_source(random: Random) -> None:
    with Stage(random) as stage:
        far, control = stage.far_pair()
        session = stage.session()
        session.connect(agreed(far.port), stage.now)
        stage.slots(1)
        (packet,) = far.take(1)
        session.close()
        *_, last = rtcp.parse(control.socket.recv(1500))
        assert last == rtcp.Goodbye((packet.ssrc,))


def test_a_listener_may_close_its_session_from_any_call(random: Random) -> None:
    for when in ("first", "digit", "played", "timed out", "audio"):
        with Stage(random) as stage:
            far, ear = stage.far_end(), Ear(listening=True)
            session = stage.session(ear, timeout_s=0.6)

            def end(what: str, when: str = when, session=session) -> None:
                if what == when:
                    session.close()

            ear.then = end
            session.connect(agreed(far.port), stage.now)
            session.play(tune(random, 320))
            far.send(session, 0)
            far.send(session, 1)
            far.send(session, 2, bytes.fromhex("078a0140"), payload_type=101)
            stage.until(lambda stage=stage, ear=ear, when=when: when in ("played", "timed out") or when in [
                what for what, _ in ear.told
            ] or (when == "audio" and bool(ear.frames)))  # fmt: skip
            stage.advance(1300)
            assert stage.clock.calls == 0
            assert stage.loop.errors == []


def test_a_listener_that_fails_stops_nobody_else(random: Random) -> None:
    def fail(what: str) -> None:
        raise RuntimeError("bug")

    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear()
        ear.then = fail
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        session.play(tune(random, 160))
        other, ear_of_other = stage.far_end(), Ear()
        well = stage.session(ear_of_other)
        well.connect(agreed(other.port), stage.now)
        far.send(session, 0)
        far.send(session, 1)
        stage.slots(5)
        stage.until(lambda: len(stage.loop.errors) == 2)
        assert len(other.take(5)) == 5
        assert {type(context["exception"]) for context in stage.loop.errors} == {RuntimeError}
        stage.loop.errors.clear()


@pytest.mark.parametrize(
    "terms", [{"host": "sip.example"}, {"host": ""}, {"host": "1.2.3.4.5"}], ids=lambda terms: terms["host"]
)
def test_a_host_that_is_no_address(random: Random, terms: dict[str, str]) -> None:
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port), stage.now)
        with pytest.raises(ValueError):
            session.connect(agreed(far.port, **terms), stage.now)
        stage.slots(2)
        assert len(far.take(2)) == 2


def test_a_packet_that_cannot_leave_is_counted(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket says that it is full, or that nobody is there: the call goes on."""
    with Stage(random) as stage:
        session = stage.session()
        session.connect(agreed(9, host="255.255.255.255"), stage.now)
        stage.slots(3)
        statistics = session.statistics()
        assert (statistics.sent, statistics.unsent, statistics.first_sent_at) == (0, 3, None)

        class Full:
            def __init__(self, real: socket.socket) -> None:
                self.fileno, self.close = real.fileno, real.close

            def sendto(self, *_: object) -> None:
                raise BlockingIOError

        session._rtp = Full(session._rtp)  # type: ignore[assignment]
        stage.slots(2)
        assert (session.statistics().unsent, stage.clock.blocked) == (5, 2)
