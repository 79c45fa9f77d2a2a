"""No phone number, code, text or password is ever written, wherever it was planted."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.log import Id, event, mask_number, redact
from connector.log.redaction import SECRET_FIELDS, Digest, redact_value

from .conftest import Output

DIGITS = "0123456789"
NUMBERS = st.text(DIGITS, min_size=7, max_size=15).map(lambda digits: "+" + digits)
CODES = st.text(DIGITS, min_size=4, max_size=10)
SECRETS = NUMBERS | CODES
# No digits, x, hyphens or colons beside it: shapes such as 0x0000002A or a UUID keep their digits on purpose.
# No control characters but these two: their escapes (\u0000) are digits of our own.
BESIDE = st.text(
    st.characters(
        exclude_categories=["Nd", "Cc", "Cs", "Zl", "Zp"],
        exclude_characters="xX-:",
        include_characters="\n\t",
    ),
    max_size=8,
)
FORMATS = st.sampled_from(["json", "text"])


class Awkward:
    """Shows a secret in each of its forms."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __str__(self) -> str:
        return f"<Awkward {self.secret}>"

    __repr__ = __str__


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no form at all")

    __repr__ = __str__


def fail_deeply(text: str, secret: str) -> None:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            error.add_note(text)
            raise ValueError(text) from error
    except ValueError as error:
        raise ExceptionGroup(text, [OSError(2, text, text), error]) from None


PLACES = {
    "message": lambda log, text, secret: log.warning(text.replace("%", "%%"), *[]),
    "args": lambda log, text, secret: log.warning("got %s from %r", text, secret),
    "mapping args": lambda log, text, secret: log.warning("got %(a)s", {"a": text}),
    "bad format": lambda log, text, secret: log.log(30, text, secret),
    "extra": lambda log, text, secret: log.warning("x", extra={"whatever": text, "other": [secret]}),
    "field": lambda log, text, secret: event(
        log, "x", to=secret, note=text, id=Id("+" + secret.strip("+") * 2)
    ),
    "nested": lambda log, text, secret: event(log, "x", job={"a": [{"b": (text, {secret: 1})}]}),
    "too deep": lambda log, text, secret: event(log, "x", job=[[[[[[[[text, {secret}]]]]]]]]),
    "object": lambda log, text, secret: event(log, "x", job=Awkward(secret), jobs=[Awkward(text)]),
    "octets": lambda log, text, secret: event(log, "x", job=secret.encode(), pdu=bytearray(secret.encode())),
    "stack": lambda log, text, secret: log.warning("%s", text, stack_info=True),
}


@given(FORMATS, st.sampled_from(sorted(PLACES)), SECRETS, BESIDE, BESIDE)
def test_a_planted_secret_never_comes_out(
    format: Any, place: str, secret: str, before: str, after: str
) -> None:
    out = Output(format)
    PLACES[place](out.logger, before + secret + after, secret)
    assert out.text.endswith("\n")
    assert secret.strip("+") not in without_time(out, format)


@given(FORMATS, SECRETS, BESIDE, BESIDE)
def test_nor_does_one_in_an_exception(format: Any, secret: str, before: str, after: str) -> None:
    out = Output(format)
    try:
        fail_deeply(before + secret + after, secret)
    except ExceptionGroup:
        out.logger.exception("failed")
    assert "KeyError" in out.text
    assert secret.strip("+") not in without_time(out, format)


def without_time(out: Output, format: str) -> str:
    """What was written, less the time of the record: its year is four digits."""
    if format == "json":
        return "\n".join(json.dumps(line | {"at": ""}, ensure_ascii=False) for line in out.objects)
    return "\n".join(line.partition(" ")[2] if line[:2] == "20" else line for line in out.text.split("\n"))


