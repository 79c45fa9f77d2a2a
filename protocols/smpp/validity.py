"""Time parameters: ``YYMMDDhhmmsstnnp`` (SMPP 3.4 §7.1.1), absolute (§7.1.1.1) and relative (§7.1.1.2)."""

import math
import re
from datetime import UTC, datetime

from protocols.smpp.errors import LocalProtocolError

_DAY = 86_400
_LIMIT_S = 32 * _DAY
_MOST_QUARTERS = 48
_FIRST, _LAST = 946_684_800, 4_102_444_799  # the years that two digits can tell: 2000 to 2099
_ABSOLUTE = re.compile(rb"(\d{12})(\d)(\d\d)([+-])")
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


def absolute(unix_seconds: float) -> bytes:
    """``260105093000000+``: the instant in UTC, rounded up to a tenth of a second, so that a message never
    expires before its deadline. LocalProtocolError for an instant outside 2000–2099.
    """
    if not _FIRST <= unix_seconds <= _LAST:
        raise LocalProtocolError("validity_period", "an instant from 2000 to 2099")
    seconds, tenth = divmod(math.ceil(round(unix_seconds * 10, 3)), 10)
    return b"%b%d00+" % (datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d%H%M%S").encode(), tenth)


def absolute_seconds(text: bytes) -> float | None:
    """The Unix time of an absolute time; None for another form and for what is no date.

    ``nn`` is the quarters of an hour that the clock of the text is before (``+``) or behind (``-``) UTC.
    """
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        return None
    digits, tenth, quarters, sign = match.groups()
    if int(quarters) > _MOST_QUARTERS:
        return None
    # Not strptime's %y: that has 69–99 in the last century.
    try:
        clock = datetime.strptime(f"20{digits.decode()}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
    offset = int(quarters) * 900 * (1 if sign == b"+" else -1)
    return clock.timestamp() + int(tenth) / 10 - offset


def expires_at(text: bytes, now: float) -> float | None:
    """The Unix time that a validity_period of either form, received at ``now``, ends; None without one."""
    seconds = relative_seconds(text)
    return absolute_seconds(text) if seconds is None else now + seconds
