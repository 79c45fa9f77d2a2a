"""National language tables (TS 23.038 Annex A): does the handset show their characters?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec.structs import replace

from connector.config import Coding
from connector.probe.codecs import laid_out
from connector.probe.finding import Confidence, Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.reading import is_receipt, shown
from connector.probe.trial import Exchange, Talk, Trial, send
from protocols.gsm import alphabet, udh
from protocols.gsm.languages import TAGS, Language
from protocols.gsm.national import LOCKING, SINGLE, UNASSIGNED
from protocols.smpp.constants import EsmClass

__all__ = ["characteristic", "national"]

TABLES, SHIFTS = "text.national_tables", "text.national_shifts"
Shift = Literal["single", "locking"]

_CHARACTERS = 3


def characteristic(language: Language, shift: Shift) -> str:
    """A few characters that the default tables lack and this one has; empty where there is no such table."""
    if shift == "single":
        has = list(SINGLE.get(language, {}).values())
    else:
        has = [each for each in LOCKING.get(language, "") if each not in (UNASSIGNED, "\x1b")]
    plain = set(alphabet.BASIC) | set(alphabet.EXTENSION.values())
    return "".join([character for character in has if character not in plain][:_CHARACTERS])


def national(known: Known) -> Talk:
    """One message a table; a carrier that ignores the header that names it shows other letters."""
    codings = [coding for coding, codec in known.codecs.items() if codec in ("gsm7", "gsm7_packed")]
    if not codings:
        how = "tables belong to the GSM alphabet, and no data_coding is known to be read by it"
        alphabets = known.findings.get("text.alphabets")
        if alphabets is None or alphabets.confidence is Confidence.UNKNOWN:
            return [unknown(TABLES, how), unknown(SHIFTS, how)]
        if alphabets.confidence is Confidence.FOUND or not _has_septets(alphabets.value):
            return [replace(alphabets, key=TABLES, value=[], how=how), unknown(SHIFTS, how)]
        return [unknown(TABLES, how), unknown(SHIFTS, how)]
    if not known.loop:
        how = "nothing comes back of what the handset shows"
        return [unknown(TABLES, how), unknown(SHIFTS, how)]
    coding = min(codings)
    honoured: dict[Shift, list[str]] = {}
    for shift in ("single", "locking"):
        texts = {tag: characteristic(language, shift) for tag, language in TAGS.items()}
        trials = {tag: _trial(known, tag, shift, text, coding) for tag, text in texts.items() if text}
        exchanges = yield from send(list(trials.values()))
        honoured[shift] = [
            tag
            for tag, exchange in zip(trials, exchanges, strict=True)
            if _shows(exchange, texts[tag], known.codecs)
        ]
    return list(_findings(honoured))


def _has_septets(alphabets: list[dict[str, Any]]) -> bool:
    return any(each["codec"] in ("gsm7", "gsm7_packed") for each in alphabets)


def _trial(known: Known, tag: str, shift: Shift, text: str, coding: int) -> Trial:
    language = TAGS[tag]
    locking, single = (None, language) if shift == "single" else (language, None)
    header = udh.header(udh.shifts(locking, single))
    octets = laid_out(alphabet.encode(text, locking, single), known.codecs[coding], header)
    pdu = known.submit(esm_class=EsmClass.UDHI, data_coding=coding, short_message=header + octets)
    return Trial(f"{shift} shift table {tag}", (pdu,))


def _shows(exchange: Exchange, text: str, codecs: Mapping[int, Coding]) -> bool:
    back = [deliver for deliver in exchange.deliveries if not is_receipt(deliver)]
    return any(text in each for each in shown(back, {**codecs, 8: "ucs2"}))


def _findings(honoured: Mapping[Shift, list[str]]) -> Iterator[Finding]:
    single, locking = honoured["single"], honoured["locking"]
    tables = [tag for tag in TAGS if tag in single or tag in locking]
    told = f"single shift: {', '.join(single) or 'none'}; locking shift: {', '.join(locking) or 'none'}"
    yield found(TABLES, tables, f"the characters came back of these tables: {told}")
    if not tables:
        yield unknown(SHIFTS, "no table is honoured")
    elif not locking and any(TAGS[tag] in LOCKING for tag in tables):
        yield found(SHIFTS, "single", told)
    elif not single:
        yield found(SHIFTS, "locking", told)
    elif not locking:
        yield unknown(SHIFTS, "the only tables honoured are of languages without a locking shift table")
    elif set(single) - set(locking) <= {"es"} and set(locking) <= set(single):
        yield found(SHIFTS, "both", told)
    else:
        yield assumed(SHIFTS, "single" if set(locking) < set(single) else "locking", told)
