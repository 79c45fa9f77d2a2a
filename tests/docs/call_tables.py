"""The tables of docs/call-scripts.md, made from the scripts and the outcomes of calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connector.voice.flow import ANYWHERE, PHRASES, REPEATS
from connector.voice.outcomes import CAUSES, POLICIES, RESULTS, STATUSES, CallClass, Policy
from connector.voice.script import Result
from connector.voice.speech.names import vocabulary

OF_RESULT: Final[dict[Result, str]] = {
    "delivered": "the code or the message was heard whole, and no more was asked",
    "confirmed": "a risk: the listener pressed 1",
    "denied": "a risk: the listener pressed 2",
    "transferred": "an agent took over",
    "machine": "an answering machine took the call",
    "no_input": "a key was asked for and none came, or the call became too long",
    "refused_by_listener": "hung up when asked for a key, or pressed only wrong ones",
    "hung_up_early": "hung up before the code or the message was heard, or while the agent was called",
}


def phrases() -> Iterable[tuple[str, ...]]:
    """State, and what is said there in English."""
    spoken = vocabulary("en").phrases
    for state, names in PHRASES.items():
        words = [f"“{spoken[name]}”" if name in spoken else name.strip("<>") for name in names]  # type: ignore[index]
        yield f"`{state}`", " ".join(words)


def anywhere() -> Iterable[tuple[str, ...]]:
    hang_up, greet = ANYWHERE["hang_up"], ANYWHERE["greet"]
    for cause in hang_up:
        yield cause.value, f"`{hang_up[cause]}`", f"`{greet[cause]}`"


def repeats() -> str:
    steps = sorted(f"{cause.value} in `{state}`" for state, cause in REPEATS)
    return ", ".join(steps) + "\n"


def results() -> Iterable[tuple[str, ...]]:
    for result, kind in RESULTS.items():
        yield f"`{result}`", OF_RESULT[result], POLICIES[kind].reason


def ends() -> Iterable[tuple[str, ...]]:
    """Every class of a call that was not answered."""
    for kind in CallClass:
        if kind in RESULTS.values() or kind is CallClass.CANCELLED:
            continue
        policy = POLICIES[kind]
        yield (
            f"`{kind}`", _numbers(STATUSES, kind), _numbers(CAUSES, kind), policy.reason, _then(policy),
            policy.outcome, policy.remedy,
        )  # fmt: skip


def _numbers(table: object, kind: CallClass) -> str:
    assert isinstance(table, dict)
    return " ".join(str(number) for number, its in table.items() if its is kind)


def _then(policy: Policy) -> str:
    steps = ["next trunk at once"] if policy.next_trunk else []
    if policy.redial_after_s is not None:
        steps.append(f"again after {policy.redial_after_s:.0f} s, at most {policy.redials} times")
    if policy.alarm:
        steps.append("alarm")
    return ", ".join(steps) or "nothing"
