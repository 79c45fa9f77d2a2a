from typing import get_args

from connector.errors import ERRORS
from connector.metrics import OTHER_STATUS, OUTCOMES, CarrierMetrics, Metrics
from connector.model import Outcome


def test_a_carrier_is_made_once_and_kept() -> None:
    metrics = Metrics()
    metrics.carrier("acme").submitted += 3
    assert metrics.carrier("acme").submitted == 3
    assert list(metrics.carriers) == ["acme"]


def test_every_outcome_and_code_stands_there_from_the_start() -> None:
    metrics = Metrics()
    assert get_args(Outcome) == OUTCOMES
    assert dict(metrics.jobs_finished) == dict.fromkeys(OUTCOMES, 0)
    assert set(metrics.jobs_refused) == {code for code, entry in ERRORS.items() if "socket" in entry.where}


def test_a_peer_that_invents_statuses_does_not_grow_memory() -> None:
    refused = CarrierMetrics().refused
    for _ in range(2):
        for status in range(10_000):
            refused[status] += 1
    assert len(refused) <= 129
    assert refused[0x58] == 2
    assert sum(refused.values()) == 20_000
    assert refused[OTHER_STATUS] == 20_000 - 2 * 128
