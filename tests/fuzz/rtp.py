"""Reading media: any datagram is a packet, reports, keys, or an error of this package."""

from contextlib import suppress

from protocols.rtp import rtcp
from protocols.rtp.dtmf import DIGITS, DigitReceiver
from protocols.rtp.errors import PacketError
from protocols.rtp.packet import parse
from protocols.rtp.relay import Relay
from protocols.rtp.sender import Stream
from protocols.rtp.sources import Sources


def one_input(data: bytes) -> None:
    """Octet 0 is the length of each datagram; the rest of the input is cut into such."""
    length, rest = (data[0] if data else 0) or 1, data[1:]
    sources, digits, relay = Sources(), DigitReceiver(), Relay(Stream(bytes(10)))
    for at in range(0, len(rest), length):
        datagram = rest[at : at + length]
        with suppress(PacketError):
            rtcp.parse(datagram)
        try:
            packet = parse(datagram)
        except PacketError:
            continue
        assert packet.encode()[: len(datagram) - packet.padding] == datagram[: len(datagram) - packet.padding]
        sources.receive(packet.ssrc, packet.sequence, packet.timestamp, at / 1000)
        assert min(sources.received, sources.lost, sources.duplicates, sources.reordered) >= 0
        with suppress(PacketError):
            assert set(digits.receive(packet.timestamp, packet.payload)) <= set(DIGITS)
        relayed = relay.packet(packet, 8, packet.payload, len(packet.payload))
        assert relayed is None or parse(relayed).payload == packet.payload
        if sources.current is not None:
            block = sources.current.report(at / 1000)
            rtcp.encode([rtcp.ReceiverReport(1, (block,)), rtcp.SourceDescription(((1, "x"),))])
