"""The gate: defaults filled in, permissions and texts checked, the field named."""

from pathlib import Path
from typing import Any

import pytest

from connector.carriers.contract import Unsendable
from connector.config import Config, load
from connector.errors import ConnectorError
from connector.jobs.gate import Admission
from protocols.rpc.job import parse_job, parse_preview
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.jobs.gates import NOW, gate_of

JOB = {"id": "j1", "to": "+4915112345678", "template": "login-code", "params": {"code": "482917"}}
TEXT = {"id": "j1", "to": "+4915112345678"}


def config(tmp_path: Path, extra: str = "", carrier: str = CARRIER, application: str = "") -> Config:
    folder = Folder(tmp_path / "lane")
    text = CONNECTOR.replace("[jobs]\n", f"[jobs]\n{extra}")
    folder.write("connector.toml", text.replace("uids = [2001]\n", f"uids = [2001]\n{application}"))
    folder.write("carriers/north.toml", carrier)
    folder.write("templates/login-code.toml", TEMPLATE)
    folder.write("templates/offer.toml", TEMPLATE.replace('"verification"', '"marketing"'))
    folder.write("secrets/north", "s3cret\n", 0o600)
    return load(folder.path)


def admit(made: Config, key: bytes = b"k" * 32, **job: Any) -> Admission:
    gate = gate_of(made, key, 7)
    return gate.admit(3, made.applications[0], parse_job(JOB | job if "text" not in job else TEXT | job))


def refusal(made: Config, **job: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        admit(made, **job)
    return caught.value


def test_defaults(tmp_path: Path) -> None:
    made = config(tmp_path, "default_deadline_s = 20\nreceipt_wait_s = 100\non_unknown = 'resend_once'\n")
    job, digest, body, give_up_at = admit(made)
    assert (job.key, job.app, job.id, job.recipient) == (7, 3, "j1", "+4915112345678")
    assert (job.accepted_at, job.deadline_at, give_up_at) == (NOW, NOW + 20, NOW + 120)
    assert (job.content.text, job.content.sender) == ("482917 is your code", "Acme")
    assert job.on_unknown == "resend_once"
    assert (len(digest), body) == (32, '{"sms":[{"text":"482917 is your code","sender":"Acme"}]}')


def test_the_jobs_own_wishes(tmp_path: Path) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    job, *_ = admit(
        config(tmp_path), lang="de", deadline_s=9.5, sender="60312", on_unknown="report", traceparent=trace
    )
    assert (job.deadline_at, job.on_unknown) == (NOW + 9.5, "report")
    assert (job.content.text, job.content.sender, job.content.traceparent) == (
        "482917 ist Ihr Code", "60312", trace,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("job", "code", "field"),
    [
        ({"deadline_s": 90_000}, "invalid_job", "deadline_s"),
        ({"on_unknown": "query"}, "invalid_job", "on_unknown"),
        ({"journey": "sms-then-voice"}, "invalid_job", "journey"),
        ({"sender": "Acne"}, "forbidden", "sender"),
        ({"text": "free"}, "forbidden", "text"),
        ({"template": "offer"}, "forbidden", "template"),
        ({"template": "login-cod"}, "invalid_job", "template"),
        ({"params": {"code": "12ab"}}, "invalid_job", "params.code"),
    ],
)
def test_refused(tmp_path: Path, job: dict[str, Any], code: str, field: str) -> None:
    error = refusal(config(tmp_path), **job)
    assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize(
    ("job", "hint"),
    [
        ({"sender": "Acne"}, "did you mean 'Acme'?"),
        ({"sender": "Zzzzzz"}, "one of Acme, 60312"),
        ({"journey": "sns"}, "did you mean 'sms'?"),
    ],
)
def test_hints(tmp_path: Path, job: dict[str, Any], hint: str) -> None:
    assert refusal(config(tmp_path), **job).hint == hint


def test_an_applications_own_senders(tmp_path: Path) -> None:
    made = config(tmp_path, application='senders = ["60312"]\n')
    assert admit(made)[0].content.sender == "60312"  # the lane's default is not its own
    assert refusal(made, sender="Acme").field == "sender"


def test_free_text_and_its_length(tmp_path: Path) -> None:
    made = config(tmp_path, "free_text = true\nmax_parts = 2\n")
    assert admit(made, text="x" * 306)[0].content.text == "x" * 306
    assert refusal(made, text="x" * 307).field == "text"
    assert refusal(made, text="ж" * 135).field == "text"
    assert refusal(made, text="\ud800").field == "text"


def test_the_room_of_a_16_bit_reference(tmp_path: Path) -> None:
    """152 septets a part: what the gate lets through must fit the carrier that is there."""
    wide = CARRIER + '[text]\nlong_message = "udh16"\n'
    made = config(tmp_path, "free_text = true\nmax_parts = 2\n", carrier=wide)
    assert admit(made, text="x" * 304)
    assert refusal(made, text="x" * 305).field == "text"


def test_the_digest_tells_repetition_from_conflict(tmp_path: Path) -> None:
    made = config(tmp_path)
    first = admit(made, params={"code": "1"}).digest
    assert admit(made, params={"code": "1"}).digest == first
    assert admit(made, params={"code": "2"}).digest != first
    assert admit(made, params={"code": "1"}, to="+4915112345679").digest != first
    assert admit(made, params={"code": "1"}, key=b"other" * 6).digest != first


def test_rows_count_up(tmp_path: Path) -> None:
    made = config(tmp_path)
    gate = gate_of(made, b"k", 41)
    keys = [gate.admit(1, made.applications[0], parse_job(JOB)).job.key for _ in range(3)]
    assert keys == [41, 42, 43]


def test_preview_needs_no_recipient(tmp_path: Path) -> None:
    made = config(tmp_path)
    gate = gate_of(made, b"k", 1)
    preview = parse_preview({"template": "login-code", "params": {"code": "7"}})
    content = gate.sketch(preview, made.applications[0]).content
    ((name, draft),) = gate.drafts(content)
    assert not isinstance(draft, Unsendable)
    segments = draft.segments
    assert (content.text, name, segments.encoding) == ("7 is your code", "north", "gsm7")
    assert (len(segments.parts), segments.units) == (1, 14)


def test_one_carrier_that_can_send_it_is_enough(tmp_path: Path) -> None:
    latin = CARRIER + '[text]\nalphabets = [{ data_coding = 3, codec = "latin1" }]\n'
    made = config(tmp_path, "free_text = true\n", carrier=latin)
    assert admit(made, text="Grüße")
    error = refusal(made, text="Привет")
    assert (error.code, error.field) == ("invalid_job", "text")
    assert "U+041F at position 0" in str(error)
    folder = Folder(tmp_path / "lane")
    folder.write("carriers/south.toml", CARRIER.replace('"acme"', '"acme2"'))
    assert admit(load(folder.path), text="Привет")


def test_registered_ids_and_flash_come_from_the_template(tmp_path: Path) -> None:
    made = config(tmp_path)
    assert admit(made).job.content.registered is None
    folder = Folder(tmp_path / "lane")
    more = TEMPLATE.replace("[text]", "flash = true\n[registered]\ndlt_template_id = '1107'\n[text]")
    folder.write("templates/login-code.toml", more)
    content = admit(load(folder.path)).job.content
    assert (content.flash, content.registered) == (True, {"dlt_template_id": "1107"})


def test_a_carrier_that_answers_queries_permits_to_ask_for_it(tmp_path: Path) -> None:
    made = config(tmp_path, carrier=CARRIER + "[supports]\nquery_sm = true\n")
    assert admit(made, on_unknown="query").job.on_unknown == "query"
