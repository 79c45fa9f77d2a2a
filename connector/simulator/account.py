"""One ESME's account: its binds, and the receipts stored until one of them takes them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from .receipts import Delivery
from .throttle import TokenBucket


class Bind(Protocol):
    """What an account needs of a connection bound to it."""

    receiving: bool

    def offer(self, receipt: Delivery) -> None:
        """Take a receipt over, to be sent when the window has room."""


class Nowhere:
    """The bind that a message of a handset came on: none."""

    receiving = False

    def offer(self, receipt: Delivery) -> None:
        """Never called: it does not receive."""


class Account:
    """Stores and forwards the receipts of one system_id.

    A receipt goes to the bind its submit came on, to another one if the fate says so, and to whichever
    receives when that one is gone; with none it is parked until the next bind.
    """

    def __init__(self, system_id: str, order: random.Random) -> None:
        self.system_id = system_id
        self.ghost_until = 0.0
        self.binds = 0
        self.bound_at: float | None = None
        self.bucket: TokenBucket | None = None
        self.parked: deque[Delivery] = deque()
        self._receivers: list[Bind] = []
        self._turn = 0
        self._order = order
        self._block: list[Delivery] = []
        self._block_number = 0

    def attach(self, bind: Bind) -> None:
        """A receiving bind joins and gets everything that is parked."""
        self._receivers.append(bind)
        parked = list(self.parked)
        self.parked.clear()
        self.offer_all(parked)

    def detach(self, bind: Bind) -> None:
        if bind in self._receivers:
            self._receivers.remove(bind)

    def offer_all(self, receipts: Iterable[Delivery]) -> None:
        for receipt in receipts:
            self.offer(receipt)

    def offer(self, receipt: Delivery) -> None:
        """Hand a receipt to a bind, or park it."""
        message = receipt.message
        if message.origin.receiving and not message.other_bind:
            message.origin.offer(receipt)
        elif self._receivers:
            self._next_receiver(message.origin).offer(receipt)
        else:
            self.parked.append(receipt)

    def offer_in_block(self, receipt: Delivery, size: int) -> int | None:
        """Collect `size` receipts, then offer them in random order; the number of a block just begun."""
        self._block.append(receipt)
        if len(self._block) >= size:
            self.end_block(self._block_number)
        elif len(self._block) == 1:
            return self._block_number
        return None

    def end_block(self, number: int) -> None:
        """Offer what block `number` holds, in random order, unless it has left already."""
        if number != self._block_number:
            return
        block, self._block = self._block, []
        self._block_number += 1
        self._order.shuffle(block)
        self.offer_all(block)

    def _next_receiver(self, origin: Bind) -> Bind:
        self._turn += 1
        bind = self._receivers[self._turn % len(self._receivers)]
        if bind is origin:
            self._turn += 1
            bind = self._receivers[self._turn % len(self._receivers)]
        return bind