@pytest.mark.parametrize("name", sorted(SECRET_FIELDS))
@pytest.mark.parametrize("value", ["hello", 493021, b"hello", ["hello"], {"hello": 1}, None])
def test_secret_fields_show_nothing(name: str, value: object) -> None:
    assert redact_value(value, name) == "***"
    assert redact_value({name.upper(): value}) == {name.upper(): "***"}
    out = Output("text")
    event(out.logger, "x", **{name: value})
    assert out.text.endswith(f" {name}=***\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +4915112345678 now", "to …78 now"),
        ("to +49 (151) 1234-5678", "to …78"),
        ("to 004915112345678", "to …78"),
        ("to 4915112345678", "to …78"),
        ("code 4930, 493021 or 4930217788", "code ***, *** or ***"),
        ("G-493021 代码493021是 ٤٩٣٠٢١", "G-*** 代码***是 ***"),
        (r"Job(text='it\'s 5', code=\"a\", x=1)", r"Job(text=***, code=\"a\", x=1)"),
        ('{"text": "hello", "x": 1}', '{"text": ***, "x": 1}'),
        ("SubmitSm(short_message=b'hello', x=1)", "SubmitSm(short_message=***, x=1)"),
        ("Job(params={'name': 'Bob'}, x=1)", "Job(params=***, x=1)"),
        ("body='never closed", "body=***"),
        ("12 of 100 parts", "12 of 100 parts"),
        ("3f2a1234-5678-4abc-9def-0123456789ab", "3f2a1234-5678-4abc-9def-0123456789ab"),
        ("10.1.2.3:2775 answered 0x0000042A", "10.1.2.3:2775 answered 0x0000042A"),
        ("", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+4915112345678", "…78"), ("49 151 1234", "…34"), ("60312", "***"), ("AcmeCode", "***"), ("", "***")],
)
def test_mask_number(number: str, shown: str) -> None:
    assert mask_number(number) == shown


@pytest.mark.parametrize(
    ("id", "shown"),
    [
        ("order-48213", "order-48213"),
        ("9308878062554710043", "9308878062554710043"),
        ("+4915112345678-1", "…78-1"),
        ("4915112345678/2", "…78/2"),
        ("+4930", "***"),
    ],
)
def test_an_id_keeps_its_digits_unless_it_may_be_a_number(id: str, shown: str) -> None:
    assert redact_value(Id(id)) == shown


def test_numbers_given_as_numbers_stay() -> None:
    values = {"port": 2775, "pid": 1234567, "ratio": 0.12345, "on": True, "none": None}
    assert redact_value(values) == values


def test_a_number_too_long_to_print_is_told_by_its_size() -> None:
    assert redact_value(10**5000) == "<int of 16610 bits>"


@pytest.mark.parametrize("format", ["json", "text"])
def test_what_has_no_form_still_gives_a_line(format: Any, capfd: pytest.CaptureFixture[str]) -> None:
    out = Output(format)
    out.logger.error("%s", Unprintable())
    out.logger.error(Unprintable())
    event(out.logger, "x", odd=Unprintable(), more=[Unprintable()])
    try:
        raise ValueError(Unprintable())
    except ValueError:
        out.logger.exception("failed")
    assert out.text.count("connector.tests") == 4
    assert out.text.count("[not formatted: RuntimeError]") >= 3
    assert capfd.readouterr().err == ""


def test_long_hostile_text_is_redacted_in_linear_time() -> None:
    for text in ("+" + "1 " * 200_000, "text" + " " * 200_000, "text={" * 50_000, "code='" + "\\" * 200_000):
        assert redact(text)  # the test's own time limit is the measure


def test_a_line_that_cannot_be_written_leaks_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    out = Output("text")
    out.stream.close()
    out.logger.error("to %s", "+4915112345678")
    assert capfd.readouterr() == ("", "")
    assert logging.raiseExceptions


def test_a_stack_is_redacted() -> None:
    out = Output("json")
    record = logging.makeLogRecord({"msg": "x", "name": "connector", "stack_info": "Stack: +4915112345678"})
    out.handler.handle(record)
    assert out.objects[0]["error"] == "Stack: …78"


def test_a_digest_is_kept_whole_and_nothing_else_passes_for_one() -> None:
    assert redact_value(Digest("9f86d081884c7d659f86d081884c7d65")) == "9f86d081884c7d659f86d081884c7d65"
    assert redact_value(Digest("1234567890123456")) == "1234567890123456"
    assert redact_value(Digest("482917")) == "***"
    assert redact_value(Digest("+4915112345678")) == "…78"
    assert redact_value(Digest("code 482917 and a long text")) == "code *** and a long text"
