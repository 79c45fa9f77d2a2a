import io
import json
import logging
import re
import subprocess
import sys
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.log import Id, configure, event

from .conftest import Output

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(
    lambda name: name not in ("level", "error", "journal_id")
)


@given(st.text(st.characters(codec=None)), st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_json_is_one_object_on_one_line(message: str, fields: dict[str, Any]) -> None:
    out = Output("json")
    event(out.logger, message, **fields)
    assert out.text.count("\n") == 1
    line = json.loads(out.text.encode("utf-8"), parse_constant=pytest.fail)
    assert datetime.fromisoformat(line["at"]).utcoffset() is not None
    assert (line["level"], line["logger"]) == ("info", "connector.tests")
    assert len(line) == 4 + len(fields)


@given(st.text(st.characters(codec=None)), st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_text_is_one_printable_line(message: str, fields: dict[str, Any]) -> None:
    out = Output("text")
    event(out.logger, message, **fields)
    assert len(out.text.splitlines()) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", out.text)


def test_a_text_line() -> None:
    out = Output("text")
    event(out.logger, "bound", carrier="acme", bind=1, reason="a b", job=Id("o-48213"), tags=["x"])
    at, rest = out.text.split(" ", 1)
    assert datetime.fromisoformat(at).utcoffset() is not None
    assert rest == 'INFO connector.tests: bound carrier=acme bind=1 reason="a b" job=o-48213 tags=["x"]\n'


def test_a_json_line() -> None:
    out = Output("json")
    event(out.logger, "100% bound", level=logging.WARNING, carrier="acme", message="m", ratio=float("inf"))
    (line,) = out.objects
    line.pop("at")
    assert line == {
        "level": "warning",
        "logger": "connector.tests",
        "message": "100% bound",
        "carrier": "acme",
        "message_": "m",
        "ratio": "inf",
    }


def test_a_forged_line_stays_within_its_own() -> None:
    out = Output("text")
    event(out.logger, "refused", reason="x\n2026-01-01T00:00:00 INFO connector: all is well\x1b[2J")
    assert len(out.text.splitlines()) == 1
    assert "\x1b" not in out.text


def test_a_traceback_keeps_its_line_numbers_and_causes() -> None:
    source = "\n" * 12345 + "def fail():\n    raise ValueError('to +4915112345678')\n"
    scope: dict[str, Any] = {}
    exec(compile(source, "made.py", "exec"), scope)
    out = Output("text")
    try:
        try:
            scope["fail"]()
        except ValueError as error:
            raise RuntimeError("while sending") from error
    except RuntimeError as error:
        event(out.logger, "failed", level=logging.ERROR, error=error)
    assert "RuntimeError: while sending\n  caused by:\n" in out.text
    assert '  File "made.py", line 12347, in fail\n' in out.text
    assert out.text.endswith("  ValueError: to …78\n")


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    out = Output("json")
    event(out.logger, "failed", error=first)
    assert out.objects[0]["error"].count("ValueError") == 2


def test_a_runaway_recursion_is_cut_short() -> None:
    def deeper() -> None:
        deeper()

    out = Output("json")
    try:
        deeper()
    except RecursionError as error:
        event(out.logger, "failed", error=error)
    assert out.objects[0]["error"].count("in deeper") == 30


def test_the_level_is_the_lowest_that_is_written() -> None:
    out = Output("json", level="warning")
    event(out.logger, "quiet")
    event(out.logger, "loud", level=logging.WARNING)
    assert [line["message"] for line in out.objects] == ["loud"]


def test_a_second_configuration_replaces_the_first() -> None:
    first, second = Output("json"), Output("json")
    event(second.logger, "once")
    assert (first.text, len(second.objects)) == ("", 1)


def test_warnings_are_logged() -> None:
    out = Output("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("to +4915112345678", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "UserWarning: to …78" in out.objects[0]["message"]


def test_a_stream_that_knows_only_ascii() -> None:
    octets = io.BytesIO()
    configure("info", "text", io.TextIOWrapper(octets, encoding="ascii"), environ={})
    event(logging.getLogger("connector"), "naïve", to="+4915112345678")
    assert rb"na\xefve" in octets.getvalue()


UNCAUGHT = """
import logging, sys, threading
from connector.log import configure, log_uncaught
configure("info", "json")
log_uncaught()

class Unraisable:
    def __del__(self):
        raise ValueError("deleted +4915112345678")

def fail(text):
    raise ValueError(text + " " + "+49151" + "12345678")

Unraisable()
threading.Thread(target=fail, args=("thread",)).start()
threading.Thread(target=sys.exit).start()
fail("main")
"""


def test_uncaught_exceptions_are_logged_and_redacted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCAUGHT],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in lines] == ["uncaught exception"] * 3
    ends = {line["error"].splitlines()[-1] for line in lines}
    assert ends == {"ValueError: deleted …78", "ValueError: thread …78", "ValueError: main …78"}
