"""Reading a session description (RFC 8866): its lines as media with their own and the session's values."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from protocols.sip.errors import SdpError

MOST_LINES: Final = 1_000
MOST_MEDIA: Final = 32
_LINE: Final = re.compile(r"([a-z])=(.*)")
_PORT: Final = re.compile(r"([0-9]{1,5})(?:/[0-9]{1,5})?")
_CONNECTION: Final = re.compile(r"IN +IP([46]) +([^\s/]+)(?:/[0-9/]+)? *", re.IGNORECASE)
_RTPMAP: Final = re.compile(r"([0-9]{1,3}) +([^\s/]+)/([0-9]{1,9})(?:/([0-9]{1,3}))? *")
_DIRECTIONS: Final = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))


@dataclass(slots=True)
class Media:
    """One m= line and what stands below it. ``host`` and ``direction`` fall back to the session's."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    host: str | None
    direction: str
    attributes: list[tuple[str, str]] = field(default_factory=list)
    """Name and value; "" for a flag."""
    encodings: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """By payload type, of rtpmap; the first counts."""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def encoding(self, payload_type: str) -> tuple[str, int, int] | None:
        """Name in upper case, clock rate, channels, by rtpmap; or by RFC 3551's table for PCMU and PCMA."""
        known = self.encodings.get(payload_type)
        if known is not None:
            return known
        return {"0": ("PCMU", 8000, 1), "8": ("PCMA", 8000, 1)}.get(payload_type)


def parse(sdp: bytes) -> list[Media]:
    """The media, in order. Lines end with CRLF or LF; lines and attributes nobody knows are passed over.

    Raises:
        SdpError: it is no session description, or larger than any that is meant.
    """
    lines = sdp.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0].rstrip() != "v=0":
        raise SdpError("a session description begins with v=0")
    if len(lines) > MOST_LINES:
        raise SdpError("the session description has too many lines")
    host: str | None = None
    direction = "sendrecv"
    media: list[Media] = []
    for text in lines[1:]:
        match = _LINE.fullmatch(text)
        if match is None:
            raise SdpError("a line of the session description is none")
        letter, value = match[1], match[2]
        if letter == "m":
            if len(media) == MOST_MEDIA:
                raise SdpError("the session description has too many media")
            media.append(_media(value, host, direction))
        elif letter == "c":
            address = _address(value)
            if media:
                media[-1].host = address
            else:
                host = address
        elif letter == "a":
            name, _, argument = value.partition(":")
            if name in _DIRECTIONS:
                if media:
                    media[-1].direction = name
                else:
                    direction = name
            elif media:
                _attribute(media[-1], name, argument.strip())
    return media


def _media(value: str, host: str | None, direction: str) -> Media:
    parts = value.split()
    port = _PORT.fullmatch(parts[1]) if len(parts) > 3 else None
    if port is None or int(port[1]) > 65535:
        raise SdpError("an m= line cannot be read")
    return Media(parts[0].lower(), int(port[1]), parts[2].upper(), tuple(parts[3:]), host, direction)


def _attribute(media: Media, name: str, value: str) -> None:
    media.attributes.append((name, value))
    if name == "rtpmap" and (match := _RTPMAP.fullmatch(value)):
        media.encodings.setdefault(match[1], (match[2].upper(), int(match[3]), int(match[4] or 1)))


def _address(value: str) -> str:
    match = _CONNECTION.fullmatch(value)
    if match is None:
        raise SdpError("a c= line cannot be read")
    try:
        address = ip_address(match[2])
    except ValueError:
        raise SdpError("the address of a c= line is none") from None
    if address.version != int(match[1]):
        raise SdpError("the address of a c= line is of another family")
    return str(address)
