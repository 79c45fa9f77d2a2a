"""What the daemon told about one job so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.cli.demo.cast import Message
    from protocols.rpc.event import Event

__all__ = ["Track"]


@dataclass(slots=True)
class Track:
    """One message and its events.

    accepted_at  seconds since 1970, as are all times
    carriers     of its attempts, in order
    received     texts on the handset, filled in at the end; heard is the code of a call, by its recording
    keys         that the daemon told of
    """

    message: Message
    text: str
    accepted_at: float | None = None
    sent_at: float | None = None
    finished_at: float | None = None
    carriers: list[str] = field(default_factory=list)
    channel: str | None = None
    parts: int | None = None
    outcome: str | None = None
    reason: str | None = None
    received: list[str] | None = None
    answered_at: float | None = None
    progress: str = ""
    keys: str = ""
    transferred: bool = False
    heard: str | None = None

    def apply(self, event: Event) -> None:
        """Take in an event of this job."""
        if event.type == "accepted":
            self.accepted_at = event.at
        elif event.type == "sent":
            self.sent_at, self.parts = event.at, event.parts
        elif event.type in ("ringing", "answered", "transferred"):
            self.progress = event.type
            self.transferred = self.transferred or event.type == "transferred"
            if event.type == "answered":
                self.answered_at = event.at
        elif event.type == "digit":
            self.keys += event.digit or ""
        if event.carrier is not None and self.carriers[-1:] != [event.carrier]:
            self.carriers.append(event.carrier)
        self.channel = event.channel or self.channel
        if event.final:
            self.finished_at, self.outcome, self.reason = event.at, event.outcome, event.reason

    @property
    def seconds(self) -> float | None:
        """From acceptance to the outcome."""
        return self._since_accepted(self.finished_at)

    @property
    def seconds_to_carrier(self) -> float | None:
        """From acceptance to the carrier's answer, the submit_sm_resp."""
        return self._since_accepted(self.sent_at)

    @property
    def received_right(self) -> bool:
        """Whether the handset has the text, or has heard the code, once; or nothing, where it must not."""
        if self.message.spoken:
            return self.heard == self.message.code
        return self.received == ([self.text] if self.message.expected == "delivered" else [])

    @property
    def wrong(self) -> str | None:
        """What is not as expected, once everything is over."""
        message = self.message
        if self.outcome != message.expected:
            return f"outcome {self.outcome}, expected {message.expected}"
        if message.several_parts and (self.parts or 0) < 2:
            return f"{self.parts} part, expected several"
        if message.route is not None and tuple(self.carriers) != message.route:
            return f"went by {', '.join(self.carriers)}, expected {', '.join(message.route)}"
        if message.spoken and (self.keys, self.transferred) != (message.keys, message.transferred):
            asked = f"{message.keys} and {'the' if message.transferred else 'no'} agent"
            return f"keys {self.keys or 'none'} and {'the' if self.transferred else 'no'} agent, not {asked}"
        if message.spoken and not self.received_right:
            return f"heard {self.heard or 'no code'}, expected {message.code}"
        if not self.received_right:
            times = "the text, once" if message.expected == "delivered" else "nothing"
            return f"{len(self.received or ())} messages on the handset, expected {times}"
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.message.id,
            "lang": self.message.lang,
            "channel": self.channel,
            "outcome": self.outcome,
            "parts": self.parts,
            "seconds": _rounded(self.seconds),
            "seconds_to_carrier": _rounded(self.seconds_to_carrier),
            "carriers": self.carriers,
            "received": len(self.received or ()),
            "heard": self.heard,
            "keys": self.keys or None,
            "transferred": self.transferred,
            "wrong": self.wrong,
        }

    def _since_accepted(self, at: float | None) -> float | None:
        return None if at is None or self.accepted_at is None else at - self.accepted_at


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
