"""How receipts look: ids, text, TLVs, flags, addresses, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.reading import (
    Delivery,
    content,
    forms_of,
    is_flagged,
    is_receipt,
    pairs,
    state_word,
    tlv_id,
)
from connector.probe.trial import Exchange, Talk, send
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, MessageState, Tag

__all__ = ["RECEIPT_KEYS", "receipts"]

RECEIPT_KEYS = (
    "receipts.request", "receipts.id_form", "receipts.unflagged", "receipts.prefer", "receipts.id_key",
    "receipts.handset", "receipts.states",
)  # fmt: skip

_MESSAGES = 4
"""An id that reads the same in decimal and in hexadecimal says nothing; of four consecutive ones some do."""

_FINAL_AND_INTERMEDIATE = 0x11
# What a profile can name (`connector.config.Receipts`).
_KEY, _WORD = re.compile("[A-Za-z][A-Za-z_]{0,15}"), re.compile("[A-Z][A-Z0-9_-]{1,31}")
_SPECIFIED = {"ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"}
_MEANINGS = {
    MessageState.DELIVERED: "final_delivered",
    MessageState.EXPIRED: "final_expired",
    MessageState.DELETED: "final_undelivered",
    MessageState.UNDELIVERABLE: "final_undelivered",
    MessageState.REJECTED: "final_undelivered",
    MessageState.ENROUTE: "non_final",
    MessageState.ACCEPTED: "non_final",
}


def receipts(known: Known) -> Talk:
    """A few plain messages, then one that asks for intermediate notifications too."""
    trials = [known.trial(f"probe receipt {number}") for number in range(_MESSAGES)]
    trials.append(known.trial("probe receipt both", registered_delivery=_FINAL_AND_INTERMEDIATE))
    exchanges = yield from send(trials, settle=True)
    *plain, both = exchanges
    seen = [(exchange, found) for exchange in exchanges for found in exchange.deliveries if is_receipt(found)]
    known.receipts = bool(seen)
    known.loop = known.loop or any(not is_receipt(d) for exchange in exchanges for d in exchange.deliveries)
    if not seen:
        how = f"no receipt came for {len(exchanges)} messages that asked for one"
        # Asking in vain does no harm, and the handset may only have been off.
        arrived = found("receipts.request", "none", f"{how} and arrived")
        return [
            arrived if known.loop else unknown("receipts.request", how),
            *(unknown(key, how) for key in RECEIPT_KEYS[1:]),
        ]
    delivers = [deliver for _, deliver in seen]
    return [
        *_congestion(exchanges),
        _request(plain, both),
        _id_form(seen),
        _unflagged(delivers),
        _prefer(seen),
        _id_key(seen),
        _handset(known, delivers),
        _states(known, exchanges),
    ]


def _ids(exchange: Exchange) -> set[bytes]:
    return {answer.message_id for answer in exchange.answers if answer.message_id}


def _request(plain: Sequence[Exchange], both: Exchange) -> Finding:
    def notified(exchange: Exchange) -> bool:
        return any(_is_intermediate(deliver) for deliver in exchange.deliveries)

    if notified(both):
        unasked = " and even when it is not" if any(map(notified, plain)) else ""
        how = f"an intermediate notification comes when it is asked for{unasked}"
        return found("receipts.request", "final_and_intermediate", how)
    how = "final receipts come; an intermediate notification did not when it was asked for"
    return found("receipts.request", "final", how)


def _is_intermediate(deliver: Delivery) -> bool:
    return deliver.esm_class & EsmClass.TYPE_MASK == EsmClass.INTERMEDIATE_NOTIFICATION


def _congestion(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    loads = [tlv.uint(a.tlvs, Tag.CONGESTION_STATE) for exchange in exchanges for a in exchange.answers]
    told = [load for load in loads if load is not None]
    if told:
        yield found(
            "remarks.congestion_state", max(told), f"submit_sm_resp tells the load, here up to {max(told)} %"
        )


Seen = Sequence[tuple[Exchange, Delivery]]


def _receipt_ids(deliver: Delivery) -> Iterator[bytes]:
    """The id of the TLV and everything in the text that may be one."""
    if told := tlv_id(deliver):
        yield told
    yield from (value for value in pairs(deliver).values() if value)


def _id_form(seen: Seen) -> Finding:
    """The form in which each message has a receipt with its id; an id in several forms says nothing."""
    key = "receipts.id_form"
    forms: dict[bytes, set[str]] = {}
    for exchange, deliver in seen:
        for ours in _ids(exchange):
            forms.setdefault(ours, set()).update(forms_of(ours, _best_id(exchange, deliver)))
    votes = Counter(form for each in forms.values() for form in each)
    agreed = [form for form, count in votes.items() if count == len(forms)]
    if len(agreed) == 1:
        return found(key, agreed[0], f"the ids of {len(forms)} messages and of their receipts agree so")
    if agreed:
        form = "same" if "same" in agreed else agreed[0]
        return assumed(key, form, f"the ids of {len(forms)} messages agree so, and in other forms too")
    if votes:
        form, count = votes.most_common(1)[0]
        return assumed(key, "learn", f"{count} of {len(forms)} messages agree as {form}, the others do not")
    return unknown(key, f"no id in {len(seen)} receipts is that of a response in any known form")


def _best_id(exchange: Exchange, deliver: Delivery) -> bytes:
    """The id of the receipt that is ours in some form, the TLV's first."""
    ids = [theirs for theirs in _receipt_ids(deliver) if any(forms_of(o, theirs) for o in _ids(exchange))]
    return ids[0] if ids else b""


