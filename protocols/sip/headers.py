"""Headers of a message: an ordered multimap, and the structured ones (RFC 3261 §7.3, §20)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from protocols.sip.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip.grammar import (
    QUOTED,
    TOKEN,
    Params,
    checked,
    is_token,
    param,
    params_text,
    parse_params,
    quoted,
    split_list,
    unquoted,
)
from protocols.sip.header_names import KEYS, LISTS, key_of
from protocols.sip.uri import Uri, host_text, parse_host


class Headers:
    """In the order they came; names in any case, compact or long.

    ``get``, ``all`` and ``values`` read; ``add``, ``set``, ``prepend`` and ``remove`` are for messages of
    our own.

    Raises:
        LocalProtocolError: a name is no token, or a line end stands in a value.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: list[tuple[str, str, str]] = []
        self._index: dict[str, list[str]] | None = None
        for name, value in items:
            self.add(name, value)

    @classmethod
    def parse(cls, lines: Iterable[str], longest: int) -> "Headers":
        """Of unfolded lines, with at most ``longest`` characters each.

        Raises:
            RemoteProtocolError: a line is longer, or no header.
        """
        headers = cls()
        items = headers._items
        index: dict[str, list[str]] = {}
        for line in lines:
            if len(line) > longest:
                raise RemoteProtocolError("a header is longer than allowed")
            name, colon, value = line.partition(":")
            key = KEYS.get(name)
            if key is None:
                name = name.rstrip(" \t")
                if not is_token(name):
                    raise RemoteProtocolError("a line is no header")
                key = key_of(name)
            if not colon:
                raise RemoteProtocolError("a line is no header")
            value = value.strip(" \t")
            items.append((key, name, value))
            if key in index:
                index[key].append(value)
            else:
                index[key] = [value]
        headers._index = index
        return headers

    def get(self, name: str) -> str | None:
        """The value of the first header of that name, unsplit."""
        values = self._indexed().get(KEYS.get(name) or name.lower())
        return None if values is None else values[0]

    def values(self, name: str) -> tuple[str, ...]:
        """One value for each header line of that name."""
        return tuple(self._indexed().get(key_of(name), ()))

    def all(self, name: str) -> tuple[str, ...]:
        """The elements of all headers of that name: split at commas where the header is a list."""
        key = key_of(name)
        values = self._indexed().get(key, ())
        if key not in LISTS:
            return tuple(values)
        return tuple([element for value in values for element in split_list(value)])

    def add(self, name: str, value: str) -> None:
        self._items.append(_item(name, value))
        self._index = None

    def prepend(self, name: str, value: str) -> None:
        """Before all others: a Via."""
        self._items.insert(0, _item(name, value))
        self._index = None

    def set(self, name: str, value: str) -> None:
        """In the place of the first of that name; all others of it go."""
        new = _item(name, value)
        key = new[0]
        items: list[tuple[str, str, str]] = []
        placed = False
        for item in self._items:
            if item[0] != key:
                items.append(item)
            elif not placed:
                items.append(new)
                placed = True
        if not placed:
            items.append(new)
        self._items = items
        self._index = None

    def remove(self, name: str) -> None:
        key = key_of(name)
        self._items = [item for item in self._items if item[0] != key]
        self._index = None

    def lines(self, but: str) -> list[str]:
        """As they are sent, without line ends, and without those of one key."""
        return [f"{name}: {value}" for key, name, value in self._items if key != but]

    def ambiguous(self, names: Iterable[str]) -> str | None:
        """The first of those keys that is there with several values."""
        index = self._indexed()
        for name in names:
            if name in index and len(values := index[name]) > 1 and any(each != values[0] for each in values):
                return name
        return None

    def _indexed(self) -> dict[str, list[str]]:
        index = self._index
        if index is None:
            index = self._index = {}
            for key, _, value in self._items:
                if key in index:
                    index[key].append(value)
                else:
                    index[key] = [value]
        return index

    def __contains__(self, name: str) -> bool:
        return key_of(name) in self._indexed()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(name, value) for _, name, value in self._items])

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<Headers {' '.join(name for _, name, _ in self._items)}>"


