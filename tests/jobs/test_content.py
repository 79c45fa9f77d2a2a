"""The content gate where jobs and templates meet it: what is held against whom, and where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import check
from connector.config import Config, load
from connector.config.problem import ConfigError
from connector.errors import ConnectorError
from connector.jobs.content import require_templates, template_problems
from connector.jobs.gate import Admission
from connector.metrics import Metrics
from protocols.rpc.job import parse_job, parse_preview
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.config.trunk_folder import calling_lane
from tests.jobs.gates import gate_of

NOTE = """\
lane = "verification"
purpose = "A note"
default_lang = "en"

[text]
en = "Dear {who}, your parcel {code}: {note} ({link})"

[params.who]
kind = "name"
[params.code]
kind = "code"
[params.note]
kind = "text"
max_length = 60
[params.link]
kind = "url"
allow = ["https://buy.now.example/"]
"""
FILLED = {"who": "Noor", "code": "482917", "note": "at the door", "link": "https://buy.now.example/free-gift"}
JOB = {"id": "j1", "to": "+447700900123", "template": "note"}


def lane(tmp_path: Path, connector: str = "", template: str = NOTE) -> Config:
    folder = Folder(tmp_path / "lane")
    folder.write("connector.toml", CONNECTOR + connector)
    folder.write("carriers/north.toml", CARRIER)
    folder.write("templates/note.toml", template)
    folder.write("secrets/north", "s3cret\n", 0o600)
    return load(folder.path)


def admit(config: Config, metrics: Metrics | None = None, **job: Any) -> Admission:
    asked = {**JOB, "params": FILLED, **job}
    if "text" in job:
        del asked["template"], asked["params"]
    return gate_of(config, metrics=metrics).admit(1, config.applications[0], parse_job(asked))


def refusal(config: Config, metrics: Metrics | None = None, **job: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        admit(config, metrics, **job)
    return caught.value


def with_note(note: str) -> dict[str, Any]:
    return {"params": {**FILLED, "note": note}}


def test_ordinary_words_pass_and_an_address_that_is_permitted_is_not_read(tmp_path: Path) -> None:
    text = admit(lane(tmp_path)).job.content.text
    assert text == "Dear Noor, your parcel 482917: at the door (https://buy.now.example/free-gift)"


@pytest.mark.parametrize(
    ("note", "position"),
    [
        ("Buy now", (0, 7)),
        ("at the door. Buy now!", (13, 20)),
        ("\N{GRINNING FACE} Buy now", (2, 9)),
        ("\N{FAMILY}\N{ZERO WIDTH JOINER}\N{BOY} x b\u200bu\u200by now", (6, 15)),
        ("\uff22\uff35\uff39 \uff2e\uff2f\uff37", (0, 7)),
    ],
)
def test_a_value_is_refused_with_its_place_in_it(
    tmp_path: Path, note: str, position: tuple[int, int]
) -> None:
    metrics = Metrics()
    error = refusal(lane(tmp_path), metrics, **with_note(note))
    assert (error.code, error.field, error.position) == ("content", "params.note", position)
    assert error.guard is None
    assert note not in f"{error} {error.message} {error.hint}"
    assert metrics.content_refused["lexicon"] == 1


def test_words_split_over_fixed_text_and_value(tmp_path: Path) -> None:
    template = NOTE.replace(
        "Dear {who}, your parcel {code}: {note} ({link})", "{who} {code} {link} Buy {note}"
    )
    error = refusal(lane(tmp_path, template=template), **with_note("now"))
    assert (error.code, error.field) == ("content", "template")
    assert error.position is not None
    text = admit(lane(tmp_path, template=template), **with_note("its")).job.content.text
    assert text[slice(*error.position)] == "Buy its"


def test_what_the_author_has_answered_for_is_not_held_against_the_job(tmp_path: Path) -> None:
    template = NOTE.replace("Dear {who}", "Buy now at www.acme.example, {who}")
    config = lane(tmp_path, template=template)
    assert [problem.key for problem in template_problems(config)] == ["text.en"]
    assert admit(config).job.content.text.startswith("Buy now")
    assert refusal(config, **with_note("or Buy now")).field == "params.note"


def test_words_that_only_a_call_puts_together(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    said = """\
lane = "verification"
purpose = "A note"
default_lang = "en"
syntax = "icu"
[text]
en = "{code} is your code for {note}"
[params.code]
kind = "code"
[params.note]
kind = "text"
max_length = 60
[voice]
code = "code"
say = { en = ["Please buy {note}"] }
"""
    folder.write("templates/note.toml", said)
    config = load(folder.path)
    job: dict[str, Any] = {"to": "+4915112345678", "journey": "voice"}
    error = refusal(config, **job, params={"code": "482917", "note": "Buy now"})
    assert (error.code, error.field, error.position) == ("content", "params.note", (0, 7))
    error = refusal(config, **job, params={"code": "482917", "note": "now"})
    assert (error.code, error.field, error.position) == ("content", "template", None)
    assert admit(config, **job, params={"code": "482917", "note": "milk"})


def test_each_of_several_codes_is_judged_once_with_its_text(tmp_path: Path) -> None:
    config = lane(tmp_path)
    params = {name: value for name, value in FILLED.items() if name != "code"}
    body = admit(config, params=params, codes=["482917", "571103"]).job.body
    assert ["571103" in content.text for content in body.sms] == [False, True]
    error = refusal(config, params={**params, "note": "Buy now"}, codes=["482917", "571103"])
    assert error.field == "params.note"


def test_free_text(tmp_path: Path) -> None:
    config = lane(tmp_path, "free_text = true\n")
    assert admit(config, text="Your code is 482917")
    error = refusal(config, text="482917. \N{GRINNING FACE} Get 20% off!")
    assert (error.code, error.field) == ("content", "text")
    assert error.position == (14, 21)
    assert "482917" not in str(error)


def test_a_preview_is_judged_alike(tmp_path: Path) -> None:
    config = lane(tmp_path)
    preview = parse_preview({"template": "note", "params": {**FILLED, "note": "Buy now"}})
    with pytest.raises(ConnectorError) as caught:
        gate_of(config).sketch(preview, config.applications[0])
    assert (caught.value.code, caught.value.position) == ("content", (0, 7))


@pytest.mark.parametrize(
    "connector",
    ['[content]\nmarketing = "allow"\n', '[content]\nallow = ["Buy now"]\n'],
    ids=["lane", "phrase"],
)
def test_what_the_operator_permits(tmp_path: Path, connector: str) -> None:
    assert admit(lane(tmp_path, connector), **with_note("Buy now"))


def test_fixed_words_wherever_they_stand(tmp_path: Path) -> None:
    template = """\
