"""trunks/*.toml, and what connector.toml and templates say of calls."""

from pathlib import Path

import pytest

from connector.config import load, read_instance, shared_problems
from connector.config.trunk import NationalForm, TrunkDestination
from connector.config.voice import CALL_LANGUAGES, call_language

from .conftest import MakeFolder
from .trunk_folder import SPOKEN, TRUNK, with_trunk

MAIN, WEST, PAYMENT = "connector.toml", "trunks/west.toml", "templates/payment.toml"


def test_a_trunk_as_it_is_loaded(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    config = load(folder.path)
    (trunk,) = config.trunks
    assert (trunk.name, trunk.enabled, trunk.trunk.transport, trunk.srtp) == ("west", True, "udp", False)
    assert trunk.password_path == str(folder.path / "secrets/west")
    assert config.journeys["warning"].steps[0].script == "warn"
    assert config.scripts["warn"].agent == "+4930999"


def test_recordings_are_sought_from_the_lanes_folder(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    main = folder.path / MAIN
    main.write_text(main.read_text() + '[voice.speech]\nrecordings = "prompts"\n')
    assert load(folder.path).voice.speech.recordings == str(folder.path / "prompts")


def test_trunks_alone_make_an_instance(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    (folder.path / "carriers/north.toml").unlink()
    (folder.path / "carriers").rmdir()
    assert [trunk.name for trunk in load(folder.path).trunks] == ["west"]


def test_nothing_at_all_makes_none(make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder.path / "carriers/north.toml").unlink()
    (problem,) = read_instance(folder.path, {}).problems
    assert problem.code == "config_no_carrier"


CASES = [
    (WEST, "[calls]", '[media]\nsrtp = "required"\n[calls]', "media.srtp", "sends its keys in clear"),
    (WEST, "[calls]", "[tls]\n[calls]", "tls", 'does not go with transport = "udp"'),
    (WEST, 'username = "acme"\n', "", "trunk.username", "is missing"),
    (WEST, "secrets/west", "secrets/east", "trunk.password_file", "cannot be read"),
    (WEST, 'host = "sip.example"', 'host = "sip.example"\nstandby = ["b.example:0"]', "trunk.standby[0]",
     "no such port"),
    (WEST, "per_s = 5", "per_s = 5\nsession_expires_s = 60", "calls.session_expires_s", "at least 90"),
    (WEST, "[destination]", '[destination]\nform = "national"', "destination.national", "do not go together"),
    (WEST, "[calls]", '[media]\ncodecs = ["PCMU", "PCMU"]\n[calls]', "media.codecs", "repeats a codec"),
    (MAIN, 'script = "warn"', 'script = "warm"', "journeys.warning.script", "did you mean"),
    (MAIN, "[journeys.call]", "[journeys.voice]", "journeys.voice", "is built in"),
    (MAIN, '[journeys.warning]\nchannel = "voice"', '[journeys.warning]\nchannel = "sms"',
     "journeys.warning.script", "is for calls"),
    (MAIN, '["en", "de"]', '["en", "de"]\nrtp_ports = [20000, 20000]', "voice.rtp_ports", "no pair of ports"),
    (MAIN, '["en", "de"]', '["en", "de"]\nrtp_ports = [20001, 20002]', "voice.rtp_ports", "no pair of ports"),
    (MAIN, '["en", "de"]', '["en", "de"]\nrtp_ports = [20001, 20020]', "voice.rtp_ports", "room for 9 calls"),
    (MAIN, '["en", "de"]', '["en", "de"]\nspeech = { engine = "piper" }', "voice.speech.piper_voices",
     "do not go together"),
    (MAIN, '["en", "de"]', '["en", "dee"]', "voice.languages[1]", 'did you mean "de"?'),
    (MAIN, '["en", "de"]', '["th"]', "voice.languages[0]", '"th" cannot be spoken, expected one of ar, bg,'),
    (PAYMENT, '{ pause = 0.5 }', '{ pause = 0.5, digits = "code" }', "voice.say.en[2]", "exactly one of"),
    (PAYMENT, "{ pause = 0.5 }", "{ pause = 90 }", "voice.say.en[2].pause", "expected seconds, more than 0"),
    (PAYMENT, "{ pause = 0.5 }", "{ paus = 0.5 }", "voice.say.en[2].paus", 'did you mean "pause"?'),
    (PAYMENT, '{ date = "day" }', '{ date = "days" }', "voice.say.en[3].date", "no [params.days]"),
    (PAYMENT, '{ digits = "code" }', '{ digits = "amount" }', "voice.say.de[2].digits", 'kind = "digits"'),
    (PAYMENT, 'code = "code"\n', 'code = "kode"\n', "voice.code", "no [params.kode]"),
    (PAYMENT, "de = [", "fr = [", "voice.say.fr", "no text of the language"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "key", "message"), CASES)
def test_what_contradicts_itself(
    make_folder: MakeFolder, file: str, old: str, new: str, key: str, message: str
) -> None:
    folder = with_trunk(make_folder())
    folder.edit(file, old, new)
    problems = {problem.key: problem.message for problem in read_instance(folder.path, {}).problems}
    assert key in problems, problems
    assert message in problems[key]


@pytest.mark.parametrize("tag", ["pt-BR", "DE_at", "no", "zh-Hant-TW", "yue"])
def test_a_language_is_looked_up(make_folder: MakeFolder, tag: str) -> None:
    folder = with_trunk(make_folder())
    folder.edit(MAIN, '["en", "de"]', f'["{tag.replace("_", "-")}"]')
    assert read_instance(folder.path, {}).problems == ()
    assert call_language(tag) in CALL_LANGUAGES


def test_a_language_may_have_recordings_alone(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    folder.edit(MAIN, '["en", "de"]', '["th-TH", "he"]\nspeech = { recordings = "prompts" }')
    folder.write("prompts/th/manifest.toml", "")
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.key, problem.line) == ("voice.languages[1]", problem_line(folder.path / MAIN))
    assert '"he" cannot be spoken' in problem.message


def problem_line(path: Path) -> int:
    return next(
        at for at, line in enumerate(path.read_text().splitlines(), 1) if line.startswith("languages")
    )


def test_a_trunk_that_is_switched_off_needs_no_password_and_serves_no_journey(
    make_folder: MakeFolder,
) -> None:
    folder = with_trunk(make_folder(), "enabled = false\n" + TRUNK.replace("secrets/west", "secrets/nowhere"))
    problems = read_instance(folder.path, {}).problems
    assert {problem.key for problem in problems} == {"journeys.call.channel", "journeys.warning.channel"}


def test_the_spoken_template_is_right(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    folder.write("templates/again.toml", SPOKEN)
    assert read_instance(folder.path, {}).problems == ()


@pytest.mark.parametrize(
    ("form", "dialled"),
    [("plus", "+493012"), ("digits", "493012"), ("zeros", "00493012"), ("national", "03012")],
)
def test_how_a_number_is_dialled(form: str, dialled: str) -> None:
    national = NationalForm(country_code="49") if form == "national" else None
    destination = TrunkDestination(form=form, national=national)  # type: ignore[arg-type]
    assert destination.of("+493012") == dialled
    assert destination.takes("+33123")


def test_lanes_share_no_trunk(make_folder: MakeFolder) -> None:
    first, second = (with_trunk(make_folder(name)) for name in "ab")
    problems = shared_problems([read_instance(folder.path, {}) for folder in (first, second)])
    messages = " ".join(problem.message for problem in problems)
    for claim in (
        "the trunk account acme at sip.example",
        "the sender id +4930123456",
        "the RTP range 20000 to 29999 belongs to",
    ):
        assert claim in messages


def test_one_file_for_each_account(make_folder: MakeFolder) -> None:
    folder = with_trunk(make_folder())
    folder.write("trunks/west2.toml", TRUNK.replace("+4930123456", "+4930123457").replace("sip.ex", "SIP.ex"))
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.file.endswith("trunks/west2.toml"), problem.key) == (True, "trunk.host")
