import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.dispatch.stage import Stage, play

Play = Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], None]


@pytest.fixture(name="play")
def play_here(tmp_path: Path) -> Play:
    """play(act) runs `act(stage)` in jumping time."""
    return functools.partial(play, tmp_path)
