"""Rules of [guards] that no schema can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .document import Document
from .guards import Limit
from .journey_rules import country_problems
from .problem import Path, Problem

if TYPE_CHECKING:
    from .model import ConnectorFile

__all__ = ["guard_problems"]


def guard_problems(document: Document, file: ConnectorFile) -> Iterator[Problem]:
    """What contradicts itself in [guards] and in the applications' `countries`, or would never count."""
    guards = file.guards
    named: list[tuple[Path, Sequence[str]]] = [
        (("guards", "countries", "allowed"), guards.countries.allowed),
        (("guards", "velocity_country", "usual"), guards.velocity_country.usual),
    ]
    named += [(("application", at, "countries"), a.countries) for at, a in enumerate(file.applications)]
    for path, countries in named:
        for index, country in enumerate(countries):
            yield from country_problems(document, (*path, index), country)
    for name in ("voice_concurrent", "voice_daily", "voice_length"):
        for country in getattr(guards, name).countries:
            yield from country_problems(document, ("guards", name, "countries", country), country)
    for prefix in sorted({*guards.prefixes.blocked} & {*guards.prefixes.permitted}):
        index = guards.prefixes.permitted.index(prefix)
        message = f'"{prefix}" is in `blocked` too, expected it in one of them'
        yield document.problem(("guards", "prefixes", "permitted", index), message)
    yield from _limit_problems(document, guards.velocity_number.limits, "velocity_number")
    yield from _limit_problems(document, guards.velocity_prefix.limits, "velocity_prefix")
    yield from _limit_problems(document, guards.velocity_country.limits, "velocity_country")
    yield from _limit_problems(document, guards.velocity_application.limits, "velocity_application")
    if guards.sequential.numbers * guards.sequential.distance > 500:
        most = 500 // guards.sequential.distance
        message = f"times `distance` exceeds 500, expected at most {most}"
        yield document.problem(("guards", "sequential", "numbers"), message)


def _limit_problems(document: Document, limits: Sequence[Limit], name: str) -> Iterator[Problem]:
    """A limit that another one makes superfluous: most likely its numbers are swapped."""
    for index, limit in enumerate(limits):
        for other in limits[:index]:
            last_digits = getattr(limit, "last_digits", 0), getattr(other, "last_digits", 0)
            if last_digits[0] != last_digits[1] or (limit.jobs > other.jobs) == (
                limit.within_s > other.within_s
            ):
                continue
            message = (
                f"permits {limit.jobs} in {limit.within_s:g} s beside {other.jobs} in {other.within_s:g} s, "
                "expected more jobs in more time"
            )
            yield document.problem(("guards", name, "limits", index), message)
