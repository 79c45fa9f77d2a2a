"""The policies by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.routing.policies.base import Policy

__all__ = ["POLICIES", "policy"]


def _learning(name: str) -> type[Policy]:
    from benchmarks.routing.policies import learning

    return {each.name: each for each in (learning.LowestDelay, learning.Ucb, learning.Thompson)}[name]


def _static(name: str) -> type[Policy]:
    from benchmarks.routing.policies import static

    return {each.name: each for each in (static.Static, static.RoundRobin, static.Voice20, static.Voice125)}[
        name
    ]


def _ours(_name: str) -> type[Policy]:
    from benchmarks.routing.policies.ours import Ours

    return Ours


def _oracle(_name: str) -> type[Policy]:
    from benchmarks.routing.policies.oracle import Oracle

    return Oracle


POLICIES: dict[str, Callable[[str], type[Policy]]] = {
    "static": _static, "round_robin": _static, "voice_20s": _static, "voice_125s": _static,
    "lowest_delay": _learning, "ucb": _learning, "thompson": _learning, "ours": _ours, "oracle": _oracle,
}  # fmt: skip
"""Each is imported when it is used: what one lacks does not hinder the others."""


def policy(name: str) -> type[Policy]:
    """Raises KeyError for an unknown name."""
    return POLICIES[name](name)