def _item(name: str, value: str) -> tuple[str, str, str]:
    if name not in KEYS and not is_token(name):
        raise LocalProtocolError("header", "a token as its name")
    return key_of(name), name, checked(name, value.strip(" \t"))


_NAME_ADDR: Final = re.compile(
    rf"""(?:({QUOTED})\s*+|([^"<>,;:=@]*+))<\s*+([A-Za-z][A-Za-z0-9+.\-]*+:[^<>"\x00-\x20]++)\s*+>\s*+(;.*)?""",
    re.DOTALL,
)
_ADDR_SPEC: Final = re.compile(r"""([A-Za-z][A-Za-z0-9+.\-]*+:[^<>";,?\x00-\x20]++)\s*+(;.*)?""", re.DOTALL)


class NameAddr(NamedTuple):
    """``"display" <uri>;params`` of From, To, Contact, Route and the like (RFC 3261 §20.10).

    ``display`` is without quotes; ``uri`` is the URI's text, unread: ``address()`` reads it.
    """

    display: str
    uri: str
    params: Params = ()

    @classmethod
    def parse(cls, value: str) -> "NameAddr":
        """Of a URI without angle brackets all parameters are the header's.

        Raises:
            RemoteProtocolError: it is no name-addr and no addr-spec.
        """
        value = value.strip()
        match = _NAME_ADDR.fullmatch(value)
        if match is not None:
            name, tokens, uri, params = match.groups()
            display = unquoted(name) if name is not None else tokens.strip()
        else:
            match = _ADDR_SPEC.fullmatch(value)
            if match is None:
                raise RemoteProtocolError("this is neither a name-addr nor an addr-spec")
            uri, params = match.groups()
            display = ""
        return cls(display, uri, parse_params(params, "name-addr") if params else ())

    @property
    def tag(self) -> str | None:
        return param(self.params, "tag")

    def param(self, name: str) -> str | None:
        """The value of a parameter of the header, without quotes; "" where it has none."""
        return param(self.params, name)

    def with_tag(self, tag: str) -> "NameAddr":
        others = tuple(each for each in self.params if each[0].lower() != "tag")
        return self._replace(params=(*others, ("tag", tag)))

    def address(self) -> Uri:
        """Raises:
        RemoteProtocolError: the text is no URI.
        """
        return Uri.parse(self.uri)

    def __str__(self) -> str:
        display = f"{quoted(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{params_text(self.params)}"

    def __repr__(self) -> str:
        return "<NameAddr>"


_VIA: Final = re.compile(
    r"""[Ss][Ii][Pp]\s*+/\s*+[0-9]\.[0-9]\s*+/\s*+([A-Za-z0-9\-.!%*_+`'~]++)\s++
    (\[[^\]]*+\]|[^\s;:,"<>\[\]]++)\s*+(?::\s*+([0-9]{1,5}+)\s*+)?(;.*)?""",
    re.VERBOSE | re.DOTALL,
)


