"""Parameters and results of the methods other than a job's own (see ``job`` for those of submit)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from protocols.rpc.errors import ParamsError
from protocols.rpc.job import E164, JobId
from protocols.rpc.limits import Limits
from protocols.rpc.params import T, parse

# SQLite's INTEGER is signed.
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]


class Hello(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Who is calling, for the logs only: access is decided by the uid of the socket's peer."""

    client: Label
    version: Label


class HelloResult(msgspec.Struct, frozen=True, gc=False):
    """Who answers, and how large the frames sent to it may be."""

    server: str
    version: str
    lane: str
    limits: Limits


class Submitted(msgspec.Struct, frozen=True, gc=False):
    """``state`` of the job now; ``duplicate`` when the same job had been accepted before."""

    id: str
    state: str
    duplicate: bool


class Subscribe(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """``from_seq`` is the first event wanted; None is the one after the last acknowledged."""

    from_seq: Seq | None = None


class Ack(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Everything up to and including ``seq`` is the application's now."""

    seq: Seq


class Status(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The job to be told about. ``numbers``: with its recipient's number in full."""

    id: JobId
    numbers: bool = False


class Stats(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """``routes``: with what has been learned of every route."""

    routes: bool = False


class Cancel(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The job to stop."""

    id: JobId


class Feedback(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """Whether the person used the code of the job. ``attempt`` brought it, where that is known."""

    id: JobId
    converted: bool
    attempt: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class Forget(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The number to forget."""

    to: E164

    def __repr__(self) -> str:
        return "Forget()"


class Forgotten(msgspec.Struct, frozen=True, gc=False):
    """How many jobs have lost the number, how many are open and will when they end, and how many records of
    evidence have lost their personal part.
    """

    jobs: int
    open: int
    evidence_records: int


_RULES: Final = {
    "client": "the application's name, 1 to 64 characters",
    "version": "the application's version, 1 to 64 characters",
    "from_seq": "the seq of the first event wanted, 0 or more; leave it out to go on after the last ack",
    "seq": "the seq of an event, 0 or more",
    "id": "the job's id, 1 to 64 printable characters",
    "converted": "true or false",
    "routes": "true or false",
    "numbers": "true or false",
    "attempt": "the number of an attempt, 1 or more",
    "to": "a number in E.164 with +, such as +447700900123",
}


def parse_params(kind: type[T], params: list[Any]) -> T:
    """Return the one map in ``params`` as a ``kind``; no params at all count as an empty map.

    Raises ParamsError naming the key that is wrong.
    """
    return parse(only(params) if params else {}, kind, _RULES)


def only(params: list[Any]) -> Any:
    """Return the single positional parameter every method of this interface takes; else ParamsError."""
    if len(params) != 1:
        raise ParamsError("", f"one parameter is expected, not {len(params)}")
    return params[0]
