"""What most tests of guards begin with."""

from collections.abc import Callable

import pytest

from connector.config.guards import GuardRules
from connector.routing.destination import Destination
from connector.routing.guards import Ask, Guards, GuardSettings
from tests.guards.replay import KEY, SMS
from tests.guards.traces import MIDNIGHT

XA = Destination("XA", "mobile", "Alpha", True)

Admit = Callable[..., str | None]


def ask(number: str = "+999100000001", app: str = "login", price: float = 1.0, to: Destination = XA) -> Ask:
    return Ask(app, number, to, SMS, price)


def made(now: float = MIDNIGHT, **tables: object) -> Guards:
    """Guards with these tables of [guards]."""
    return Guards(GuardSettings(GuardRules(**tables), {}, {}), KEY, now)  # type: ignore[arg-type]


def name(guards: Guards, asked: Ask, now: float) -> str | None:
    """The guard that refuses."""
    refusal = guards.admit(asked, now)
    return None if refusal is None else refusal.guard


@pytest.fixture
def now() -> float:
    return MIDNIGHT + 36_000.0
