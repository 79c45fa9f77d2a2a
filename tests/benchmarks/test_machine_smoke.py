"""The benchmark itself, on a handful of calls: its figures are there, and better than a guess."""

import shutil
from random import Random

import pytest

from benchmarks.answering.cases import cases
from benchmarks.answering.run import detection


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng here")
def test_synthetic_humans_and_machines_are_told_apart(random: Random) -> None:
    found = detection(random.randrange(1 << 31), lambda line: None, each=2)
    assert (found["humans"], found["machines"], found["languages"]) == (26, 26, 13)
    assert found["false_machine"] <= 0.2
    assert found["false_human"] <= 0.3
    assert found["undecided"] <= 0.2
    assert found["beep_found"] >= 0.6
    assert found["human_p50_s"] < 4.0


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng here")
def test_a_seed_gives_the_same_calls() -> None:
    first, again = next(cases(5, 1, 1)), next(cases(5, 1, 1))
    assert (first.sound == again.sound).all()
    assert first.seed == again.seed != next(cases(5, 0, 1)).seed
