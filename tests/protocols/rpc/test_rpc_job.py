"""Every rule about a job is named when it is broken, and only then."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rpc.errors import JobError
from protocols.rpc.job import Job, parse_job, parse_preview

CODE: dict[str, Any] = {
    "id": "order-4711",
    "to": "+4915112345678",
    "template": "login-code",
    "lang": "de",
    "params": {"code": "482917"},
    "deadline_s": 20.0,
}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_job_with_everything():
    job = parse_job(
        CODE
        | {
            "journey": "sms-then-voice",
            "sender": "Bank",
            "on_unknown": "query",
            "class": "login",
            "supersedes": "login of 4711",
            "traceparent": TRACE,
        }
    )
    assert job == Job(
        id="order-4711",
        to="+4915112345678",
        template="login-code",
        lang="de",
        params={"code": "482917"},
        deadline_s=20.0,
        journey="sms-then-voice",
        sender="Bank",
        on_unknown="query",
        class_="login",
        supersedes="login of 4711",
        traceparent=TRACE,
    )
    assert msgspec.to_builtins(job)["class"] == "login"


@given(
    st.fixed_dictionaries(
        {
            "id": st.text("abc-é中 1", min_size=1, max_size=64),
            "to": st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"),
            "deadline_s": st.floats(0.001, 604800) | st.integers(1, 604800),
        },
        optional={
            "lang": st.sampled_from(["de", "zh-Hant-TW", "sr-Latn", "es-419", "de-CH-1996"]),
            "journey": st.sampled_from(["sms", "sms-then-voice"]),
            "sender": st.just("Bank"),
            "on_unknown": st.sampled_from(["report", "resend_once", "query"]),
            "class": st.text("xyz", min_size=1, max_size=32),
            "supersedes": st.text("xyz ", min_size=1, max_size=64),
            "traceparent": st.just(TRACE),
        },
    ),
    st.just({"text": "Hallo"})
    | st.just({"template": "t"})
    | st.fixed_dictionaries(
        {
            "template": st.just("t"),
            "params": st.dictionaries(
                st.text(),
                st.text()
                | st.integers(-(2**63), 2**64 - 1)
                | st.floats(allow_nan=False, allow_infinity=False),
            ),
        }
    ),
)
def test_good_jobs_survive_the_wire(required, content):
    job = parse_job(required | content)
    assert parse_job(msgspec.msgpack.decode(msgspec.msgpack.encode(job))) == job


BROKEN = [
    ("id", ["", "x" * 65, "a\n", "a\x00b", "\u202e", 7, None, b"x"]),
    (
        "to",
        [
            "",
            "4915112345678",
            "+049151",
            "+123456",
            "+1234567890123456",
            "+49 151 1234",
            "+49151１２３",
            "+4915112345678\n",
            49,
        ],
    ),
    ("template", ["", "x" * 65, 1]),
    ("lang", ["", "d", "de_DE", "de-", "-de", "de--AT", "toolongtag", "de-" + "x" * 9, "de\n", 5]),
    (
        "params",
        [
            [],
            "x",
            {"a": None},
            {"a": True},
            {"a": [1]},
            {"a": b"x"},
            {"a": math.nan},
            {"a": math.inf},
            {b"a": "x"},
        ],
    ),
    ("deadline_s", [0, -1, 0.0, -0.0, math.nan, math.inf, -math.inf, 604800.1, 2**70, "20", True]),
    ("journey", ["", "x" * 65, 1]),
    ("sender", ["", "x" * 65, 1]),
    ("on_unknown", ["", "resend", "REPORT", 1]),
    ("class", ["", "x" * 33, "a\nb", 1]),
    (
        "traceparent",
        [
            "",
            TRACE.upper(),
            TRACE[:-1],
            TRACE + "0",
            TRACE + "\n",
            "ff" + TRACE[2:],
            "00-" + "0" * 32 + TRACE[35:],
            TRACE[:36] + "0" * 16 + "-01",
        ],
    ),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BROKEN for value in values])
def test_a_broken_rule_names_its_key_and_what_is_expected(field, value):
    with pytest.raises(JobError) as refusal:
        parse_job(CODE | {field: value})
    assert refusal.value.field == field
    assert refusal.value.hint is not None
    assert refusal.value.hint.startswith("expected: ")


def test_neither_the_number_nor_the_code_is_repeated():
    for broken in ({"to": "+49 151 777"}, {"params": {"code": [482917]}}, {"params": {"code": math.inf}}):
        with pytest.raises(JobError) as refusal:
            parse_job(CODE | broken)
        assert "777" not in str(refusal.value) + str(refusal.value.hint)
        assert "482917" not in str(refusal.value) + str(refusal.value.hint)


@pytest.mark.parametrize("field", ["id", "to"])
def test_a_missing_key_is_named(field):
    with pytest.raises(JobError, match="is required") as refusal:
        parse_job({key: value for key, value in CODE.items() if key != field})
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("tempalte", "did you mean 'template'?"),
        ("deadline", "did you mean 'deadline_s'?"),
        ("class_", "did you mean 'class'?"),
    ],
)
def test_an_unknown_key_is_refused_with_a_near_name(key, hint):
    with pytest.raises(JobError) as refusal:
        parse_job(CODE | {key: 1})
    assert (refusal.value.field, refusal.value.hint) == (key, hint)


def test_a_strange_key_is_refused_with_the_known_ones():
    with pytest.raises(JobError) as refusal:
        parse_job(CODE | {"§" * 5000: 1})
    assert len(refusal.value.field) == 64
    assert "on_unknown, class, traceparent" in str(refusal.value.hint)
    with pytest.raises(JobError, match="keys must be strings"):
        parse_job(CODE | {b"id": 1})


def test_template_and_text_exclude_each_other_and_one_is_needed():
    with pytest.raises(JobError, match="both are given"):
        parse_job(CODE | {"text": "x"})
    bare = {key: CODE[key] for key in ("id", "to", "deadline_s")}
    with pytest.raises(JobError, match="neither is given"):
        parse_job(bare)
    with pytest.raises(JobError, match="params"):
        parse_job(bare | {"text": "x", "params": {}})
    with pytest.raises(JobError, match="text"):
        parse_job(bare | {"text": ""})
    assert parse_job(bare | {"text": "x"}).text == "x"


@pytest.mark.parametrize("obj", [None, [], "job", 5, b""])
def test_a_job_is_a_map(obj):
    with pytest.raises(JobError, match="a map is expected") as refusal:
        parse_job(obj)
    assert refusal.value.field == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.binary(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*CODE, "text", "class", "x", b"id", ""]), anything), st.booleans())
def test_anything_is_a_job_or_a_job_error(changes, complete):
    for parse in (parse_job, parse_preview):
        try:
            parse(CODE | changes if complete else changes)
        except JobError as refusal:
            assert refusal.field == "" or isinstance(refusal.field, str)


def test_a_preview_needs_only_content():
    assert parse_preview({"text": "Hallo"}).text == "Hallo"
    assert parse_preview(CODE).to == CODE["to"]
    for broken in (
        {},
        {"text": "x", "to": "1"},
        {"text": "x", "deadline_s": math.nan},
        {"text": "x", "id": "\n"},
    ):
        with pytest.raises(JobError):
            parse_preview(broken)


def test_codes_one_for_each_attempt():
    job = {**CODE, "params": {"minutes": 5}, "codes": ["111111", "222222"]}
    assert parse_job(job).codes == ("111111", "222222")
    assert parse_preview({"template": "t", "codes": ["1"]}).codes == ("1",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"codes": []}, "codes"),
        ({"codes": ["1"] * 9}, "codes"),
        ({"codes": [""]}, "codes"),
        ({"codes": ["1" * 65]}, "codes"),
        ({"codes": ["1\n"]}, "codes"),
        ({"codes": [482917]}, "codes"),
        ({"codes": "482917"}, "codes"),
        ({"codes": ["1"], "params": {"code": "1"}}, "codes"),
        ({"codes": ["1"], "params": None, "template": None, "lang": None, "text": "Hallo"}, "codes"),
        ({"supersedes": ""}, "supersedes"),
        ({"supersedes": "k" * 65}, "supersedes"),
        ({"supersedes": "k\t"}, "supersedes"),
    ],
)
def test_codes_and_keys_that_are_refused(change, field):
    job = {key: value for key, value in (CODE | {"params": {}} | change).items() if value is not None}
    with pytest.raises(JobError) as refusal:
        parse_job(job)
    assert refusal.value.field == field
    assert refusal.value.hint


def test_a_preview_supersedes_nothing():
    with pytest.raises(JobError, match="not a known key"):
        parse_preview({"text": "Hallo", "supersedes": "k"})
