import io
import logging
import os
import socket
import struct
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.log import configure, event
from connector.log import journal as native

LOGGER = logging.getLogger("connector.tests")
STARTED = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def parse(datagram: bytes) -> dict[str, str]:
    """The native protocol read as its specification describes it."""
    fields: dict[str, str] = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", datagram)
            value, datagram = datagram[8 : 8 + length], datagram[8 + length + 1 :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def stderr(journald: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file that JOURNAL_STREAM calls the journal's, while the native socket is the test's."""
    monkeypatch.setattr(native, "SOCKET", journald.getsockname())
    with tempfile.TemporaryFile("w+") as stream:
        yield stream


def journal_stream(stream: Any) -> dict[str, str]:
    status = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def written(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read())


def test_records_go_to_the_journal_with_their_fields(journald: socket.socket, stderr: Any) -> None:
    configure("info", "text", stderr, journal_stream(stderr))
    event(LOGGER, "bound", journal_id=STARTED, carrier="acme", bind=1, to="+4915112345678", note="a\nb")
    assert parse(journald.recv(65536)) == {
        "MESSAGE": 'bound carrier=acme bind=1 to=…78 note="a\\nb"',
        "MESSAGE_ID": STARTED,
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "connector",
        "CONNECTOR_LOGGER": "connector.tests",
        "CONNECTOR_CARRIER": "acme",
        "CONNECTOR_BIND": "1",
        "CONNECTOR_TO": "…78",
        "CONNECTOR_NOTE": "a\nb",
    }
    assert written(stderr) == ""


def test_the_message_is_the_json_line_where_json_is_asked_for(journald: socket.socket, stderr: Any) -> None:
    configure("info", "json", stderr, journal_stream(stderr))
    event(LOGGER, "bound", carrier="acme")
    assert parse(journald.recv(65536))["MESSAGE"].endswith('"message": "bound", "carrier": "acme"}')


def test_a_traceback_is_in_the_message_and_redacted(journald: socket.socket, stderr: Any) -> None:
    configure("info", "text", stderr, journal_stream(stderr))
    event(LOGGER, "failed", level=logging.ERROR, error=ValueError("to +4915112345678"))
    fields = parse(journald.recv(65536))
    assert (fields["MESSAGE"], fields["PRIORITY"]) == ("failed\n  ValueError: to …78", "3")


def test_what_the_journal_refuses_goes_to_the_stream(journald: socket.socket, stderr: Any) -> None:
    configure("info", "text", stderr, journal_stream(stderr))
    event(LOGGER, "too big", level=logging.ERROR, note="x" * 4_000_000)
    journald.setblocking(False)
    with pytest.raises(BlockingIOError):
        journald.recv(65536)
    assert written(stderr).startswith("<3>20")
    assert "too big note=xxx" in written(stderr)


def test_a_journal_that_is_gone_costs_no_line(
    journald: socket.socket, stderr: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    configure("info", "text", stderr, journal_stream(stderr))
    os.unlink(journald.getsockname())
    event(LOGGER, "failed", level=logging.WARNING, error=ValueError("x"))
    lines = written(stderr).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("<4>") for line in lines)
    assert capfd.readouterr().err == ""


def test_a_journal_that_does_not_read_stops_nobody(journald: socket.socket, stderr: Any) -> None:
    configure("info", "text", stderr, journal_stream(stderr))
    for number in range(5000):
        event(LOGGER, "many", number=number)
    assert written(stderr).endswith("many number=4999\n")


@pytest.mark.parametrize("environ", [{}, {"JOURNAL_STREAM": "1:2"}, {"JOURNAL_STREAM": "nonsense"}])
def test_any_other_stream_is_written_to(stderr: Any, environ: dict[str, str]) -> None:
    configure("info", "text", stderr, environ)
    event(LOGGER, "here")
    assert written(stderr).endswith("connector.tests: here\n")


def test_a_stream_without_a_descriptor_is_not_the_journal() -> None:
    stream = io.StringIO()
    configure("info", "text", stream, {"JOURNAL_STREAM": "1:2"})
    event(LOGGER, "here")
    assert stream.getvalue()


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5), st.text())
def test_no_value_can_forge_a_field(fields: dict[str, str], message: str) -> None:
    record = logging.makeLogRecord({"msg": "x", "name": "connector", "levelno": 20, "fields": fields})
    found = parse(native.serialise(native_entry(record), message))
    assert found["MESSAGE"] == message
    for name in found:
        assert name in ("MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER") or name.startswith("CONNECTOR_")
        assert len(name) <= 64
        assert name.replace("_", "").isalnum() and name.isascii() and name == name.upper()


def native_entry(record: logging.LogRecord) -> Any:
    from connector.log.entry import entry_of

    return entry_of(record)


@pytest.mark.parametrize(
    ("level", "expected"), [(10, 7), (5, 7), (20, 6), (25, 6), (30, 4), (40, 3), (50, 2), (99, 2), (0, 7)]
)
def test_priorities(level: int, expected: int) -> None:
    assert native.priority(level) == expected
