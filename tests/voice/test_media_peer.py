"""Only the negotiated peer is heard: by its address, and with SRTP by its key."""

from __future__ import annotations

from random import Random

import pytest

from connector.voice.media.srtp import SUITES, Srtp
from protocols.rtp import rtcp
from protocols.rtp.packet import Packet
from tests.voice.media_stage import Ear, Stage, agreed, crypto, tune

ANOTHER_HOST = "127.0.0.2"


@pytest.mark.rule("rtp.spoofed")
def test_another_host_is_never_heard(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear(listening=True)
        stranger = stage.far_end(host=ANOTHER_HOST)
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        for number in range(5):
            stranger.send(session, number)
        stranger.send(session, 5, bytes.fromhex("078a0140"), payload_type=101)
        stage.until(lambda: session.statistics().spoofed == 6)
        assert ear.told == [] and ear.frames == []
        assert session.statistics().received == 0
        stage.slots(3)
        assert len(far.take(3)) == 3
        assert stranger.drain() == []


@pytest.mark.rule("rtp.spoofed")
def test_another_port_of_the_host_once_the_peer_was_heard(random: Random) -> None:
    with Stage(random) as stage:
        far, stranger, ear = stage.far_end(), stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        session.connect(agreed(far.port), stage.now)
        far.send(session, 0)
        far.send(session, 1)
        stage.until(lambda: session.statistics().received == 1)
        for number in range(2, 6):
            stranger.send(session, number, b"\0" * 160)
        far.send(session, 2)
        stage.until(lambda: session.statistics().received == 2 and session.statistics().spoofed == 4)
        assert ear.sound() == b"\xd5" * 320
        stage.slots(2)
        assert len(far.take(2)) == 2
        assert stranger.drain() == []


def test_symmetric_rtp_follows_the_peer_behind_a_nat_once(random: Random) -> None:
    with Stage(random) as stage:
        negotiated, mapped = stage.far_end(), stage.far_end()
        session = stage.session()
        session.connect(agreed(negotiated.port), stage.now)
        stage.slots(2)
        assert len(negotiated.take(2)) == 2
        mapped.send(session, 0)
        mapped.send(session, 1)
        stage.until(lambda: session.statistics().received == 1)
        stage.slots(3)
        assert len(mapped.take(3)) == 3
        # Now a third one is a stranger.
        stranger = stage.far_end()
        stranger.send(session, 2)
        stage.until(lambda: session.statistics().spoofed == 1)
        assert stranger.drain() == []


def test_who_forges_a_packet_of_the_host_does_not_get_the_call(random: Random) -> None:
    """One datagram to every port is enough for that: of a call that begins it may be the first."""
    with Stage(random) as stage:
        negotiated, forger, ear = stage.far_end(), stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        session.connect(agreed(negotiated.port), stage.now)
        forger.send(session, 900)
        stage.slots(2)
        assert len(negotiated.take(2)) == 2
        assert forger.drain() == []
        forger.send(session, 901)
        forger.send(session, 902)
        stage.until(lambda: session.statistics().received > 0)
        for number in range(4):
            negotiated.send(session, number)
        stage.until(lambda: len(ear.frames) >= 3)
        stage.slots(3)
        assert len(negotiated.take(3)) == 3
        forger.drain()
        forger.send(session, 903)
        stage.until(lambda: session.statistics().spoofed == 1)
        stage.slots(2)
        assert forger.drain() == []


def test_our_own_packets_that_come_back_are_nobodys(random: Random) -> None:
    """RFC 3550 §8.2. A description may name our own sockets."""
    with Stage(random) as stage:
        one, other = stage.session(), stage.session()
        one.connect(agreed(other.local[1]), stage.now)
        other.connect(agreed(one.local[1]), stage.now)
        one.bridge(other)
        stage.slots(20)
        stage.until(lambda: min(one.statistics().spoofed, other.statistics().spoofed) >= 10)
        itself = stage.session(timeout_s=1.0)
        itself.connect(agreed(itself.local[1]), stage.now)
        stage.slots(20)
        stage.until(lambda: itself.statistics().spoofed >= 10)
        assert {each.statistics().received for each in (one, other, itself)} == {0}


def test_a_datagram_that_is_no_rtp_draws_nothing_to_itself(random: Random) -> None:
    with Stage(random) as stage:
        negotiated, stranger = stage.far_end(), stage.far_end()
        session = stage.session()
        session.connect(agreed(negotiated.port), stage.now)
        stranger.socket.sendto(b"hello", session.local)
        stranger.send(session, 1, payload_type=77)
        stage.until(lambda: session.statistics().malformed == 2)
        negotiated.send(session, 1)
        negotiated.send(session, 2)
        stage.until(lambda: session.statistics().received == 1)
        assert session.statistics().spoofed == 0


def test_a_new_agreement_moves_the_peer(random: Random) -> None:
    with Stage(random) as stage:
        before, after = stage.far_end(), stage.far_end()
        session = stage.session()
        session.connect(agreed(before.port), stage.now)
        before.send(session, 0)
        before.send(session, 1)
        stage.until(lambda: session.statistics().received == 1)
        # The same address again changes nothing.
        session.connect(agreed(before.port, "PCMU"), stage.now)
        after.send(session, 5)
        stage.until(lambda: session.statistics().spoofed == 1)
        session.connect(agreed(after.port), stage.now)
        after.send(session, 5, ssrc=9)
        after.send(session, 6, ssrc=9)
        before.send(session, 2)
        stage.until(lambda: session.statistics().received == 2 and session.statistics().spoofed == 2)
        stage.slots(1)
        assert len(after.take(1)) == 1


def test_reports_of_strangers(random: Random) -> None:
    with Stage(random) as stage:
        far, control = stage.far_pair()
        stranger = stage.far_end(host=ANOTHER_HOST)
        session = stage.session()
        session.connect(agreed(far.port), stage.now)
        stage.slots(1)
        (packet,) = far.take(1)
        block = rtcp.ReportBlock(packet.ssrc, 255, 1000, 0, 0, 0, 0)
        report = rtcp.encode([rtcp.ReceiverReport(1, (block,)), rtcp.SourceDescription(((1, "x"),))])
        to = (session.local[0], session.local[1] + 1)
        stranger.socket.sendto(report, to)
        stage.until(lambda: session.statistics().spoofed == 1)
        assert session.statistics().remote_lost_fraction is None
        control.socket.sendto(b"\x80", to)
        control.socket.sendto(report, to)
        stage.until(lambda: session.statistics().remote_lost_fraction is not None)
        assert session.statistics().malformed == 1
        # The host is right, but the peer's port is known by now.
        far.socket.sendto(report, to)
        stage.until(lambda: session.statistics().spoofed == 2)


def test_before_there_is_an_agreement_nobody_is_heard(random: Random) -> None:
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        far.send(session, 0)
        far.send(session, 1)
        stage.slots(3)
        assert session.statistics().received == session.statistics().spoofed == 0
        # Nor later: what came while it rang is not whom the call has reached.
        session.connect(agreed(far.port), stage.now)
        far.send(session, 100, ssrc=7)
        far.send(session, 101, b"\1" * 160, ssrc=7)
        stage.until(lambda: session.statistics().received == 1)
        stage.slots(3)
        assert ear.sound() == b"\1" * 160


KEYS = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
    "AEAD_AES_256_GCM": 44,
}


