"""A transfer that we asked for by REFER, until the last NOTIFY (RFC 3515)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from protocols.sip.events import TransferProgress
from protocols.sip.message import Request, Response

if TYPE_CHECKING:
    from protocols.sip.call import Call

PATIENCE_S: Final = 120.0
"""How long a transfer may go on without a NOTIFY."""

_FRAGMENT: Final = re.compile(rb"\s*SIP/2\.0 +([1-6][0-9][0-9])(?:[ \r\n]|$)", re.IGNORECASE)


class Transfer:
    """``status`` is the last one known; 0 before any."""

    def __init__(self, call: Call, now: float) -> None:
        self.status = 0
        self._call = call
        self._alarm = call.core.clock.at(now + PATIENCE_S, self._too_long, None)

    def stop(self) -> None:
        self._alarm.cancel()

    def answered(self, response: Response | None, status: int, now: float) -> None:
        """The answer to our REFER: NOTIFYs follow a 2xx (§2.4.2)."""
        if status >= 300 and self._call.transfer is self:
            self._call.end_transfer(False, status)

    def notified(self, request: Request, now: float) -> None:
        """A NOTIFY of its subscription, which has been answered."""
        self._alarm.cancel()
        self._alarm = self._call.core.clock.at(now + PATIENCE_S, self._too_long, None)
        match = _FRAGMENT.match(request.body)
        if match is not None:
            self.status = int(match[1])
            if self.status < 200:
                self._call.core.tell(TransferProgress(self._call, self.status))
        state = (request.headers.get("subscription-state") or "").partition(";")[0].strip().lower()
        if self.status >= 200 or state == "terminated":
            self._call.end_transfer(200 <= self.status < 300, self.status)

    def _too_long(self, argument: object, now: float) -> None:
        self._call.end_transfer(False, 408)
