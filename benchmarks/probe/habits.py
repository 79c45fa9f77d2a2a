"""Which habits of a profile show on the wire of its simulated carrier, and what they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connector.config import CarrierFile

__all__ = ["HIDDEN", "habits"]

HIDDEN = {
    "account (but for interface_version), tls, outbind, backoff": "ours, or the network's",
    "binds.response_timeout_s, enquire_link_s, bind_timeout_s, window_sizing": "ours",
    "binds.spacing_s": "measured only by --slow",
    "binds.rate_scope with a single bind": "there is nothing to compare",
    "source.short_digits, replace": "how we name our senders",
    "text.substitutions, flash, service_type, protocol_id, priority_flag": "ours, or the handset's alone",
    "receipts.unflagged = detect or mo": "every receipt of those carriers has the flag",
    "receipts.id_form = learn": "any form",
    "receipts.states of other words than those seen": "a test handset receives its messages",
    "statuses": "of numbers that are barred, of accounts that are empty",
    "limits, price": "of the contract",
}
"""What is not compared, and why it does not show."""

_USUAL = {
    "DELIVRD": "final_delivered",
    "ENROUTE": "non_final",
    "ACCEPTD": "non_final",
    "UNKNOWN": "non_final",
}


def habits(profile: CarrierFile, words: Collection[str], shows: CarrierFile) -> dict[str, Any]:
    """Key to value, of all that shows where the carrier is as `shows` says and its receipts used `words`."""
    binds, source, text, receipts = profile.binds, profile.source, profile.text, profile.receipts
    found: dict[str, Any] = {
        "account.interface_version": profile.account.interface_version,
        "binds.mode": binds.mode,
        "binds.count": binds.count,
        "binds.window": binds.window,
        "binds.tps": binds.tps,
        "source.kinds": sorted(source.kinds),
        "destination.form": profile.destination.form,
        "text.alphabets": sorted((each.data_coding, each.codec) for each in text.alphabets),
        "text.national_tables": sorted(text.national_tables),
        "text.long_message": text.long_message,
        "validity.form": profile.validity.form,
        "receipts.request": receipts.request,
        "receipts.prefer": receipts.prefer,
        "receipts.id_key": receipts.id_key,
        "receipts.handset": receipts.handset,
        "receipts.states": {word: receipts.states.get(word, _USUAL.get(word)) for word in sorted(words)},
        "supports.query_sm": profile.supports.query_sm,
        "supports.cancel_sm": profile.supports.cancel_sm,
    }
    if shows.receipts.unflagged == "always":
        found["receipts.unflagged"] = receipts.unflagged
    for kind in shows.source.kinds:
        declared = getattr(source, kind)
        found[f"source.{kind}"] = (declared.ton, declared.npi)
    if "alphanumeric" in shows.source.kinds:
        found["source.alphanumeric_max"] = source.alphanumeric_max
    if shows.text.national_tables:
        found["text.national_shifts"] = text.national_shifts
    if shows.binds.count > 1:
        found["binds.rate_scope"] = binds.rate_scope
    if shows.receipts.id_form != "learn":
        found["receipts.id_form"] = receipts.id_form
    if shows.tlvs:
        found["tlvs"] = sorted((each.tag, each.optional) for each in profile.tlvs)
    return found
