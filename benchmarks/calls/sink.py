"""The far end of all calls: one socket that times every packet in the kernel, and may send it back.

    python -m benchmarks.calls.sink [echo]

Prints its port, takes packets until its standard input ends, then prints one JSON object: how far behind its
slot each packet was on the wire. A stream's slots lie where its earliest packet was, by RTP timestamps.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from array import array
from contextlib import suppress

from benchmarks.calls.pacing import figures

_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_RECEIVE_OCTETS = 32 << 20
_OCTETS = 2048
_BATCH = 4096
_REST_MS = 1
_HEADER = struct.Struct(">BBHII")
_TIME = struct.Struct("qq")


def main() -> int:
    echo = "echo" in sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.setblocking(False)
        taken.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        with suppress(OSError):  # beyond the host's limit only as root
            taken.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_OCTETS)
        print(json.dumps({"port": taken.getsockname()[1]}), flush=True)
        streams = _take(taken, echo)
    print(json.dumps(figures(streams)), flush=True)
    return 0


def _take(taken: socket.socket, echo: bool) -> dict[int, array[float]]:
    """Seconds on the wire less seconds by RTP timestamp, packet by packet, for each SSRC."""
    streams: dict[int, array[float]] = {}
    first: dict[int, int] = {}
    ended = select.poll()
    ended.register(sys.stdin, select.POLLIN | select.POLLHUP)
    # Never blocked in a read: waking this process would be counted as the sender's work.
    while not ended.poll(_REST_MS):
        for _ in range(_BATCH):
            try:
                datagram, ancillary, _, address = taken.recvmsg(_OCTETS, 64)
            except BlockingIOError:
                break
            _, _, _, timestamp, ssrc = _HEADER.unpack_from(datagram)
            seconds, nanoseconds = _TIME.unpack(ancillary[0][2])
            if ssrc not in streams:
                streams[ssrc], first[ssrc] = array("d"), timestamp
            arrived = seconds % 100_000 + nanoseconds * 1e-9
            streams[ssrc].append(arrived - (timestamp - first[ssrc] & 0xFFFFFFFF) / 8000)
            if echo:
                with suppress(BlockingIOError):
                    taken.sendto(_as_another(datagram), address)
    return streams


def _as_another(datagram: bytes) -> bytes:
    """The same from an SSRC of its own: nobody hears what he has sent himself (RFC 3550 §8.2)."""
    return datagram[:8] + bytes((datagram[8] ^ 0xFF,)) + datagram[9:]


if __name__ == "__main__":
    sys.exit(main())
