"""What carriers are asked about messages that they have accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connector.carriers.contract import Carrier, SentPart
from connector.journal.ops import Query

__all__ = ["Enquiries"]


class Enquiries:
    """To the carriers in use, by name."""

    def __init__(self, carriers: Mapping[str, Carrier]) -> None:
        self._carriers = carriers

    def inquire(self, queries: list[Query], now: float) -> None:
        """Ask the carriers what became of messages whose receipts are late."""
        by_carrier: dict[str, list[Query]] = {}
        for query in queries:
            by_carrier.setdefault(query.carrier, []).append(query)
        for name, group in by_carrier.items():
            if name in self._carriers:
                # After a reload the name may stand for another account, where the ids are somebody else's.
                account = self._carriers[name].account
                self._carriers[name].query([query for query in group if query.account == account], now)

    async def recall(self, parts: list[tuple[str, SentPart]]) -> bool:
        """Have carriers take back what they accepted, as (carrier, part); True when all did."""
        if not parts or any(
            name not in self._carriers or self._carriers[name].account != part.account for name, part in parts
        ):
            return False
        return all(await asyncio.gather(*(self._carriers[name].recall(part) for name, part in parts)))
