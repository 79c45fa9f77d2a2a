"""Rules that no schema can say: values that must agree with each other."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import TypeVar

from protocols.gsm.coding import SEPTETS, encode
from protocols.gsm.errors import Unencodable
from protocols.gsm.languages import TAGS, Language
from protocols.smpp.constants import Tag

from .carrier import CarrierFile, SenderRules, Tls
from .document import FILE, Document
from .fields import END
from .habits import Coding, Text
from .journey_rules import country_problems
from .model import ApplicationFile, ConnectorFile
from .problem import Path, Problem, did_you_mean
from .voice_rules import voice_problems

__all__ = [
    "carrier_problems",
    "connector_problems",
    "habit_problems",
    "lane_problems",
    "not_a_sender",
    "repeated",
    "stem_problems",
    "tls_problems",
]

T = TypeVar("T")

# A carrier's name becomes a metric label and part of events; a template's is what jobs carry.
_STEM = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}" + END)
_MAX_PORT = 65_535

# Twice in one PDU, nobody knows which one counts.
_OWN_TAGS = {
    Tag.DEST_ADDR_SUBUNIT: "dest_addr_subunit",
    Tag.SAR_MSG_REF_NUM: "sar_msg_ref_num",
    Tag.SAR_TOTAL_SEGMENTS: "sar_total_segments",
    Tag.SAR_SEGMENT_SEQNUM: "sar_segment_seqnum",
    Tag.MESSAGE_PAYLOAD: "message_payload",
}


def connector_problems(document: Document, file: ConnectorFile) -> Iterator[Problem]:
    """What contradicts itself in connector.toml."""
    jobs = file.jobs
    if jobs.default_deadline_s > jobs.max_deadline_s:
        yield document.problem(
            ("jobs", "default_deadline_s"),
            f"{jobs.default_deadline_s:g} exceeds max_deadline_s, expected at most {jobs.max_deadline_s:g}",
        )
    yield from _sender_problems(document, file)
    yield from _application_problems(document, file.applications)
    if file.http is not None and not 1 <= file.http.address[1] <= _MAX_PORT:
        yield document.problem(
            ("http", "listen"), f"port {file.http.address[1]} is not allowed here, expected 1 to {_MAX_PORT}"
        )
    yield from voice_problems(document, file)


def _sender_problems(document: Document, file: ConnectorFile) -> Iterator[Problem]:
    senders, default = file.jobs.senders, file.jobs.default_sender
    for index, first in repeated(sender.casefold() for sender in senders):
        yield document.problem(
            ("jobs", "senders", index), f'"{senders[index]}" repeats entry {first}, expected each sender once'
        )
    if senders and default is None:
        yield document.problem(
            ("jobs", "default_sender"), "is missing, expected one of `senders`", "config_missing_key"
        )
    if default is not None and default not in senders:
        yield document.problem(("jobs", "default_sender"), not_a_sender(default, senders))
    for position, application in enumerate(file.applications):
        for index, sender in enumerate(application.senders):
            if sender not in senders:
                path: Path = ("application", position, "senders", index)
                yield document.problem(path, not_a_sender(sender, senders))


def not_a_sender(sender: str, senders: tuple[str, ...]) -> str:
    """What is said of a sender id that the lane does not have."""
    known = ", ".join(senders) or "none are listed"
    return (
        f'"{sender}" is not in [jobs] senders, expected one of them ({known}){did_you_mean(sender, senders)}'
    )


def _application_problems(document: Document, applications: tuple[ApplicationFile, ...]) -> Iterator[Problem]:
    for index, first in repeated(application.name for application in applications):
        yield document.problem(
            ("application", index, "name"), f"is the name of application[{first}] too, expected another name"
        )
    claimed = [
        (number.removeprefix("+"), application, index)
        for application, entry in enumerate(applications)
        for index, number in enumerate(entry.inbound)
    ]
    for again, before in repeated(number for number, _, _ in claimed):
        number, application, index = claimed[again]
        owner = applications[claimed[before][1]].name
        yield document.problem(
            ("application", application, "inbound", index),
            f'"{number}" belongs to application {owner} already, expected each number once',
        )


def carrier_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    """What contradicts itself in a carrier's file."""
    yield from stem_problems(document)
    yield from habit_problems(document, file)


def habit_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    """The same, but for the file's name."""
    if file.backoff.initial_s > file.backoff.max_s:
        yield document.problem(
            ("backoff", "initial_s"),
            f"{file.backoff.initial_s:g} exceeds max_s, expected at most {file.backoff.max_s:g}",
        )
    yield from _address_problems(document, file)
    yield from _brand_problems(document, file.sender_rules)
    yield from _text_problems(document, file.text)
    yield from _status_problems(document, file)
    yield from _tlv_problems(document, file)
    yield from _limit_problems(document, file)
    yield from tls_problems(document, file.tls)


def lane_problems(document: Document, file: CarrierFile, senders: tuple[str, ...]) -> Iterator[Problem]:
    """Sender ids in a carrier's file that the lane does not have: what is said of them would never count."""
    for index, limit in enumerate(file.limits):
        if limit.sender is not None and limit.sender not in senders:
            yield document.problem(("limits", index, "sender"), not_a_sender(limit.sender, senders))
    instead = file.sender_rules.instead
    if instead is not None and instead not in senders:
        yield document.problem(("sender_rules", "instead"), not_a_sender(instead, senders))
    for sender in file.source.replace:
        if sender not in senders:
            yield document.problem(("source", "replace", sender), not_a_sender(sender, senders))


