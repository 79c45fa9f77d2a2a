"""A decision about a route, in words: who was a candidate with which chance, and what decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["LEAST_WAIT_S", "Record", "chance", "no_candidates", "plan", "price", "reason"]

Record = Mapping[str, Any]
"""connector.routing.decision.Decision or one of its parts, decoded from JSON. A map and no struct: a newer
daemon's rules must be shown too.
"""

LEAST_WAIT_S: Final = 0.05
"""Shorter waits are not worth a word."""
_MOST_TOLD: Final = 6
_LEAST_WORTH: Final = 0.0005
_ON_TIME_S: Final = 0.25
_RULES: Final = {
    "only_candidate": "{chosen} was the only carrier with room that had not refused it",
    "priority_then_room": "{chosen} out of {candidates}: the lowest priority, among equals the most room",
    "priority": "{chosen} comes first by its priority",
    "best_utility": "{chosen} was worth the most of {candidates}",
    "follow_up": "{chosen} as well, because that was worth its price",
    "trial": "a trial: {chosen} gets a few messages that show whether it works again",
    "at_once": "{chosen} takes this step, which begins at once",
    "after": "{chosen} takes this step, whose time had come",
    "on_failure": "{chosen} takes this step, because all before it had failed",
}
"""What is said where the chances do not say it all."""


def reason(decision: Record, channel: str) -> str:
    """Why the attempt went by `chosen`, as one sentence.

    Records that hold no more than rule, candidates and chosen are told without chances; a rule that is not
    known here is told by its name.
    """
    rule, chosen = decision["rule"], decision["chosen"]
    told = _compared(decision)
    if rule == "follow_up" and "silent" in decision:
        words = _follow_up(decision, channel)
        return f"{words} ({told})" if len(decision["candidates"]) > 1 and told else words
    if rule == "best_utility" and told:
        return told
    if rule == "only_candidate" and told:
        return f"{told}; nobody else could take it"
    if rule == "trial" and (state := _state_of(chosen, decision)):
        told = state
    words = _RULES.get(rule, "{chosen} out of {candidates} by the rule " + rule).format(
        chosen=chosen, candidates=", ".join(decision["candidates"])
    )
    return f"{words}; {told}" if told else words


def no_candidates(decision: Record) -> Iterator[str]:
    """`west was no candidate: no bind` of each route that was none, where the record tells."""
    for offer in decision.get("offers", ()):
        if offer["route"] not in decision["candidates"]:
            yield f"{offer['route']} was no candidate: {offer.get('reason') or 'too late for the deadline'}"


def plan(decision: Record) -> str | None:
    """The follow-up that was planned with this decision; None: nothing was."""
    planned = decision.get("plan")
    if planned is None:
        return None
    if planned["at_s"] < LEAST_WAIT_S:
        return f"{planned['route']} is to try at once as well"
    return f"if nothing is heard of it for {planned['at_s']:.1f} s, {planned['route']} is to try as well"


def chance(p: float) -> str:
    """`93 %`; with a decimal where rounding would say certain or impossible."""
    return f"{p * 100:.0f} %" if 0.01 <= p <= 0.99 else f"{p * 100:.1f} %"


def price(messages: float) -> str:
    """In average messages: `1.0`, `0.35`."""
    return f"{messages:.1f}" if abs(messages - round(messages, 1)) < 0.005 else f"{messages:.2f}"


def _compared(decision: Record) -> str:
    """`north 93 % in time for 1.0, east 91 % for 1.4: north is worth more`; "" where nothing is recorded."""
    able = [
        offer
        for offer in decision.get("offers", ())
        if offer.get("utility") is not None and offer["route"] in decision["candidates"]
    ]
    told = ", ".join(_offer(offer, first=not index) for index, offer in enumerate(able[:_MOST_TOLD]))
    if len(able) > _MOST_TOLD:
        told += f" and {len(able) - _MOST_TOLD} more"
    verdict = _verdict(able, decision) if decision["rule"] in ("best_utility", "follow_up") else ""
    return f"{told}: {verdict}" if verdict else told


def _offer(offer: Record, *, first: bool) -> str:
    words = f"{offer['route']} {chance(offer['p'])}{' in time' if first else ''} for {price(offer['price'])}"
    if (offer.get("wait_s") or 0.0) >= LEAST_WAIT_S:
        words += f" after {offer['wait_s']:.1f} s in its queue"
    if offer.get("reason"):
        words += f" ({offer['reason']})"
    return words


def _verdict(able: Sequence[Record], decision: Record) -> str:
    chosen = decision["chosen"]
    mine = next((offer for offer in able if offer["route"] == chosen), None)
    others = [offer for offer in able if offer is not mine]
    if mine is None or not others:
        return ""
    if (draw := decision.get("draw")) is not None:
        return f"the draw moved the chance of {chosen} by {draw * 100:+.1f} points, and that decided"
    best = max(others, key=lambda offer: float(offer["utility"]))
    if mine["utility"] - best["utility"] >= _LEAST_WORTH:
        return f"{chosen} is worth more"
    if mine["price"] < best["price"]:
        return f"{chosen} is worth about as much and is cheaper"
    return f"{chosen} is worth about as much and comes first"


def _state_of(route: str, decision: Record) -> str:
    return next(
        (o["reason"] for o in decision.get("offers", ()) if o["route"] == route and "reason" in o), ""
    )


def _follow_up(decision: Record, channel: str) -> str:
    silent, chosen = decision["silent"], decision["chosen"]
    planned_s = silent["planned_at_s"]
    planned = "" if abs(planned_s - silent["s"]) < _ON_TIME_S else f" (planned for {planned_s:.1f} s)"
    done = f"{chosen} calls as well" if channel == "voice" else f"it went by {chosen} as well"
    return (
        f"{silent['route']} has been silent for {silent['s']:.1f} s{planned}: its chance fell to "
        f"{chance(silent['p'])}; {chosen} would make it with {chance(silent['p_alternative'])}; so {done}"
    )
