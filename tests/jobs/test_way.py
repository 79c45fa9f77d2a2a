"""Journeys: what a call is made of, and what is refused for it."""

from pathlib import Path
from typing import Any

import pytest

from connector.config import load
from connector.errors import ConnectorError
from connector.jobs.gate import Admission
from connector.model import Voice
from connector.segments import Amount, Date, Digits, Pause, Text
from protocols.rpc.job import parse_job
from tests.config.trunk_folder import calling_lane
from tests.jobs.gates import gate_of

PARAMS = {"code": "482917", "amount": "5000", "day": "2026-03-01"}
JOB = {"id": "j", "to": "+4915112345678", "template": "payment", "params": PARAMS, "journey": "voice"}


def admit(folder: Path, **job: Any) -> Admission:
    config = load(folder)
    gate = gate_of(config, b"k" * 32, 1)
    return gate.admit(1, config.applications[0], parse_job({**JOB, **job}))


def test_what_a_call_says(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path).path
    job = admit(folder).job
    segments = (Text("A payment of"), Amount("5000", "EUR"), Pause(0.5), Date("2026-03-01"))
    assert job.content.voice == Voice("", "en", "482917", segments)
    assert (job.channel, job.content.sender) == ("voice", "")
    german = admit(folder, lang="de-AT", journey="warning", sender="+4930123456").job.content
    segments = (Text("Eine Zahlung über"), Amount("5000", "EUR"), Digits("482917"))
    assert (german.voice, german.sender) == (Voice("warn", "de", "482917", segments), "+4930123456")
    assert "482917" not in repr(german)


def test_a_call_may_last_beyond_the_deadline(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path).path
    admission = admit(folder, deadline_s=10)
    assert admission.give_up_at > admission.job.deadline_at + 600
    text_message = admit(folder, journey="sms")
    assert text_message.job.channel == "sms"


@pytest.mark.parametrize(
    ("job", "code", "field"),
    [
        ({"template": "login-code", "params": {"code": "1"}}, "invalid_job", "template"),
        ({"journey": "voices"}, "invalid_job", "journey"),
        ({"to": "+33123456789"}, "invalid_job", "to"),
        ({"sender": "Acme"}, "forbidden", "sender"),
        ({"params": {**PARAMS, "amount": "5,000"}}, "invalid_job", "params.amount"),
        ({"params": {**PARAMS, "day": "1.3.2026"}}, "invalid_job", "params.day"),
        ({"params": {**PARAMS, "code": "48a9"}}, "invalid_job", "params.code"),
    ],
)
def test_refused(tmp_path: Path, job: dict[str, Any], code: str, field: str) -> None:
    folder = calling_lane(tmp_path)
    with pytest.raises(ConnectorError) as caught:
        admit(folder.path, **job)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_application_with_senders_of_its_own_shows_no_other_caller_id(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    folder.edit("connector.toml", "uids = [2001]", 'uids = [2001]\nsenders = ["Acme"]')
    assert admit(folder.path).job.content.sender == ""
    with pytest.raises(ConnectorError) as caught:
        admit(folder.path, sender="+4930123456")
    assert (caught.value.code, caught.value.field) == ("forbidden", "sender")


def test_a_text_cannot_be_said(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    config = load(folder.path)
    gate = gate_of(config, b"k" * 32, 1)
    job = parse_job({"id": "j", "to": "+4915112345678", "text": "482917", "journey": "voice"})
    with pytest.raises(ConnectorError) as caught:
        gate.admit(1, config.applications[0], job)
    assert (caught.value.code, caught.value.field) == ("invalid_job", "text")


def test_a_language_without_prompts(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    folder.edit("connector.toml", '["en", "de"]', '["en"]')
    with pytest.raises(ConnectorError) as caught:
        admit(folder.path, lang="de")
    assert caught.value.field == "lang"


def test_without_carriers_voice_is_the_usual_way(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    (folder.path / "carriers/north.toml").unlink()
    job = {key: value for key, value in JOB.items() if key != "journey"}
    config = load(folder.path)
    gate = gate_of(config, b"k" * 32, 1)
    assert gate.admit(1, config.applications[0], parse_job(job)).job.channel == "voice"
    with pytest.raises(ConnectorError, match="expected: one of call, voice, warning"):
        gate.admit(1, config.applications[0], parse_job({**job, "journey": "sms"}))
