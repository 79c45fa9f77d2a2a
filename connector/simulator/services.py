"""Requests beside submit_sm: data_sm, submit_multi, query_sm, cancel_sm, replace_sm and broadcasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from protocols.smpp import tlv, validity
from protocols.smpp.constants import RESPONSE_BIT, CommandId, MessageState, Status, Tag
from protocols.smpp.errors import PduError
from protocols.smpp.pdu import (
    HEADER,
    BroadcastSm,
    BroadcastSmResp,
    CancelBroadcastSm,
    CancelBroadcastSmResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DistributionList,
    GenericNack,
    QueryBroadcastSm,
    QueryBroadcastSmResp,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
    decode,
    encode,
)

from .account import Account
from .fates import Fate, Report
from .receipts import Receipt
from .stories import DELETED

if TYPE_CHECKING:
    from .connection import Connection
    from .intake import Intake
    from .options import SmscOptions
    from .records import Records

_BROADCASTS_KEPT = 1000
_ADDRESS_MAX = 20


class Services:
    """Answers what a transmitting bind may ask beside submit_sm."""

    def __init__(self, intake: Intake, records: Records) -> None:
        self._intake = intake
        self._ledger = records.ledger
        self._broadcasts: dict[bytes, BroadcastSm] = {}

    def offers(self, command_id: int, options: SmscOptions) -> bool:
        """Whether this carrier knows the request at all."""
        found = SERVICES.get(command_id)
        return found is not None and bool(getattr(options, found[0]))

    def answer(self, bind: Connection, account: Account, frame: bytes, now: float) -> None:
        """Answer one request that is offered."""
        _, command_id, _, sequence = HEADER.unpack_from(frame)
        try:
            pdu = decode(frame).pdu
        except PduError as error:
            bind.send(HEADER.pack(16, command_id | RESPONSE_BIT, error.status, sequence))
            return
        SERVICES[command_id][1](self, bind, account, pdu, sequence, now)

    def _data(self, bind: Connection, account: Account, pdu: DataSm, sequence: int, now: float) -> None:
        if max(len(pdu.source_addr), len(pdu.destination_addr)) > _ADDRESS_MAX:
            too_long = len(pdu.destination_addr) > _ADDRESS_MAX
            status = Status.ESME_RINVDSTADR if too_long else Status.ESME_RINVSRCADR
            bind.send(HEADER.pack(16, CommandId.DATA_SM_RESP, status, sequence))
            return
        submit = SubmitSm(
            service_type=pdu.service_type,
            source_addr_ton=pdu.source_addr_ton,
            source_addr_npi=pdu.source_addr_npi,
            source_addr=pdu.source_addr,
            dest_addr_ton=pdu.dest_addr_ton,
            dest_addr_npi=pdu.dest_addr_npi,
            destination_addr=pdu.destination_addr,
            esm_class=pdu.esm_class,
            registered_delivery=pdu.registered_delivery,
            data_coding=pdu.data_coding,
            # A data_sm has no other place for its text: it is not one of the long forms.
            short_message=tlv.get(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b"",
            tlvs=tuple(pair for pair in pdu.tlvs if pair[0] != Tag.MESSAGE_PAYLOAD),
        )
        self._intake.take(bind, account, submit, sequence, now, CommandId.DATA_SM_RESP)

    def _multi(self, bind: Connection, account: Account, pdu: SubmitMulti, sequence: int, now: float) -> None:
        intake = self._intake
        intake.count(bind)
        shared = {
            name: getattr(pdu, name) for name in SubmitSm.__struct_fields__ if name in pdu.__struct_fields__
        }
        accepted: list[tuple[SubmitSm, Fate]] = []
        refused: list[UnsuccessSme] = []
        for address in pdu.dest_addresses:
            if isinstance(address, DistributionList):
                refused.append(UnsuccessSme(0, 0, address.dl_name, Status.ESME_RINVDLNAME))
                continue
            to = (address.dest_addr_ton, address.dest_addr_npi, address.destination_addr)
            submit = SubmitSm(dest_addr_ton=to[0], dest_addr_npi=to[1], destination_addr=to[2], **shared)
            fate, status = intake.judge(bind, account, submit, now)
            if status:
                refused.append(UnsuccessSme(*to, status))
            else:
                accepted.append((submit, fate))
        if not accepted:
            status = refused[0].error_status_code if refused else Status.ESME_RINVNUMDESTS
            intake.respond(bind, HEADER.pack(16, CommandId.SUBMIT_MULTI_RESP, status, sequence), now, now)
            return
        ids = intake.new_id()
        for submit, fate in accepted:
            intake.follow(bind, account, submit, ids, fate, now)
        response = encode(SubmitMultiResp(ids.response, tuple(refused)), sequence=sequence)
        intake.answer(bind, accepted[0][1], response, now)

    def _query(self, bind: Connection, account: Account, pdu: QuerySm, sequence: int, now: float) -> None:
        entry = self._ledger.find(pdu.message_id, pdu.source_addr)
        if entry is None:
            bind.send(HEADER.pack(16, CommandId.QUERY_SM_RESP, Status.ESME_RQUERYFAIL, sequence))
            return
        standing = self._ledger.standing(pdu.message_id, entry, now)
        final_date = b""
        if standing.final_s is not None:
            final_date = validity.absolute(time.time() - (now - entry.accepted_at) + standing.final_s)
        response = QuerySmResp(pdu.message_id, final_date, standing.state, standing.err)
        bind.send(encode(response, sequence=sequence))

    def _cancel(self, bind: Connection, account: Account, pdu: CancelSm, sequence: int, now: float) -> None:
        ledger, found = self._ledger, [pdu.message_id]
        if not pdu.message_id:
            digits = self._intake.digits(pdu.destination_addr)
            found = ledger.between(pdu.source_addr, digits, pdu.service_type)
        entries = [(one, ledger.find(one, pdu.source_addr)) for one in found]
        cancelled = [entry for one, entry in entries if entry is not None and ledger.cancel(one, entry, now)]
        for entry in cancelled:
            if entry.submit.registered_delivery & 0x03:
                message = self._intake.message(bind, account, entry.submit, b"", entry.receipt_id)
                account.offer(Receipt(message, Report(0.0, DELETED)))
        status = Status.ESME_ROK if cancelled else Status.ESME_RCANCELFAIL
        bind.send(encode(CancelSmResp(), sequence=sequence, status=status))

    def _replace(self, bind: Connection, account: Account, pdu: ReplaceSm, sequence: int, now: float) -> None:
        ledger = self._ledger
        entry = ledger.find(pdu.message_id, pdu.source_addr)
        if entry is None or ledger.standing(pdu.message_id, entry, now).state != MessageState.ENROUTE:
            bind.send(encode(ReplaceSmResp(), sequence=sequence, status=Status.ESME_RREPLACEFAIL))
            return
        others = tuple(pair for pair in entry.submit.tlvs if pair[0] != Tag.MESSAGE_PAYLOAD)
        replacement = msgspec.structs.replace(
            entry.submit, short_message=pdu.short_message, tlvs=others + pdu.tlvs
        )
        ledger.replace(pdu.message_id, replacement)
        bind.send(encode(ReplaceSmResp(), sequence=sequence))

    def _broadcast(
        self, bind: Connection, account: Account, pdu: BroadcastSm, sequence: int, now: float
    ) -> None:
        ids = self._intake.new_id()
        self._broadcasts[ids.response] = pdu
        if len(self._broadcasts) > _BROADCASTS_KEPT:
            del self._broadcasts[next(iter(self._broadcasts))]
        bind.send(encode(BroadcastSmResp(ids.response), sequence=sequence))

    def _query_broadcast(
        self, bind: Connection, account: Account, pdu: QueryBroadcastSm, sequence: int, now: float
    ) -> None:
        broadcast = self._broadcasts.get(pdu.message_id)
        if broadcast is None or broadcast.source_addr != pdu.source_addr:
            status = Status.ESME_RBCASTQUERYFAIL
            bind.send(HEADER.pack(16, CommandId.QUERY_BROADCAST_SM_RESP, status, sequence))
            return
        areas = [pair for pair in broadcast.tlvs if pair[0] == Tag.BROADCAST_AREA_IDENTIFIER]
        told = [tlv.of_uint(Tag.MESSAGE_STATE, MessageState.ENROUTE, 1)]
        for area in areas:
            told += [area, tlv.of_uint(Tag.BROADCAST_AREA_SUCCESS, 100, 1)]
        bind.send(encode(QueryBroadcastSmResp(pdu.message_id, tuple(told)), sequence=sequence))

    def _cancel_broadcast(
        self, bind: Connection, account: Account, pdu: CancelBroadcastSm, sequence: int, now: float
    ) -> None:
        broadcast = self._broadcasts.get(pdu.message_id)
        known = broadcast is not None and broadcast.source_addr == pdu.source_addr
        if known:
            del self._broadcasts[pdu.message_id]
        status = Status.ESME_ROK if known else Status.ESME_RBCASTCANCELFAIL
        bind.send(encode(CancelBroadcastSmResp(), sequence=sequence, status=status))


def unknown(sequence: int) -> bytes:
    """What a carrier says to a request it does not offer (§4.3)."""
    return encode(GenericNack(), sequence=sequence, status=Status.ESME_RINVCMDID)


SERVICES: dict[int, tuple[str, Callable[..., None]]] = {
    CommandId.DATA_SM: ("data_sm", Services._data),
    CommandId.SUBMIT_MULTI: ("submit_multi", Services._multi),
    CommandId.QUERY_SM: ("query_sm", Services._query),
    CommandId.CANCEL_SM: ("cancel_sm", Services._cancel),
    CommandId.REPLACE_SM: ("replace_sm", Services._replace),
    CommandId.BROADCAST_SM: ("broadcast_sm", Services._broadcast),
    CommandId.QUERY_BROADCAST_SM: ("broadcast_sm", Services._query_broadcast),
    CommandId.CANCEL_BROADCAST_SM: ("broadcast_sm", Services._cancel_broadcast),
}
"""By command_id, the option that offers it and what answers it."""
