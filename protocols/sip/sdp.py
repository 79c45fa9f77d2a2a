"""Offer and answer of one audio stream (RFC 3264): PCMU, PCMA and telephone-event, in the clear or by SRTP
with keys in the description (RFC 4568).
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Literal

from protocols.sip.addresses import may_be_sent_to
from protocols.sip.description import Media, parse
from protocols.sip.errors import LocalProtocolError, SdpError

Codec = Literal["PCMU", "PCMA"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

SUITES: Final = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
KEY_LENGTH: Final = 30
"""Master key and master salt of either suite (RFC 4568 §6.2)."""

_STATIC: Final[dict[Codec, int]] = {"PCMU": 0, "PCMA": 8}
_PTIMES: Final = (10, 20, 30, 40, 60)
_OURS: Final[dict[str, Direction]] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
"""What answers the peer's direction (RFC 3264 §6.1)."""

_CRYPTO: Final = re.compile(r"([0-9]{1,9}) +([A-Za-z0-9_]+) +inline:([A-Za-z0-9+/]+=*)(\|\S*)?((?: +\S+)*) *")
_LIFETIME: Final = re.compile(r"\|(?:2\^)?[0-9]+")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto: ``key`` is master key and salt, 30 octets."""

    tag: int
    suite: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What we offer or may answer with: the codecs best first, the payload type of telephone-event or None.
    With ``crypto`` the stream is SRTP and never anything else.
    """

    address: str
    port: int
    codecs: tuple[Codec, ...] = ("PCMA", "PCMU")
    telephone_event: int | None = 101
    ptime_ms: int = 20
    crypto: tuple[Crypto, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """``payload_type`` and ``telephone_event`` are the peer's numbers, which we send with; it may send with
    those of our own description. ``send`` and ``receive`` are ours: on hold we do not send.
    """

    host: str
    port: int
    codec: Codec
    payload_type: int
    telephone_event: int | None
    ptime_ms: int
    send: bool
    receive: bool
    local_key: Crypto | None = None
    remote_key: Crypto | None = None


def offer(local: LocalMedia, session_id: int, version: int, *, direction: Direction = "sendrecv") -> bytes:
    """A session description; ``version`` is one higher with each that differs (RFC 3264 §8).

    Raises:
        LocalProtocolError: an address, port, payload type, codec or key cannot be sent.
    """
    _check(local)
    codecs = [(codec, _STATIC[codec]) for codec in local.codecs]
    lines = _audio(local, codecs, local.telephone_event, local.crypto, direction)
    return _description(local, session_id, version, lines)


def accept(answer: bytes, offered: LocalMedia) -> Agreed:
    """What the answer to ``offer`` says; media that were not offered are passed over.

    Raises:
        SdpError: it cannot be read, refuses the audio, or agrees to what was not offered.
    """
    media = parse(answer)
    if not media:
        raise SdpError("the answer has no media")
    audio = media[0]
    if audio.kind != "audio" or audio.profile != _profile(offered):
        raise SdpError("the answer is of another kind of media")
    if audio.port == 0:
        raise SdpError("the audio was refused")
    chosen = _codec(audio, offered)
    if chosen is None:
        raise SdpError("there is no codec that was offered")
    keys = _keys_of_answer(audio, offered) if offered.crypto else None
    return _agreed(audio, offered, chosen, keys)


def answer(offer: bytes, local: LocalMedia, session_id: int, version: int) -> tuple[bytes, Agreed]:
    """The first audio stream that suits is taken, every other medium is refused by port 0.

    Raises:
        SdpError: the offer cannot be read, or nothing in it suits: 488.
        LocalProtocolError: as ``offer``.
    """
    _check(local)
    media = parse(offer)
    lines: list[str] = []
    agreed: Agreed | None = None
    why = "there is no audio in it"
    for each in media:
        if agreed is None and each.kind == "audio" and each.port != 0:
            try:
                agreed = _suiting(each, local)
            except SdpError as error:
                why = error.reason
            else:
                lines += _answered(each, local, agreed)
                continue
        lines.append(f"m={each.kind} 0 {each.profile} {' '.join(each.formats)}")
    if agreed is None:
        raise SdpError(why)
    return _description(local, session_id, version, lines), agreed


def _suiting(audio: Media, local: LocalMedia) -> Agreed:
    if audio.profile != _profile(local):
        raise SdpError("the audio is not secured" if local.crypto else "the profile is not RTP/AVP")
    chosen = _codec(audio, local)
    if chosen is None:
        raise SdpError("there is no codec in common")
    keys = _keys_for_answer(audio, local) if local.crypto else None
    return _agreed(audio, local, chosen, keys)


def _answered(audio: Media, local: LocalMedia, agreed: Agreed) -> list[str]:
    crypto = () if agreed.local_key is None else (agreed.local_key,)
    codecs: list[tuple[Codec, int]] = [(agreed.codec, agreed.payload_type)]
    return _audio(local, codecs, agreed.telephone_event, crypto, _OURS[audio.direction])


def _agreed(
    audio: Media, local: LocalMedia, chosen: tuple[Codec, int], keys: tuple[Crypto, Crypto] | None
) -> Agreed:
    if audio.host is None:
        raise SdpError("there is no c= line")
    remote, here = ip_address(audio.host), ip_address(local.address)
    if remote.version != here.version:
        raise SdpError("the address is of another family than ours")
    # RTP is sent there without being asked for: to the services of this host, or to many hosts, it must not.
    if not may_be_sent_to(remote, here):
        raise SdpError("the address is not that of another host")
    ours = _OURS[audio.direction]
    return Agreed(
        audio.host,
        audio.port,
        *chosen,
        _telephone_event(audio) if local.telephone_event is not None else None,
        _ptime(audio, local),
        send=ours in ("sendrecv", "sendonly") and not remote.is_unspecified,
        receive=ours in ("sendrecv", "recvonly"),
        local_key=keys[0] if keys else None,
        remote_key=keys[1] if keys else None,
    )


def _codec(audio: Media, local: LocalMedia) -> tuple[Codec, int] | None:
    """The peer's first of ours, with its number."""
    for number in audio.formats:
        encoding = audio.encoding(number)
        for codec in local.codecs:
            if encoding == (codec, 8000, 1) and _is_payload_type(number):
                return codec, int(number)
    return None


def _telephone_event(audio: Media) -> int | None:
    for number in audio.formats:
        if audio.encoding(number) == ("TELEPHONE-EVENT", 8000, 1) and _is_payload_type(number):
            return int(number)
    return None


def _is_payload_type(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 127


def _ptime(audio: Media, local: LocalMedia) -> int:
    """The peer's wish, where it is one that packets are made for; ours otherwise."""
    for value in audio.values("ptime"):
        if value.isascii() and value.isdigit() and len(value) <= 3 and int(value) in _PTIMES:
            return int(value)
    return local.ptime_ms


def _cryptos(audio: Media) -> list[Crypto]:
    """Those that can be used: no MKI, no parameters that change how packets are made (RFC 4568 §6.3)."""
    found: list[Crypto] = []
    for value in audio.values("crypto"):
        match = _CRYPTO.fullmatch(value)
        if match is None or (match[4] and not _LIFETIME.fullmatch(match[4])):
            continue
        if any(not each.upper().startswith(("WSH=", "-")) for each in match[5].split()):
            continue
        try:
            key = b64decode(match[3], validate=True)
        except (Base64Error, ValueError):
            continue
        if match[2] in SUITES and len(key) == KEY_LENGTH:
            found.append(Crypto(int(match[1]), match[2], key))
    return found


def _keys_of_answer(audio: Media, offered: LocalMedia) -> tuple[Crypto, Crypto]:
    for theirs in _cryptos(audio):
        for ours in offered.crypto:
            if (theirs.tag, theirs.suite) == (ours.tag, ours.suite):
                return ours, theirs
    raise SdpError("there is no key for what was offered")


def _keys_for_answer(audio: Media, local: LocalMedia) -> tuple[Crypto, Crypto]:
    for theirs in _cryptos(audio):
        for ours in local.crypto:
            if theirs.suite == ours.suite:
                return Crypto(theirs.tag, ours.suite, ours.key), theirs
    raise SdpError("there is no key of a suite in common")


def _profile(local: LocalMedia) -> str:
    return "RTP/SAVP" if local.crypto else "RTP/AVP"


def _audio(
    local: LocalMedia,
    codecs: list[tuple[Codec, int]],
    telephone_event: int | None,
    crypto: tuple[Crypto, ...],
    direction: Direction,
) -> list[str]:
    numbers = [number for _, number in codecs]
    maps = [f"a=rtpmap:{number} {codec}/8000" for codec, number in codecs]
    if telephone_event is not None:
        numbers.append(telephone_event)
        maps += f"a=rtpmap:{telephone_event} telephone-event/8000", f"a=fmtp:{telephone_event} 0-15"
    return [
        f"m=audio {local.port} {_profile(local)} {' '.join(map(str, numbers))}",
        *maps,
        f"a=ptime:{local.ptime_ms}",
        *[f"a=crypto:{each.tag} {each.suite} inline:{b64encode(each.key).decode()}" for each in crypto],
        f"a={direction}",
    ]


def _description(local: LocalMedia, session_id: int, version: int, media: list[str]) -> bytes:
    family = f"IN IP{ip_address(local.address).version} {local.address}"
    head = ["v=0", f"o=- {session_id} {version} {family}", "s=-", f"c={family}", "t=0 0"]
    return ("\r\n".join(head + media) + "\r\n").encode("utf-8", "surrogateescape")


def _check(local: LocalMedia) -> None:
    try:
        ip_address(local.address)
    except ValueError:
        raise LocalProtocolError("address", "an IPv4 or IPv6 address") from None
    if not 0 < local.port <= 65535:
        raise LocalProtocolError("port", "1 to 65535")
    if not local.codecs or any(codec not in _STATIC for codec in local.codecs):
        raise LocalProtocolError("codecs", "one or both of PCMU and PCMA")
    if local.telephone_event is not None and not 96 <= local.telephone_event <= 127:
        raise LocalProtocolError("telephone_event", "96 to 127")
    if any(each.suite not in SUITES or len(each.key) != KEY_LENGTH for each in local.crypto):
        raise LocalProtocolError("crypto", f"a suite of RFC 4568 with {KEY_LENGTH} octets of key and salt")
