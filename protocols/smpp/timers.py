"""Is the peer still there? (SMPP 3.4 §7.2, enquire_link_timer and inactivity_timer)"""

from enum import Enum


class Due(Enum):
    """What a link's timer asks for."""

    NOTHING = "nothing"
    ENQUIRE = "send an enquire_link"
    DEAD = "give the connection up"


class LinkTimer:
    """Ask after one silent period, give up after a second one.

    An operation ends when the peer is heard: any whole PDU from it starts the period again. What we send
    does not, or a peer that died while we submit would never be asked. A timer that fires late still asks
    first: it was perhaps our own process that slept.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._since = 0.0
        self._asked = False

    def heard(self, now: float) -> None:
        self._since = now
        self._asked = False

    def asked(self, now: float) -> None:
        """An enquire_link has left; a second one does not put off the end."""
        if not self._asked:
            self._since = now
            self._asked = True

    def next(self) -> float:
        return self._since + self._period_s

    def due(self, now: float) -> Due:
        if now < self.next():
            return Due.NOTHING
        return Due.DEAD if self._asked else Due.ENQUIRE
