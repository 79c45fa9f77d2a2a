"""From an order's event to its job, by the rules of [orders], and from what became of it to the answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any, Final

from msgspec.structs import replace

from connector.config import Application, Config, NodeRule
from connector.errors import ConnectorError
from connector.jobs.gate import Gate
from connector.journal.ops import Accept, OrderNode
from protocols.rpc.job import Job, ParamValue
from protocols.rpc.order import Dropped, OrderEvent, OrderTold

__all__ = ["Orders", "job_id", "told", "why_dropped"]

_LONGEST_ID: Final = 64
_ORDER: Final = "order"  # the parameter of a template that is the order's id, unless the data have their own
_DROPPED: Final[dict[str, Dropped]] = {"late": "late_event", "conflict": "conflict"}


class Orders:
    """The rules of one configuration."""

    def __init__(self, config: Config, gate: Gate, now: Callable[[], float]) -> None:
        self._gate = gate
        self._now = now
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Judge by this configuration from now on; the gate is told by itself."""
        self._default_deadline_s = config.jobs.default_deadline_s
        self._rules = {rule.node: rule for rule in config.orders.nodes} if config.orders else {}
        self._params = {template.name: frozenset(template.params) for template in config.templates}

    def node(self, app: int, application: Application, event: OrderEvent, context: Any) -> OrderNode:
        """What is to be committed for the event; its job, if it has one, may be told when that is done.

        A job that is refused is answered so only then: the event may be known, or out of date anyway. Raises
        ConnectorError where there is no rule for it.
        """
        rule = self._rule(event)
        now = self._now()
        accept = refusal = None
        if rule.template is not None:
            try:
                accept = self._accept(app, application, event, rule, now)
            except ConnectorError as error:
                refusal = error
        # When it was said, and under which trace, makes no other event of it.
        digest = self._gate.digest(replace(event, at=None, event=None, traceparent=None))
        if accept is not None:
            accept.digest = digest
        occurrence = event.event if rule.repeats and event.event else ""
        return OrderNode(
            app, event.order, rule.node, occurrence, rule.rank, digest, now, rule.ends, accept, context,
            stale=accept is None and rule.template is not None, refusal=refusal,
        )  # fmt: skip

    def _rule(self, event: OrderEvent) -> NodeRule:
        rule = self._rules.get(event.node)
        if rule is None:
            known = f"one of {', '.join(self._rules)}" if self._rules else "the lane has no [orders]"
            near = get_close_matches(event.node, self._rules, n=1)
            raise ConnectorError(
                "invalid_job", "there is no rule for this node", field="node",
                hint=f"did you mean {near[0]!r}?" if near else known,
            )  # fmt: skip
        if rule.repeats and event.event is None:
            raise ConnectorError(
                "invalid_job", "is required: this node may occur again", field="event",
                hint="an id that is the same whenever this occurrence is reported",
            )  # fmt: skip
        return rule

    def _accept(
        self, app: int, application: Application, event: OrderEvent, rule: NodeRule, now: float
    ) -> Accept | None:
        """Its job; None when that would be worthless already."""
        deadline_at = self._deadline_at(rule, event, now)
        if deadline_at <= now:
            return None
        job = Job(
            id=job_id(rule, event), to=event.to, template=rule.template, lang=event.lang,
            params=self._data(rule, event), journey=event.journey or rule.journey, sender=rule.sender,
            class_=rule.class_, traceparent=event.traceparent,
        )  # fmt: skip
        try:
            admitted = self._gate.admit(
                app, application, job, deadline_at=deadline_at, quiet=rule.quiet_hours
            )
        except ConnectorError as error:
            if error.field is not None and (error.field + ".").startswith("params."):
                error.field = "data" + error.field.removeprefix("params")
            raise
        return Accept(admitted.job, admitted.digest, admitted.body, admitted.give_up_at, None)

    def _deadline_at(self, rule: NodeRule, event: OrderEvent, now: float) -> float:
        """From the event on; where it came in quiet hours, or they keep it now, from their end."""
        deadline_s = self._default_deadline_s if rule.deadline_s is None else rule.deadline_s
        at = now if event.at is None else min(event.at, now)
        if not rule.quiet_hours:
            return at + deadline_s
        opens = self._gate.opens_at(event.to, at)
        if opens is None and at + deadline_s > now:
            opens = self._gate.opens_at(event.to, now)
        return (at if opens is None or opens == math.inf else opens) + deadline_s

    def _data(self, rule: NodeRule, event: OrderEvent) -> dict[str, ParamValue]:
        """What its template has room for: an event tells more than one message says."""
        names = self._params.get(rule.template or "", frozenset())
        found = {name: value for name, value in (event.data or {}).items() if name in names}
        if _ORDER in names:
            found.setdefault(_ORDER, event.order)
        return found


def why_dropped(node: OrderNode) -> Dropped | None:
    """Why nothing is told of it; None also for a repetition, and where nothing was to be told."""
    if node.verdict == "new":
        return "stale_event" if node.stale else None
    return _DROPPED.get(node.verdict)


def told(node: OrderNode, state: str | None) -> OrderTold:
    """The answer, once it is committed. `state`: of the job that a repetition found, while that is live."""
    dropped = why_dropped(node)
    if node.verdict in ("duplicate", "conflict"):
        known = "final" if node.outcome else state or "sent"
        return OrderTold(node.ext, known if node.ext else "noted", True, dropped)
    if dropped is not None:
        return OrderTold(None, "dropped", False, dropped, node.after or None)
    return OrderTold(node.ext, "queued" if node.ext else "noted", False)


def job_id(rule: NodeRule, event: OrderEvent) -> str:
    """`o:NODE:ORDER` or `o:NODE:ORDER:EVENT`; with a digest in place of what is too long or has a colon.

    No two events of an application have the same, and whoever knows the event can tell it.
    """
    occurrence = event.event if rule.repeats and event.event else ""
    parts = [event.order, occurrence] if occurrence else [event.order]
    plain = ":".join(("o", rule.node, *parts))
    if len(plain) <= _LONGEST_ID and not any(":" in part for part in parts) and parts[0][0] != "#":
        return plain
    digest = blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    return f"o:{rule.node}:#{digest}"