class Via(NamedTuple):
    """One hop (RFC 3261 §20.42). ``transport`` is in upper case, the host of IPv6 without brackets."""

    transport: str
    host: str
    port: int | None
    params: Params = ()

    @classmethod
    def parse(cls, value: str) -> "Via":
        """Raises:
        RemoteProtocolError: it is no Via of any version.
        """
        match = _VIA.fullmatch(value.strip())
        if match is None:
            raise RemoteProtocolError("Via cannot be read")
        transport, host, port, params = match.groups()
        number = None if port is None else int(port)
        if number is not None and number > 65535:
            raise RemoteProtocolError("the port of a Via is above 65535")
        read = parse_params(params, "Via") if params else ()
        return cls(transport.upper(), parse_host(host), number, read)

    @property
    def branch(self) -> str | None:
        return param(self.params, "branch")

    @property
    def received(self) -> str | None:
        return param(self.params, "received")

    @property
    def rport(self) -> int | None:
        """The number that a server filled in (RFC 3581); None where it did not."""
        value = param(self.params, "rport")
        return int(value) if value and _is_number(value, 65535) else None

    def param(self, name: str) -> str | None:
        """The value of a parameter, without quotes; "" where it has none, as the rport of a request."""
        return param(self.params, name)

    def with_param(self, name: str, value: str | None) -> "Via":
        """With the parameter in its old place, or at the end."""
        new = [(key, value if key.lower() == name else old) for key, old in self.params]
        if not any(key.lower() == name for key, _ in self.params):
            new.append((name, value))
        return self._replace(params=tuple(new))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {host_text(self.host)}{port}{params_text(self.params)}"


class CSeq(NamedTuple):
    """RFC 3261 §20.16."""

    number: int
    method: str

    @classmethod
    def parse(cls, value: str) -> "CSeq":
        """Raises:
        RemoteProtocolError: it is not a number below 2**31 and a method.
        """
        parts = value.split()
        if len(parts) != 2 or not _is_number(parts[0], 2**31 - 1) or not TOKEN.fullmatch(parts[1]):
            raise RemoteProtocolError("CSeq is not a number below 2**31 and a method")
        return cls(int(parts[0]), parts[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most


_RETRY_AFTER: Final = re.compile(r"\s*+([0-9]{1,10}+)\s*+(?:\(.*)?(?:;.*)?", re.DOTALL)
_DELTA: Final = re.compile(r"\s*+([0-9]{1,10}+)\s*+(;.*)?", re.DOTALL)


def parse_retry_after(value: str) -> float | None:
    """Seconds, of a value that may go on with a comment and parameters (RFC 3261 §20.33)."""
    match = _RETRY_AFTER.fullmatch(value)
    return float(match[1]) if match else None


def parse_reason(values: str | Iterable[str]) -> int | None:
    """The cause of Q.850 among one or several values of Reason (RFC 3326), 1–127."""
    for value in (values,) if isinstance(values, str) else values:
        for element in split_list(value):
            protocol, semicolon, params = element.partition(";")
            if protocol.strip().upper() != "Q.850":
                continue
            try:
                cause = param(parse_params(semicolon + params, "Reason"), "cause")
            except RemoteProtocolError:
                continue
            if cause and _is_number(cause, 127):
                return int(cause)
    return None


def parse_session_expires(value: str) -> tuple[int, str | None] | None:
    """Seconds, and who refreshes: "uac", "uas" or nobody named (RFC 4028 §4)."""
    match = _DELTA.fullmatch(value)
    if match is None:
        return None
    try:
        refresher = param(parse_params(match[2] or "", "Session-Expires"), "refresher")
    except RemoteProtocolError:
        return None
    refresher = refresher.lower() if refresher else None
    return int(match[1]), refresher if refresher in ("uac", "uas") else None


def parse_seconds(value: str) -> int | None:
    """Of Expires, Min-Expires and Min-SE: seconds, and parameters that are passed over."""
    match = _DELTA.fullmatch(value)
    return int(match[1]) if match else None


def parse_rseq(value: str) -> int | None:
    """RFC 3262 §7.1: 1 to 2**32 - 1."""
    value = value.strip()
    return int(value) if _is_number(value, 2**32 - 1) and int(value) else None


def parse_rack(value: str) -> tuple[int, int, str] | None:
    """RSeq and CSeq of the response that a PRACK acknowledges, and the latter's method (RFC 3262 §7.2)."""
    parts = value.split()
    if len(parts) != 3 or not _is_number(parts[0], 2**32 - 1) or not _is_number(parts[1], 2**31 - 1):
        return None
    return int(parts[0]), int(parts[1]), parts[2]
