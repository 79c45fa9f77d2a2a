"""Requests and responses: reading them from a datagram, writing them (RFC 3261 §7, §18.3).

What is read may be sloppy where no other reading is possible: bare line feeds, folded and compact headers,
spaces around separators. What is written is strict. A text is UTF-8; octets that are none survive unchanged.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocols.sip.errors import LocalProtocolError, MessageError, RemoteProtocolError
from protocols.sip.grammar import is_token, split_list
from protocols.sip.headers import CSeq, Headers, NameAddr, Via
from protocols.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Limits:
    """In octets, but for ``headers``. A message with more is answered by 513, or 400 for its headers."""

    message: int = 65_535
    headers: int = 128
    header: int = 8_192
    """One line: name and value, unfolded."""
    body: int = 65_535


DEFAULT_LIMITS: Final = Limits()


class _Message:
    """What requests and responses have in common. The properties read a header when they are first asked for
    it. Of a message that was parsed they are there and valid; of any other:

    Raises:
        RemoteProtocolError: the header is missing, or cannot be read.
    """

    __slots__ = ("_read", "body", "headers")

    def __init__(self, headers: Headers | Iterable[tuple[str, str]], body: bytes) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self._read: dict[str, tuple[str, object]] = {}

    @property
    def via(self) -> Via:
        """The topmost."""
        raw = self._raw("via")
        known = self._read.get("via")
        if known is not None and known[0] is raw:
            return known[1]  # type: ignore[return-value]
        elements = split_list(raw)
        via = Via.parse(elements[0] if elements else "")
        self._read["via"] = (raw, via)
        return via

    @property
    def cseq(self) -> CSeq:
        raw = self._raw("cseq")
        known = self._read.get("cseq")
        if known is not None and known[0] is raw:
            return known[1]  # type: ignore[return-value]
        cseq = CSeq.parse(raw)
        self._read["cseq"] = (raw, cseq)
        return cseq

    @property
    def call_id(self) -> str:
        return self._raw("call-id")

    @property
    def from_(self) -> NameAddr:
        return self._address("from", self._raw("from"))

    @property
    def to(self) -> NameAddr:
        return self._address("to", self._raw("to"))

    @property
    def contact(self) -> NameAddr | None:
        """The first; None also for "*" and one that cannot be read."""
        raw = self.headers.get("contact")
        if raw is None:
            return None
        try:
            return self._address("contact", raw)
        except RemoteProtocolError:
            return None

    def _address(self, key: str, raw: str) -> NameAddr:
        known = self._read.get(key)
        if known is not None and known[0] is raw:
            return known[1]  # type: ignore[return-value]
        elements = split_list(raw) if key == "contact" else ()
        address = NameAddr.parse(elements[0] if elements else raw)
        self._read[key] = (raw, address)
        return address

    def _raw(self, key: str) -> str:
        value = self.headers.get(key)
        if value is None:
            raise RemoteProtocolError(f"{key} is missing")
        return value

    def _encoded(self, start: str) -> bytes:
        lines = [start, *self.headers.lines(but="content-length")]
        lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise LocalProtocolError("message", "no line end inside a line")
        try:
            return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body
        except UnicodeEncodeError:
            raise LocalProtocolError("message", "text that UTF-8 has octets for") from None


class Request(_Message):
    """``uri`` is the request URI's text."""

    __slots__ = ("method", "uri")

    def __init__(
        self, method: str, uri: str, headers: Headers | Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def encode(self) -> bytes:
        """As it is sent; Content-Length is that of the body, whatever the headers say.

        Raises:
            LocalProtocolError: a line end stands in a value, the method is no token, the URI has a space.
        """
        if not is_token(self.method):
            raise LocalProtocolError("method", "a token")
        if not self.uri or any(mark in self.uri for mark in " \t<>"):
            raise LocalProtocolError("request URI", "a URI without spaces and angle brackets")
        return self._encoded(f"{self.method} {self.uri} SIP/2.0")

    def __str__(self) -> str:
        """Without numbers and texts."""
        return f"{self.method} request of {len(self.body)} octets of body"

    __repr__ = __str__


class Response(_Message):
    """``status`` is 100 to 699; ``reason`` is for people, and may be empty."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str = "",
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason

    def encode(self) -> bytes:
        """As it is sent; Content-Length is that of the body, whatever the headers say.

        Raises:
            LocalProtocolError: a line end stands in a value, the status is not 100 to 699.
        """
        if not 100 <= self.status <= 699:
            raise LocalProtocolError("status", "100 to 699")
        return self._encoded(f"SIP/2.0 {self.status} {self.reason}")

    def __str__(self) -> str:
        """Without numbers and texts."""
        return f"{self.status} response of {len(self.body)} octets of body"

    __repr__ = __str__


Message = Request | Response

_FOLD: Final = re.compile(r"\n[ \t]+")
_VERSION: Final = re.compile(r"SIP/[0-9]{1,4}\.[0-9]{1,4}", re.IGNORECASE)
END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_STATUS: Final = re.compile("[1-6][0-9]{2}")
_LENGTH: Final = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,10})[ \t]*\r?$")
_ONCE: Final = ("call-id", "cseq", "from", "to", "content-length", "max-forwards", "content-type")
"""Headers that two different values of make a message unreadable (RFC 4475 §3.3.8, §3.3.9)."""


def parse(datagram: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """One message of a datagram. Line ends before it are passed over, and octets behind its Content-Length.

    Raises:
        MessageError: it cannot be read, with what a UAS answers.
    """
    if len(datagram) > limits.message:
        raise MessageError("the message is larger than allowed", 513)
    if datagram[:1] in (b"\r", b"\n"):
        datagram = datagram.lstrip(b"\r\n")
    head, body = cut(datagram)
    message = parse_head(head, limits)
    length = content_length(message)
    if length is not None:
        if length > len(body):
            raise refusal("Content-Length is larger than what came", message)
        body = body[:length]
    if len(body) > limits.body:
        raise refusal("the body is larger than allowed", message, 513)
    message.body = body
    return message


def cut(data: bytes) -> tuple[bytes, bytes]:
    """The head without its empty line, and what follows. A head that never ends has no body."""
    at = data.find(b"\r\n\r\n")
    if at >= 0 and data.count(b"\n", 0, at) == data.count(b"\r\n", 0, at):
        return data[:at], data[at + 4 :]
    match = END_OF_HEAD.search(data)
    if match is None:
        return data.rstrip(b"\r\n"), b""
    return data[: match.start()].removesuffix(b"\r"), data[match.end() :]


def parse_head(head: bytes, limits: Limits) -> Message:
    """Start line and headers, the mandatory ones checked; the body is empty.

    Raises:
        MessageError: as ``parse``.
    """
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    if "\r" in text:
        raise MessageError("a carriage return stands alone")
    start, _, rest = text.partition("\n")
    message, version = _start(start)
    if rest[:1] in (" ", "\t"):
        raise MessageError("the start line is folded")
    if "\n " in rest or "\n\t" in rest:
        rest = _FOLD.sub(" ", rest)
    lines = rest.split("\n") if rest else []
    try:
        if len(lines) > limits.headers:
            raise RemoteProtocolError("there are more headers than allowed")
        message.headers = Headers.parse(lines, limits.header)
        if not version:
            raise RemoteProtocolError("the request line has too many spaces")
        _check(message)
    except RemoteProtocolError as error:
        raise refusal(error.reason, message) from None
    if version != "SIP/2.0":
        raise refusal("the version is not SIP/2.0", message, 505)
    return message


def refusal(reason: str, message: Message, status: int = 400) -> MessageError:
    """What a message that is partly read is refused with."""
    partial = message if isinstance(message, Request) and message.method != "ACK" else None
    if partial is not None:
        try:
            _ = partial.via
        except RemoteProtocolError:
            partial = None
    return MessageError(reason, status, partial)


def response_to(error: MessageError, tag: str) -> Response | None:
    """What answers a request that could not be read: with its Via, From, To, Call-ID and CSeq as they came
    (RFC 3261 §8.2.6), and ``tag`` where To has none. None where nothing may be answered.
    """
    request = error.partial
    if request is None:
        return None
    headers = Headers()
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.headers.values(name):
            headers.add(name, value)
    try:
        if request.to.tag is None:
            headers.set("To", str(request.to.with_tag(tag)))
    except RemoteProtocolError:
        pass
    return Response(error.status, error.reason, headers)


def content_length(message: Message) -> int | None:
    """Raises:
    MessageError: it is no number, or a number with too many digits.
    """
    value = message.headers.get("content-length")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 10:
        raise refusal("Content-Length is no number", message)
    return int(value)


def length_despite(head: bytes) -> int | None:
    """The Content-Length of a head that cannot be read otherwise; None where there is none, or several."""
    found = {int(each) for each in _LENGTH.findall(head)}
    return found.pop() if len(found) == 1 else None


def _start(line: str) -> tuple[Message, str]:
    """The message and its version, in upper case; "" where a request line has too many spaces."""
    if line[:4].upper() == "SIP/":
        version, _, rest = line.partition(" ")
        status, _, reason = rest.partition(" ")
        if version.upper() != "SIP/2.0" or not _STATUS.fullmatch(status):
            raise MessageError("this is no status line of SIP/2.0")
        return Response(int(status), reason), "SIP/2.0"
    parts = line.split(" ")
    if len(parts) > 3:
        words = line.split()
        parts = [words[0], "", words[-1]] if words else parts
    if len(parts) != 3 or not is_token(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise MessageError("this is no request line")
    return Request(parts[0], parts[1]), parts[2].upper() if parts[1] else ""


def _check(message: Message) -> None:
    ambiguous = message.headers.ambiguous(_ONCE)
    if ambiguous is not None:
        raise RemoteProtocolError(f"{ambiguous} is there with several values")
    _ = message.via, message.from_, message.to
    if not message.call_id:
        raise RemoteProtocolError("call-id is empty")
    method = message.cseq.method
    if not isinstance(message, Request):
        return
    if method != message.method:
        raise RemoteProtocolError("CSeq names another method")
    if Uri.parse(message.uri).headers:
        raise RemoteProtocolError("the request URI has headers")
    for contact in message.headers.all("contact"):
        if contact != "*":
            NameAddr.parse(contact)
