"""Rules of [orders] that no schema can say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from .document import Document
from .journey import Journey
from .model import ConnectorFile
from .orders import NodeRule
from .problem import Path, Problem, did_you_mean
from .template import Template

__all__ = ["order_problems"]


def order_problems(
    document: Document,
    file: ConnectorFile,
    templates: Mapping[str, Template | None],
    journeys: Mapping[str, Journey],
) -> Iterator[Problem]:
    """What contradicts itself in [orders], and what it names that is not there.

    templates  by name, None for those whose files have faults of their own
    journeys   the built-in ones among them
    """
    if file.orders is None:
        return
    own = {name: each for name, each in templates.items() if each is None or each.lane == file.lane}
    seen: dict[str, int] = {}
    for index, rule in enumerate(file.orders.nodes):
        here: Path = ("orders", "nodes", index)
        if (first := seen.setdefault(rule.node, index)) != index:
            yield document.problem((*here, "node"), f"is that of entry {first} too, expected each node once")
        if rule.template is None:
            yield from _silent_problems(document, here, rule)
        else:
            yield from _template_problems(document, here, rule.template, own)
            yield from _message_problems(document, here, rule, file)
        if rule.template is not None:
            yield from _journey_problems(document, here, rule, file, journeys, own.get(rule.template))


def _silent_problems(document: Document, here: Path, rule: NodeRule) -> Iterator[Problem]:
    for key, value in (
        ("journey", rule.journey), ("deadline_s", rule.deadline_s), ("class", rule.class_),
        ("sender", rule.sender),
    ):  # fmt: skip
        if value is not None:
            yield document.problem(
                (*here, key), "is of a message, and this node has no `template`: expected one, or no such key"
            )


def _template_problems(document: Document, here: Path, name: str, own: Collection[str]) -> Iterator[Problem]:
    if name not in own:
        known = ", ".join(sorted(own)) or "a file in templates/"
        yield document.problem(
            (*here, "template"),
            f'"{name}" is no template of this lane, expected one of {known}{did_you_mean(name, own)}',
        )


def _message_problems(
    document: Document, here: Path, rule: NodeRule, file: ConnectorFile
) -> Iterator[Problem]:
    jobs = file.jobs
    if not jobs.min_deadline_s <= _deadline_s(rule, file) <= jobs.max_deadline_s:
        bounds = f"expected {jobs.min_deadline_s:g} to {jobs.max_deadline_s:g} seconds as [jobs] says"
        yield document.problem((*here, "deadline_s"), f"is none of this lane's, {bounds}")
    if rule.sender is not None and rule.sender not in jobs.senders:
        known = f"one of {', '.join(jobs.senders)}" if jobs.senders else "none: the lane has none"
        yield document.problem(
            (*here, "sender"), f'"{rule.sender}" is not registered for this lane, expected {known}'
        )


def _journey_problems(
    document: Document,
    here: Path,
    rule: NodeRule,
    file: ConnectorFile,
    journeys: Mapping[str, Journey],
    template: Template | None,
) -> Iterator[Problem]:
    name = rule.journey or file.jobs.journey or "sms"
    journey = journeys.get(name)
    if journey is None and rule.journey is None:
        return  # told of [jobs]
    if journey is None:
        known = ", ".join(sorted(journeys))
        near = did_you_mean(name, journeys)
        yield document.problem((*here, "journey"), f'"{name}" is no journey, expected one of {known}{near}')
        return
    waits_s, deadline_s = sum(step.after_s or 0.0 for step in journey.steps), _deadline_s(rule, file)
    if waits_s >= deadline_s:
        yield document.problem(
            (*here, "deadline_s"),
            f"{deadline_s:g} is over before the last step of {name} begins, expected more than {waits_s:g}",
        )
    if template is not None and template.voice is None and "voice" in journey.channels:
        yield document.problem(
            (*here, "journey"),
            f"{name} has calls, and the template {template.name} has no [voice], expected one of texts",
        )


def _deadline_s(rule: NodeRule, file: ConnectorFile) -> float:
    return file.jobs.default_deadline_s if rule.deadline_s is None else rule.deadline_s
