"""The wait between attempts to bind."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.backoff import Backoff, BindFailure, classify
from protocols.smpp.constants import Status


@pytest.mark.rule("smpp.bind-ghost", "smpp.bind-failed", "smpp.bind-credentials")
@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (Status.ESME_RALYBND, BindFailure.GHOST),
        (Status.ESME_RBINDFAIL, BindFailure.REFUSED),
        (Status.ESME_RINVPASWD, BindFailure.CREDENTIALS),
        (Status.ESME_RINVSYSID, BindFailure.CREDENTIALS),
        (Status.ESME_RINVSYSTYP, BindFailure.CREDENTIALS),
        (Status.ESME_RSYSERR, BindFailure.LINK),
        (0x042A, BindFailure.LINK),
    ],
)
def test_classes(status: int, failure: BindFailure) -> None:
    assert classify(status) is failure


@pytest.mark.rule("smpp.bind-failed")
@given(st.lists(st.sampled_from([BindFailure.LINK, BindFailure.REFUSED, BindFailure.GHOST]), max_size=80))
def test_bounds(failures: list[BindFailure]) -> None:
    backoff = Backoff(1.0, 60.0, 45.0, Random(1))
    for failure in failures:
        wait = backoff.wait_s(failure)
        assert wait is not None
        if failure is BindFailure.GHOST:
            assert wait == 45.0
        else:
            assert (30.0 if failure is BindFailure.REFUSED else 0.0) <= wait <= 60.0


@pytest.mark.rule("smpp.backoff")
def test_full_jitter_grows_and_starts_again(random: Random) -> None:
    def longest(failures: int) -> float:
        waits = []
        for _ in range(300):
            backoff = Backoff(1.0, 60.0, 45.0, random)
            for _ in range(failures):
                backoff.wait_s(BindFailure.LINK)
            waits.append(backoff.wait_s(BindFailure.LINK) or 0.0)
        assert min(waits) < max(waits) / 10
        return max(waits)

    assert longest(0) <= 1 < longest(1) <= 2 < longest(2) <= 4
    assert 30 < longest(6) <= 60
    assert longest(40) <= 60

    backoff = Backoff(1.0, 60.0, 45.0, random)
    for _ in range(10):
        backoff.wait_s(BindFailure.LINK)
    backoff.steady()
    wait = backoff.wait_s(BindFailure.LINK)
    assert wait is not None
    assert wait <= 1


@pytest.mark.rule("smpp.bind-credentials")
def test_wrong_credentials_are_not_tried_again() -> None:
    assert Backoff(1.0, 60.0, 45.0, Random(1)).wait_s(BindFailure.CREDENTIALS) is None
