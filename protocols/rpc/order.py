"""An event of an order, as an application reports it, and what the daemon made of it."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from protocols.rpc.errors import ParamsError
from protocols.rpc.job import E164, JobId, Lang, Name, ParamValue, Traceparent
from protocols.rpc.params import parse

__all__ = ["Dropped", "OrderEvent", "OrderTold", "parse_order_event"]

Dropped = Literal["late_event", "stale_event", "conflict"]

Time = Annotated[float, Meta(ge=0, le=253_402_300_799)]  # to the end of the year 9999


class OrderEvent(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Something happened to an order. The lane's rule for ``node`` says what is told, and how.

    ``order`` is the application's own id of it, ``node`` the stage that it has reached. ``data`` are the
    parameters of the rule's template; others are left aside. ``at`` says when it happened, in seconds since
    1970; None is now. ``event`` tells one occurrence of a node that occurs again from another.
    """

    order: JobId
    node: Name
    to: E164
    lang: Lang | None = None
    data: dict[str, ParamValue] | None = None
    at: Time | None = None
    event: JobId | None = None
    journey: Name | None = None
    traceparent: Traceparent | None = None

    def __repr__(self) -> str:
        return f"OrderEvent({self.node!r})"  # neither whose it is nor what it says


class OrderTold(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What came of an event.

    ``id`` is that of its job, None where it has none. ``state`` is the job's, or ``noted`` where nothing is
    to be told, or ``dropped``. ``duplicate``: this node of the order was known before. ``dropped`` says why
    the event tells nobody anything: ``late_event``, a later node, ``after``, came before it; ``stale_event``,
    it happened so long ago that its deadline has passed; ``conflict``, the node was known before, with other
    data.
    """

    id: str | None
    state: str
    duplicate: bool
    dropped: str | None = None
    after: str | None = None


_RULES: Final = {
    "order": "the order's id, 1 to 64 printable characters",
    "node": "a node of [[orders.nodes]], 1 to 64 characters",
    "to": "an E.164 number, + and 7 to 15 digits",
    "lang": "a BCP 47 language tag such as de or zh-Hant-TW",
    "data": "a map of names to strings or finite numbers",
    "at": "when it happened, in seconds since 1970",
    "event": "the event's id, 1 to 64 printable characters",
    "journey": "a journey's name, 1 to 64 characters",
    "traceparent": "a W3C trace context: 00-<32 hex>-<16 hex>-<2 hex>, in lower case",
}


def parse_order_event(obj: Any) -> OrderEvent:
    """Return the event in ``obj``, the decoded map; raise ParamsError naming the key that breaks a rule."""
    event = parse(obj, OrderEvent, _RULES)
    for field, id in (("order", event.order), ("event", event.event)):
        if id is not None and not id.isprintable():
            raise _broken(field)
    if event.data is not None and any(type(v) is float and not isfinite(v) for v in event.data.values()):
        raise _broken("data")
    return event


def _broken(field: str) -> ParamsError:
    return ParamsError(field, "is not acceptable", f"expected: {_RULES[field]}")
