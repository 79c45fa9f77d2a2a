"""The harnesses by name, and the inputs that every run begins with: corpus/NAME.hex, one input a line."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "corpus"
HARNESSES: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.hex")))


def harness(name: str) -> Callable[[bytes], None]:
    """`one_input(data)` of a harness: it raises where a promise is broken, and ends normally elsewhere."""
    one_input: Callable[[bytes], None] = importlib.import_module(f"tests.fuzz.{name}").one_input
    return one_input


def inputs(name: str) -> list[bytes]:
    """A line may begin with what it is, followed by a colon."""
    lines = (FOLDER / f"{name}.hex").read_text("ascii").splitlines()
    return [bytes.fromhex(line.rpartition(":")[2]) for line in lines if not line.startswith("#")]
