"""What [guards] may say, and what contradicts itself."""

import shutil
from pathlib import Path

import pytest

from connector.config import read_instance
from connector.config.guards import GuardRules
from connector.routing.guards import guard_settings

EXAMPLE = Path(__file__).parents[2] / "config" / "verification"


def problems(folder: Path, old: str, new: str) -> list[str]:
    copy = folder / "verification"
    shutil.copytree(EXAMPLE, copy)
    file = copy / "connector.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    found = read_instance(copy, {}).problems
    return [
        f"{problem.key}: {problem.message}"
        for problem in found
        if "guards" in problem.key or "application" in problem.key
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("# allowed = []", 'allowed = ["UK"]  #', "guards.countries.allowed[0]", 'did you mean "GB"?'),
        ("# countries = []            # an", 'countries = ["EL"] #', "application[0].countries[0]", '"GR"?'),
        ("# usual = []", 'usual = ["XQ"]  #', "guards.velocity_country.usual[0]", "is no country"),
        ("# countries = {}            # an example: { DE = 200 }", "countries = { XQ = 1 }",
         "guards.voice_concurrent.countries.XQ", "is no country"),
        ("{ jobs = 15, within_s = 86_400 }", "{ jobs = 4, within_s = 86_400 }",
         "guards.velocity_number.limits[1]", "expected more jobs in more time"),
        ("numbers = 12 ", "numbers = 300 ", "guards.sequential.numbers", "expected at most 250"),
        ('# permitted = []', 'blocked = ["+4470"]\npermitted = ["+4470"] #',
         "guards.prefixes.permitted[0]", "is in `blocked` too"),
        ('# blocked = ["premium"', 'blocked = ["primium"] # ["', "guards.kinds.blocked[0]", '"premium"'),
        ("last_digits = 4", "last_digits = 2", "guards.velocity_prefix.limits[0].last_digits", "from 3 to 9"),
        ("floor = 0.05", "flor = 0.05", "guards.conversion.flor", 'did you mean "floor"?'),
        ("# budget_per_day = 500.0", "budget_per_day = 0 #", "application[0].budget_per_day", "more than 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_once(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    (problem,) = problems(tmp_path, old, new)
    assert problem.startswith(key)
    assert words in problem


@pytest.mark.parametrize("lane", ["verification", "notification", "marketing"])
def test_the_examples_have_guards_and_no_fault(lane: str) -> None:
    instance = read_instance(EXAMPLE.parent / lane, {"STATE_DIRECTORY": "/nowhere"})
    assert instance.config is not None
    assert instance.config.guards != GuardRules()
    assert [problem for problem in instance.problems if "guards" in problem.key] == []


def test_applications_bring_their_countries_and_budgets(tmp_path: Path) -> None:
    instance = read_instance(EXAMPLE, {"STATE_DIRECTORY": "/nowhere"})
    assert instance.config is not None
    (login,) = instance.config.applications
    assert guard_settings(GuardRules(), [login])[1:] == ({}, {})
    import msgspec

    own = msgspec.structs.replace(login, countries=("GB",), budget_per_day=9.0)
    settings = guard_settings(GuardRules(), [own])
    assert (settings.countries, settings.budgets) == ({"login": frozenset({"GB"})}, {"login": 9.0})
