"""Ports of 127.0.0.1 for servers that must be told theirs before they start; the tests take theirs here too.

They lie below the range from which the kernel gives a connection, or a socket on port 0, its own
(net.ipv4.ip_local_port_range), so between the look and the server's start nobody gets one by chance; each
process of a parallel test run has its own thousand.
"""

from __future__ import annotations

import os
import socket
from itertools import count
from random import SystemRandom
from typing import Final

__all__ = ["IN_A_ROW", "free_port"]

IN_A_ROW: Final = 10
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw8").removeprefix("gw")) % 9
_FIRST: Final = 10_000 + 1_000 * _WORKER
_ROWS: Final = 1_000 // IN_A_ROW
_next = count(SystemRandom().randrange(_ROWS))  # another run on this machine may have begun just before


def free_port() -> int:
    """An even port that nobody has, for UDP and TCP, and the `IN_A_ROW - 1` after it."""
    while True:
        first = _FIRST + IN_A_ROW * (next(_next) % _ROWS)
        if all(map(_is_free, range(first, first + IN_A_ROW))):
            return first


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
