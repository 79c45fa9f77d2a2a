"""One event as one line, for people and for programs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from connector.cli.job_socket import fields_of

if TYPE_CHECKING:
    from protocols.rpc.event import Event

__all__ = ["clock_time", "event_json", "event_words", "masked"]


def masked(event: Event) -> Event:
    """The event, of the number of a handset that wrote its last two digits."""
    import msgspec

    from connector.log import mask_number

    return msgspec.structs.replace(event, from_=mask_number(event.from_)) if event.from_ else event


def event_json(event: Event) -> str:
    """The event as it came over the socket, with the version of its form."""
    return json.dumps(fields_of(event), ensure_ascii=False)


def clock_time(at: float) -> str:
    """Seconds since 1970 as local wall-clock time with milliseconds."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def event_words(event: Event) -> str:
    """`sent by north, 2 parts`: the event without its time and its job."""
    words: str = event.type
    if event.final and event.outcome is not None and event.outcome != event.type:
        words += f": {event.outcome}"
    if event.digit:
        words += f" {event.digit}"
    if event.carrier:
        words += f" by {event.carrier}"
    if event.type == "received":
        return words + _written(event)
    if event.attempt is not None and event.attempt > 1:
        words += f", attempt {event.attempt}"
    if event.parts is not None and event.parts > 1:
        words += f", {event.parts} parts"
    if event.reason:
        words += f" ({event.reason})"
    return words + (" · final" if event.final else "")


def _written(event: Event) -> str:
    """What a handset wrote, on one line."""
    words = f", from {event.from_} to {event.to}: "
    if event.text is not None:
        lines = "⏎".join(event.text.splitlines())
        words += "“" + "".join(each if each.isprintable() else "·" for each in lines) + "”"
    else:
        words += f"{len(event.data or '') // 2} octets of data"
    if event.parts is not None and event.parts > 1:
        words += f", {event.parts} parts"
    if event.missing:
        words += f", missing {', '.join(map(str, event.missing))}"
    if event.keyword:
        words += f" = {event.keyword} ({event.keyword_lang})"
    return words
