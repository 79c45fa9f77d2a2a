"""`connector template check|render|list`, as a shell sees them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector.cli import main
from connector.cli.template import command
from tests.catalogue.shelf import CATALOGUE, REPOSITORY, TEMPLATES

LATIN1 = str(REPOSITORY / "config/profiles/latin1.toml")
HEAD = 'lane = "notification"\npurpose = "x"\ndefault_lang = "en"\n'


def template(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], prog_name="template")


def shown(*arguments: str | Path) -> dict[str, Any]:
    done = template(*arguments, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == 1
    return found


def file(folder: Path, body: str, name: str = "parcel") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(HEAD + body)
    return path


def test_the_catalogue_and_the_examples_are_right() -> None:
    for folder in ("catalogue", "verification", "notification", "marketing"):
        done = template("check", REPOSITORY / "config" / folder)
        assert (done.exit_code, done.stderr) == (0, ""), folder


def test_check_shows_the_parts_by_every_carrier() -> None:
    found = shown("check", CATALOGUE / "order-overdue.toml")
    assert found["ok"] and not found["problems"] and not found["notes"]
    (one,) = found["templates"]
    assert one["lane"] == "notification"
    assert one["languages"]["en"] == [
        {"carrier": "plain", "encoding": "gsm7", "parts": 1, "most": 1, "refused": None}
    ]
    assert [(fit["encoding"], fit["parts"], fit["most"]) for fit in one["languages"]["ru"]] == [
        ("ucs2", 2, 3)
    ]
    found = shown("check", REPOSITORY / "config/notification")
    carriers = {
        fit["carrier"] for one in found["templates"] for fits in one["languages"].values() for fit in fits
    }
    assert carriers == {"north", "east"}


def test_a_folder_of_instances() -> None:
    found = shown("check", REPOSITORY / "config")
    assert {one["lane"] for one in found["templates"]} == {"verification", "notification", "marketing"}
    files = [Path(one["file"]) for one in found["templates"]]
    assert {file.parent.name for file in files} == {"templates"}


def test_national_tables_save_parts() -> None:
    profile = REPOSITORY / "config/profiles/india-dlt.toml"
    done = template("check", CATALOGUE / "payment-confirmation.toml", "--profile", profile, "--json")
    (one,) = json.loads(done.stdout)["templates"]
    (fit,) = one["languages"]["hi"]
    assert (fit["carrier"], fit["encoding"], fit["parts"]) == ("india-dlt", "gsm7", 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('[text]\nen = "Hello {who}"\n', r":5: text\.en: \{who\} has no \[params\.who\]"),
        ('[text]\nen = "Hello"\n[params.n]\nkind = "number"\n', r":5: text\.en: does not use \{n\}"),
        ('[text]\nen = "Hello"\n[txt]\n', r":6: txt: unknown key.*did you mean"),
        (
            '[text]\nar = "{code} هو رمزك"\nen = "{code}"\n[params.code]\nkind = "code"\n',
            r":5: text\.ar: \{code\} may be shown in another order",
        ),
        ('[text]\nar = "Acme أرسلت طلبك إليك"\nen = "x"\n', r":5: text\.ar: begins with what runs from left"),
        (
            '[text]\nar = "يرجى الاتصال على +447700900199"\nen = "x"\n',
            r":5: text\.ar: a telephone number may be shown in another order",
        ),
        (
            '[text]\nar = "طلبك من Acme، {at}"\nen = "{at}"\n[params.at]\nkind = "time"\n',
            r":5: text\.ar: \{at\} begins with a figure and joins what runs from left",
        ),
        ('[text]\nen = "x"\nar = "\\u2067طلبك"\n', r":6: text\.ar: leaves a direction open, expected PDI"),
        (
            '[text]\nen = "x"\nar = "طلبك\\u2069"\n',
            r":6: text\.ar: closes a direction \(PDI\) that is not open",
        ),
        ('[text]\nen = "\\u202etfel"\n', r":5: text\.en: has a direction override"),
        ('[text]\nen = "Code\\u200e 1"\n', r":5: text\.en: has a direction mark and no letter from right"),
    ],
)
def test_every_problem_has_its_line(tmp_path: Path, body: str, said: str) -> None:
    path = file(tmp_path, body)
    done = template("check", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.search(re.escape(str(path)) + said, done.stderr), done.stderr


def test_marketing_wording_is_a_problem_where_the_lane_refuses_it(tmp_path: Path) -> None:
    body = '[text]\nen = "Big sale: buy now and save 50%!"\n'
    done = template("check", file(tmp_path, body))
    assert done.exit_code == 2
    assert "parcel.toml:5: text.en: has marketing wording (" in done.stderr
    assert "which the lane notification refuses, at character" in done.stderr
    (tmp_path / "parcel.toml").write_text((HEAD + body).replace("notification", "marketing"))
    assert template("check", tmp_path).exit_code == 0


def test_marketing_wording_in_a_call(tmp_path: Path) -> None:
    body = (
        '[text]\nen = "Your parcel"\n[voice.say]\nen = ["Your parcel.", "Big sale: buy now and save 50%!"]\n'
    )
    done = template("check", file(tmp_path, body))
    assert done.exit_code == 2
    assert "parcel.toml:7: voice.say.en: has marketing wording (" in done.stderr


def test_an_address_in_a_template_is_its_authors_choice(tmp_path: Path) -> None:
    body = '[text]\nen = "Your parcel: https://t.acme.example/help and {link}"\n[params.link]\nkind = "url"\n'
    path = file(tmp_path, body + 'allow = ["https://s.acme.example/"]\n')
    assert template("check", path).exit_code == 0


def test_the_registered_text_is_compared_character_by_character(tmp_path: Path) -> None:
    body = """
