"""Is the session still there? (RFC 4028)"""

from __future__ import annotations

from typing import Final, NamedTuple

from protocols.sip.headers import parse_seconds, parse_session_expires
from protocols.sip.message import Request, Response

MIN_SE: Final = 90
"""§4: nothing shorter is asked for, nor taken."""

MAX_SE: Final = 86_400


class SessionTimer(NamedTuple):
    """``seconds`` from one refresh to the end, and whether it is us who refresh."""

    seconds: int
    ours: bool

    @property
    def refresh_after(self) -> float:
        """§7.2: half of it."""
        return self.seconds / 2

    @property
    def bye_after(self) -> float:
        """§10: a little before the end, so that the other side does not find a session that is none."""
        return self.seconds - min(32, self.seconds / 3)


def asked(seconds: int, min_se: int, refresher: str | None = None) -> tuple[tuple[str, str], ...]:
    """The headers of a request that wants the session to end unless it is refreshed."""
    if not seconds:
        return ()
    seconds = max(seconds, min_se, MIN_SE)
    value = f"{seconds};refresher={refresher}" if refresher else str(seconds)
    headers = (("Session-Expires", value),)
    return (*headers, ("Min-SE", str(min_se))) if min_se > MIN_SE else headers


def min_se_of(response: Response, asked_for: int) -> int | None:
    """§7.3: what to ask for after a 422; None where it tells nothing larger than what was asked for."""
    seconds = parse_seconds(response.headers.get("min-se") or "")
    return seconds if seconds is not None and asked_for < seconds <= MAX_SE else None


def of_answer(response: Response) -> SessionTimer | None:
    """What the 2xx to a request of ours says: no Session-Expires, no timer."""
    found = _session_expires(response)
    return SessionTimer(found[0], found[1] != "uas") if found else None


def of_request(request: Request) -> tuple[SessionTimer | None, tuple[tuple[str, str], ...]]:
    """What a request of the peer asks for, and the headers of our 2xx: it refreshes unless it wants us to."""
    found = _session_expires(request)
    if found is None:
        return None, ()
    seconds = max(found[0], parse_seconds(request.headers.get("min-se") or "") or 0)
    able = "timer" in (each.lower() for each in request.headers.all("supported"))
    refresher = (found[1] or "uac") if able else "uas"
    headers: tuple[tuple[str, str], ...] = (("Session-Expires", f"{seconds};refresher={refresher}"),)
    if refresher == "uac":
        headers = (*headers, ("Require", "timer"))
    return SessionTimer(seconds, refresher == "uas"), headers


def too_small(request: Request) -> bool:
    """§9: to be refused by 422."""
    value = request.headers.get("session-expires")
    found = parse_session_expires(value) if value is not None else None
    return found is not None and found[0] < MIN_SE


def _session_expires(message: Request | Response) -> tuple[int, str | None] | None:
    value = message.headers.get("session-expires")
    found = parse_session_expires(value) if value is not None else None
    if found is None:
        return None
    return min(max(found[0], MIN_SE), MAX_SE), found[1]
