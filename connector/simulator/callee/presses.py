"""When which keys are pressed: `1@2.5,0@quiet:900`."""

from __future__ import annotations

import math
from typing import NamedTuple

from connector.simulator.options.values import Names

KEYS = frozenset("0123456789*#ABCD")
FORMS = "KEYS@SECONDS after the answer or KEYS@quiet:MILLISECONDS"
_QUIET = "quiet:"


class Press(NamedTuple):
    """Keys and when: `after_s` the answer, or after `quiet_s` of silence behind the caller's words."""

    keys: str
    after_s: float | None
    quiet_s: float | None


def parse_press(text: str) -> Press:
    """Read `1@2.5` or `10#@quiet:900`. Raises ValueError saying which forms there are."""
    keys, at, when = text.partition("@")
    quiet = when.startswith(_QUIET)
    try:
        number = float(when.removeprefix(_QUIET))
    except ValueError:
        number = -1.0
    if not (keys and at and set(keys) <= KEYS and math.isfinite(number) and number >= 0):
        raise ValueError(f"{text!r} is not a key press: expected {FORMS}")
    return Press(keys, None, number / 1000) if quiet else Press(keys, number, None)


def presses(words: Names) -> tuple[Press, ...]:
    """Every press of the option `press`."""
    return tuple(map(parse_press, words))


def check_presses(words: Names) -> None:
    """Raises ValueError unless every word is a press."""
    presses(words)
