"""How a text will leave, as `preview` tells it."""

from __future__ import annotations

from typing import Any

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import Draft, rules_of
from connector.config import CarrierFile, Price
from protocols.gsm.errors import GsmError
from protocols.gsm.languages import TAGS, Language
from protocols.gsm.segmentation import Segments, plan

__all__ = ["MAX_PARTS", "preview_of_draft", "preview_of_text"]

MAX_PARTS = 255  # TS 23.040 §9.2.3.24.1: the total is one octet

_TAG_OF = {language: tag for tag, language in TAGS.items()}


def preview_of_text(text: str, carrier: CarrierFile) -> dict[str, Any]:
    """By a carrier's file alone, without sender id and registered ids; keys as of `preview_of_draft`."""
    try:
        segments = plan(text, rules_of(carrier, MAX_PARTS))
    except GsmError as error:
        return _refused(str(error))
    return _shown(segments, segments.data_coding, carrier.price)


def preview_of_draft(draft: Draft | Unsendable, price: Price) -> dict[str, Any]:
    """By one carrier of a daemon.

    encoding     name of the alphabet
    data_coding  SMPP 3.4 §5.2.19
    parts        submit_sm PDUs
    units        septets, 16-bit units or octets of all parts, headers not counted
    segments     short messages that the handset receives, and the network charges for
    cost         what they cost at `price.sms` of the carrier's file, None where it has none
    locking, single  language tags of the national tables in use, or None
    substituted  what is replaced: from, to, times
    refused      why it cannot leave, or None; the others are empty then
    """
    if isinstance(draft, Unsendable):
        return _refused(str(draft))
    return _shown(draft.segments, draft.data_coding, price)


def _shown(segments: Segments, data_coding: int, price: Price) -> dict[str, Any]:
    return {
        "encoding": segments.encoding,
        "data_coding": data_coding,
        "parts": len(segments.parts),
        "units": segments.units,
        "segments": segments.segments,
        "cost": None if price.sms is None else round(segments.segments * price.sms, 6),
        "locking": _tag(segments.locking),
        "single": _tag(segments.single),
        "substituted": [
            {"from": original, "to": replacement, "times": times}
            for original, replacement, times in segments.substituted
        ],
        "refused": None,
    }


def _refused(reason: str) -> dict[str, Any]:
    return {
        "encoding": None,
        "data_coding": None,
        "parts": 0,
        "units": 0,
        "segments": 0,
        "cost": None,
        "locking": None,
        "single": None,
        "substituted": [],
        "refused": reason,
    }


def _tag(language: Language | None) -> str | None:
    return None if language is None else _TAG_OF[language]
