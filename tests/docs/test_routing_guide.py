"""docs/routing.md: its configurations load, its figures are computed, what it shows is what is printed."""

import re
import tomllib
from math import erf, log, sqrt
from pathlib import Path
from typing import Any

import pytest

from connector.cli import decision
from connector.cli.routes import print_routes
from connector.cli.why import told
from connector.config import load
from connector.routing.utility import Alternative, Leg, plan
from tests.cli.followed import FOLLOWED
from tests.config.trunk_folder import VOICE, calling_lane
from tests.docs.pages import read, session

GUIDE = read("docs/routing.md")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.partition("]")[0].strip("["))
def test_its_examples_are_valid(example: str, tmp_path: Path) -> None:
    lane = calling_lane(tmp_path)
    lane.edit("connector.toml", VOICE, VOICE + example)
    config = load(lane.path)
    named = tomllib.loads(example)
    assert set(named.get("classes", ())) <= set(config.classes)
    assert set(named.get("journeys", ())) <= set(config.journeys)


def test_it_shows_what_why_prints() -> None:
    shown = next(output for command, output in session(GUIDE) if command == "connector why login-1")
    headline, *lines = told(FOLLOWED)
    assert without_clock(shown.splitlines()[0]) == without_clock(headline)
    assert shown.splitlines()[1:] == lines


def without_clock(line: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "…", line)


class LogNormal:
    """Arrivals of which half take up to `median_s`; the shares as of an arrival model's curve."""

    def __init__(self, median_s: float, never: float) -> None:
        self._median_s = median_s
        self._arrives = 1.0 - never
        self.unreachable = 0.02

    def _share(self, t_s: float) -> float:
        return 0.5 * (1.0 + erf(log(t_s / self._median_s) / 0.6 / sqrt(2.0))) if t_s > 0.0 else 0.0

    def p(self, t_s: float) -> float:
        return (1.0 - self.unreachable) * self._arrives * self._share(t_s)

    def silence(self, s: float) -> float:
        return 1.0 - 0.95 * self.p(s)

    def p_given_silence(self, t_s: float, silent_s: float) -> float:
        return (self.p(t_s) - 0.95 * self.p(silent_s)) / self.silence(silent_s)


def test_the_moments_of_the_second_message_are_the_planners() -> None:
    north, east = LogNormal(3.5, 0.02), LogNormal(4.0, 0.03)
    rows = re.findall(r"^\| (\d+) \| (never|([\d.]+) s) \| (?:one in (\d+) )?\|$", GUIDE, re.MULTILINE)
    assert len(rows) == 5
    for value, words, shown_s, one_in in rows:
        found = plan((Leg(north, 0.0),), (Alternative("east", east, 0.0, 2.4),), 0.0, 20.0, float(value))
        if words == "never":
            assert found is None
        else:
            assert found is not None
            assert found.at == pytest.approx(float(shown_s), abs=0.4)
            assert round(1.0 / north.silence(float(shown_s))) == int(one_in)


def test_the_worth_of_a_second_message_is_computed() -> None:
    rows = re.findall(r"^\| (\d+) \| (?:one in (\d+)|every job: never) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 5
    for value, one_in in rows:
        assert int(value) / (1.0 + 1.0) == (float(one_in) if one_in else 1.0)


def test_the_worth_of_two_routes_is_computed() -> None:
    rows = re.findall(r"^\| (north|east) \| (\d+) % \| ([\d.]+) \| (.*) \|$", GUIDE, re.MULTILINE)
    assert [row[0] for row in rows] == ["north", "east"]
    worth = [
        [value * int(chance) / 100 - float(price) for value in (3, 40, 120)] for _, chance, price, _ in rows
    ]
    shown = [[float(cell.strip("* ")) for cell in cells.split("|")] for *_, cells in rows]
    assert shown == [pytest.approx(row) for row in worth]
    bold = [["*" in cell for cell in cells.split("|")] for *_, cells in rows]
    assert bold == [[north > east for north, east in zip(*worth, strict=True)],
                    [east > north for north, east in zip(*worth, strict=True)]]  # fmt: skip


def test_it_shows_what_status_prints(capsys: pytest.CaptureFixture[str]) -> None:
    usual = {"channel": "sms", "unreachable": 0.02, "trust": 1.0, "doubt": "", "breaker": "closed"}
    rows = [
        {"route": "north", "country": "", "network": "", "flights": 1234.0, "p50_s": 3.4, "p95_s": 9.1,
         "in_time": 0.96, "never": 0.02, "no_receipt": 0.05, **usual},
        {"route": "north", "country": "DE", "network": "Vodafone", "flights": 610.0, "p50_s": 3.1,
         "p95_s": 8.4, "in_time": 0.97, "never": 0.01, "no_receipt": 0.04, **usual},
        {"route": "east", "country": "", "network": "", "flights": 402.0, "p50_s": 4.0, "p95_s": 10.7,
         "in_time": 0.95, "never": 0.03, "no_receipt": 0.06, **usual, "breaker": "open",
         "breaker_since": 988.0, "breaker_reason": "no receipts in time"},
    ]  # fmt: skip
    print_routes({"deadline_s": 20.0, "routes": rows, "classes": []}, 0, 1_000.0)
    printed = capsys.readouterr().out
    assert "".join(f"    {line}\n" for line in printed.splitlines()) in GUIDE


def decided(rule: str, *utilities: float, **fields: Any) -> dict[str, Any]:
    offers = [
        {"route": route, "p": 0.93, "price": 1.0 + index, "utility": utility}
        for index, (route, utility) in enumerate(zip(("north", "east"), utilities, strict=False))
    ]
    names = [offer["route"] for offer in offers] or ["north"]
    return {"rule": rule, "chosen": "north", "candidates": names, "offers": offers, **fields}


def test_the_sentences_it_explains_are_those_of_why() -> None:
    broken = {"offers": [{"route": "south", "reason": "breaker open for 12 s"}]}
    east = {**decided("best_utility", 35.0, 36.0, draw=0.021), "chosen": "east"}
    records = [
        decided("best_utility", 36.0, 35.0), decided("best_utility", 36.0, 36.01), decided("trial"), east,
        decided("priority", 36.0), decided("only_candidate", 36.0), decided("after"), decided("on_failure"),
        {**decided("only_candidate"), **broken},
    ]  # fmt: skip
    sentences = "\n".join([*(decision.reason(record, "sms") for record in records), *told(FOLLOWED)])
    sentences += "\n".join(line for record in records for line in decision.no_candidates(record))
    rows = GUIDE[GUIDE.index("| it says |") : GUIDE.index("Metrics to watch")]
    phrases = re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE)
    assert len(phrases) >= 10
    for phrase in phrases:
        assert phrase in sentences
