"""Which addresses rest, and for how long."""

import math

import pytest

from connector.voice.health import REST_S, Health
from connector.voice.resolve import Target

A, B = (Target("udp", f"192.0.2.{number}", 5060, "sip.example") for number in (1, 2))


def test_who_failed_rests_and_comes_back() -> None:
    health = Health()
    assert health.usable((A, B), 0.0) == (A, B) and health.usable_at((A, B), 0.0) == 0.0
    health.failed(A, 0.0)
    assert health.usable((A, B), 1.0) == (B,) and health.usable_at((A, B), 1.0) == 1.0
    health.failed(B, 1.0)
    assert health.usable((A, B), 2.0) == () and health.usable_at((A, B), 2.0) == REST_S
    assert health.usable((A, B), REST_S) == (A,)
    assert health.usable_at((), 0.0) == math.inf


def test_an_answer_ends_the_rest() -> None:
    health = Health()
    health.failed(A, 0.0)
    health.worked(A, 1.0)
    assert not health.rests(A, 1.0)


def test_who_has_answered_since() -> None:
    health = Health()
    assert not health.heard_since(A, 0.0)
    health.worked(A, 2.0)
    assert health.heard_since(A, 1.0) and not health.heard_since(A, 2.0) and not health.heard_since(B, 1.0)


@pytest.mark.rule("sip.status-503")
def test_retry_after_is_kept_whatever_answers_meanwhile() -> None:
    health = Health()
    health.failed(A, 0.0, 120.0)
    health.worked(A, 1.0)
    health.failed(A, 2.0)  # a shorter rest does not replace it
    assert health.rests(A, 119.0) and not health.rests(A, 120.0)
    health.failed(B, 0.0, 1e9)  # malice, or a mistake
    assert not health.rests(B, 600.0)


def test_what_is_remembered_has_a_bound() -> None:
    health = Health()
    for number in range(5000):
        health.failed(Target("udp", "192.0.2.1", number, "x"), 0.0)
        health.worked(Target("udp", "192.0.2.2", number, "x"), 0.0)
    assert len(health._rests) <= 256 and len(health._heard) <= 256