[text]
en = "Your parcel's code is {code}."
[params.code]
kind = "code"
[[registrations]]
country = "IN"
pattern = { en = "Your parcel’s code is {#var#}." }
"""
    done = template("check", file(tmp_path, body))
    assert done.exit_code == 2
    assert "parcel.toml:11: registrations[0].pattern.en: " in done.stderr
    assert "character 12: differs from the registered text" in done.stderr
    (tmp_path / "parcel.toml").write_text(HEAD + body.replace("’", "'"))
    assert template("check", tmp_path).exit_code == 0
    # The code may have ten characters, of which only eight were registered.
    (tmp_path / "parcel.toml").write_text(HEAD + body.replace("’", "'") + "max_variable = 8\n")
    done = template("check", tmp_path)
    assert (done.exit_code, "more than the 8 characters" in done.stderr) == (2, True)


def test_what_a_carrier_cannot_take_is_a_problem(tmp_path: Path) -> None:
    profile = tmp_path / "ascii.toml"
    latin1 = Path(LATIN1).read_text()
    narrow = re.sub(r"(?m)^alphabets = .*$", 'alphabets = [{ data_coding = 1, codec = "ascii" }]', latin1)
    assert narrow != latin1
    profile.write_text(narrow)
    folder = tmp_path / "templates"
    folder.mkdir()
    file(folder, '[text]\nen = "Order"\nde = "Größe"\n')
    done = template("check", folder, "--profile", profile)
    assert done.exit_code == 2
    assert "parcel.toml:6: text.de: cannot leave by ascii: " in done.stderr


def test_more_parts_than_the_lane_allows(tmp_path: Path) -> None:
    lane = tmp_path / "lane"
    shutil.copytree(REPOSITORY / "config/notification", lane)
    connector = (lane / "connector.toml").read_text()
    (lane / "connector.toml").write_text(connector.replace("max_parts = 6", "max_parts = 1"))
    done = template("check", lane)
    assert done.exit_code == 2
    assert (
        "order-in-locker.toml:26: text.ar: takes 2 parts by north, expected at most the 1 of" in done.stderr
    )
    assert "note: " in done.stderr and "may take 2 parts by east, more than the 1 of" in done.stderr


def test_notes_do_not_fail_a_check(tmp_path: Path) -> None:
    done = template("check", file(tmp_path, '[text]\nen = "Cafe\\u0301 "\n'))
    assert done.exit_code == 0
    assert "note: " in done.stderr
    assert "text.en: begins or ends with a blank" in done.stderr
    assert "text.en: is not in Unicode's composed form (NFC)" in done.stderr


def test_a_lane_with_other_faults_is_told_only_those_of_its_templates(tmp_path: Path) -> None:
    lane = tmp_path / "lane"
    shutil.copytree(REPOSITORY / "config/notification", lane)
    (lane / "connector.toml").write_text((lane / "connector.toml").read_text() + "\n[unknown]\n")
    assert template("check", lane).exit_code == 0
    file(lane / "templates", '[text]\nen = "{x}"\n')
    done = template("check", lane)
    assert done.exit_code == 2
    assert [line for line in done.stderr.splitlines() if "parcel.toml" not in line] == []


def test_json_of_a_failed_check(tmp_path: Path) -> None:
    path = file(tmp_path, '[text]\nen = "{x}"\n')
    done = template("check", path, "--json")
    assert done.exit_code == 2
    found = json.loads(done.stdout)
    assert (found["ok"], found["templates"]) == (False, [])
    (problem,) = found["problems"]
    assert (problem["file"], problem["line"], problem["key"]) == (str(path), 5, "text.en")


def test_an_empty_folder_and_a_broken_profile(tmp_path: Path) -> None:
    done = template("check", tmp_path)
    assert (done.exit_code, "holds no template" in done.stderr) == (2, True)
    (tmp_path / "carrier.toml").write_text("tps = 1\n")
    done = template("check", CATALOGUE, "--profile", tmp_path / "carrier.toml")
    assert (done.exit_code, "carrier.toml:1: " in done.stderr) == (2, True)


def test_render_from_the_catalogue() -> None:
    done = template("render", "login-code", "--lang", "pl", "--param", "code=482917", "--param", "minutes=22")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "482917 to kod Acme. Ważny 22 minuty. Nie podawaj go nikomu."
    assert "1 part, ucs2, 59 units" in done.stdout
    assert "in a call: the code, digit by digit, twice" in done.stdout


def test_render_as_json() -> None:
    found = shown("render", "new-device", "--lang", "de-AT", "--sample", "--param", "device=Firefox")
    assert found["template"] == "new-device"
    assert (found["lang"], found["version"], len(found["hash"])) == ("de", 1, 64)
    assert found["text"].startswith("Neue Anmeldung bei Ihrem Acme-Konto: Firefox, 23.11.2026, 14:30.")
    for value in found["values"]:
        assert found["text"][value["start"] : value["end"]]
    (carrier,) = found["carriers"]
    assert carrier == {
        "carrier": "plain", "encoding": "gsm7", "parts": 1, "units": 113, "refused": None, "sender": None,
        "registered": {},
    }  # fmt: skip
    said = found["call"]
    assert said["code"] is None
    assert said["message"][1:3] == [{"date": "2026-11-23"}, {"pause": 0.4}]


def test_render_with_an_instance_and_a_sender_of_the_country(tmp_path: Path) -> None:
    lane = tmp_path / "lane"
    shutil.copytree(REPOSITORY / "config/notification", lane)
    path = lane / "templates/order-shipped.toml"
    path.write_text(path.read_text() + '\n[senders]\nDE = "AcmeOps"\n')
    asked = ("render", "order-shipped", "--config", lane, "--lang", "de", "--sample")
    assert shown(*asked)["sender"] == "Acme", "the lane's default"
    assert shown(*asked, "--country", "de")["sender"] == "AcmeOps"
    assert {leaf["carrier"] for leaf in shown(*asked)["carriers"]} == {"north", "east"}


def test_render_for_a_country_where_it_was_registered(tmp_path: Path) -> None:
    lane = tmp_path / "lane"
    shutil.copytree(REPOSITORY / "config/notification", lane)
    path = lane / "templates/parcel-arrives.toml"
    filed = """
