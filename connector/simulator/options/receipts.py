"""Options of delivery receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.delay import Delay
from connector.simulator.message_ids import SPELLINGS

from .takes import Takes as _T
from .throughput import AT_ONCE
from .values import NO_PAIRS, Pairs, check_length

_SPELT = (
    "How the receipt spells the message id of the response: the same decimal number; hexadecimal in the "
    "response and decimal in the receipt, or the other way round; hexadecimal upper-cased or lower-cased in "
    "the receipt; zeros in front; a UUID that loses its dashes."
)
_DATES = (
    "Dates as YYMMDDhhmm, as YYMMDDhhmmss (12), as YYYYMMDDhhmm (12_year), as YYYYMMDDhhmmss (14), all zero, "
    "or left out."
)

_Share = float
_WORD = check_length(32)


@dataclass(frozen=True)
class ReceiptOptions:
    """When receipts come, and how they are written."""

    receipt_delay: Annotated[Delay, _T("Delay from the submit to the handset and its receipt.")] = AT_ONCE
    receipt_missing: Annotated[_Share, _T("Share of messages delivered without a receipt.", high=1)] = 0.0
    receipt_undelivered: Annotated[
        _Share, _T("Share of messages that end UNDELIV instead of DELIVRD.", high=1)
    ] = 0.0
    receipt_fake: Annotated[
        _Share, _T("Share of messages that never arrive, and get a DELIVRD receipt all the same.", high=1)
    ] = 0.0
    receipt_duplicate: Annotated[_Share, _T("Share of receipts sent twice.", high=1)] = 0.0
    receipt_early: Annotated[_Share, _T("Share of receipts sent before the submit_sm_resp.", high=1)] = 0.0
    receipt_other_bind: Annotated[
        _Share, _T("Share of receipts sent on another bind of the account, if there is one.", high=1)
    ] = 0.0
    receipt_shuffle: Annotated[int, _T("Send receipts in blocks of N, each block in random order.")] = 0
    receipt_form: Annotated[
        str, _T("Receipts as text, as TLVs, or both.", choices=("both", "text", "tlv"))
    ] = "both"
    id_form: Annotated[str, _T(_SPELT, choices=tuple(SPELLINGS))] = "same"
    deliver_window: Annotated[int, _T("Receipts sent on a bind before one of them is answered.", 1)] = 500
    receipt_retry_s: Annotated[
        float,
        _T("Offer a receipt again so many seconds after it was refused, or sent without an answer.", 0.001),
    ] = 30.0

    receipt_pdu: Annotated[str, _T("The PDU receipts come in.", choices=("deliver_sm", "data_sm"))] = (
        "deliver_sm"
    )
    receipt_esm_class: Annotated[
        int, _T("esm_class of a final receipt: 0x04, 0x44, or 0x00 where they are not flagged.", high=0xFF)
    ] = 0x04
    receipt_handset: Annotated[
        str, _T("Which address of a receipt is the handset's.", choices=("source", "destination"))
    ] = "source"
    receipt_intermediate: Annotated[
        str,
        _T(
            "Intermediate notification ENROUTE before the final receipt.",
            choices=("never", "asked", "always"),
        ),
    ] = "never"
    receipt_buffered: Annotated[
        bool, _T("A receipt ACCEPTD comes as soon as a message is buffered, before the final one.")
    ] = False
    receipt_tlv_lies: Annotated[
        bool, _T("The TLVs of receipts tell another id and UNKNOWN; only the text is right.")
    ] = False
    receipt_id_key: Annotated[str, _T("The word in front of the id in a receipt's text.", check=_WORD)] = "id"
    receipt_counts: Annotated[bool, _T("Whether a receipt's text has sub: and dlvrd:.")] = True
    receipt_joined: Annotated[bool, _T("Write submitdate: and donedate: without their space.")] = False
    receipt_dates: Annotated[str, _T(_DATES, choices=("10", "12", "12_year", "14", "zero", "none"))] = "10"
    receipt_err: Annotated[
        str, _T("err: in decimal digits, in hexadecimal, or left out.", choices=("decimal", "hex", "none"))
    ] = "decimal"
    receipt_text: Annotated[
        str,
        _T("How a receipt's text names the excerpt; none leaves it out.", choices=("text", "Text", "none")),
    ] = "text"
    receipt_words: Annotated[
        Pairs, _T("The carrier's words for stat:, e.g. DELIVRD=DELIVERED,UNDELIV=FAILED.", check=_WORD)
    ] = NO_PAIRS
