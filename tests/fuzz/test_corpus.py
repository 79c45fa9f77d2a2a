"""The harnesses without atheris: what the corpus keeps, what is near to it, and anything else."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.corpus import FOLDER, HARNESSES, harness, inputs

MUTATIONS = 60


@pytest.mark.parametrize("name", HARNESSES)
def test_every_input_that_is_kept(name: str) -> None:
    kept = inputs(name)
    assert kept
    for octets in kept:
        harness(name)(octets)


@pytest.mark.parametrize("name", HARNESSES)
def test_every_prefix_of_them(name: str) -> None:
    for octets in inputs(name):
        for end in range(len(octets)):
            harness(name)(octets[:end])


@pytest.mark.parametrize("name", HARNESSES)
def test_what_is_near_to_them(name: str, random: Random) -> None:
    one_input = harness(name)
    kept = inputs(name)
    for octets in kept:
        for _ in range(MUTATIONS):
            mutated = bytearray(octets)
            for _ in range(random.randint(1, 4)):
                at = random.randint(0, len(mutated))
                piece = random.choice((random.choice(kept)[:at], random.randbytes(2), b"\0", b"\xff", b""))
                mutated[at : at + random.randint(0, 3)] = piece
            one_input(bytes(mutated))


@pytest.mark.parametrize("name", HARNESSES)
@given(data=st.binary(max_size=300))
def test_anything_else(name: str, data: bytes) -> None:
    harness(name)(data)


def test_every_harness_has_its_corpus() -> None:
    found = {path.stem for path in FOLDER.parent.glob("*.py") if "\ndef one_input" in path.read_text("utf-8")}
    assert found == set(HARNESSES)