[[registrations]]
country = "IN"
carriers = ["north"]
sender = "AcmeOps"
ids = { pe_id = "1234567890123456789", template_id = "1207161234567890123" }
pattern = { en = "Acme: your parcel {#var#} arrives today between {#var#}." }
"""
    path.write_text(path.read_text() + filed)
    carrier = lane / "carriers/east.toml"
    carrier.write_text(carrier.read_text() + '\n[sender_rules]\nno_brands_in = ["IN"]\n')
    asked = ("render", "parcel-arrives", "--config", lane, "--sample", "--country", "IN")
    north, east = sorted(shown(*asked)["carriers"], key=lambda leaf: leaf["carrier"], reverse=True)
    assert (north["sender"], north["refused"]) == ("AcmeOps", None)
    assert north["registered"]["pe_id"] == "1234567890123456789"
    assert east["refused"] == "this carrier takes no brand as a sender in IN"
    path.write_text(path.read_text().replace("Acme: your parcel {#var#}", "Acme: Your parcel {#var#}"))
    done = template(*asked)
    assert (done.exit_code, "differs from the registered text" in done.stdout) == (1, True)
    assert "differs" not in template(*asked[:-1], "GB").stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("login-code", "--param", "code=1"), 1, "error: params.minutes: is missing"),
        (("login-code", "--sample", "--param", "code=12a"), 1, "error: params.code: is no code"),
        (("login-code", "--sample", "--param", "x=1"), 1, "error: params.x: is not the template's"),
        (("login-cod", "--sample"), 2, 'there is no template "login-cod", did you mean "login-code"?'),
        ((), 2, "expected the NAME of a template"),
        (("x", "--config", ".", "--file", __file__), 2, "exclude each other"),
        (("login-code", "--param", "code"), 2, "expected KEY=VALUE"),
    ],
)
def test_what_cannot_be_rendered(arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    done = template("render", *arguments)
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in done.stderr
    assert "12a" not in done.stderr, "a value may be a code"


def test_render_one_file_right_or_wrong(tmp_path: Path) -> None:
    path = file(tmp_path, '[text]\nen = "Hello {x}"\n[params.x]\nmax_length = 5\n')
    assert template("render", "--file", path, "--param", "x=you").stdout.startswith("Hello you\n")
    path = file(tmp_path, '[text]\nen = "Hello {y}"\n')
    done = template("render", "--file", path)
    assert (done.exit_code, "text.en: {y} has no" in done.stderr) == (2, True)


def test_a_template_that_is_not_valid_today_is_rendered(tmp_path: Path) -> None:
    path = file(tmp_path, 'valid_from = 2000-01-01\nvalid_until = 2001-01-01\n[text]\nen = "Then"\n')
    assert template("render", "--file", path).stdout.startswith("Then\n")
    assert template("check", path).exit_code == 0


def test_list_the_catalogue() -> None:
    done = template("list")
    assert done.exit_code == 0
    first, headings, *rows = done.stdout.splitlines()
    assert first == f"catalogue: {CATALOGUE}"
    assert headings.split() == ["TEMPLATE", "LANE", "CALL", "TAKES", "LANGUAGES"]
    assert [row.split()[0] for row in rows] == sorted(TEMPLATES)
    found = shown("list")
    assert found["folder"] == str(CATALOGUE)
    by_name = {one["name"]: one for one in found["templates"]}
    assert by_name.keys() == TEMPLATES.keys()
    login = by_name["login-code"]
    assert login["params"] == {"code": "code", "minutes": "number"}
    assert (login["voice"], login["values"]) == ("code", {"brand": "Acme"})
    assert by_name["new-device"]["voice"] == "message"
    assert by_name["order-shipped"]["voice"] is None
    assert Path(login["file"]).is_file()


def test_list_a_folder_with_a_fault(tmp_path: Path) -> None:
    file(tmp_path, '[text]\nen = "{x}"\n')
    file(tmp_path, '[text]\nen = "fine"\n', "fine")
    done = template("list", tmp_path)
    assert done.exit_code == 2
    assert "parcel.toml:5: text.en: " in done.stderr
    assert "fine" in done.stdout


def test_the_example_uses_the_catalogue_as_it_is() -> None:
    """An instance has copies; these are to be the same but for the place of the schema."""
    copies = [
        path
        for path in (REPOSITORY / "config/notification/templates").glob("*.toml")
        if path.stem in TEMPLATES
    ]
    assert {"order-shipped", "order-in-transit", "order-overdue"} <= {path.stem for path in copies}
    for path in copies:
        ours = (CATALOGUE / path.name).read_text("utf-8").splitlines()[1:]
        assert path.read_text("utf-8").splitlines()[1:] == ours, f"cp config/catalogue/{path.name}"


@pytest.mark.parametrize("arguments", [(), ("check",), ("render",), ("list",)])
def test_help_with_an_example(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["template", *arguments, "--help"])
    assert ended.value.code == 0
    assert "connector template" in capsys.readouterr().out.partition("Example")[2]


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from connector.cli import main\n"
        "try: main(['template', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'msgspec', 'icu4py', 'connector.config', 'rich'} & set(sys.modules), 'not lazy'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
