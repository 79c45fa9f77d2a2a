"""`connector demo --json` with its loopback recorded; to be run in a new network namespace.

usage: python record_demo.py CAPTURE_FILE KEEP_FOLDER; prints what the demo prints, ends with its exit code.
"""

import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.peers.capture import Capture

# netdevice(7): struct ifreq with ifr_name and ifr_flags.
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
IFREQ = struct.Struct("16sh14x")
LAST_WORDS = b"the demo has ended"

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, IFREQ.pack(b"lo", IFF_UP))
with Capture(Path(sys.argv[1]), "tcp") as capture:
    demo = subprocess.run([sys.executable, "-m", "connector", "demo", "--json", "--keep", sys.argv[2]])
    # Once this has been recorded, so has everything before it.
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as connection:
        connection.sendall(LAST_WORDS)
        capture.wait(LAST_WORDS)
    capture.stop()
sys.exit(demo.returncode)