def _brand_problems(document: Document, rules: SenderRules) -> Iterator[Problem]:
    for index, country in enumerate(rules.no_brands_in):
        yield from country_problems(document, ("sender_rules", "no_brands_in", index), country)
    instead = rules.instead
    if instead is None:
        return
    if not instead.removeprefix("+").isdigit():
        yield document.problem(
            ("sender_rules", "instead"), f'"{instead}" is a brand itself, expected a number or short code'
        )
    if rules.brands and not rules.no_brands_in:
        yield document.problem(
            ("sender_rules", "instead"), "is never used, expected `no_brands_in`, or brands = false"
        )


def _address_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    listed: list[tuple[Path, str]] = [
        (("account", "standby", index), address) for index, address in enumerate(file.account.standby)
    ]
    outbind = file.outbind
    if outbind is not None:
        listed.append((("outbind", "listen"), outbind.listen))
    for path, address in listed:
        if not 1 <= int(address.rpartition(":")[2]) <= _MAX_PORT:
            yield document.problem(path, f'"{address}" has no such port, expected 1 to {_MAX_PORT}')
    if outbind is None:
        return
    if file.tls is not None:
        # Our password would leave on the connection that the carrier opens.
        yield document.problem(("outbind",), "is not possible with [tls], expected only one of the two")
    if outbind.password_file is not None and outbind.password_credential is not None:
        message = "both are there, expected either `password_file` or `password_credential`"
        yield document.problem(("outbind", "password_file"), message)
    for index, entry in enumerate(outbind.allow):
        try:
            ip_network(entry)
        except ValueError as error:
            yield document.problem(
                ("outbind", "allow", index), f"{error}, expected an IP address or network without host bits"
            )


def _text_problems(document: Document, text: Text) -> Iterator[Problem]:
    for key in ("codec", "data_coding"):
        for index, first in repeated(getattr(alphabet, key) for alphabet in text.alphabets):
            message = f"repeats the {key} of entry {first}, expected each {key} once"
            yield document.problem(("text", "alphabets", index, key), message)
    codecs: list[Coding] = [alphabet.codec for alphabet in text.alphabets]
    if text.national_tables and not set(codecs) & set(SEPTETS):
        message = "has no use without the GSM alphabet, expected gsm7 or gsm7_packed in `alphabets`"
        yield document.problem(("text", "national_tables"), message)
    languages = [TAGS[tag] for tag in text.national_tables]
    for key, replacement in text.substitutions.items():
        if not any(_holds(replacement, codec, languages) for codec in codecs):
            yield document.problem(
                ("text", "substitutions", key),
                "no alphabet of this carrier has it, expected another replacement",
            )


def _holds(text: str, codec: Coding, languages: list[Language]) -> bool:
    tables: list[Language | None] = [None, *languages] if codec in SEPTETS else [None]
    for locking in tables:
        for single in tables:
            with contextlib.suppress(Unencodable):
                encode(text, codec, locking, single)
                return True
    return False


def _status_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    codes = tuple(file.statuses)
    for code in codes:
        if not int(code, 16):
            yield document.problem(
                ("statuses", code), "is success (ESME_ROK), expected the status of a refusal"
            )
    for index, first in repeated(int(code, 16) for code in codes):
        yield document.problem(
            ("statuses", codes[index]), f"is the same status as {codes[first]}, expected it once"
        )


def _limit_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    for index, limit in enumerate(file.limits):
        if (limit.sender is None) == (limit.destination is None):
            yield document.problem(
                ("limits", index), "has both or neither of `sender` and `destination`, expected exactly one"
            )
    for index, first in repeated((limit.sender, limit.destination) for limit in file.limits):
        yield document.problem(("limits", index), f"is for the same as entry {first}, expected it once")


def _tlv_problems(document: Document, file: CarrierFile) -> Iterator[Problem]:
    for index, first in repeated(tlv.tag for tlv in file.tlvs):
        yield document.problem(("tlvs", index, "tag"), f"repeats the tag of entry {first}, expected it once")
    for index, tlv in enumerate(file.tlvs):
        if tlv.tag in _OWN_TAGS:
            message = f"{_OWN_TAGS[tlv.tag]} is set by the connector itself, expected another tag"
            yield document.problem(("tlvs", index, "tag"), message)
        if (tlv.value is None) == (tlv.registered is None):
            message = "has both or neither of `value` and `registered`, expected exactly one"
            yield document.problem(("tlvs", index), message)
        elif tlv.value is not None:
            try:
                tlv.octets(tlv.value)
            except ValueError as error:
                yield document.problem(("tlvs", index, "value"), str(error))


def tls_problems(document: Document, tls: Tls | None) -> Iterator[Problem]:
    """A certificate of ours without its key, or the other way round."""
    if tls is None:
        return
    keys = (tls.key_file is not None) + (tls.key_credential is not None)
    if keys != (tls.certificate_file is not None):
        yield document.problem(
            ("tls", "certificate_file"),
            "and its key do not go together, expected both, the key as `key_file` or `key_credential`",
        )


def stem_problems(document: Document) -> Iterator[Problem]:
    """A file whose name cannot be that of what it holds."""
    if not _STEM.match(document.stem):
        message = (
            f'the file name "{document.stem}" cannot be a name, '
            "expected lower-case letters, digits, _ . and -, at most 64"
        )
        yield Problem(code="config_wrong_value", file=document.file, line=1, key=FILE, message=message)


def repeated(values: Iterable[T]) -> Iterator[tuple[int, int]]:
    """(index, index of the first equal one) of each value that came before."""
    first: dict[T, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            yield index, first[value]
