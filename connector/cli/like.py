"""A carrier's profile as options of the simulated carrier: a carrier like one's own."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from connector.config.carrier import CarrierFile
from connector.config.habits import Receipts, Source
from connector.simulator.options import Names, Pairs

__all__ = ["options_like"]

_VENDORS_STATUS = 0x400  # SMPP 3.4 §5.1.3

# Meaning of a carrier's word to the usual word whose place it takes.
_USUAL_WORDS = {
    "final_delivered": "DELIVRD",
    "final_undelivered": "UNDELIV",
    "final_expired": "EXPIRED",
    "non_final": "ACCEPTD",
}


def options_like(profile: CarrierFile) -> dict[str, object]:
    """The options (`connector.simulator.options`) of a carrier with the habits of `profile`.

    What a profile does not tell stays as it is: the password (any will do), certificates, faults, delays.
    """
    binds, pairs = profile.binds, 2 if profile.binds.mode == "transmitter+receiver" else 1
    per_bind = binds.rate_scope == "bind"
    return {
        "system_id": profile.account.system_id,
        "system_type": profile.account.system_type,
        "interface_version": profile.account.interface_version,
        "bind_modes": Names(("transmitter", "receiver") if pairs == 2 else ("transceiver",)),
        "max_binds": binds.count * pairs,
        "bind_spacing_s": binds.spacing_s,
        "throttle_tps": binds.tps / binds.count if per_bind else binds.tps,
        "throttle_scope": binds.rate_scope,
        # What has been agreed on as a window may leave at once, and rates are agreed on by the second.
        "throttle_burst": max(ceil(binds.tps), 2 * binds.window),
        "window_limit": binds.window,
        **_statuses(profile.statuses),
        **_addresses(profile),
        **_texts(profile),
        **_receipts(profile.receipts),
        "limits": Pairs(
            (limit.sender or limit.destination or "", f"{limit.tps:g}") for limit in profile.limits
        ),
        "required_tlvs": Pairs(
            (f"0x{tlv.tag:04X}", tlv.type if tlv.value is None else f"{tlv.type}:{tlv.value}")
            for tlv in profile.tlvs
            if not tlv.optional
        ),
        "query_sm": profile.supports.query_sm,
        "cancel_sm": profile.supports.cancel_sm,
    }


def _statuses(statuses: Mapping[str, str]) -> dict[str, object]:
    own = {meaning: int(code, 16) for code, meaning in statuses.items() if int(code, 16) >= _VENDORS_STATUS}
    found: dict[str, object] = {}
    if "throttled" in own:
        found |= {"throttle_status": own["throttled"], "window_status": own["throttled"]}
    if refused := own.get("permanent_here", own.get("permanent")):
        found["refused_status"] = refused
    return found


def _source_types(source: Source) -> Pairs:
    kinds = (("numeric", source.numeric), ("alphanumeric", source.alphanumeric), ("short", source.short))
    return Pairs((kind, f"{address.ton}/{address.npi}") for kind, address in kinds)


def _addresses(profile: CarrierFile) -> dict[str, object]:
    source, destination, national = profile.source, profile.destination, profile.destination.national
    types, forms = [f"{destination.ton}/{destination.npi}"], [str(destination.form)]
    found: dict[str, object] = {}
    if national is not None:
        types.append(f"{national.ton}/{national.npi}")
        forms.append("national")
        found = {"country_code": national.country_code, "national_prefix": national.prefix}
    return {
        **found,
        "source_kinds": Names(source.kinds),
        "source_types": _source_types(source),
        "alphanumeric_max": source.alphanumeric_max,
        "short_digits": source.short_digits,
        "refused_senders": Names(source.replace),
        "destination_forms": Names(forms),
        "destination_types": Names(types),
    }


def _texts(profile: CarrierFile) -> dict[str, object]:
    text = profile.text
    return {
        "alphabets": Pairs((str(alphabet.data_coding), alphabet.codec) for alphabet in text.alphabets),
        "other_coding": "refused",
        "national_tables": Names(text.national_tables),
        "national_shifts": text.national_shifts,
        "long_forms": Names((text.long_message,)),
        "other_long_form": "refused",
        "length_checked": True,
        "flash": Names((text.flash,)),
        "service_types": Names((text.service_type,) if text.service_type else ()),
        "validity_forms": Names((profile.validity.form,)),
        "validity_honoured": profile.validity.form != "none",
    }


def _receipts(receipts: Receipts) -> dict[str, object]:
    words: dict[str, str] = {}
    for word, meaning in receipts.states.items():
        words.setdefault(_USUAL_WORDS[meaning], word)
    return {
        "id_form": "same" if receipts.id_form == "learn" else receipts.id_form,
        "receipt_missing": 1.0 if receipts.request == "none" else 0.0,
        "receipt_intermediate": "asked" if receipts.request == "final_and_intermediate" else "never",
        "receipt_buffered": "ACCEPTD" in words,
        "receipt_esm_class": 0x00 if receipts.unflagged == "always" else 0x04,
        "receipt_tlv_lies": receipts.prefer == "text",
        "receipt_id_key": receipts.id_key,
        "receipt_handset": receipts.handset,
        "receipt_words": Pairs(words.items()),
    }
