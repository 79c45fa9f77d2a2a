"""Journeys, routes, pins and quiet hours that contradict themselves, or name what is not there."""

from pathlib import Path

import pytest

from connector.config import read_instance
from tests.config.conftest import CARRIER, Folder
from tests.config.trunk_folder import VOICE, calling_lane

STEP = '[[journeys.code.steps]]\nchannel = "sms"\n'
STEPS = f"[journeys.code]\n{STEP}{STEP}"
SCRIPT = '[scripts.login]\nkind = "code"\n'
QUIET = '[quiet_hours]\nfrom = "21:00"\nuntil = "08:00"\n'


def problems(folder: Folder) -> list[str]:
    return [f"{problem.key}: {problem.message}" for problem in read_instance(folder.path, {}).problems]


@pytest.mark.parametrize(
    ("added", "key", "words"),
    [
        (STEPS + 'start = "after"\n', "journeys.code.steps[1].after_s", 'start = "after" with'),
        (STEPS + "after_s = 3\n", "journeys.code.steps[1].after_s", 'start = "after" with'),
        (STEPS + 'carriers = ["nort"]\n', "journeys.code.steps[1].carriers[0]", 'did you mean "north"?'),
        (STEPS + 'countries = ["UK"]\n', "journeys.code.steps[1].countries[0]", 'did you mean "GB"?'),
        (STEPS + 'script = "login"\n' + SCRIPT, "journeys.code.steps[1].script", "is for calls"),
        (STEPS.replace('"sms"', '"voice"', 1), "journeys.code.steps[0].channel", "trunk in trunks/"),
        (STEPS.replace("[[", 'channel = "sms"\n[[', 1), "journeys.code", "expected one of them"),
        ('[journeys.sms]\nchannel = "sms"\n', "journeys.sms", "is built in"),
        ('[[routes]]\ncountry = "XQ"\ncarriers = ["north"]\n', "routes[0].country", "is no country"),
        ('[[routes]]\ncarriers = ["north"]\n', "routes[0]", "expected exactly one"),
        ('[[routes]]\nprefix = "+1"\ncarriers = ["nort"]\n', "routes[0].carriers", 'did you mean "north"?'),
        (QUIET + 'zone = "Europe/Berln"\n', "quiet_hours.zone", 'did you mean "Europe/Berlin"?'),
        (QUIET.replace("08", "21"), "quiet_hours.until", "equals `from`"),
    ],
)
def test_what_is_wrong_is_told_once(folder: Folder, added: str, key: str, words: str) -> None:
    folder.edit("connector.toml", "[jobs]", f"{added}\n[jobs]")
    (problem,) = problems(folder)
    assert problem.startswith(key)
    assert words in problem


def test_all_calls_of_a_journey_follow_one_script(tmp_path: Path) -> None:
    lane = calling_lane(tmp_path)
    call = '[[journeys.twice.steps]]\nchannel = "voice"\n'
    calls = f'{call}script = "warn"\n{call}'
    lane.edit("connector.toml", VOICE, f"{VOICE}[journeys.twice]\n{calls}")
    (problem,) = problems(lane)
    assert problem.startswith("journeys.twice.steps[1].script: differs from that of steps[0]")


def test_nobody_to_stay_with(folder: Folder) -> None:
    folder.edit("connector.toml", "uids = [2001]", "uids = [2001]\nfallback = false")
    folder.edit("templates/login-code.toml", "[text]", "fallback = false\n[text]")
    of_template, of_application = problems(folder)
    assert of_template.startswith("fallback: is false without `carriers`")
    assert of_application.startswith("application[0].fallback: is false without `carriers`")


def test_who_names_a_faulty_carrier_is_not_at_fault(folder: Folder) -> None:
    folder.edit("connector.toml", "[jobs]", f'{STEPS}carriers = ["north"]\n\n[jobs]\njourney = "code"')
    folder.write("carriers/north.toml", CARRIER.replace("tps = 100", "tps = 0"))
    (problem,) = problems(folder)
    assert problem.startswith("binds.tps: ")
