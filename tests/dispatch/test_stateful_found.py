"""What the walks of test_stateful found, each made as short as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .test_stateful import Lane


class Scene(Lane):
    """A lane that is told what happens; `ends` are the outcomes of its jobs when all is over."""

    def __init__(self) -> None:
        super().__init__()
        self.begin(quiet=False)

    def job(self, journey: str, country: str = "GB", turns: int = 4, **more: Any) -> None:
        usual = {"deadline_s": 60.0, "on_unknown": "report", "key": None, "pins": ((), True)}
        self.submit(journey=journey, country=country, turns=turns, **(usual | more))

    def sends(self, id: str) -> list[str]:
        return [attempt.carrier.name for attempt in self.world.left[id]]

    def outcome(self, id: str) -> str | None:
        return self.world.wishes[id].events[-1].outcome


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.nothing_forbidden_happened()
    made.teardown()


def test_two_attempts_of_a_job_in_one_commit(scene: Scene) -> None:
    scene.slow_disk(wait_s=0.5)
    scene.job("sms")
    scene.wait(seconds=0.7)  # its intent is on the way to the disk
    scene.slow_disk(wait_s=0.01)
    scene.job("both")
    scene.wait(seconds=3.0)
    assert len(scene.sends("j2")) == 2


@pytest.mark.parametrize("journey", ["voice", "sms", "both", "code"])
def test_what_has_not_left_is_taken_back(scene: Scene, journey: str) -> None:
    scene.slow_disk(wait_s=0.5)
    scene.job(journey)
    scene.wait(seconds=0.7)
    assert any(near.prepared for near in scene.process.near.values())  # its intent is not committed yet
    scene.cancel(which=0, turns=0)
    scene.wait(seconds=3.0)
    assert (scene.sends("j1"), scene.outcome("j1")) == ([], "cancelled")


def test_a_job_cancelled_before_it_is_committed_leaves_nothing(scene: Scene) -> None:
    scene.slow_disk(wait_s=0.5)
    scene.job("sms", key="alice", turns=0)
    scene.cancel(which=0, turns=4)
    scene.wait(seconds=3.0)
    assert scene.sends("j1") == []


def test_superseded_after_a_restart_during_its_attempt(scene: Scene) -> None:
    scene.job("code", key="bob")
    assert len(scene.sends("j1")) == 1
    scene.die(seconds=1.0)
    scene.process.turn(4)
    scene.job("sms", key="bob")
    before = len(scene.sends("j1"))
    while scene.process.attempts("sms"):
        scene.answer(which=0, fate=0x0B, turns=4)
    scene.wait(seconds=40.0)
    assert (len(scene.sends("j1")), scene.outcome("j1")) == (before, "cancelled")


def test_a_call_that_rings_at_the_deadline_can_be_stopped(scene: Scene) -> None:
    scene.job("both", deadline_s=2.0)
    scene.wait(seconds=9.0)
    ((trunk, call),) = scene.process.attempts("voice")
    scene.feedback(which=0, converted=True, attempt=None, turns=0)
    assert call in trunk.hung_up


def test_an_attempt_that_never_left_and_for_which_a_follow_up_was_planned(scene: Scene) -> None:
    scene.job("code", country="DE")
    for name in ("north", "east", "south"):
        scene.room(name=name, window=0, up=True)
    scene.answer(which=0, fate="give back", turns=4)
    scene.wait(seconds=9.0)
    scene.nothing_forbidden_happened()


def test_the_end_names_the_attempt_that_arrived(scene: Scene) -> None:
    scene.job("doubtful", country="DE", deadline_s=12.0)
    scene.answer(which=0, fate="DELIVERED", turns=4)
    scene.wait(seconds=9.0)  # a second one left after 3 s, and nobody answered it
    scene.wait(seconds=9.0)
    last = scene.world.wishes["j1"].events[-1]
    assert (last.type, last.outcome, last.attempt) == ("delivered", "delivered", 1)
    assert len(scene.sends("j1")) > 1
