"""The simulated carrier: a listening SMSC with accounts, handsets and every fault we know."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Mapping, Sequence

from protocols.smpp.constants import CommandId, Status
from protocols.smpp.pdu import AlertNotification, BindReceiver, BindTransceiver, BindTransmitter, Outbind

from . import mobile, tls
from .account import Account, Nowhere
from .connection import Connection
from .fates import FateSchedule
from .grammar import writer
from .handsets import Handsets, shown
from .intake import Intake
from .listeners import Listeners
from .options import SmscOptions
from .receipts import Dates, Delivery, FromHandset, Message
from .records import Records, Trace
from .services import Services
from .submissions import Submissions
from .wheel import Wheel

_HOUSEKEEPING_S = 1.0
_FLOOD_EVERY_S = 0.02
_KNOCK_EVERY_S = 0.5
_PARTING_S = 1.0


_MODES = {
    CommandId.BIND_TRANSMITTER: "transmitter",
    CommandId.BIND_RECEIVER: "receiver",
    CommandId.BIND_TRANSCEIVER: "transceiver",
}


class Smsc:
    """A carrier's SMSC on one or more TCP ports, driven by the running event loop.

    Everything random comes from `seed`: the same submits in the same order have the same fates. `trace`
    is called with every event; it costs speed.
    """

    def __init__(self, options: SmscOptions | None = None, seed: int = 0, trace: Trace | None = None) -> None:
        self.options = options or SmscOptions()
        self.marked: list[Connection] = []
        self.dates = Dates(self.options.receipt_dates)
        self.write_receipt = writer(self.options)
        self.ignored = _command_ids(self.options)
        self._fates = FateSchedule(seed, self.options)
        self.records = Records(self.options, self._fates.stream("latency_sample"), trace)
        self._accounts: dict[bytes, Account] = {}
        self._connections: set[Connection] = set()
        self._binds_asked = 0
        self._listeners: Listeners | None = None
        self._chore: asyncio.TimerHandle | None = None
        self._flood: asyncio.TimerHandle | None = None
        self._knocking: asyncio.Task[None] | None = None
        self._handset_choices = self._fates.stream("handsets")
        self._idle = asyncio.Event()

    @property
    def handsets(self) -> Handsets:
        return self.records.handsets

    @property
    def submissions(self) -> Submissions:
        return self.records.submissions

    @property
    def ports(self) -> dict[int, bool]:
        """Whether each of the carrier's ports listens, the first one first."""
        return {} if self._listeners is None else self._listeners.ports

    async def start(self, host: str = "127.0.0.1", port: int = 0, standby: int = 0) -> int:
        """Listen on `port` and the next `standby` ones; the first of them.

        The system chooses them all when 0 was asked for. Raises OSError.
        """
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.wheel = Wheel(self.loop, self.flush)
        self.intake = Intake(self.options, self.records, self._fates, self.wheel, self.dates)
        self.services = Services(self.intake, self.records)
        listeners = Listeners(lambda at: Connection(self, at), tls.context(self.options))
        try:
            for number in range(1 + standby):
                await listeners.open(host, port and port + number)
        except OSError:
            listeners.close_all()
            raise
        self._listeners = listeners
        self._keep_house()
        self._keep_flooding()
        if self.options.outbind:
            self._knocking = asyncio.create_task(self._knock())
        return listeners.port

    async def listen(self, port: int, on: bool, cut: bool = True) -> None:
        """Open or close one of the carrier's ports; `cut` ends the connections to a port that closes.

        Raises KeyError for a port that is not the carrier's, and OSError.
        """
        assert self._listeners is not None
        if on:
            await self._listeners.reopen(port)
            return
        self._listeners.close(port)
        for connection in list(self._connections):
            if cut and connection.port == port:
                connection.cut()

    async def outbind(self, host: str, port: int) -> None:
        """Connect to an ESME and ask it to bind (SMPP 3.4 §2.2.1). Raises OSError."""
        options = self.options
        pdu = Outbind(options.outbind_system_id.encode(), options.outbind_password.encode())
        await self.loop.create_connection(lambda: Connection(self, None, pdu), host, port)

    async def stop(self) -> None:
        """Close every connection and the ports; receipts that have not left are gone."""
        if self._listeners is None:
            return
        self._listeners.close_all()
        for timer in (self._chore, self._flood, self._knocking):
            if timer is not None:
                timer.cancel()
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
        self._listeners = None

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
        self.records.configure(self.options)
        self.intake.configure(self.options)
        self.dates.configure(self.options.receipt_dates)
        self.write_receipt = writer(self.options)
        self.ignored = _command_ids(self.options)
        self._keep_flooding()

    def reset(self) -> None:
        """Forget what was counted and received; binds and receipts under way stay."""
        self.records.reset()
        self.intake.forget_refusals()

    def cut(self) -> None:
        """Cut every connection now."""
        for connection in list(self._connections):
            connection.cut()

    def attack(self, names: Sequence[str], times: int = 1) -> None:
        """Send PDUs that no honest SMSC sends on every connection: keys of `attacks.ATTACKS`."""
        for connection in self._connections:
            connection.attack(names, times)
        self.flush()

    def mobile_originated(self, sent: mobile.Sent, system_id: str = "") -> int:
        """A handset sends a message: to one account, or to all that were ever bound; how many PDUs.

        Raises mobile.MobileError.
        """
        accounts = [account for account in self._accounts.values() if system_id in ("", account.system_id)]
        pdus = mobile.pdus(sent, self.handsets.reading, self._handset_choices)
        for account in accounts:
            message = Message(account, Nowhere(), b"", b"", b"", b"", False)
            account.offer_all(FromHandset(message, pdu) for pdu in pdus)
        self.flush()
        return len(accounts) * len(pdus)

    def alert(self, handset: str, esme: str) -> int:
        """Tell every account that a handset can be reached again (alert_notification); how many PDUs."""
        ton, npi, address = mobile.address_of(handset)
        pdu = AlertNotification(ton, npi, address, *mobile.address_of(esme))
        told = {id(one.account): one for one in self._connections if one.receiving}
        for connection in told.values():
            connection.tell(pdu)
        self.flush()
        return len(told)

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
            "ports": [port for port, listens in self.ports.items() if listens],
            "cpu_s": time.process_time(),
        }

    def messages(self) -> list[dict[str, object]]:
        """What was accepted, the oldest first, whether it arrives or not; option `message_limit` bounds it.

        `at` is Unix time (seconds), `arrives_s` counts from it, null for what never does. Long messages are
        told part by part.
        """
        began, reading = time.time() - self.now(), self.handsets.reading
        return [
            {
                "message_id": message_id.decode("latin-1"),
                "to": shown(entry.submit.dest_addr_ton, entry.submit.destination_addr),
                "text": reading.text([reading.placed(entry.submit)[1]], entry.submit.data_coding),
                "at": began + entry.accepted_at,
                "arrives_s": entry.fate.arrival_s,
            }
            for message_id, entry in self.records.ledger
        ]

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

    def bind_status(self, request: BindReceiver | BindTransmitter | BindTransceiver, command_id: int) -> int:
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
        if options.system_type and request.system_type != options.system_type.encode():
            return Status.ESME_RINVSYSTYP
        if _MODES[command_id] not in options.bind_modes:
            return Status.ESME_RBINDFAIL
        account = self._accounts.get(request.system_id)
        if account is not None and self._is_too_much(account):
            return Status.ESME_RALYBND
        return Status.ESME_ROK

    def _is_too_much(self, account: Account) -> bool:
        """Whether one more bind of the account is refused: a ghost, too many, or too soon."""
        options, now = self.options, self.now()
        if now < account.ghost_until or (options.max_binds and account.binds >= options.max_binds):
            return True
        return account.bound_at is not None and now - account.bound_at < options.bind_spacing_s

    def offer_again(self, receipt: Delivery) -> None:
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

    async def _knock(self) -> None:
        """Try until the ESME of option `outbind` listens."""
        host, _, port = self.options.outbind.rpartition(":")
        while True:
            with contextlib.suppress(OSError):
                await self.outbind(host, int(port))
                return
            await asyncio.sleep(_KNOCK_EVERY_S)

    def _keep_flooding(self) -> None:
        if self._flood is not None:
            self._flood.cancel()
            self._flood = None
        if not self.options.flood_per_s:
            return
        every_s = max(_FLOOD_EVERY_S, 1 / self.options.flood_per_s)
        for connection in list(self._connections):
            connection.flood(every_s)
        self.flush()
        self._flood = self.loop.call_later(every_s, self._keep_flooding)


def _command_ids(options: SmscOptions) -> frozenset[int]:
    """The requests that option `ignore` names."""
    return frozenset(getattr(CommandId, name.upper()) for name in options.ignore)
