"""The simulated carrier: a listening SMSC with accounts, handsets and every fault we know."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Mapping

from protocols.smpp.constants import Status
from protocols.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter

from .account import Account
from .connection import Connection
from .fates import FateSchedule
from .handsets import Handsets
from .intake import Intake
from .options import SmscOptions
from .receipts import Dates, Receipt
from .records import Records, Trace
from .submissions import Submissions
from .wheel import Wheel

_HOUSEKEEPING_S = 1.0
_PARTING_S = 1.0


class Smsc:
    """A carrier's SMSC on one TCP port, driven by the running event loop.

    Everything random comes from `seed`: the same submits in the same order have the same fates. `trace`
    is called with every event; it costs speed.
    """

    def __init__(self, options: SmscOptions | None = None, seed: int = 0, trace: Trace | None = None) -> None:
        self.options = options or SmscOptions()
        self.marked: list[Connection] = []
        self.dates = Dates()
        self._fates = FateSchedule(seed, self.options)
        self.records = Records(self.options, self._fates.stream("latency_sample"), trace)
        self._accounts: dict[bytes, Account] = {}
        self._connections: set[Connection] = set()
        self._binds_asked = 0
        self._server: asyncio.Server | None = None
        self._chore: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()

    @property
    def handsets(self) -> Handsets:
        return self.records.handsets

    @property
    def submissions(self) -> Submissions:
        return self.records.submissions

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port, chosen by the system when 0 was asked for. Raises OSError."""
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.wheel = Wheel(self.loop, self.flush)
        self.intake = Intake(self.options, self.records, self._fates, self.wheel, self.dates)
        self._server = await self.loop.create_server(lambda: Connection(self), host, port)
        self._keep_house()
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Close every connection and the port; receipts that have not left are gone."""
        if self._server is None:
            return
        self._server.close()
        if self._chore is not None:
            self._chore.cancel()
        self.wheel.stop()
        for connection in list(self._connections):
            connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                await self._gone()
        # An ESME that does not read would keep its connection, and this carrier, open forever.
        for connection in list(self._connections):
            connection.abort()
        await self._gone()
        await self._server.wait_closed()
        self._server = None

    async def _gone(self) -> None:
        while self._connections:
            self._idle.clear()
            await self._idle.wait()

    def set(self, changes: Mapping[str, object]) -> None:
        """Change options from the next PDU on; values may be text. Raises OptionError, changing nothing."""
        self.options = self.options.changed(changes)
        if "bind_refuse_first" in changes:
            self._binds_asked = 0
        self._fates.configure(self.options)
        self.intake.options = self.options
        self.records.configure(self.options)

    def reset(self) -> None:
        """Forget what was counted and received; binds and receipts under way stay."""
        self.records.reset()
        self.intake.forget_refusals()

    def cut(self) -> None:
        """Cut every connection now."""
        for connection in list(self._connections):
            connection.cut()

    def unbind(self) -> None:
        """Send unbind on every bind, as before maintenance."""
        for connection in self._connections:
            connection.unbind()
        self.flush()

    def stats(self) -> dict[str, object]:
        """Counters, what is waiting, handsets, submissions and the CPU seconds of this process."""
        accounts = self._accounts.values()
        return {
            **dataclasses.asdict(self.records.counters),
            "connections_open": len(self._connections),
            "scheduled": len(self.wheel),
            "receipts_parked": sum(len(account.parked) for account in accounts),
            "receipts_ready": sum(connection.receipts_ready for connection in self._connections),
            "receipts_in_flight": sum(connection.receipts_in_flight for connection in self._connections),
            "handset_messages": len(self.handsets),
            "submissions": self.submissions.as_json(),
            "cpu_s": time.process_time(),
        }

    def flush(self) -> None:
        """Let every connection that has something to write do so."""
        while self.marked:
            self.marked.pop().flush()

    def joined(self, connection: Connection) -> None:
        self.records.counters.connections += 1
        self._connections.add(connection)

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.flush()
        self._idle.set()

    def account(self, system_id: bytes) -> Account:
        """The account of a system_id, opened at its first bind."""
        if system_id not in self._accounts:
            order = self._fates.stream("receipt_order")
            self._accounts[system_id] = Account(system_id.decode("latin-1"), order)
        return self._accounts[system_id]

    def bind_status(self, request: BindReceiver | BindTransmitter | BindTransceiver) -> int:
        """The command_status a bind request is answered with."""
        options = self.options
        self._binds_asked += 1
        if options.bind_status and (
            not options.bind_refuse_first or self._binds_asked <= options.bind_refuse_first
        ):
            return options.bind_status
        if options.system_id and request.system_id != options.system_id.encode():
            return Status.ESME_RINVSYSID
        if options.password and request.password != options.password.encode():
            return Status.ESME_RINVPASWD
        account = self._accounts.get(request.system_id)
        if account is not None and self.now() < account.ghost_until:
            return Status.ESME_RALYBND
        return Status.ESME_ROK

    def offer_again(self, receipt: Receipt) -> None:
        """A receipt was answered with an error: its account tries again after `receipt_retry_s`."""
        self.wheel.push_in(self.options.receipt_retry_s, receipt.message.account.offer, receipt)

    def traced(self, event: str, account: Account | None, **fields: object) -> None:
        """Report an event of a connection."""
        if self.records.trace is not None:
            self.records.trace(event, {"account": account.system_id if account else None, **fields})

    def _keep_house(self) -> None:
        now = self.now()
        for connection in list(self._connections):
            connection.keep_house(now)
        self.flush()
        self._chore = self.loop.call_later(_HOUSEKEEPING_S, self._keep_house)
