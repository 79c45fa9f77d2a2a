"""What the octets of a text mean under each data_coding, by comparing what came back with what was sent."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple

from connector.config import Coding
from connector.probe.codecs import CODECS, REPLACEMENT, decode, encode
from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.reading import Delivery, excerpt, is_receipt, shown
from connector.probe.trial import Exchange, Request, Talk, Trial, send_one
from protocols.smpp.constants import status_name

__all__ = ["SAMPLES", "Echo", "agrees", "alphabets", "survivors"]

KEY = "text.alphabets"

_CODINGS = (0, 8, 3, 1, 4, 2)
"""data_codings that carriers give a meaning of their own (SMPP 3.4 §5.2.19), the commonest first."""

_STANDARD: dict[Coding, tuple[int, ...]] = {
    "gsm7": (0, 1), "gsm7_packed": (0,), "latin1": (0, 3), "ascii": (0, 1), "utf8": (0, 4), "ucs2": (8, 0),
}  # fmt: skip

SAMPLES: Mapping[Coding, str] = {
    "gsm7": "probe @£èñ{}€Δ§",
    "gsm7_packed": "probe @£èñ{}€Δ§",
    "latin1": "probe @£èñ{}âÿ¤",
    "ascii": "probe @#{}~`|",
    "utf8": "probe @£èñ{}€Δâяक",
    "ucs2": "probe @£èñ{}€Δâяक",
}
"""For each codec, characters whose octets mean something else, or nothing, in all the others."""

_NO_NEED_OF_ASCII = frozenset(("gsm7", "gsm7_packed", "latin1", "utf8"))
"""Alphabets that have every character of ASCII."""

_SILENCE = "no answer in time"

_EXCERPT_CODECS: tuple[Coding, ...] = ("utf8", "latin1")
_LEAST_EXCERPT = 8


class Echo(NamedTuple):
    """Octets that were sent under one data_coding; what the loop sent back, or what a receipt quotes."""

    data_coding: int
    octets: bytes
    back: tuple[Delivery, ...] = ()
    quoted: bytes = b""


def agrees(echo: Echo, codec: Coding, others: Mapping[int, Coding]) -> bool:
    """Whether a carrier that reads the octets by `codec` would have sent back what came.

    `others` says how the data_codings that are known already are read. What comes back in the data_coding
    that is sought agrees with every codec when it is octet by octet what was sent.
    """
    expected = _bare(decode(echo.octets, codec))
    if echo.back:
        return expected in map(_bare, shown(echo.back, {echo.data_coding: codec, **others}))
    return any(expected.startswith(_bare(decode(echo.quoted, quoted))) for quoted in _EXCERPT_CODECS)


def survivors(echoes: Iterable[Echo], others: Mapping[int, Coding]) -> list[Coding]:
    """The codecs that explain everything that came back."""
    heard = list(echoes)
    return [codec for codec in CODECS if all(agrees(echo, codec, others) for echo in heard)]


def _bare(text: str) -> str:
    """What cannot be shown is shown in many ways, and padding may or may not be."""
    return text.replace(REPLACEMENT, "?").rstrip("\r@\0 ")


class _Reading(NamedTuple):
    """What was learnt of one data_coding: `codec` None where nothing was, `told` why."""

    data_coding: int
    codec: Coding | None
    sure: bool
    told: str


def alphabets(known: Known) -> Talk:
    """Each data_coding with the text of its likeliest codec, until only one codec explains the echo."""
    # SMPP 3.4 §5.2.19 fixes the meaning of 8, and only the meaning of 0 is the carrier's.
    others: dict[int, Coding] = {8: "ucs2"}
    listed = {each.data_coding for each in known.profile.text.alphabets}
    readings = []
    for data_coding in [*_CODINGS, *sorted(listed.difference(_CODINGS))]:
        reading = yield from _read(known, data_coding, others)
        readings.append(reading)
        if reading.codec is not None and reading.sure:
            others[data_coding] = reading.codec
    known.codecs = {each.data_coding: each.codec for each in readings if each.codec is not None}
    return [_finding(known, readings)]


def _read(known: Known, data_coding: int, others: Mapping[int, Coding]) -> Generator[Request, Any, _Reading]:
    echoes: list[Echo] = []
    tried: list[Coding] = []
    able: list[Coding] = []
    left = _likely(data_coding)
    while left:
        codec = left[0]
        tried.append(codec)
        octets = encode(SAMPLES[codec], codec)
        pdu = known.submit(data_coding=data_coding, short_message=octets)
        exchange = yield from send_one(Trial(f"data_coding {data_coding}, octets in {codec}", (pdu,)))
        if exchange.status is None:
            return _Reading(data_coding, None, False, _SILENCE)
        if not exchange.accepted:
            return _Reading(data_coding, None, True, f"refused with {_status(exchange)}")
        echo = _echo(exchange, data_coding, octets)
        if echo is None:
            break
        echoes.append(echo)
        able = survivors(echoes, others)
        if len(able) == 1 and able[0] in tried:
            return _Reading(data_coding, able[0], True, "what came back is what was sent")
        left = [each for each in able if each not in tried]
    if not echoes:
        return _Reading(data_coding, None, False, "accepted, and nothing came back to compare with")
    if not able:
        return _Reading(data_coding, None, False, "accepted, and came back in no alphabet known here")
    return _Reading(data_coding, able[0], False, f"read as {' or as '.join(able)}")


def _likely(data_coding: int) -> list[Coding]:
    return sorted(CODECS, key=lambda codec: data_coding not in _STANDARD[codec])


def _echo(exchange: Exchange, data_coding: int, octets: bytes) -> Echo | None:
    """None where nothing came back, or a receipt quotes the very octets: that tells nothing."""
    back = tuple(deliver for deliver in exchange.deliveries if not is_receipt(deliver))
    if back:
        return Echo(data_coding, octets, back)
    quotes = [excerpt(deliver) or b"" for deliver in exchange.deliveries]
    quoted = max(quotes, key=len, default=b"").strip()
    if len(quoted) < _LEAST_EXCERPT or octets.startswith(quoted):
        return None
    return Echo(data_coding, octets, quoted=quoted)


def _status(exchange: Exchange) -> str:
    return "no answer" if exchange.status is None else status_name(exchange.status)


def _finding(known: Known, readings: list[_Reading]) -> Finding:
    outcomes: dict[str, list[str]] = {}
    for each in readings:
        outcome = each.codec if each.sure and each.codec else each.told
        outcomes.setdefault(outcome, []).append(str(each.data_coding))
    told = "; ".join(f"{', '.join(codings)}: {outcome}" for outcome, codings in outcomes.items())
    sure = {each.data_coding: each.codec for each in readings if each.sure and each.codec}
    if sure:
        silent = any(each.told == _SILENCE for each in readings)
        how = f"read from what came back, by data_coding: {told}"
        return (assumed if silent else found)(KEY, _chosen(known, sure), how)
    if known.codecs:
        return assumed(KEY, _chosen(known, known.codecs), f"what came back fits, by data_coding: {told}")
    refused = {each.data_coding for each in readings if each.told.startswith("refused")}
    kept = [
        {"data_coding": each.data_coding, "codec": each.codec}
        for each in known.profile.text.alphabets
        if each.data_coding not in refused
    ]
    if not kept or len(kept) == len(known.profile.text.alphabets):
        return unknown(KEY, f"only what is accepted is known, by data_coding: {told}")
    return assumed(KEY, kept, f"those of the input that are not refused; by data_coding: {told}")


def _chosen(known: Known, codecs: Mapping[int, Coding]) -> list[dict[str, Any]]:
    """One data_coding a codec, in the order of the input where that has the same, else the shortest first."""
    best: dict[Coding, int] = {}
    for codec in _BY_LENGTH:
        codings = [data_coding for data_coding, read in codecs.items() if read == codec]
        if codings:
            best[codec] = min(codings, key=lambda coding: (_place(codec, coding), coding))
    if not _NO_NEED_OF_ASCII.isdisjoint(best):
        best.pop("ascii", None)
    asked = [(each.codec, each.data_coding) for each in known.profile.text.alphabets]
    ordered = asked if set(asked) == set(best.items()) else list(best.items())
    codec, known.use_data_coding = ordered[0]
    known.use_codec = codec
    return [{"data_coding": data_coding, "codec": codec} for codec, data_coding in ordered]


_BY_LENGTH: tuple[Coding, ...] = ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2")


def _place(codec: Coding, data_coding: int) -> int:
    standard = _STANDARD[codec]
    return standard.index(data_coding) if data_coding in standard else len(standard)
