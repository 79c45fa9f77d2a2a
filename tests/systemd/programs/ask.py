"""Connects to the Unix socket named by the first argument and prints what it answers, to the end."""

import socket
import sys

with socket.socket(socket.AF_UNIX) as sock:
    sock.settimeout(30)
    sock.connect(sys.argv[1])
    while data := sock.recv(65536):
        sys.stdout.write(data.decode())