@pytest.mark.parametrize("suite", list(SUITES))
def test_srtp_there_and_back(random: Random, suite: str) -> None:
    """Audio, a key, and reports, each direction under its own key."""
    one_key, other_key = crypto(random, suite, KEYS[suite]), crypto(random, suite, KEYS[suite])
    audio = tune(random, 1600)
    with Stage(random) as stage:
        ears = Ear(listening=True), Ear(listening=True)
        sessions = [stage.session(ear) for ear in ears]
        pairs = ((0, 1, one_key, other_key), (1, 0, other_key, one_key))
        for at, peer, local, remote in pairs:
            terms = agreed(sessions[peer].local[1], local_key=local, remote_key=remote)
            sessions[at].connect(terms, stage.now)
            # Said once more, the same keys keep their place in the stream.
            sessions[at].connect(terms, stage.now)
        stage.slots(2)
        for session in sessions:
            session.play(audio)
            session.send_digit("#")
        for _ in range(50):
            stage.advance(300)
        for session, ear in zip(sessions, ears, strict=True):
            stage.until(lambda ear=ear: ear.digits == "#" and audio.pcma in ear.sound())
            statistics = session.statistics()
            assert (statistics.spoofed, statistics.malformed, statistics.lost) == (0, 0, 0)
            assert statistics.remote_lost_fraction == 0.0


