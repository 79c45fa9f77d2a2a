"""Distributions of delays: how long the carrier takes to answer or to deliver."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

_ARITY = {"fixed": 1, "uniform": 2, "lognormal": 2}

FORMS = "fixed:SECONDS, uniform:LOW,HIGH or lognormal:MEDIAN,SIGMA"


@dataclass(frozen=True, slots=True)
class Delay:
    """A distribution of delays in seconds.

    `fixed` uses `a` alone; `uniform` lies in [a, b]; `lognormal` has the median `a` (seconds) and `b`
    as the standard deviation of the logarithm.
    """

    kind: str = "fixed"
    a: float = 0.0
    b: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Delay:
        """Read `fixed:0.5`, `uniform:0.1,2`, `lognormal:2.0,0.6` or a bare number of seconds.

        Raises ValueError saying which forms there are.
        """
        kind, colon, rest = text.strip().partition(":")
        if not colon:
            kind, rest = "fixed", text
        try:
            numbers = [float(number) for number in rest.split(",")]
        except ValueError:
            raise ValueError(f"{text!r} is not a delay: expected {FORMS}") from None
        if _ARITY.get(kind) != len(numbers) or not all(math.isfinite(n) and n >= 0 for n in numbers):
            raise ValueError(f"{text!r} is not a delay: expected {FORMS}, no number negative")
        delay = cls(kind, *numbers)
        if kind == "uniform" and delay.a > delay.b:
            raise ValueError(f"{text!r} is not a delay: LOW is above HIGH")
        if kind == "lognormal" and delay.a == 0:
            raise ValueError(f"{text!r} is not a delay: MEDIAN must be above 0")
        return delay

    @property
    def constant(self) -> bool:
        """True when every draw is the same, so that none is needed."""
        return self.kind == "fixed"

    def sampler(self, rng: random.Random) -> Callable[[], float]:
        """A function that draws the next delay in seconds from `rng`."""
        a, b = self.a, self.b
        if self.kind == "uniform":
            return lambda: rng.uniform(a, b)
        if self.kind == "lognormal":
            mu = math.log(a)
            return lambda: rng.lognormvariate(mu, b)
        return lambda: a

    def __str__(self) -> str:
        numbers = (self.a,) if self.constant else (self.a, self.b)
        return f"{self.kind}:{','.join(f'{number:g}' for number in numbers)}"
