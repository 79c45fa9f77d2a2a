"""The three shipped lanes are what docs/lanes.md says of them."""

from pathlib import Path

import pytest

from connector.config import Config, load
from connector.jobs.opt_out import read_opt_out
from connector.routing.destination import analyse
from connector.routing.table import RouteTable

CONFIG = Path(__file__).parents[2] / "config"
US, DE = "+12125550100", "+4915112345678"


@pytest.fixture
def lane(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    for name in ("north", "south", "east", "west", "bulk"):
        (tmp_path / f"secret_{name}").write_text("s3cret")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(tmp_path)}
    return load(CONFIG / request.param, environment)


def routes(config: Config, number: str, channel: str = "sms") -> tuple[str, ...]:
    return RouteTable(config).candidates(number, analyse(number), channel)[0]


@pytest.mark.parametrize("lane", ["verification"], indirect=True)
def test_verification_sends_again_before_it_is_late_and_then_calls(lane: Config) -> None:
    assert lane.jobs.journey == "code"
    steps = lane.journeys["code"].steps
    assert [(step.channel, step.start) for step in steps] == [
        ("sms", "at_once"), ("sms", "on_predicted_miss"), ("voice", "on_predicted_miss"),
    ]  # fmt: skip
    assert steps[2].script == "login"
    assert (lane.jobs.free_text, lane.jobs.on_unknown, lane.quiet_hours) == (False, "resend_once", None)
    assert (lane.jobs.min_deadline_s, lane.jobs.max_deadline_s) == (5, 600)
    assert routes(lane, US) == ("south",)
    assert routes(lane, US, "voice") == ("west",)
    assert routes(lane, DE) == ("north", "south")


@pytest.mark.parametrize("lane", ["notification"], indirect=True)
def test_notification_takes_another_carrier_after_a_failure(lane: Config) -> None:
    assert lane.jobs.journey == "twice"
    steps = lane.journeys["twice"].steps
    assert [(step.channel, step.start) for step in steps] == [("sms", "at_once"), ("sms", "on_failure")]
    assert [step.start for step in lane.journeys["alarm"].steps] == ["at_once", "on_predicted_miss"]
    assert (lane.jobs.free_text, lane.jobs.on_unknown) == (True, "report")
    payment = next(template for template in lane.templates if template.name == "payment-made")
    assert (payment.carriers, payment.fallback) == (("east",), False)
    monitoring = lane.applications[1]
    assert (monitoring.carriers, monitoring.fallback) == (("east",), True)


@pytest.mark.parametrize("lane", ["marketing"], indirect=True)
def test_marketing_sends_once_by_day_to_who_wants_it(lane: Config) -> None:
    (step,) = lane.journeys[lane.jobs.journey or ""].steps
    assert (step.channel, step.attempts, lane.journeys["once"].max_attempts) == ("sms", 1, 1)
    assert lane.classes["default"].extra_sends == 0
    assert lane.quiet_hours is not None
    # What comes as the night begins can still leave after it.
    assert lane.jobs.default_deadline_s > 13 * 3600
    assert lane.jobs.opt_out_file is not None
    assert "+447700900999" in read_opt_out(Path(lane.jobs.opt_out_file))
    assert (lane.jobs.free_text, lane.jobs.valid_numbers_only) == (False, True)
