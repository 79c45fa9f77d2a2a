"""One account's receipts: read as its carrier's file says, and what their matching teaches."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Final, Literal

from connector.carriers.id_forms import IdForms
from connector.config import Carrier as CarrierConfig
from connector.journal.ops import Receipt
from connector.log import event as log_event
from connector.metrics import CarrierMetrics
from protocols.smpp import receipt as smpp
from protocols.smpp.pdu import DataSm, DeliverSm
from protocols.smpp.receipt import FINAL, Grammar, ReceiptState

__all__ = ["LONGEST_ID", "ReceiptIntake", "kept_text"]

_log = logging.getLogger(__name__)

# SMPP 3.4 has 64 and 20 octets; a PDU has room for 65,535, with which a peer could fill the disk.
LONGEST_ID: Final = 256
_LONGEST_ADDRESS: Final = 64
_LONGEST_TEXT: Final = 1_000
_LONGEST_WORD: Final = 32
_ALARM_EVERY_S: Final = 600.0
_MESSAGE = re.compile(rb"text:", re.IGNORECASE)
_KNOWN = re.compile(rb"\b(?:id|sub|dlvrd|(?:submit|done) ?date|stat|err):\S*", re.IGNORECASE)

# Appendix B's spelling of the states, and FAILED, which several carriers write.
_APPENDIX_B: Final = {
    "ENROUTE": ReceiptState.ENROUTE,
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.DELETED,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "UNKNOWN": ReceiptState.UNKNOWN,
    "REJECTD": ReceiptState.REJECTED,
    "FAILED": ReceiptState.FAILED,
}
_MEANINGS: Final = {
    "final_delivered": ReceiptState.DELIVERED,
    "final_undelivered": ReceiptState.UNDELIVERABLE,
    "final_expired": ReceiptState.EXPIRED,
    "non_final": ReceiptState.ENROUTE,
}
_RESULTS: Final[dict[ReceiptState, Literal["delivered", "expired"]]] = {
    ReceiptState.DELIVERED: "delivered",
    ReceiptState.EXPIRED: "expired",
}
_NETWORKS: Final = {1: "ANSI-136", 2: "IS-95", 3: "GSM"}  # SMPP 3.4 §5.3.2.31


class ReceiptIntake:
    """For one account, which is a row of the journal."""

    def __init__(self, config: CarrierConfig, account: int, metrics: CarrierMetrics) -> None:
        habits = config.receipts
        self.id_forms = IdForms(habits.id_form, config.binds.response_timeout_s + 1.0)
        self._form = self.id_forms.form
        self._account = account
        self._carrier = config.name
        self._metrics = metrics
        self._alarm_at = 0.0
        self._handset_is_source = habits.handset == "source"
        self._destination = config.destination
        self._names: dict[str, str] = {}
        words: dict[bytes, ReceiptState] = {}
        for word, meaning in habits.states.items():
            known = _APPENDIX_B.get(word)
            # The name of a state stands for its other spellings and for its number.
            for spelling in {word, known.value if known else word}:
                words[spelling.encode()] = _MEANINGS[meaning]
                self._names[spelling] = known.value if known else word
        self._grammar = Grammar(
            id_key=habits.id_key.encode(),
            prefer=habits.prefer,
            unflagged="mo" if habits.unflagged == "mo" else "detect",
            words=words,
        )

    def read(self, pdu: DeliverSm | DataSm, now: float, context: object) -> Receipt | None:
        """None for what is no receipt. `context` comes back with it after the commit."""
        receipt = smpp.parse(pdu, self._grammar)
        if receipt is None:
            return None
        message_id = receipt.message_id[:LONGEST_ID]
        keys, trusted = self.id_forms.keys(message_id)
        if self._handset_is_source:
            ton, number = pdu.source_addr_ton, pdu.source_addr
        else:
            ton, number = pdu.dest_addr_ton, pdu.destination_addr
        address = self._destination.digits(ton, number[:_LONGEST_ADDRESS].decode("ascii", "replace"))
        return Receipt(
            self._account, self._carrier, keys, address,
            self._name(receipt), _result(receipt.state) if receipt.final else None,
            kept_text(receipt.raw).hex(), now, context, message_id.hex(), trusted, _error(receipt),
            "intermediate" if receipt.intermediate else "receipt", self.id_forms.learned,
        )  # fmt: skip

    def answer_to_query(
        self, key: str, handset: str, message_state: int, error_code: int, now: float
    ) -> Receipt:
        """What a query_sm_resp says (SMPP 3.4 §4.8.2), as if it were a receipt.

        key      under which the message stands in the journal
        handset  its number, digits only
        """
        state = smpp.state_of(message_state)
        meant = self._grammar.words.get(state.value.encode(), state)
        return Receipt(
            self._account, self._carrier, (("same", key),), handset, state.value,
            _result(meant) if FINAL[meant] else None, "", now, None,
            error=f"err {error_code}" if error_code else "", kind="query",
        )  # fmt: skip

    def committed(self, receipts: list[Receipt], now: float) -> None:
        """These came by this account's binds, or answered a query, and are in the journal."""
        metrics, id_forms = self._metrics, self.id_forms
        handset: list[float] = []
        forms: dict[str, int] = {}
        for receipt in receipts:
            if receipt.kind == "query":
                continue
            if receipt.match == "parked":
                metrics.receipts_parked += 1
                if receipt.keys:
                    id_forms.parked(receipt.at)
            else:
                metrics.receipts_matched += 1
                metrics.receipts_late += receipt.match == "late"
                forms[receipt.form] = forms.get(receipt.form, 0) + 1
                if receipt.result == "delivered":
                    handset.append(receipt.at - receipt.accepted_at)
        metrics.to_handset.observe_many(handset)
        id_forms.matched(forms)
        self._watch(now)

    def found(self, receipts: list[Receipt], now: float) -> None:
        """These were parked, and have found their message."""
        for receipt in receipts:
            self.id_forms.found("address" if receipt.match == "address" else receipt.form, receipt.at)
        self._watch(now)

    def remember(self, forms: Mapping[str, int]) -> None:
        """How the receipts of the newest messages matched, as the journal has it at the start."""
        self.id_forms.remember(forms)
        self._form = self.id_forms.form

    def take_over(self, other: ReceiptIntake) -> None:
        """Go on with what another intake of the same account has learned; both are at work for a while."""
        if not (self.id_forms.fixed or other.id_forms.fixed):
            self.id_forms = other.id_forms
            self._form = self.id_forms.form

    def _watch(self, now: float) -> None:
        id_forms, before = self.id_forms, self._form
        lapsed = id_forms.lapsed(now)
        self._form = form = id_forms.form
        if form is not None and form is not before:
            log_event(_log, "form of receipt ids learned", carrier=self._carrier, id_form=form)
        if lapsed and now >= self._alarm_at:
            self._alarm_at = now + _ALARM_EVERY_S
            log_event(
                _log, "receipts find their message late or never", level=logging.WARNING,
                carrier=self._carrier, id_form=before or "being learned", fixed=id_forms.fixed,
                match_ratio=round(id_forms.ratio or 0.0, 3),
            )  # fmt: skip

    def _name(self, receipt: smpp.Receipt) -> str:
        """The state as people know it: its name, or the word where that is the carrier's own."""
        if (name := self._names.get(receipt.word)) is not None:
            return name
        if receipt.state is ReceiptState.UNKNOWN and receipt.word:
            return _shown(receipt.word)
        return receipt.state.value


def kept_text(raw: bytes) -> bytes:
    """A receipt's text without the beginning of the message, its code included.

    That follows `text:`, or at some carriers the last of the usual fields.
    """
    cut = _MESSAGE.search(raw)
    end = cut.start() if cut else max((known.end() for known in _KNOWN.finditer(raw)), default=0)
    return raw[: min(end, _LONGEST_TEXT)]


def _result(state: ReceiptState) -> Literal["delivered", "failed", "expired"]:
    return _RESULTS.get(state, "failed")


def _error(receipt: smpp.Receipt) -> str:
    """Text and TLV, where they say more than "none": "err 075", "network error GSM 27"."""
    told = []
    if receipt.err.strip("0"):
        told.append(f"err {_shown(receipt.err)}")
    network = receipt.network_error
    if network and len(network) == 3 and any(network[1:]):
        kind = _NETWORKS.get(network[0], str(network[0]))
        told.append(f"network error {kind} {int.from_bytes(network[1:], 'big')}")
    return ", ".join(told)


def _shown(word: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in word[:_LONGEST_WORD])
