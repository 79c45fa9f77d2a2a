"""A speech worker that does what the text says: crash, hang, talk nonsense."""

import os
import struct
import sys
import time

from connector.segments import Text
from connector.voice.speech.wire import Hello, Refused, Settings, Speak, Spoken, encode, read


def write(octets: bytes) -> None:
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()


def answer(request: Speak) -> None:
    (segment,) = request.segments
    assert isinstance(segment, Text)
    match segment.text:
        case "crash":
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "nonsense":
            write(struct.pack("!I", 5) + b"\xc1\xc1\xc1\xc1\xc1")
        case "huge":
            write(struct.pack("!I", 0xFFFFFFFF))
        case "half":
            write(struct.pack("!I", 100) + b"x")
            os._exit(0)
        case "another":
            write(encode(Spoken(request.id + 1, b"", b"")))
        case "uneven":
            write(encode(Spoken(request.id, b"x", b"")))
        case "refuse":
            write(encode(Refused(request.id, "not this")))
        case text:
            write(encode(Spoken(request.id, text.encode(), text.encode())))


def main() -> None:
    settings = read(sys.stdin.buffer)
    assert isinstance(settings, Settings)
    if settings.engine == "mute":
        os._exit(1)
    write(encode(Hello("odd") if settings.engine == "odd" else Hello(problem="no engine here")))
    while isinstance(request := read(sys.stdin.buffer), Speak):
        answer(request)


main()
