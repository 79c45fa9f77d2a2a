"""Writes down one call: turns moments of the process's clock into the seconds of its detail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from connector.voice.detail import CallDetail, EndedBy, MediaDetail, Transfer
from connector.voice.media.listener import MediaStatistics
from protocols.sip.sdp import Agreed

__all__ = ["Record"]


class Record:
    """The detail of a call while it goes on; every `now` is in seconds since 1970."""

    def __init__(self, trunk: str, now: float) -> None:
        self.detail = CallDetail(trunk=trunk, call_id="", at=now)
        self._agreed: Agreed | None = None

    def since(self, now: float) -> float:
        """Seconds from the INVITE."""
        return round(now - self.detail.at, 4)

    def left(self, call_id: str, now: float) -> None:
        """The INVITE left; of one that is sent to the next address only that one's times are told."""
        self.detail.call_id, self.detail.at, self.detail.trying = call_id, now, None

    def trying(self, now: float) -> None:
        if self.detail.trying is None:
            self.detail.trying = self.since(now)

    def ringing(self, status: int, now: float) -> bool:
        """True the first time."""
        if self.detail.ringing is not None:
            return False
        self.detail.ringing, self.detail.ringing_status = self.since(now), status
        return True

    def answered(self, now: float) -> None:
        # The ACK leaves in the turn in which the 200 is read.
        self.detail.answered = self.detail.acknowledged = self.since(now)
        self.detail.status = 200

    def agreed(self, agreed: Agreed) -> None:
        """The newest agreement about the media."""
        self._agreed = agreed

    def transfer(self, mode: Literal["bridge", "refer"], now: float) -> Transfer:
        began = Transfer(mode=mode, began=self.since(now))
        self.detail.transfers.append(began)
        return began

    def judged(self, verdict: Literal["human", "machine", "beep"], now: float) -> None:
        self.detail.machine, self.detail.machine_at = verdict, self.since(now)

    def ended(self, by: EndedBy, status: int | None, cause: int | None, now: float) -> None:
        detail = self.detail
        detail.ended, detail.ended_by = self.since(now), by
        detail.cause = cause
        if status is not None and detail.answered is None:
            detail.status = status
        detail.prompt_ended(detail.ended)
        for transfer in detail.transfers:
            if transfer.ended is None:
                transfer.ended = detail.ended

    def media(self, told: MediaStatistics, moment: Callable[[float | None], float | None]) -> None:
        """What the media session counted; `moment` turns its times into ours."""
        detail = self.detail
        sent, heard = moment(told.first_sent_at), moment(told.first_received_at)
        detail.first_sent = None if sent is None else self.since(sent)
        detail.first_heard = None if heard is None else self.since(heard)
        if (agreed := self._agreed) is not None:
            detail.media = MediaDetail(
                codec=agreed.codec,
                encrypted=agreed.local_key is not None,
                sent=told.sent,
                received=told.received,
                lost=told.lost,
                duplicates=told.duplicates,
                reordered=told.reordered,
                spoofed=told.spoofed,
                jitter_ms=round(told.jitter_ms, 2),
                remote_lost_fraction=told.remote_lost_fraction,
                round_trip_s=told.round_trip_s,
            )

    def json(self) -> str:
        return msgspec.json.encode(self.detail).decode()
