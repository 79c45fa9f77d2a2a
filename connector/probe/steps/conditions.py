"""What a submit_sm may carry: validity, senders, destinations, the vendor's parameters."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

import msgspec

from connector.config import VendorTlv
from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import TYPES, Known, SourceKind, Types, ValidityForm
from connector.probe.trial import Exchange, Request, Talk, send, send_one
from protocols.smpp.constants import status_name

__all__ = ["destinations", "senders", "validities", "vendor_parameters"]

_VALIDITIES: tuple[ValidityForm, ...] = ("relative", "absolute", "none")
_KINDS: tuple[SourceKind, ...] = ("numeric", "alphanumeric", "short")
_FORMS = ("digits", "plus", "zeros", "national")
_LONGEST_NAME = 11


def told(names: Iterable[str], exchanges: Sequence[Exchange]) -> str:
    """What became of each trial."""
    pairs = zip(names, exchanges, strict=True)
    return ", ".join(f"{name}: {outcome(exchange)}" for name, exchange in pairs)


def outcome(exchange: Exchange) -> str:
    if exchange.accepted:
        return "accepted"
    return "no answer" if exchange.status is None else status_name(exchange.status)


def validities(known: Known) -> Talk:
    """Each form of validity_period (SMPP 3.4 §7.1.1), an hour long: by status alone."""
    trials = [known.trial(f"validity {form}", validity=form) for form in _VALIDITIES]
    exchanges = yield from send(trials)
    taken = [form for form, each in zip(_VALIDITIES, exchanges, strict=True) if each.accepted]
    how = told(_VALIDITIES, exchanges)
    asked = known.profile.validity.form
    if not taken:
        return [unknown("validity.form", how)]
    if asked != "none" and asked in taken:
        return [found("validity.form", asked, how)]
    return [found("validity.form", taken[0], how)]


def senders(known: Known) -> Talk:
    """Each kind of sender id, with other types of number where its own are refused; then longer names.

    A sender that was made up may be refused for not being registered, so that its kind is only assumed to be.
    """
    taken: list[SourceKind] = []
    findings: list[Finding] = []
    outcomes: dict[SourceKind, str] = {}
    for kind in _KINDS:
        exchange = yield from send_one(known.trial(f"sender {kind}", source=kind))
        outcomes[kind] = outcome(exchange)
        if exchange.accepted:
            taken.append(kind)
        elif types := (yield from _other_types(known, kind)):
            known.use_types[kind] = types
            how = f"with others: {outcomes[kind]}"
            findings.append(found(f"source.{kind}", {"ton": types[0], "npi": types[1]}, how))
            outcomes[kind] = "accepted with another type of number"
            taken.append(kind)
    how = ", ".join(f"{kind}: {what}" for kind, what in outcomes.items())
    if not taken:
        findings.append(unknown("source.kinds", how))
    elif set(_KINDS) - set(taken) - known.given_senders:
        findings.append(assumed("source.kinds", taken, f"{how}; what was refused was no sender of yours"))
    else:
        findings.append(found("source.kinds", taken, how))
    if "alphanumeric" in taken:
        findings.append((yield from _longest_name(known)))
    else:
        findings.append(unknown("source.alphanumeric_max", "names are refused"))
    return findings


def _other_types(known: Known, kind: SourceKind) -> Generator[Request, Any, Types | None]:
    """TON and NPI with which this kind is accepted after all."""
    asked = known.source(kind)[:2]
    for ton, npi in TYPES:
        if (ton, npi) == asked:
            continue
        changes: dict[str, Any] = {"source": kind, "source_addr_ton": ton, "source_addr_npi": npi}
        exchange = yield from send_one(known.trial(f"sender {kind}, TON {ton}, NPI {npi}", **changes))
        if exchange.accepted:
            return ton, npi
    return None


def _longest_name(known: Known) -> Generator[Request, Any, Finding]:
    """The longest name up to the 11 characters that a handset can show, by halving."""
    key, name = "source.alphanumeric_max", known.senders["alphanumeric"]
    low, high = len(name), _LONGEST_NAME
    if low >= high:
        return found(key, _LONGEST_NAME, f"a name of {low} characters is accepted")
    statuses: dict[int, str] = {}
    while low < high:
        length = high if not statuses else (low + high + 1) // 2
        longer = (name + "PROBEPROBEP")[:length]
        exchange = yield from send_one(known.trial(f"a name of {length}", source_addr=longer.encode(),
                                                   source="alphanumeric"))  # fmt: skip
        statuses[length] = outcome(exchange)
        if exchange.accepted:
            low = length
        else:
            high = length - 1
    how = ", ".join(f"{length} characters: {what}" for length, what in statuses.items())
    if low == len(name) and name != "PROBE":
        return unknown(key, f"only the name given is accepted: {how}")
    return found(key, low, how)


def destinations(known: Known) -> Talk:
    """Each form of the destination."""
    forms = [form for form in _FORMS if form != "national" or known.profile.destination.national]
    exchanges = yield from send([known.trial(f"destination {form}", form=form) for form in forms])
    how = told(forms, exchanges)
    came = [form for form, each in zip(forms, exchanges, strict=True) if each.accepted and each.deliveries]
    accepted = [form for form, each in zip(forms, exchanges, strict=True) if each.accepted]
    right = came or accepted
    key = "destination.form"
    international = [form for form in right if form != "national"]
    if not international:
        return [unknown(key, how)]
    asked = known.profile.destination.form
    form = asked if asked in international else international[0]
    known.use_form = form
    return [(found if came else assumed)(key, form, how)]


def vendor_parameters(known: Known) -> Talk:
    """With all of them but one, for each one of the input; and with none."""
    listed = known.profile.tlvs
    if not listed:
        return [unknown("tlvs", "the input names none, and a carrier does not tell which it wants")]
    given = {each.name for each in listed if known.vendor_tlvs([each])}
    trials = [
        known.trial(f"without {each.name}", vendor=tuple(o for o in listed if o is not each))
        for each in listed
    ]
    exchanges = yield from send(trials)
    outcomes = dict(zip((each.name for each in listed), exchanges, strict=True))
    changed = [_judged(each, outcomes[each.name], each.name in given) for each in listed]
    how = ", ".join(f"without {name}: {outcome(exchange)}" for name, exchange in outcomes.items())
    if not given:
        return [unknown("tlvs", f"no value was given to any of them; {how}")]
    return [found("tlvs", [_plain(each) for each in changed], how)]


def _plain(vendor: VendorTlv) -> dict[str, Any]:
    """Without what is at its default."""
    values: dict[str, Any] = msgspec.to_builtins(vendor)
    return {key: value for key, value in values.items() if value not in (None, False)}


def _judged(vendor: VendorTlv, without: Exchange, given: bool) -> VendorTlv:
    if not given or not without.accepted:
        return vendor
    return msgspec.structs.replace(vendor, optional=True)
