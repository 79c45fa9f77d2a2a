"""The query_sm and cancel_sm that await their answers: few at once, and each ends with exactly one event."""

from typing import Any

from protocols.smpp.constants import RESPONSE_BIT
from protocols.smpp.events import CancelAnswered, QueryAnswered
from protocols.smpp.pdu import CancelSm, Pdu, QuerySm, QuerySmResp

LIMIT = 4
"""Outstanding at once: they must not take from the submits what the carrier allows a bind."""


class Enquiries:
    """``asked`` holds command_id, context and deadline by sequence_number, in the order of sending."""

    def __init__(self, response_timeout_s: float) -> None:
        self.asked: dict[int, tuple[int, Any, float]] = {}
        self._timeout_s = response_timeout_s

    @property
    def free(self) -> int:
        return LIMIT - len(self.asked)

    def add(self, sequence: int, pdu: QuerySm | CancelSm, context: Any, now: float) -> None:
        self.asked[sequence] = (pdu.command_id, context, now + self._timeout_s)

    def answer(
        self, sequence: int, command_id: int | None, status: int, pdu: Pdu | None
    ) -> QueryAnswered | CancelAnswered | None:
        """The event of a response, or with no ``command_id`` of a generic_nack; None when none was asked."""
        asked = self.asked.get(sequence)
        if asked is None or command_id not in (None, asked[0] | RESPONSE_BIT):
            return None
        del self.asked[sequence]
        return _ended(asked[0], asked[1], status, pdu)

    def next_deadline(self) -> float | None:
        for _, _, deadline in self.asked.values():
            return deadline
        return None

    def expire(self, now: float) -> list[QueryAnswered | CancelAnswered]:
        """The events of those whose time is up."""
        late = [sequence for sequence, (_, _, deadline) in self.asked.items() if deadline <= now]
        return [_ended(*self.asked.pop(sequence)[:2]) for sequence in late]

    def end(self) -> list[QueryAnswered | CancelAnswered]:
        """The events of all, with the connection gone."""
        ended = [_ended(command_id, context) for command_id, context, _ in self.asked.values()]
        self.asked.clear()
        return ended


def _ended(
    command_id: int, context: Any, status: int | None = None, pdu: Pdu | None = None
) -> QueryAnswered | CancelAnswered:
    if command_id == CancelSm.command_id:
        return CancelAnswered(context, status)
    return QueryAnswered(context, status, pdu if isinstance(pdu, QuerySmResp) else None)
