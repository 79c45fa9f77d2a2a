"""The vocabulary between a step and the runner: what is sent, and what came back of it.

A step is a generator. It yields requests through the functions here (``exchanges = yield from send(...)``)
and returns findings; it never waits and never looks at a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

from connector.probe.finding import Finding
from connector.probe.reading import Delivery
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import Pdu, SubmitSm

__all__ = [
    "Answer", "Ask", "Asked", "BindMode", "BudgetSpent", "Burst", "CarrierGone", "Close", "Exchange", "Flow",
    "Open", "Opened", "Pause", "Request", "Send", "Step", "Talk", "Trial", "ask", "burst", "close", "flow",
    "open_bind", "pause", "send", "send_one",
]  # fmt: skip


BindMode = Literal["transceiver", "transmitter+receiver"]
"""A transmitter and a receiver are one bind here."""


class Trial(Struct, frozen=True):
    """One experiment: a message of one or several submit_sm. `name` says what is tried."""

    name: str
    pdus: tuple[SubmitSm, ...]


class Answer(NamedTuple):
    """What became of one submit_sm; `status` None means no answer in time. Times are monotonic seconds."""

    status: int | None
    message_id: bytes
    tlvs: Tlvs
    sent_at: float
    answered_at: float


class Exchange(Struct):
    """A trial and everything that came back: answers in the order of its PDUs, deliver_sm as they came."""

    trial: Trial
    answers: list[Answer] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return len(self.answers) == len(self.trial.pdus) and all(a.status == 0 for a in self.answers)

    @property
    def status(self) -> int | None:
        """The first status that is no success; 0 when accepted, None for silence."""
        return next((answer.status for answer in self.answers if answer.status != 0), 0)


class Send(Struct, frozen=True):
    """Trials one after another, each followed to its receipts and to the loop.

    settle  wait the full patience after each, for what nobody knows to expect
    """

    trials: tuple[Trial, ...]
    settle: bool = False


class Burst(Struct, frozen=True):
    """All PDUs in one write, or `apart_s` one from another; all are answered or timed out afterwards."""

    pdus: tuple[SubmitSm, ...]
    apart_s: float = 0.0


class Flow(Struct, frozen=True):
    """PDUs as fast as the carrier takes them, `window` without answer on a bind.

    After its first refusal a bind asks only when the next message may fit, and soon again. When `accepted`
    have been taken after that the second bind joins, if there is one, and it goes on until as many have been
    taken after the first refusal of both; or until `limit` have been taken at all, or `seconds` are over.
    """

    make: Callable[[int], SubmitSm]
    window: int
    accepted: int
    limit: int
    seconds: float


class Open(Struct, frozen=True):
    """Another bind; `mode` and `version` (interface_version octet) None are the profile's."""

    mode: BindMode | None = None
    version: int | None = None


class Close(Struct, frozen=True):
    """Unbind and close the youngest bind; `abruptly`: cut the connection instead."""

    abruptly: bool = False


class Pause(Struct, frozen=True):
    """Send nothing for so many seconds."""

    seconds: float


class Ask(Struct, frozen=True):
    """One query_sm or cancel_sm."""

    pdu: Pdu


class Opened(NamedTuple):
    """How a bind ended: `status` None means that there was no connection or no answer, `reason` why."""

    status: int | None
    version: int | None
    reason: str = ""


class Asked(NamedTuple):
    """The answer to an `Ask`; `status` None means none came in time."""

    status: int | None
    pdu: Pdu | None


Request = Send | Burst | Flow | Open | Close | Pause | Ask
Talk = Generator[Request, Any, list[Finding]]
"""What a step is: requests out, what came of them in, findings at the end."""


class Step(NamedTuple):
    """keys   the keys of the profile that it looks for
    talk      its generator, made from what is known by then
    """

    name: str
    title: str
    keys: tuple[str, ...]
    talk: Callable[[Any], Talk]


class BudgetSpent(Exception):
    """The messages that the probe may send are used up."""


class CarrierGone(Exception):
    """The carrier ended the bind and does not let us in again; the text says how."""


def send(trials: Sequence[Trial], *, settle: bool = False) -> Generator[Request, Any, list[Exchange]]:
    exchanges: list[Exchange] = yield Send(tuple(trials), settle)
    return exchanges


def send_one(trial: Trial, *, settle: bool = False) -> Generator[Request, Any, Exchange]:
    exchanges = yield from send([trial], settle=settle)
    return exchanges[0]


def burst(pdus: Sequence[SubmitSm], apart_s: float = 0.0) -> Generator[Request, Any, list[Answer]]:
    answers: list[Answer] = yield Burst(tuple(pdus), apart_s)
    return answers


def flow(request: Flow) -> Generator[Request, Any, list[list[Answer]]]:
    """The answers of each bind, in the order of sending."""
    answers: list[list[Answer]] = yield request
    return answers


def open_bind(mode: BindMode | None = None, version: int | None = None) -> Generator[Request, Any, Opened]:
    opened: Opened = yield Open(mode, version)
    return opened


def close(*, abruptly: bool = False) -> Generator[Request, Any, None]:
    yield Close(abruptly)


def pause(seconds: float) -> Generator[Request, Any, None]:
    yield Pause(seconds)


def ask(pdu: Pdu) -> Generator[Request, Any, Asked]:
    asked: Asked = yield Ask(pdu)
    return asked
