"""Which deliver_sm belongs to which exchange, and when nothing more is to be expected."""

from __future__ import annotations

from collections.abc import Sequence

from connector.probe.reading import Delivery, forms_of, is_receipt, is_whole, pairs, tlv_id
from connector.probe.trial import Exchange
from protocols.smpp.constants import EsmClass

__all__ = ["belongs", "is_complete"]


def belongs(deliver: Delivery, exchange: Exchange, earlier: Sequence[bytes]) -> bool:
    """Whether it came of this exchange: trials go one by one, so that only a receipt can be of another.

    `earlier` are the message ids before this exchange. A receipt whose id is nobody's in any known form is
    taken for this one's: that is how an unknown form shows.
    """
    if not is_receipt(deliver):
        return True
    named = [value for value in (tlv_id(deliver), *pairs(deliver).values()) if value]
    ours = [answer.message_id for answer in exchange.answers if answer.message_id]
    if any(forms_of(each, value) for each in ours for value in named):
        return True
    return not any(forms_of(each, value) for each in earlier for value in named)


def is_complete(exchange: Exchange, *, receipts: bool, loop: bool) -> bool:
    """Whether a final receipt a PDU and a whole message are there, as far as either is to be expected."""
    told = [deliver for deliver in exchange.deliveries if is_receipt(deliver)]
    back = [deliver for deliver in exchange.deliveries if not is_receipt(deliver)]
    final = [deliver for deliver in told if not deliver.esm_class & EsmClass.INTERMEDIATE_NOTIFICATION]
    wanted = sum(bool(pdu.registered_delivery) for pdu in exchange.trial.pdus)
    return (not receipts or len(final) >= wanted) and (not loop or is_whole(back))
