"""What a request is, read from its first lines alone: faults are decided before the user agent sees it."""

from __future__ import annotations

import re
from typing import NamedTuple

from protocols.sip.errors import RemoteProtocolError
from protocols.sip.headers import NameAddr

_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_REQUEST = re.compile(rb"([A-Z]+) sips?:(?:([^@;: ]*)[^@ ]*@)?\S* SIP/2\.0\r?\n")
_ZEROS = "00"


class Front(NamedTuple):
    """method, the digits of the request URI's user, Call-ID; as they were sent."""

    method: str
    number: str
    call_id: str


def front_of(data: bytes) -> Front | None:
    """Of a request; None for a response, for keep-alives and for what is no SIP."""
    data = data.lstrip(b"\r\n")
    request = _REQUEST.match(data)
    if request is None:
        return None
    call_id = _CALL_ID.search(data)
    method, user = request[1].decode(), (request[2] or b"").decode("utf-8", "replace")
    return Front(method, digits_of(user), call_id[1].decode("utf-8", "replace") if call_id else "")


def digits_of(user: str) -> str:
    """The international digits of a number without + or 00 before them; other users stay what they are."""
    user = user.partition(";")[0].replace("%2B", "+").replace("%2b", "+")
    return user.removeprefix("+") if user.startswith("+") else user.removeprefix(_ZEROS)


def user_of(address: NameAddr) -> str:
    """The digits of a From or To; "" where it is no number and no name."""
    try:
        return digits_of(address.address().user or "")
    except RemoteProtocolError:
        return ""
