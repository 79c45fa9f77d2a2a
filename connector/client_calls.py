"""What an application can ask of the daemon: each method's parameters, and how its result is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from protocols.rpc.job import Job
from protocols.rpc.limits import Limits
from protocols.rpc.methods import Ack, Cancel, Feedback, Forget, Forgotten, Status, Submitted
from protocols.rpc.order import OrderEvent, OrderTold

T = TypeVar("T")

# Everything of a submit_many frame that is not a job.
_ENVELOPE_OCTETS: Final = 32


class RpcError(Exception):
    """The daemon said no, or could not be asked.

    ``code`` is the daemon's own, or one of the client's: ``timeout`` (no answer in time: whether it was
    done is not known, asking again is safe), ``disconnected``, ``closed``, ``bad_response``,
    ``too_large``. ``field`` names the key that is wrong, ``retry_after_s`` says when to ask again,
    ``position`` is (start, end) of what is wrong in the characters of the field or of the rendered text,
    ``guard`` is the one that refused.
    """

    def __init__(
        self,
        code: str,
        message: str,
        field: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
        position: tuple[int, int] | None = None,
        guard: str | None = None,
    ) -> None:
        super().__init__(code, message, field, hint, retry_after_s, position, guard)
        self.code = code
        self.message = message
        self.field = field
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.position = position
        self.guard = guard

    def __str__(self) -> str:
        code = f"{self.code} by {self.guard}" if self.guard else self.code
        at = "[{}:{}]".format(*self.position) if self.position else ""
        where = f"{self.field}{at}: " if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        again = f"; again in {ceil(self.retry_after_s)} s" if self.retry_after_s else ""
        return f"{code}: {where}{self.message}{hint}{again}"


Results: TypeAlias = "list[Submitted | RpcError]"


class Call(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One request: ``param`` is its only parameter, ``read`` turns its result into the caller's type."""

    method: str
    param: Any
    read: Callable[[Any], T]


class _Error(msgspec.Struct, frozen=True):
    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    retry_after_s: float | None = None
    position: tuple[int, int] | None = None
    guard: str | None = None


def read_as(kind: type[T], value: object) -> T:
    """Return ``value`` from the wire as a ``kind``; keys of a newer daemon are ignored."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise RpcError("bad_response", f"the daemon's answer is not understood: {error}") from None


def read_error(value: object) -> RpcError:
    """Return the ``error`` of a response as an exception; never raises."""
    try:
        error = read_as(_Error, value)
    except RpcError as not_understood:
        return not_understood
    return RpcError(*msgspec.structs.astuple(error))


def submit(job: Job | Mapping[str, Any]) -> Call[Submitted]:
    return Call("submit", job, lambda result: read_as(Submitted, result))


def submit_many(jobs: Iterable[Job | Mapping[str, Any]], limits: Limits) -> Iterator[Call[Results]]:
    """Cut ``jobs`` into as few requests as the daemon's ``limits`` allow, in order.

    A job that may break a limit goes alone, so that it does not take others with it.
    """
    encode = msgspec.msgpack.Encoder().encode
    batch: list[msgspec.Raw] = []
    room = limits.frame - _ENVELOPE_OCTETS
    for job in jobs:
        encoded = encode(job)
        alone = len(encoded) > limits.string
        if batch and (alone or len(encoded) > room or len(batch) == limits.array):
            yield _batch(batch)
            batch, room = [], limits.frame - _ENVELOPE_OCTETS
        batch.append(msgspec.Raw(encoded))
        room = 0 if alone else room - len(encoded)
    if batch:
        yield _batch(batch)


def _batch(jobs: list[msgspec.Raw]) -> Call[Results]:
    def read(result: Any) -> Results:
        answers = read_as(list[dict[str, Any]], result)
        if len(answers) != len(jobs):
            raise RpcError("bad_response", f"{len(jobs)} jobs were submitted, {len(answers)} answers came")
        return [read_error(each) if "code" in each else read_as(Submitted, each) for each in answers]

    return Call("submit_many", jobs, read)


def order_event(event: OrderEvent | Mapping[str, Any]) -> Call[OrderTold]:
    return Call("order_event", event, lambda result: read_as(OrderTold, result))


def status(job_id: str, numbers: bool) -> Call[dict[str, Any]]:
    return Call("status", Status(job_id, numbers), _as_map)


def cancel(job_id: str) -> Call[bool]:
    return Call("cancel", Cancel(job_id), lambda result: read_as(bool, result))


def feedback(job_id: str, converted: bool, attempt: int | None) -> Call[None]:
    return Call("feedback", Feedback(job_id, converted, attempt), lambda _: None)


def forget(to: str) -> Call[Forgotten]:
    return Call("forget", Forget(to), lambda result: read_as(Forgotten, result))


def ack(seq: int) -> Call[None]:
    return Call("ack", Ack(seq), lambda _: None)


def preview(job: Job | Mapping[str, Any]) -> Call[dict[str, Any]]:
    return Call("preview", job, _as_map)


def stats(routes: bool) -> Call[dict[str, Any]]:
    return Call("stats", {"routes": True} if routes else {}, _as_map)


def _as_map(result: Any) -> dict[str, Any]:
    return read_as(dict[str, Any], result)
