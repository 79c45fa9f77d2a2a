"""The contract between the dispatcher and whatever carries a message to a phone.

1. `room(now)` says how many more attempts the carrier takes now; 0 while it cannot send at once.
2. `prepare(job, now)` makes the attempt ready to leave, or raises Unsendable: nothing has left then.
3. `send(attempt, now)` is called once for each prepared attempt, after its intent was committed and never
   before. The bytes leave as soon as the window and the rate permit.
4. Every sent attempt ends in exactly one of `sent`, `refused`, `unknown`, `unsent`, told to `Outcomes`.
   `unsent` is told only where it is certain that no byte has left.
5. An attempt reported `unknown` may be corrected once, to `sent` or `refused`, by a late answer.
6. Nothing leaves after the job's deadline: what is still waiting then is `unsent`.
7. A receipt goes to the journal first; the carrier's peer is answered in `receipts_committed`.
8. When room appears, `Outcomes.room` is called; the dispatcher never polls.
9. `drain` takes no new attempts and returns when all are settled; `stop` settles the rest and closes.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from connector.journal.ops import Receipt
from connector.metrics import CarrierLive
from connector.model import LiveJob

__all__ = ["Attempt", "Carrier", "Outcomes", "Unsendable"]


class Unsendable(Exception):
    """The job cannot leave by this carrier; the reason is for the application to read."""


class Attempt:
    """One committed intent to send one job by one carrier.

    number    from 1 within the job
    parts     PDUs it takes
    written   PDUs that have left and were not turned away as too many
    left_at   when the newest of them did
    answered  parts that were accepted
    settled   its end was told
    refused   a part was: the others need not leave
    """

    __slots__ = ("answered", "carrier", "job", "left_at", "number", "parts", "refused", "settled", "written")

    def __init__(self, job: LiveJob, carrier: Carrier, parts: int) -> None:
        self.job = job
        self.carrier = carrier
        self.number = job.attempts + 1
        self.parts = parts
        self.written = 0
        self.left_at = 0.0
        self.answered = 0
        self.settled = False
        self.refused = False


class PartAnswer(msgspec.Struct, frozen=True, gc=False):
    """A part that the carrier accepted. `key` and `raw` are forms of its message id, see the journal.

    `late`: the attempt had been reported as unknown before.
    """

    part: int
    key: str
    raw: str
    late: bool


class Outcomes(Protocol):
    """What a carrier tells its owner; all calls are made in the event loop and return at once."""

    def sent(self, attempt: Attempt, answer: PartAnswer, now: float) -> None:
        """One part was accepted; the attempt is sent when all were."""

    def refused(self, attempt: Attempt, status: int, now: float) -> None:
        """The carrier said no to a part for good."""

    def unknown(self, attempt: Attempt, reason: str, now: float) -> None:
        """Bytes left and no answer came."""

    def unsent(self, attempt: Attempt, reason: str, now: float) -> None:
        """No byte has left."""

    def receipt(self, receipt: Receipt) -> None:
        """A receipt, to be committed."""

    def room(self) -> None:
        """There may be room now."""


class Carrier(Protocol):
    """See the rules above."""

    name: str
    account: int
    priority: int

    def room(self, now: float) -> int: ...
    def room_at(self, now: float) -> float | None:
        """When the rate limit alone will give room again; None when something else is missing."""

    def prepare(self, job: LiveJob, now: float) -> Attempt: ...
    def send(self, attempt: Attempt, now: float) -> None: ...
    def pump(self, now: float) -> None:
        """Write what was handed over; called once after a group of `send`."""

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None: ...
    def live(self, now: float) -> CarrierLive: ...
    def start(self) -> None: ...
    async def drain(self) -> None: ...
    async def stop(self) -> None: ...