def test_nothing_can_be_read_from_srtp(random: Random) -> None:
    keys = {"local_key": crypto(random), "remote_key": crypto(random)}
    audio = tune(random, 320)
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        session.connect(agreed(far.port, **keys), stage.now)
        session.play(audio)
        stage.slots(2)
        packets = far.take(2)
        assert all(len(packet.payload) == 170 for packet in packets)
        assert all(audio.pcma[at : at + 16] not in packet.payload for packet in packets for at in range(300))


@pytest.mark.rule("rtp.spoofed")
def test_with_srtp_only_the_key_counts(random: Random) -> None:
    """Plain RTP, another key, a changed bit and a replay, all from the right address."""
    ours, theirs, wrong = crypto(random), crypto(random), crypto(random)
    with Stage(random) as stage:
        far, ear = stage.far_end(), Ear(listening=True)
        session = stage.session(ear)
        session.connect(agreed(far.port, local_key=ours, remote_key=theirs), stage.now)
        peer, liar = Srtp(theirs, ours), Srtp(wrong, ours)
        packets = [Packet(8, number, number * 160, 1, b"\xd5" * 160).encode() for number in range(5)]
        protected = [peer.protect(packet) for packet in packets]
        assert theirs.key not in b"".join(protected)
        bad = bytearray(protected[2])
        bad[20] ^= 1
        for datagram in (packets[0], liar.protect(packets[1]), bytes(bad)):
            far.socket.sendto(datagram, session.local)
        stage.until(lambda: session.statistics().spoofed == 3)
        assert ear.told == []
        for datagram in protected:
            far.socket.sendto(datagram, session.local)
        stage.until(lambda: session.statistics().received == 4)
        # The same keys agreed on once more do not forget what has come.
        session.connect(agreed(far.port, local_key=ours, remote_key=theirs), stage.now)
        far.socket.sendto(protected[4], session.local)
        stage.until(lambda: session.statistics().received == 4 and session.statistics().spoofed == 4)
        assert len(ear.frames) == 4


def test_a_forged_packet_cannot_latch_a_call_with_keys(random: Random) -> None:
    keys = {"local_key": crypto(random), "remote_key": crypto(random)}
    with Stage(random) as stage:
        far, stranger = stage.far_end(), stage.far_end()
        session = stage.session()
        session.connect(agreed(far.port, **keys), stage.now)
        stranger.send(session, 0)
        stage.until(lambda: session.statistics().spoofed == 1)
        stage.slots(2)
        assert len(far.take(2)) == 2
        assert stranger.drain() == []


def test_keys_that_are_none(random: Random) -> None:
    good = crypto(random)
    with Stage(random) as stage:
        far, session = stage.far_end(), stage.session()
        for local, remote in (
            (good, None),
            (None, good),
            (good, crypto(random, "F8_128_HMAC_SHA1_80")),
            (crypto(random, octets=29), good),
        ):
            with pytest.raises(ValueError):
                session.connect(agreed(far.port, local_key=local, remote_key=remote), stage.now)
        assert stage.clock.calls == 0


def test_what_cannot_be_passed_on_with_keys_harms_nobody(random: Random) -> None:
    """Packets as large as datagrams are, and late ones, of a listener whose agent's leg has keys."""
    with Stage(random) as stage:
        listener, agent = stage.far_end(), stage.far_end()
        heard, spoken = stage.session(), stage.session()
        heard.connect(agreed(listener.port), stage.now)
        keys = {"local_key": crypto(random), "remote_key": crypto(random)}
        spoken.connect(agreed(agent.port, **keys), stage.now)
        heard.bridge(spoken)
        for number in range(200):
            listener.send(heard, number, b"\xd5" * (1_488 if number % 50 == 7 else 160))
            stage.until(lambda number=number: heard.statistics().received >= number)
        assert spoken.statistics().unsent == 4