def _unflagged(delivers: Sequence[Delivery]) -> Finding:
    plain = sum(not is_flagged(deliver) for deliver in delivers)
    if plain:
        how = f"{plain} of {len(delivers)} receipts came without the flag in esm_class"
        return found("receipts.unflagged", "always" if plain == len(delivers) else "detect", how)
    classes = ", ".join(sorted({f"0x{deliver.esm_class:02X}" for deliver in delivers}))
    how = f"all {len(delivers)} receipts carry the flag in esm_class: {classes}"
    return unknown("receipts.unflagged", how)


def _prefer(seen: Seen) -> Finding:
    """The side whose id is ours, where only one is."""
    key = "receipts.prefer"
    by_tlv = sum(_is_ours(exchange, tlv_id(deliver)) for exchange, deliver in seen)
    by_text = sum(
        any(_is_ours(exchange, value) for value in pairs(deliver).values()) for exchange, deliver in seen
    )
    if by_tlv and by_text:
        return assumed(key, "tlv", "the id stands in the parameters and in the text, and both are right")
    if by_tlv:
        return found(key, "tlv", "only the parameters name the id of the response")
    if by_text:
        return found(key, "text", "only the text names the id of the response")
    return unknown(key, "neither parameters nor text name the id of a response")


def _is_ours(exchange: Exchange, theirs: bytes) -> bool:
    return bool(theirs) and any(forms_of(ours, theirs) for ours in _ids(exchange))


def _id_key(seen: Seen) -> Finding:
    words: Counter[str] = Counter()
    for exchange, deliver in seen:
        ours = [word for word, value in pairs(deliver).items() if _is_ours(exchange, value)]
        words.update(word.decode() for word in ours[:1])
    if not words:
        if any(content(deliver) for _, deliver in seen):
            return unknown("receipts.id_key", "the text of a receipt holds no id of ours behind a word")
        return unknown("receipts.id_key", "receipts have no text")
    word, count = words.most_common(1)[0]
    if not _KEY.fullmatch(word):
        return unknown("receipts.id_key", f"the id stands behind {word!r}, which no profile can name")
    return found("receipts.id_key", word, f"the id stands behind this word in {count} receipts")


def _handset(known: Known, delivers: Sequence[Delivery]) -> Finding:
    digits = known.to[1:].encode()
    sides = {
        "source": sum(_is_number(deliver.source_addr, digits) for deliver in delivers),
        "destination": sum(_is_number(deliver.destination_addr, digits) for deliver in delivers),
    }
    side = max(sides, key=lambda name: sides[name])
    key = "receipts.handset"
    if not sides[side]:
        return unknown(key, "neither address of a receipt is the handset's")
    if sides["source"] == sides["destination"]:
        return unknown(key, "both addresses of a receipt are the handset's: the sender was its own number")
    return found(key, side, f"the {side} address of {sides[side]} receipts is the handset's number")


def _is_number(address: bytes, digits: bytes) -> bool:
    bare = address.lstrip(b"+").lstrip(b"0")
    # A national form lacks the country code.
    return bare == digits or (len(bare) >= 7 and digits.endswith(bare))


def _by_number(exchange: Exchange, deliver: Delivery) -> str | None:
    """What message_state says, where the parameters are about this message at all."""
    told = tlv_id(deliver)
    if told and not _is_ours(exchange, told):
        return None
    return _MEANINGS.get(tlv.uint(deliver.tlvs, Tag.MESSAGE_STATE) or 0)


def _states(known: Known, exchanges: Sequence[Exchange]) -> Finding:
    """What each word means: by message_state beside it, or as the last word of a message that arrived."""
    meanings: dict[str, str] = {}
    words: Counter[str] = Counter()
    for exchange in exchanges:
        told = [deliver for deliver in exchange.deliveries if is_receipt(deliver)]
        arrived = any(not is_receipt(deliver) for deliver in exchange.deliveries)
        for number, deliver in enumerate(told, 1):
            word = state_word(deliver)
            if not _WORD.fullmatch(word):
                continue
            words[word] += 1
            meaning = _by_number(exchange, deliver)
            if number < len(told):
                meaning = "non_final" if _is_intermediate(deliver) else meaning
            elif arrived and meaning in (None, "non_final"):
                # Nothing more came, and the handset has it.
                meaning = "final_delivered"
            if meaning is not None:
                meanings.setdefault(word, meaning)
    usual = {"DELIVRD": "final_delivered", "ENROUTE": "non_final"}
    own = {word: meaning for word, meaning in meanings.items() if usual.get(word) != meaning}
    listed = ", ".join(f"{word} ({count})" for word, count in words.items()) or "none"
    strange = [word for word in words if word not in _SPECIFIED and word not in meanings]
    also = f"; what {', '.join(strange)} means did not show" if strange else ""
    merged = {**known.profile.receipts.states, **own}
    return (found if own else assumed)("receipts.states", merged, f"words seen: {listed}{also}")
