"""Time parameters: ``YYMMDDhhmmsstnnp`` (SMPP 3.4 §7.1.1), in the relative form (§7.1.1.2)."""

import math
import re

from protocols.smpp.errors import LocalProtocolError

_DAY = 86_400
_LIMIT_S = 32 * _DAY
_RELATIVE = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d\d\dR")


def relative(seconds: float) -> bytes:
    """``000000001000000R`` for 600 s: how long from now, as the SMSC counts.

    Rounded up to whole seconds, so that a message never expires before its deadline. LocalProtocolError
    for anything not above 0, or of 32 days and more: years and months have no fixed length.
    """
    if not 0 < seconds < _LIMIT_S:
        raise LocalProtocolError("validity_period", f"seconds above 0 and below {_LIMIT_S}, not {seconds}")
    days, rest = divmod(min(math.ceil(seconds), _LIMIT_S - 1), _DAY)
    return b"0000%02d%02d%02d%02d000R" % (days, rest // 3600, rest // 60 % 60, rest % 60)


def relative_seconds(text: bytes) -> int | None:
    """The seconds in a relative time; None for another form, an empty one, or one with years or months."""
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return None
    years, months, days, hours, minutes, seconds = map(int, match.groups())
    if years or months:
        return None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
