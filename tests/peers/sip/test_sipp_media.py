"""The whole trunk with SIPp as the telephone: keys, media that nobody has agreed to, and RTP on the wire."""

import asyncio
import re
import struct
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.peers.capture import Capture
from tests.peers.dissection import DISSECT_S, everything, frames, is_fault
from tests.peers.sip import scenarios
from tests.peers.sip.caller import finished
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.sipp import Sipp
from tests.voice.trunk_rig import Rig, detail, rig, trunk_config

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.asyncio]

GATED = {"gate": True, "repeats": 0, "input_timeout_s": 0.2}
PRESSED = {**GATED, "input_timeout_s": 10.0}


async def call(port: int, script: dict[str, Any]) -> tuple[Rig, Any, list[str]]:
    async with rig(trunk_config(port), script) as trunk:
        await trunk.up()
        attempt = trunk.send()
        end = await trunk.ended(attempt)
        return trunk, end, trunk.steps(attempt)


@pytest.mark.peer("raw sockets")
@pytest.mark.rule("rtp.event-end", "rtp.event-timestamp")
async def test_a_key_opens_the_gate(tmp_path: Path) -> None:
    """Ten packets with one timestamp, three of them the end, are one key."""
    with Sipp(tmp_path, scenarios.PRESSES_A_KEY) as sipp:
        _, end, steps = await call(sipp.port, PRESSED)
        await finished(sipp)
    assert end.result == "delivered", end
    assert steps == ["ringing", "answered", "digit 1"]
    assert [key for key, _ in detail(end)["keys"]] == ["1"]


class Telephone(asyncio.DatagramProtocol):
    """Answers each RTP packet with one of its own: PCMA, silence."""

    def __init__(self) -> None:
        self.sent = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        header = struct.pack(">BBHII", 0x80, 8, self.sent, self.sent * 160, 0x7E1EF00D)
        self._transport.sendto(header + b"\xd5" * 160, address)
        self.sent += 1


@pytest.mark.rule("rtp.spoofed")
async def test_media_of_another_port_are_not_heard(tmp_path: Path) -> None:
    noise = tmp_path / "noise.pcma"
    noise.write_bytes(b"\x2a\xaa" * 40_000)
    loop = asyncio.get_running_loop()
    transport, telephone = await loop.create_datagram_endpoint(Telephone, local_addr=(LOOPBACK, 0))
    elsewhere = transport.get_extra_info("sockname")[1]
    with Sipp(
        tmp_path, scenarios.sends_from_elsewhere(str(noise)), "-key", "elsewhere", str(elsewhere)
    ) as sipp:
        _, end, _ = await call(sipp.port, {**GATED, "input_timeout_s": 0.8})
        await finished(sipp)
    transport.close()
    media = detail(end)["media"]
    assert media["spoofed"] > 10
    assert 0 < media["received"] <= telephone.sent
    assert media.get("lost", 0) == 0


@pytest.mark.peer("raw sockets")
@pytest.mark.peer("tshark")
async def test_rtp_is_dissected_without_a_fault_and_in_sequence(tmp_path: Path) -> None:
    file = tmp_path / "rtp.pcapng"
    with Sipp(tmp_path, scenarios.PRESSES_A_KEY) as sipp:
        ours = f"udp port {sipp.port} or udp portrange {sipp.media_port}-{sipp.media_port + 1}"
        with Capture(file, ours) as capture:
            _, end, _ = await call(sipp.port, PRESSED)
            await finished(sipp)
            await asyncio.to_thread(capture.wait, b" BYE\r\n", 2)
            capture.stop()
    packets = list(rtp(file, sipp))

    sequence = [int(fields["rtp.seq"]) for fields in packets]
    assert len(sequence) == detail(end)["media"]["sent"]
    assert sequence == [(sequence[0] + n) % 65536 for n in range(len(sequence))]
    stamps = [int(fields["rtp.timestamp"]) for fields in packets]
    assert {(later - one) % 2**32 for one, later in pairwise(stamps)} == {160}
    assert {fields["rtp.p_type"] for fields in packets} == {"8"}
    assert len({fields["rtp.ssrc"] for fields in packets}) == 1
    lost, problems = stream(file, sipp)
    assert (lost, problems) == ("0", "")


def rtp(file: Path, sipp: Sipp) -> Any:
    """What we sent to SIPp's media port, as dissected by what SDP says; nothing of it may have a fault."""
    for frame in frames(file, "-d", f"udp.port=={sipp.port},sip"):
        fields = list(everything(dict(dict(frame)["_source"])["layers"]))
        shown = dict(reversed(fields))
        if shown["udp.srcport"] not in (str(sipp.port), str(sipp.media_port)):
            assert not any(is_fault(name, value) for name, value in fields), shown
            if shown["udp.dstport"] == str(sipp.media_port):
                assert "rtp.seq" in shown, shown
                yield shown


def stream(file: Path, sipp: Sipp) -> tuple[str, str]:
    """Lost packets, and what tshark finds wrong, in our one stream."""
    command = ["tshark", "-r", str(file), "-d", f"udp.port=={sipp.port},sip", "-q", "-z", "rtp,streams"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DISSECT_S)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if re.search(rf" {sipp.media_port} +0x", line)]
    found = re.search(r"(\d+) \(\d+[.]\d%\)(?:\s+-?[\d.]+)+\s*(.*)$", line)
    assert found is not None, line
    return found[1], found[2]
