"""What was filed with one carrier and not with another: by whom a text may leave, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import Draft
from connector.config import load
from connector.errors import ConnectorError
from connector.jobs.gate import Gate
from connector.model import LiveJob
from protocols.rpc.job import parse_job
from tests.config.conftest import CARRIER, CONNECTOR, Folder
from tests.jobs.gates import gate_of

FILED = """\
lane = "verification"
purpose = "Signing in"
default_lang = "en"

[text]
en = "{code} is your code, {who}"

[params.code]
kind = "code"
[params.who]
kind = "name"

[[registrations]]
country = "GB"
carriers = ["north"]
sender = "ACMEGB"
pattern = { en = "{#var#} is your code, {#var#}" }
max_variable = 8

[[registrations]]
country = "GB"
carriers = ["south"]
pattern = { en = "{#var#} is your code, Noor" }
"""
JOB: dict[str, Any] = {"id": "j", "to": "+447700900123", "template": "filed"}


def lane(tmp_path: Path, application: str = "", template: str = FILED) -> Gate:
    folder = Folder(tmp_path / "lane")
    text = CONNECTOR.replace('senders = ["Acme", "60312"]', 'senders = ["Acme", "60312", "ACMEGB"]')
    folder.write("connector.toml", text.replace("uids = [2001]\n", f"uids = [2001]\n{application}"))
    for name in ("north", "south", "east"):
        folder.write(f"carriers/{name}.toml", CARRIER.replace('"acme"', f'"acme-{name}"'))
    folder.write("templates/filed.toml", template)
    folder.write("secrets/north", "s3cret\n", 0o600)
    return gate_of(load(folder.path))


def admit(gate: Gate, who: str, **job: Any) -> LiveJob:
    asked = {**JOB, "params": {"code": "482917", "who": who}, **job}
    return gate.admit(1, gate._config.applications[0], parse_job(asked)).job


def by_carrier(gate: Gate, job: LiveJob) -> dict[str, str]:
    """The sender, or why it cannot leave."""
    found = {}
    for name, draft in gate.drafts(job.content):
        if isinstance(draft, Draft):
            guise = (job.content.by_carrier or {}).get(name)
            found[name] = job.content.sender if guise is None else guise.sender
        else:
            assert isinstance(draft, Unsendable)
            found[name] = str(draft)
    return found


def test_each_carrier_gets_what_was_filed_with_it(tmp_path: Path) -> None:
    gate = lane(tmp_path)
    assert by_carrier(gate, admit(gate, "Noor")) == {"north": "ACMEGB", "south": "Acme", "east": "Acme"}


def test_one_whose_filed_text_is_another_cannot_carry_it(tmp_path: Path) -> None:
    gate = lane(tmp_path)
    found = by_carrier(gate, admit(gate, "Mona"))
    assert (found["north"], found["east"]) == ("ACMEGB", "Acme")
    assert found["south"].startswith("its text is not the one registered in GB: ")
    assert "Mona" not in found["south"]


def test_what_nobody_has_on_file_is_refused_with_its_place(tmp_path: Path) -> None:
    gate = lane(tmp_path)
    with pytest.raises(ConnectorError) as caught:
        admit(gate, "Maximiliana")
    error = caught.value
    assert (error.code, error.field, error.hint) == ("invalid_job", "template", "see the parameter who")
    text = "482917 is your code, Maximiliana"
    assert error.position is not None
    assert text[error.position[0] : error.position[1]] in "Maximiliana"
    assert "Maximiliana" not in str(error)


def test_elsewhere_nothing_was_filed(tmp_path: Path) -> None:
    gate = lane(tmp_path)
    found = by_carrier(gate, admit(gate, "Maximiliana", to="+4915112345678"))
    assert found == dict.fromkeys(("north", "south", "east"), "Acme")


def test_a_registered_sender_must_be_the_applications_too(tmp_path: Path) -> None:
    gate = lane(tmp_path, 'senders = ["Acme"]\n')
    found = by_carrier(gate, admit(gate, "Noor"))
    assert (found["south"], found["east"]) == ("Acme", "Acme")
    assert found["north"] == "the sender registered in GB is not registered for the application"


def test_a_job_pinned_to_one_that_has_another_text_is_refused(tmp_path: Path) -> None:
    gate = lane(tmp_path, 'carriers = ["south"]\nfallback = false\n')
    with pytest.raises(ConnectorError, match="not the one registered in GB") as caught:
        admit(gate, "Mona")
    assert caught.value.code == "invalid_job"
    assert by_carrier(gate, admit(gate, "Noor"))["south"] == "Acme"


def test_the_templates_sender_must_be_the_applications(tmp_path: Path) -> None:
    template = FILED.replace("[text]\n", '[senders]\ndefault = "60312"\nGB = "ACMEGB"\n[text]\n')
    gate = lane(tmp_path, 'senders = ["60312"]\n', template)
    assert admit(gate, "Noor", to="+4915112345678").content.sender == "60312"
    with pytest.raises(ConnectorError) as caught:
        admit(gate, "Noor")
    assert (caught.value.code, caught.value.field) == ("forbidden", "template")
    assert admit(gate, "Noor", sender="60312").content.sender == "60312"
