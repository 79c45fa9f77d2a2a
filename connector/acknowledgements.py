"""What carriers told is committed: now they may be told so, and it may be counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from connector.carriers.contract import Carrier
from connector.journal.ops import Inbound, Receipt
from connector.metrics import Metrics

__all__ = ["Acknowledgements"]


class Acknowledgements:
    """`known` are the carriers by name, with those that are no longer chosen; `in_use` tells them apart."""

    def __init__(self, known: Mapping[str, Carrier], in_use: Callable[[str], bool], metrics: Metrics) -> None:
        self._known = known
        self._in_use = in_use
        self._metrics = metrics

    def receipts(self, receipts: list[Receipt], now: float) -> None:
        by_carrier: defaultdict[str, list[Receipt]] = defaultdict(list)
        for receipt in receipts:
            by_carrier[receipt.carrier].append(receipt)
        for name, group in by_carrier.items():
            self._known[name].receipts_committed(group, now)

    def inbound(self, arrived: list[Inbound], incomplete: dict[str, int], now: float) -> None:
        """The same for what handsets sent. `incomplete`: how many were told without all their parts."""
        by_carrier: defaultdict[str, list[Inbound]] = defaultdict(list)
        for inbound in arrived:
            by_carrier[inbound.carrier].append(inbound)
        for name, group in by_carrier.items():
            self._known[name].inbound_committed(group, now)
        for name, number in incomplete.items():
            metrics = self._metrics.carrier(name)
            metrics.mo_received += number
            metrics.mo_incomplete += number

    def parked(self, found: list[Receipt], unmatched: dict[str, int], now: float) -> None:
        """Count the receipts that were parked: those that found their message, and those given up.

        Carriers are told also of none: how long the others wait tells them something.
        """
        by_carrier: defaultdict[str, list[Receipt]] = defaultdict(list)
        for receipt in found:
            metrics = self._metrics.carrier(receipt.carrier)
            metrics.receipts_matched += 1
            metrics.receipts_by_address += receipt.match == "address"
            metrics.receipts_late += receipt.match == "late"
            if receipt.result == "delivered":
                metrics.to_handset.observe(receipt.at - receipt.accepted_at)
            by_carrier[receipt.carrier].append(receipt)
        for name, carrier in self._known.items():
            carrier.receipts_found(by_carrier.get(name, []), now)
        for name, number in unmatched.items():
            if self._in_use(name):
                self._metrics.carrier(name).receipts_unmatched += number
            else:
                self._metrics.receipts_orphaned += number
