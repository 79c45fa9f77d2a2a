"""SIP, SIPS and tel URIs, and those of any other scheme (RFC 3261 §19.1, RFC 3966)."""

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from protocols.sip.errors import RemoteProtocolError
from protocols.sip.grammar import HOST, IPV6, Params

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.+)", re.DOTALL)
_FORBIDDEN: Final = re.compile(r'[\s<>"\x00-\x20\x7f]')
_SIP: Final = re.compile(
    r"""(?:(?P<userinfo>[^@]*)@)?
    (?:\[(?P<six>[^\]]*)\]|(?P<host>[^:;?\[\]]*))
    (?::(?P<port>[0-9]{1,5}))?
    (?P<params>;[^?]*)?
    (?:\?(?P<headers>.*))?""",
    re.VERBOSE | re.DOTALL,
)
_IN_USER: Final = "-_.!~*'()&=+$,;?/"
_IN_PASSWORD: Final = "-_.!~*'()&=+$,"
_IN_NUMBER: Final = "-.()*#+"
_IN_PARAM: Final = "-_.!~*'()[]/:&+$"


class Uri(NamedTuple):
    """``user``, ``password`` and parameters are without %-escapes, the host of IPv6 without brackets;
    ``headers`` is as it stands behind the question mark.

    Of a scheme other than sip and sips ``host`` is "", and ``user`` is what stands behind the scheme: the
    number of tel (its parameters in ``params``), the whole rest of any other.
    """

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None = None
    params: Params = ()
    headers: str = ""

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Raises:
        RemoteProtocolError: it is no URI, or none of its scheme.
        """
        match = _SCHEME.fullmatch(text)
        if match is None or _FORBIDDEN.search(text):
            raise RemoteProtocolError("this is no URI")
        scheme, rest = match[1].lower(), match[2]
        if scheme in ("sip", "sips"):
            return _parse_sip(scheme, rest)
        if scheme == "tel":
            number, semicolon, params = rest.partition(";")
            if not number:
                raise RemoteProtocolError("a tel URI has no number")
            return cls(scheme, _unescaped(number), None, "", None, _params(semicolon + params))
        return cls(scheme, rest, None, "")

    def param(self, name: str) -> str | None:
        """The value of a parameter; "" where it stands there without a value."""
        for key, value in self.params:
            if key.lower() == name:
                return value or ""
        return None

    def __str__(self) -> str:
        parts = [self.scheme, ":"]
        if self.scheme in ("sip", "sips"):
            if self.user is not None:
                parts.append(quote(self.user, _IN_USER, errors="surrogateescape"))
                if self.password is not None:
                    parts += ":", quote(self.password, _IN_PASSWORD, errors="surrogateescape")
                parts.append("@")
            parts.append(host_text(self.host))
            if self.port is not None:
                parts.append(f":{self.port}")
        elif self.scheme == "tel":
            parts.append(quote(self.user or "", _IN_NUMBER, errors="surrogateescape"))
        else:
            parts.append(self.user or "")
        for name, value in self.params:
            parts += ";", quote(name, _IN_PARAM, errors="surrogateescape")
            if value is not None:
                parts += "=", quote(value, _IN_PARAM, errors="surrogateescape")
        if self.headers:
            parts += "?", self.headers
        return "".join(parts)

    def __repr__(self) -> str:
        return f"<Uri {self.scheme} of {self.host!r}>"


def host_text(host: str) -> str:
    """As it stands in a URI or a Via: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_host(text: str) -> str:
    """A name or address, in brackets that of IPv6; without them in the answer.

    Raises:
        RemoteProtocolError: it is neither.
    """
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
        if IPV6.fullmatch(text):
            return text
    elif HOST.fullmatch(text):
        return text
    raise RemoteProtocolError("a host is neither name nor address")


def _parse_sip(scheme: str, rest: str) -> Uri:
    # An unescaped "@" may only be the one behind the user; ";" and "?" are allowed before it.
    match = _SIP.fullmatch(rest)
    if match is None:
        raise RemoteProtocolError(f"this is no {scheme} URI")
    userinfo, six, host, port, params, headers = match.groups()
    if six is not None:
        if not IPV6.fullmatch(six):
            raise RemoteProtocolError("the host of a URI is no IPv6 address")
        host = six
    elif not HOST.fullmatch(host):
        raise RemoteProtocolError("the host of a URI is neither name nor address")
    number = None if port is None else int(port)
    if number is not None and number > 65535:
        raise RemoteProtocolError("the port of a URI is above 65535")
    user = password = None
    if userinfo is not None:
        user, colon, secret = userinfo.partition(":")
        user = _unescaped(user)
        password = _unescaped(secret) if colon else None
    return Uri(scheme, user, password, host, number, _params(params or ""), headers or "")


def _params(text: str) -> Params:
    if not text:
        return ()
    found: list[tuple[str, str | None]] = []
    for each in text[1:].split(";"):
        if not each:
            continue
        name, equals, value = each.partition("=")
        if not name:
            raise RemoteProtocolError("a parameter of a URI has no name")
        found.append((_unescaped(name), _unescaped(value) if equals else None))
    return tuple(found)


def _unescaped(text: str) -> str:
    return unquote(text, errors="surrogateescape") if "%" in text else text
