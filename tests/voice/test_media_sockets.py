"""The sockets of a call: their ports, their addresses, and that they are closed."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import Random

import pytest

from connector.voice.media.ports import PortRange, PortsExhausted
from tests.voice.media_stage import HOST, Ear, Stage, agreed, tune


@pytest.mark.rule("rtp.receive-buffer")
def test_the_sockets_of_a_call(random: Random) -> None:
    with Stage(random) as stage:
        session = stage.session()
        host, port = session.local
        assert host == HOST
        assert port % 2 == 0
        asked = min(1 << 18, int(Path("/proc/sys/net/core/rmem_max").read_text()))
        for each, number in ((session._rtp, port), (session._rtcp, port + 1)):
            assert each.getsockname() == (HOST, number)
            assert not each.getblocking()
            assert each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * asked
            assert each.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0xB8


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_ports_run_out_and_come_back(random: Random) -> None:
    before = open_files()
    with Stage(random) as stage:
        stage.ports = PortRange(24_001, 24_010)
        assert stage.ports.pairs == 4
        sessions = []
        with pytest.raises(PortsExhausted):
            while True:
                sessions.append(stage.session())
        # Pairs of other programs on this host are passed over.
        assert 1 <= len(sessions) <= 4
        ports = {session.local[1] for session in sessions}
        assert len(ports) == len(sessions) and ports <= {24_002, 24_004, 24_006, 24_008}
        again = sessions[0].local
        sessions[0].close()
        assert stage.session().local == again
    assert open_files() == before


def test_ports_begin_anywhere(random: Random) -> None:
    with Stage(random) as stage:
        assert len({stage.session().local[1] for _ in range(20)}) == 20
        first = {stage.session().local[1] // 1000 for _ in range(40)}
        assert len(first) > 3


def test_a_pair_half_taken_by_others_is_passed_over(random: Random) -> None:
    with Stage(random) as stage:
        session = stage.session()
        port = session.local[1]
        session.close()
        other = stage.far_end(port + 1)
        ports = PortRange(port, port + 3)
        before = open_files()
        rtp, control = ports.open(HOST, 0)
        assert rtp.getsockname()[1] == port + 2
        rtp.close()
        control.close()
        assert open_files() == before
        assert other.port == port + 1


@pytest.mark.parametrize(("low", "high"), [(0, 10), (5, 4), (7, 8), (10, 10), (65536, 65540), (1000, 70000)])
def test_ranges_without_a_pair(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        PortRange(low, high)


def test_an_address_that_is_not_ours(random: Random) -> None:
    before = open_files()
    with pytest.raises(OSError):
        PortRange(20_000, 20_009).open("192.0.2.1", 0)
    assert open_files() == before


def test_closing_leaves_nothing_open(random: Random) -> None:
    before = open_files()
    with Stage(random) as stage:
        idle = stage.session()
        one, other = stage.pair(Ear(), Ear())
        one.bridge(other)
        stage.slots(3)
        for session in (idle, one, other):
            session.close()
            session.close()
            session.play(tune(random, 160))
            session.stop_playing()
            session.unbridge()
        assert stage.clock.calls == 0
        assert one.statistics().sent > 0
        stage.slots(3)
    assert open_files() == before


def test_over_ipv6(random: Random) -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return
    with Stage(random) as stage:
        ear = Ear(listening=True)
        sessions = []
        for each in (Ear(), ear):
            from connector.voice.media.session import MediaSession

            session = MediaSession(stage.clock, "::1", stage.ports, rng=random.randbytes, listener=each)
            stage._closers.append(session.close)
            sessions.append(session)
        sessions[0].connect(agreed(sessions[1].local[1], host="0:0::1"), stage.now)
        sessions[1].connect(agreed(sessions[0].local[1], host="::1"), stage.now)
        stage.slots(5)
        stage.until(lambda: sessions[1].statistics().received == 4)
        assert sessions[1].statistics().spoofed == 0
