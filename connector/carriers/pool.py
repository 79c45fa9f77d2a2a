"""All binds of one account: how they are made, which one is next, and the rates they share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random

from connector import notify
from connector.carriers.addresses import Addresses, Spacing, address_of
from connector.carriers.backoff import Backoff, BindFailure
from connector.carriers.bind import Bind, BindOwner, BindState, Rates
from connector.carriers.dial import Await, Connect, Dial
from connector.carriers.outbind import Allowed, OutbindListener
from connector.carriers.throttle import Pace, TokenBucket
from connector.carriers.window import WindowSizer
from connector.config import Carrier as CarrierConfig
from connector.config import read_password
from connector.config.tls import context_of
from connector.log import event as log_event
from connector.metrics import CarrierLive, CarrierMetrics
from protocols.smpp.session import Mode, SessionConfig

__all__ = ["BindPool"]

_log = logging.getLogger(__name__)

_UNBIND_GRACE_S = 2.0


class BindPool:
    """Makes the binds that the carrier's file asks for; `start` and `stop` them together.

    all      of them, receivers included
    senders  those that may submit
    budget   PDUs a second of the whole account
    """

    def __init__(
        self,
        config: CarrierConfig,
        *,
        owner: BindOwner,
        metrics: CarrierMetrics,
        now: Callable[[], float],
        rng: Random,
    ) -> None:
        self._config = config
        self._owner = owner
        self._metrics = metrics
        self._now = now
        self._rng = rng
        self.budget = TokenBucket(config.binds.tps, now())
        self._shared = Pace(config.binds.tps) if config.binds.rate_scope == "account" else None
        self._spacing = Spacing(config.binds.spacing_s)
        self._tasks: list[asyncio.Task[None]] = []
        modes: tuple[Mode, ...] = (
            ("transceiver",) if config.binds.mode == "transceiver" else ("transmitter", "receiver")
        )
        self._listener = self._listens()
        self._outward = [
            self._bind(f"{config.name}/{mode}-{number}", mode, self._connect())
            for number in range(1, config.binds.count + 1)
            for mode in modes
        ]
        self._inbound = [
            self._bind(f"{config.name}/outbind-{number}", modes[-1], Await(self._listener))
            for number in range(1, config.binds.count + 1)
            if self._listener is not None
        ]
        self.all = [*self._outward, *self._inbound]
        # Receivers never have room: their window stays shut.
        self.senders = [*self._outward[:: len(modes)], *(self._inbound if len(modes) == 1 else ())]

    # What there is room for

    @property
    def bound(self) -> bool:
        """Something can be sent."""
        return any(bind.state is BindState.BOUND for bind in self.senders)

    def room(self, now: float) -> int:
        """Attempts that could leave at once."""
        pending = room = 0
        for bind in self.senders:
            pending += bind.pending
            room += max(0, bind.room(now))
        return min(room, int(self.budget.tokens(now) + 1e-6) - pending)

    def room_at(self, now: float) -> float | None:
        """When the rate alone gives room again; None when a window or the carrier's pace must."""
        if not any(bind.room(now) > 0 for bind in self.senders):
            return None
        return self.budget.next_at(now)

    def rate(self, now: float) -> float:
        """PDUs a second: the account's, or less where the carrier said that it is too much."""
        paces = {bind.pace for bind in self.senders}
        taught: float = sum(pace.rate_at(now) for pace in paces)
        return min(self.budget.rate, taught)

    def roomiest(self, now: float) -> Bind | None:
        """The bind that the next attempt goes to."""
        if len(self.senders) == 1:
            bind = self.senders[0]
        else:
            bind = max(self.senders, key=lambda bind: bind.room(now))
        return bind if bind.room(now) > 0 else None

    def pump(self, now: float) -> None:
        for bind in self.all:
            bind.pump(now)

    def live(self, now: float) -> CarrierLive:
        binds = tuple(bind.live() for bind in self.all)
        return CarrierLive(self._config.name, binds, self.budget.tokens(now), self.rate(now))

    # Life

    def start(self) -> None:
        self._tasks = [asyncio.create_task(bind.run(), name=bind.name) for bind in self.all]
        if self._listener is not None:
            self._tasks.append(asyncio.create_task(self._listener.start(), name="outbind"))

    async def stop(self) -> None:
        """Unbind everything; at the latest after two seconds it is closed."""
        if self._listener is not None:
            self._listener.stop()
        await asyncio.gather(*(bind.stop(_UNBIND_GRACE_S) for bind in self.all))
        for task in self._tasks:
            task.cancel()  # one that still tries to connect
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def again(self) -> None:
        """Whoever waits before the next attempt need not: the reason may be gone."""
        for bind in self.all:
            if bind.state in (BindState.DOWN, BindState.REFUSED):
                bind.again()

    # One pool takes the place of another

    def learn_from(self, other: BindPool) -> None:
        """Go on at the pace that the carrier has taught the other one, where what was agreed is the same."""
        if self.budget.rate != other.budget.rate:
            return
        if self._shared is not None and other._shared is not None:
            self._shared = other._shared
            for bind in self.senders:
                bind.pace = self._shared
        elif self._shared is None and other._shared is None:
            known = {bind.name: bind.pace for bind in other.senders}
            for bind in self.senders:
                bind.pace = known.get(bind.name, bind.pace)

    @property
    def complete(self) -> bool:
        """Every bind that we make is bound."""
        return all(bind.state is BindState.BOUND for bind in self._outward)

    def crowded_out(self) -> list[Bind]:
        """Binds that the carrier refuses while others of the account are bound."""
        full = (BindFailure.GHOST, BindFailure.REFUSED)
        return [bind for bind in self._outward if bind.state is BindState.DOWN and bind.failure in full]

    async def make_room(self, bind: Bind, grace_s: float) -> None:
        """Retire one bind that does what `bind` of another pool is to do, if there is one."""
        kind = _kind(bind)
        # One that drains was to make room for a pool that is not wanted any more.
        for state in (BindState.DRAINING, BindState.BOUND):
            for own in self._outward:
                if _kind(own) == kind and own.state is state:
                    await own.retire(grace_s)
                    return

    # What a bind is made of

    def _bind(self, name: str, mode: Mode, dial: Dial) -> Bind:
        binds, backoff = self._config.binds, self._config.backoff
        return Bind(
            name,
            dial=dial,
            session_config=lambda: self._session_config(mode),
            backoff=Backoff(backoff.initial_s, backoff.max_s, backoff.ghost_s, self._rng),
            rates=Rates(self.budget, self._shared or Pace(binds.tps), self._share),
            sizer=WindowSizer(binds.window, automatic=binds.window_sizing == "automatic"),
            owner=self._owner,
            metrics=self._metrics,
            now=self._now,
        )

    def _share(self) -> float:
        bound = sum(bind.state is BindState.BOUND for bind in self.senders)
        return self.budget.rate / max(1, bound)

    def _connect(self) -> Connect:
        account, tls, folder = self._config.account, self._config.tls, self._config.folder
        return Connect(
            Addresses([(account.host, account.port), *map(address_of, account.standby)]),
            self._spacing,
            self._config.binds.bind_timeout_s,
            context=None if tls is None else lambda: context_of(tls, folder),
            server_name=None if tls is None else tls.server_name,
        )

    def _listens(self) -> OutbindListener | None:
        outbind, name = self._config.outbind, self._config.name
        if outbind is None:
            return None
        if self._config.tls is not None:
            # Our password would leave on it in the clear.
            log_event(_log, "no outbinds are taken with [tls]", level=logging.ERROR, carrier=name)
            return None
        return OutbindListener(
            name,
            address_of(outbind.listen),
            Allowed(outbind.allow),
            self._outbind_password,
            self._metrics,
            self._now,
        )

    def _outbind_password(self) -> bytes | None:
        outbind = self._config.outbind
        assert outbind is not None
        if outbind.password_credential is not None:
            return read_password(str(notify.credential(outbind.password_credential)))
        if outbind.password_file is not None:
            return read_password(f"{self._config.folder}/{outbind.password_file}")
        return None

    def _session_config(self, mode: Mode) -> SessionConfig:
        account, binds = self._config.account, self._config.binds
        return SessionConfig(
            mode=mode,
            system_id=account.system_id.encode(),
            password=read_password(self._config.password_path),
            system_type=account.system_type.encode(),
            interface_version=account.interface_octet,
            address_range=account.address_range.encode(),
            window=binds.window,
            bind_timeout_s=binds.bind_timeout_s,
            response_timeout_s=binds.response_timeout_s,
            enquire_link_s=binds.enquire_link_s,
        )


def _kind(bind: Bind) -> str:
    return bind.name.rpartition("/")[2].partition("-")[0]
