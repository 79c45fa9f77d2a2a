"""[orders]: what is wrong with it is told at its line, and the shipped rules are the catalogue's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from connector.config import read_instance
from connector.config.orders import KEEP_DAYS
from tests.config.trunk_folder import calling_lane
from tests.orders.shop import CONFIG, notification

JOURNEYS = """
[journeys.patient]
[[journeys.patient.steps]]
channel = "sms"
[[journeys.patient.steps]]
channel = "sms"
start = "after"
after_s = 40
[[journeys.patient.steps]]
channel = "voice"
start = "after"
after_s = 20
"""


def problems(tmp_path: Path, orders: str) -> list[str]:
    folder = calling_lane(tmp_path)
    text = (folder.path / "connector.toml").read_text()
    folder.write("connector.toml", f"{text}{JOURNEYS}\n[orders]\n{orders}")
    instance = read_instance(folder.path, {})
    return [f"{problem.key}: {problem.message}" for problem in instance.problems]


def node(**keys: object) -> str:
    lines = [f"{key} = {value}" for key, value in {"node": '"a"', "rank": 1, **keys}.items()]
    return "\n".join(("[[orders.nodes]]", *lines, ""))


def test_a_good_rule(tmp_path: Path) -> None:
    assert problems(tmp_path, node(template='"payment"', journey='"patient"', deadline_s=61)) == []
    assert problems(tmp_path, node() + node(node='"b"', ends="false", repeats="true")) == []


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ("keep_days = 3\n", r"orders\.nodes: is missing"),
        (node() + node(), r"orders\.nodes\[1\]\.node: is that of entry 0 too"),
        (node(template='"paymnt"'), r"nodes\[0\]\.template: .*did you mean \"payment\""),
        (node(template='"payment"', journey='"patent"'), r"nodes\[0\]\.journey: .*did you mean \"patient\""),
        (
            node(template='"payment"', journey='"patient"', deadline_s=60),
            r"nodes\[0\]\.deadline_s: 60 is over before the last step of patient begins, .*more than 60",
        ),
        (node(template='"login-code"', journey='"call"'), r"nodes\[0\]\.journey: call has calls"),
        (node(template='"payment"', deadline_s=600_000), r"nodes\[0\]\.deadline_s: is none of this lane's"),
        (node(template='"payment"', sender='"Acne"'), r"nodes\[0\]\.sender: .*expected one of Acme"),
        (node(deadline_s=60), r"nodes\[0\]\.deadline_s: is of a message"),
        (node(journey='"sms"'), r"nodes\[0\]\.journey: is of a message"),
        (node(node='"In Transit"'), r"nodes\[0\]\.node: "),
        (node(rank=-1), r"nodes\[0\]\.rank: "),
        (node(ranks=2), r"nodes\[0\]\.ranks: "),
    ],
)
def test_what_is_wrong_is_told_where_it_is(tmp_path: Path, orders: str, expected: str) -> None:
    (found,) = problems(tmp_path, orders)
    assert re.search(expected, found), found


def test_a_template_with_faults_of_its_own_is_no_fault_of_the_rule(tmp_path: Path) -> None:
    folder = calling_lane(tmp_path)
    text = (folder.path / "connector.toml").read_text()
    folder.write("connector.toml", f"{text}\n[orders]\n" + node(template='"broken"'))
    folder.write("templates/broken.toml", "lane = 3\n")
    assert {Path(problem.file).name for problem in read_instance(folder.path, {}).problems} == {"broken.toml"}


def test_the_shipped_rules_use_the_catalogue_as_it_is() -> None:
    orders = notification().orders
    assert orders is not None
    assert orders.keep_days == KEEP_DAYS
    names = {rule.template for rule in orders.nodes if rule.template}
    assert names == {
        "order-shipped", "order-in-transit", "order-out-for-delivery", "rider-dispatched", "order-in-locker",
        "order-overdue", "order-delivered",
    }  # fmt: skip
    for name in names:
        shipped, own = (
            tomllib.loads((CONFIG / folder / f"{name}.toml").read_text())
            for folder in ("catalogue", "notification/templates")
        )
        assert own == shipped, f"copy config/catalogue/{name}.toml again"


def test_every_shipped_call_can_be_said_in_every_language_of_its_text() -> None:
    config = notification()
    assert config.orders is not None
    templates = {template.name: template for template in config.templates}
    for rule in config.orders.nodes:
        journey = config.journeys[rule.journey or config.jobs.journey or "sms"]
        if rule.template and "voice" in journey.channels:
            template = templates[rule.template]
            assert template.voice is not None
            assert set(template.text) == set(template.voice.say) <= set(config.voice.languages)