lane = "verification"
purpose = "A note"
default_lang = "en"
syntax = "icu"
[values]
brand = "Buy now"
[text]
en = "{n, plural, one {Get # parcel} other {Get {n}% off}}"
de = "{brand}: {n}"
[params.n]
kind = "number"
"""
    config = lane(tmp_path, template=template)
    problems = [(problem.key, problem.message.partition(",")[0]) for problem in template_problems(config)]
    assert problems == [("text.en", '"{percent} off" offers a price'), ("text.de", '"buy now" is marketing')]


def test_what_a_call_always_says(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    folder.edit("templates/payment.toml", '"A payment of"', '"Buy now {x}"')
    config = load(folder.path)
    assert {problem.key for problem in template_problems(config)} == {"voice.say.en"}
    with pytest.raises(ConfigError):
        require_templates(config)


def test_check_tells_of_it_also_where_systemd_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    lane(tmp_path, template=TEMPLATE.replace("is your code", "Buy now"))
    folder = Folder(tmp_path / "lane")
    folder.edit("carriers/north.toml", 'password_file = "secrets/north"', 'password_credential = "north"')
    done = CliRunner().invoke(check.command, [str(folder.path)])
    assert done.exit_code == 2
    assert f"{folder.path}/templates/note.toml:6: text.en: characters 8 to 14: " in done.output


def test_names_of_variables_are_no_words(tmp_path: Path) -> None:
    template = TEMPLATE.replace("{code} is", "{buy} {now} is").replace("{code} ist", "{buy} {now} ist")
    params = '[params.buy]\nkind = "code"\n[params.now]\nkind = "code"\n'
    config = lane(tmp_path, template=template.partition("[params.code]")[0] + params)
    assert template_problems(config) == []


def test_templates_of_other_lanes_may_say_so(tmp_path: Path) -> None:
    template = TEMPLATE.replace('"verification"', '"marketing"').replace("is your code", "Buy now")
    assert template_problems(lane(tmp_path, template=template)) == []
