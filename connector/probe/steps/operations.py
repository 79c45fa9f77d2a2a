"""Operations beyond submit_sm: query_sm, cancel_sm, data_sm."""

from __future__ import annotations

from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.trial import Asked, Talk, ask, send_one
from protocols.smpp.constants import Status, status_name
from protocols.smpp.pdu import CancelSm, QuerySm, SubmitSm
from protocols.smpp.validity import relative

__all__ = ["operations"]

_LATER_S = 600.0


def operations(known: Known) -> Talk:
    """Ask about a message that has just gone out, and take back one that is to leave in ten minutes."""
    sent = yield from send_one(known.trial("probe query"))
    if not sent.accepted or not sent.answers[0].message_id:
        how = "no message with an id to ask about"
        return [unknown(f"supports.{name}", how) for name in ("query_sm", "cancel_sm")]
    pdu, message_id = sent.trial.pdus[0], sent.answers[0].message_id
    queried = yield from ask(QuerySm(message_id, pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr))
    later = known.trial("probe cancel", schedule_delivery_time=relative(_LATER_S), registered_delivery=0)
    scheduled = yield from send_one(later)
    if scheduled.accepted and scheduled.answers[0].message_id:
        pdu, message_id = scheduled.trial.pdus[0], scheduled.answers[0].message_id
    cancelled = yield from ask(_cancel(pdu, message_id))
    return [
        _finding("query_sm", queried, Status.ESME_RQUERYFAIL),
        _finding("cancel_sm", cancelled, Status.ESME_RCANCELFAIL),
    ]


def _cancel(pdu: SubmitSm, message_id: bytes) -> CancelSm:
    return CancelSm(
        service_type=pdu.service_type,
        message_id=message_id,
        source_addr_ton=pdu.source_addr_ton,
        source_addr_npi=pdu.source_addr_npi,
        source_addr=pdu.source_addr,
        dest_addr_ton=pdu.dest_addr_ton,
        dest_addr_npi=pdu.dest_addr_npi,
        destination_addr=pdu.destination_addr,
    )


def _finding(name: str, asked: Asked, failed: int) -> Finding:
    key = f"supports.{name}"
    if asked.status is None:
        return found(key, False, "no answer")
    told = f"answered {status_name(asked.status)}"
    if asked.status == Status.ESME_ROK:
        return found(key, True, told)
    if asked.status == failed:
        return assumed(key, True, f"{told}: the carrier knows it, and the message had gone already")
    return found(key, False, told)
