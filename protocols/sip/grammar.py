"""Tokens, quoted strings, parameters and lists: the parts that headers are made of (RFC 3261 §25.1)."""

import re
from typing import Final

from protocols.sip.errors import LocalProtocolError, RemoteProtocolError

Params = tuple[tuple[str, str | None], ...]
"""Names in the spelling they came in, values as they stood there: a quoted one has its quotes."""

TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
"""Quantifiers are possessive wherever two of them could share a run of octets: reading takes linear time."""

HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")
IPV6: Final = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.\-]+)?")

_PARAM: Final = re.compile(
    rf"""\s*+;\s*+([A-Za-z0-9\-.!%*_+`'~]++)\s*+
    (?:=\s*+({QUOTED}|\[[0-9A-Fa-f:.]++\]|[^\s;,"<>=][^\s;,"<>]*+|)\s*+)?""",
    re.VERBOSE | re.DOTALL,
)
_ELEMENT: Final = re.compile(rf"""(?:[^",<]++|{QUOTED}|<[^>]*+>)*+""", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(r'["\\]')
_BREAKS: Final = re.compile("[\r\n]")


def is_token(text: str) -> bool:
    return TOKEN.fullmatch(text) is not None


def checked(field: str, value: str) -> str:
    """The value, fit to be sent: without a line end, which would begin another header.

    Raises:
        LocalProtocolError: there is a CR or LF in it.
    """
    if _BREAKS.search(value):
        raise LocalProtocolError(field, "no line end inside a value")
    return value


def quoted(text: str) -> str:
    """A quoted-string that says ``text``."""
    return '"' + _TO_ESCAPE.sub(r"\\\g<0>", text) + '"'


def unquoted(value: str) -> str:
    """What a quoted-string says; anything else as it is."""
    if len(value) >= 2 and value[0] == '"' == value[-1]:
        inner = value[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    return value


def parse_params(text: str, field: str) -> Params:
    """``;name=value;name`` to its end.

    Raises:
        RemoteProtocolError: it is anything else.
    """
    found: list[tuple[str, str | None]] = []
    at, end = 0, len(text)
    while at < end:
        match = _PARAM.match(text, at)
        if match is None:
            raise RemoteProtocolError(f"{field}: a parameter cannot be read")
        found.append((match[1], match[2]))
        at = match.end()
    return tuple(found)


def param(params: Params, name: str) -> str | None:
    """The value of a parameter, without quotes; "" where it stands there without a value."""
    for key, value in params:
        if key == name or key.lower() == name:
            return "" if value is None else unquoted(value)
    return None


def params_text(params: Params) -> str:
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in params])


def split_list(value: str) -> tuple[str, ...]:
    """The elements of a list with commas, those in quoted strings and angle brackets left alone
    (RFC 3261 §7.3.1). Empty ones are left out.
    """
    if "," not in value:
        return (value,) if value else ()
    if '"' not in value and "<" not in value:
        parts = value.split(",")
    else:
        parts = _split_outside(value)
    return tuple([part for each in parts if (part := each.strip())])


def _split_outside(value: str) -> list[str]:
    """A quotation mark or bracket that is never closed takes in all the rest."""
    parts: list[str] = []
    at = 0
    while (match := _ELEMENT.match(value, at)) and value[match.end() : match.end() + 1] == ",":
        parts.append(match[0])
        at = match.end() + 1
    parts.append(value[at:])
    return parts
