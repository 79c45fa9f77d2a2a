"""The daemon: what is built in which order, what follows each commit, and how it all stops."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from connector import __version__, notify, state_folder
from connector.carriers import keywords
from connector.carriers.contract import Carrier
from connector.carriers.inbound import Receivers
from connector.carriers.lineup import Lineup
from connector.carriers.smpp import SmppCarrier
from connector.clock import Clock
from connector.config import KEEP_DAYS, Config, ConfigError, load
from connector.config import Carrier as CarrierConfig
from connector.dispatch import Dispatcher, Routing
from connector.evidence import keys
from connector.evidence.head import publish
from connector.jobs.content import require_templates
from connector.jobs.gate import Gate, opt_outs
from connector.jobs.methods import Methods
from connector.jobs.opt_out import OptOut
from connector.jobs.server import JobServer
from connector.jobs.subscription import Subscriptions
from connector.journal.evidence import Keeping
from connector.journal.inbound import Reception
from connector.journal.lookup import Lookup
from connector.journal.ops import Batch
from connector.journal.reader import Reader
from connector.journal.writer import Journal
from connector.kept import Kept
from connector.learned import Learned
from connector.log import Digest
from connector.log import event as log_event
from connector.metrics import Metrics
from connector.routing.guards import Guards, guard_settings
from connector.vitals import Vitals
from protocols.rpc.limits import Limits

if TYPE_CHECKING:
    from connector.http import HttpServer
    from connector.voice.lineup import TrunkLineup

__all__ = ["CannotStart", "Daemon"]

_log = logging.getLogger(__name__)

_JOURNAL = "journal.db"
_GUARDS = "guards.mp"
_DAY_S = 86_400.0
_SWEEP_S = 1.0
_SAVE_SWEEPS = 60
_LAG_S = 0.25
_STALLED_S = 10.0
_FIXED = ("lane", "socket", "state", "http", "log", "inbound", "voice", "lookup", "privacy", "evidence")
"""Tables that are read at the start only."""

_EXIT_IO_ERROR = 74  # sysexits.h EX_IOERR


class CannotStart(Exception):
    """What calls need is not there; the message says what."""


class Daemon:
    """One lane. `start`, then wait for a reason to stop, then `stop`."""

    def __init__(self, config: Config, *, rng: Random | None = None) -> None:
        self._config = config
        self._now = Clock().now
        self._metrics = Metrics()
        self._state = Path(config.state_folder)
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = state_folder.lock(self._state)
        self._receivers = Receivers(config)
        self._seal = state_folder.seal_of(self._state, config.privacy)
        self._keys = keys.load(self._state, config.evidence.chain_key_path, config.evidence.signing_key_path)
        self._journal = journal = self._open_journal()
        self._apps = {application.name: journal.app(application.name) for application in config.applications}
        self._lookup = Lookup(self._state / _JOURNAL, self._seal)
        self._rng = rng or Random()
        routing = Routing(config)
        self._dispatcher = Dispatcher(journal, self._metrics, self._now, routing, self._rng)
        self._subscriptions = Subscriptions(self._lookup, _unexpected)
        limits = Limits(frame=config.socket.max_frame_bytes)
        self._learned = Learned(self._dispatcher.router, self._state, config.jobs.default_deadline_s)
        key, row = journal.digest_key, journal.last_job() + 1
        settings = guard_settings(config.guards, config.applications)
        self._guards = guards = Guards(settings, key, self._now())
        counted = Kept(self._state / _GUARDS, "guards", lambda now: guards.dump(), guards.restore)
        self._kept = (self._learned.kept, counted)
        self._vitals = Vitals(
            config.lane, self._apps, self._metrics, self._dispatcher, self._learned, guards, self._now
        )
        self._vitals.head = journal.head
        self._gate = Gate(
            config, key, row, self._now, routing, opt_outs(config), guards, self._metrics, self._keys.text
        )
        self._gate.know(self._apps)
        self._dispatcher.spent = self._gate.spent
        self._methods = Methods(
            config,
            limits=limits,
            gate=self._gate,
            dispatcher=self._dispatcher,
            journal=journal,
            lookup=self._lookup,
            subscriptions=self._subscriptions,
            metrics=self._metrics,
            live=self._vitals.stats,
            now=self._now,
        )
        self._server = JobServer(
            config,
            limits=limits,
            methods=self._methods,
            subscriptions=self._subscriptions,
            apps=self._apps,
            now=self._now,
        )
        self._lineup = Lineup(self._use)
        self._lineup.begin({carrier.name: self._first(carrier) for carrier in _enabled(config)})
        self._trunks = self._vitals.trunks = self._trunk_lineup()
        self._http: HttpServer | None = None
        self._last_commit_at = self._now()
        self._draining = False
        self._periodic: list[asyncio.Task[None]] = []

    def _open_journal(self) -> Journal:
        config = self._config
        evidence = config.evidence
        return Journal(
            self._state / _JOURNAL,
            now=self._now,
            on_commit=self._committed,
            on_failure=_journal_failed,
            retention_s=config.state.retention_days * _DAY_S,
            answer_timeout_s=max((c.binds.response_timeout_s for c in _enabled(config)), default=0.0) + 1.0,
            reception=Reception(self._receiver, keywords.shipped().of, config.inbound.parts_wait_s),
            seal=self._seal,
            keeping=Keeping(
                self._state, self._keys, config.lane, __version__, evidence.personal_days, evidence.keep_days
            ),
            keep_orders_s=_keep_orders_days(config) * _DAY_S,
        )

    def _first(self, carrier: CarrierConfig) -> tuple[object, SmppCarrier]:
        """What it is made of, and itself; before the journal starts."""
        account = self._journal.account(_account(carrier))
        return _made_of(carrier, self._config), self._carrier(carrier, account)

    def _trunk_lineup(self) -> TrunkLineup | None:
        trunks = [trunk for trunk in self._config.trunks if trunk.enabled]
        if not trunks:
            return None
        # SIP, RTP and speech: megabytes that an instance without calls need not carry.
        from connector.voice.lineup import TrunkLineup, account_of

        return TrunkLineup(
            self._config,
            {trunk.name: self._journal.account(account_of(trunk)) for trunk in trunks},
            outcomes=self._dispatcher,
            metrics=self._metrics,
            guards=self._guards,
            now=self._now,
        )

    def _use(self, carriers: Sequence[Carrier]) -> None:
        self._dispatcher.use([*carriers, *(self._trunks.trunks if self._trunks else ())])

    def _receiver(self, recipient: str) -> str | None:
        """Called in the journal's thread, while `reload` may put others in their place."""
        return self._receivers.of(recipient)

    def _carrier(
        self, carrier: CarrierConfig, account: int, id_forms: Mapping[int, Mapping[str, int]] | None = None
    ) -> SmppCarrier:
        made = SmppCarrier(
            carrier,
            account=account,
            max_parts=self._config.jobs.max_parts,
            outcomes=self._dispatcher,
            metrics=self._metrics.carrier(carrier.name),
            now=self._now,
            rng=self._rng,
        )
        made.remember_forms((id_forms or {}).get(account, {}))
        return made

    async def start(self) -> None:
        """Recover, bind, listen; returns when jobs are taken.

        Raises CannotStart and OSError.
        """
        self._loop = asyncio.get_running_loop()
        self._dispatcher.routing.prepare()
        if self._trunks is not None:
            await self._open(self._trunks)
        with contextlib.closing(Reader(self._state / _JOURNAL, self._seal)) as reader:
            recovered = reader.recover(self._now())
        self._vitals.open_jobs = recovered.open_jobs
        self._journal.start()
        for kept in self._kept:
            kept.load(self._now())
        if self._config.lookup is not None:
            from connector.lookup import NumberLookup

            lookup = self._dispatcher.lookup = NumberLookup(
                self._config.lookup, self._config.lookup.socket, self._rng
            )
            lookup.start()
        self._dispatcher.start([*self._lineup.carriers, *(self._trunks.trunks if self._trunks else ())])
        self._dispatcher.recover(recovered, self._now())
        self._heed_opt_outs()
        if self._config.http is not None:
            from connector.http import HttpServer  # 5 MB that an instance without [http] need not carry

            self._vitals.look()
            self._metrics.live = lambda: self._vitals.snapshot
            self._http = HttpServer(self._config.http.address, self._metrics, self.ready, self.healthy)
            self._http.start()
        passed = notify.listen_fds()
        await self._server.start(passed[0].fd if passed else None)
        self._periodic = [
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(self._tick(), name="tick"),
        ]
        log_event(
            _log,
            "ready",
            lane=self._config.lane,
            carriers=len(self._lineup.carriers),
            trunks=len(self._trunks.trunks) if self._trunks else 0,
            recovered_waiting=len(recovered.waiting),
            recovered_followed=len(recovered.following),
            recovered_unknown=len(recovered.outstanding),
            awaiting_receipt=recovered.awaiting_receipt,
        )
        self._tell_ready()

    async def _open(self, trunks: TrunkLineup) -> None:
        from connector.voice.speech import SpeechError

        def progress(done: int, total: int) -> None:
            notify.status(f"prompts: {done} of {total} ready")

        try:
            await trunks.open(progress)
        except SpeechError as error:
            raise CannotStart(f"calls cannot speak: {error}") from error

    def _tell_ready(self) -> None:
        trunks = len(self._trunks.trunks) if self._trunks else 0
        ways = f"{len(self._lineup.carriers)} carriers" + (f", {trunks} trunks" if trunks else "")
        notify.ready(f"lane {self._config.lane}: {ways}")

    async def reload(self) -> None:
        """Read the configuration again and go over to it; with any problem everything stays as it is.

        Changed carriers get new binds, and what runs on the old ones ends there; see `Lineup`.
        """
        if self._draining:
            return
        notify.reloading("reading the configuration")
        try:
            config = await asyncio.to_thread(load, self._config.folder)
            await asyncio.to_thread(require_templates, config)
            opted_out = await asyncio.to_thread(opt_outs, config)
        except ConfigError as error:
            for problem in error.problems:
                log_event(_log, "configuration refused", level=logging.ERROR, problem=str(problem))
        else:
            fixed = [key for key in _FIXED if getattr(config, key) != getattr(self._config, key)]
            if self._trunks is None and any(trunk.enabled for trunk in config.trunks):
                fixed.append("trunks")  # the first one
            if _keep_orders_days(config) != _keep_orders_days(self._config):
                fixed.append("orders.keep_days")
            if fixed:
                keys = ", ".join(fixed)
                log_event(_log, "configuration refused: restart to change", level=logging.ERROR, keys=keys)
            else:
                await self._go_over_to(config, opted_out)
        finally:
            self._tell_ready()

    async def _go_over_to(self, config: Config, opted_out: OptOut) -> None:
        journal = self._journal
        apps = {
            application.name: await journal.identify(journal.app, application.name)
            for application in config.applications
        }
        enabled = {carrier.name: carrier for carrier in config.carriers if carrier.enabled}
        accounts = {
            name: await journal.identify(journal.account, _account(carrier))
            for name, carrier in enabled.items()
        }
        trunk_accounts: dict[str, int] = {}
        if self._trunks is not None:
            from connector.voice.lineup import account_of

            for trunk in config.trunks:
                trunk_accounts[trunk.name] = await journal.identify(journal.account, account_of(trunk))
        forms = await self._lookup.id_forms()
        routing = Routing(config)
        await asyncio.to_thread(routing.prepare)
        # Nothing is awaited between these: no call sees half of the change.
        self._config, self._apps, self._receivers = config, apps, Receivers(config)
        self._vitals.apps = apps
        self._guards.configure(guard_settings(config.guards, config.applications))
        self._dispatcher.configure(routing)
        self._gate.know(apps)
        self._gate.configure(config, routing, opted_out)
        self._methods.configure(config)
        self._heed_opt_outs()
        self._learned.deadline_s = config.jobs.default_deadline_s
        self._server.configure(config, apps)
        if self._trunks is not None:
            self._trunks.change(config, trunk_accounts)
            self._use(self._lineup.carriers)
        steps = await self._lineup.change(
            {name: _made_of(carrier, config) for name, carrier in enabled.items()},
            lambda name: self._carrier(enabled[name], accounts[name], forms),
            config.drain.timeout_s,
        )
        log_event(
            _log,
            "configuration read again",
            added=" ".join(steps.added),
            changed=" ".join(steps.changed),
            removed=" ".join(steps.removed),
            trunks=" ".join(trunk.name for trunk in self._trunks.trunks) if self._trunks else "",
        )

    async def stop(self) -> None:
        """Take no jobs, let the windows drain, unbind, write everything down."""
        self._draining = self._vitals.draining = True
        notify.stopping("draining")
        log_event(_log, "draining", in_flight=len(self._dispatcher.live))
        self._server.close()
        self._methods.drain()
        try:
            await self._drain(self._config.drain.timeout_s)
            await asyncio.gather(self._dispatcher.stop(), self._lineup.stop())
            if self._trunks is not None:
                await self._trunks.close()
        finally:
            for task in self._periodic:
                task.cancel()
            await asyncio.gather(*self._periodic, return_exceptions=True)
            await self._methods.close()
            await self._subscriptions.close()
            await self._journal.close()
        self._publish()
        await self._keep()
        if self._dispatcher.lookup is not None:
            await self._dispatcher.lookup.stop()
        self._server.stop()
        if self._http is not None:
            await asyncio.to_thread(self._http.stop)
        self._lookup.close()
        os.close(self._lock)
        log_event(_log, "stopped", waiting=len(self._dispatcher.queue))

    async def _drain(self, timeout_s: float) -> None:
        drains = [self._dispatcher.drain(timeout_s)]
        if self._trunks is not None:
            drains.append(self._trunks.drain(timeout_s))
        await asyncio.gather(*drains)

    def ready(self) -> tuple[bool, str]:
        """Jobs are taken and at least one carrier can send."""
        if self._draining:
            return False, "draining"
        if not self._lineup.bound and not (self._trunks is not None and self._trunks.bound):
            return False, "no carrier is bound"
        return True, "ready"

    def healthy(self) -> tuple[bool, str]:
        """The loop turns and the journal commits."""
        silent = self._now() - self._last_commit_at
        if silent > _STALLED_S:
            return False, f"no commit for {silent:.0f} s"
        return True, "healthy"

    def _committed(self, batch: Batch) -> None:
        now = self._last_commit_at = self._now()
        # What is in somebody's way first: bytes to carriers, then answers, then events.
        self._dispatcher.intends_committed(batch.intends, now)
        self._methods.committed(batch, now)
        self._dispatcher.acknowledgements.receipts(batch.receipts, now)
        self._dispatcher.acknowledgements.inbound(batch.inbound, batch.incomplete, now)
        self._dispatcher.acknowledgements.parked(batch.found, batch.unmatched, now)
        self._dispatcher.following.told(batch.told, now)
        self._dispatcher.ended(batch.ended)
        if batch.queries:
            self._dispatcher.enquiries.inquire(batch.queries, now)
        self._subscriptions.committed(batch.chunks)
        self._vitals.committed(batch, self._journal.commit_s)

    def _heed_opt_outs(self) -> None:
        """Those that asked meanwhile to be left alone are, also by what was accepted before."""
        opted_out = self._gate.opted_out
        if opted_out and (jobs := self._dispatcher.opt_out(opted_out, self._now())):
            log_event(_log, "nothing more is sent to who opted out", jobs=jobs)

    def _publish(self) -> None:
        """Tell the log which record of evidence is the newest: who edits the folder cannot edit it there."""
        if not self._vitals.head[0]:
            return
        now = self._now()
        head = publish(self._keys, *self._vitals.head, now)
        log_event(
            _log, "evidence head", seq=head.seq, mac=Digest(head.mac), signed_at=head.at,
            key=Digest(head.key), signature=Digest(head.signature),
        )  # fmt: skip
        self._vitals.published_at = now

    def _tell_dry_runs(self) -> None:
        for guard, jobs in Counter(refusal.guard for refusal in self._guards.dry_runs()).items():
            log_event(_log, "a guard in its dry run would have refused", guard=guard, newest=jobs)

    async def _keep(self) -> None:
        """Write down what a restart is to find."""
        for kept in self._kept:
            await kept.save(self._now())

    async def _sweep(self) -> None:
        for second in itertools.count(1):
            self._journal.batch.sweep_at = self._now()
            self._journal.touch()
            if second % _SAVE_SWEEPS == 0:
                self._publish()
                self._tell_dry_runs()
                await self._keep()
            await asyncio.sleep(_SWEEP_S)

    async def _tick(self) -> None:
        """Measure how late the loop is, look at what is live, and tell the watchdog that all is well."""
        limit = notify.watchdog_s()
        told_at = 0.0
        while True:
            due = self._loop.time() + _LAG_S
            await asyncio.sleep(_LAG_S)
            self._metrics.loop_lag.observe(max(0.0, self._loop.time() - due))
            self._dispatcher.tick(self._now())
            self._vitals.look()
            if limit is not None and self._loop.time() - told_at > limit / 3 and self.healthy()[0]:
                told_at = self._loop.time()
                notify.watchdog()


def _journal_failed(error: BaseException) -> None:
    # Nobody knows what reached the disk: answer nobody, retry nothing, let the next start read what is there.
    log_event(
        _log,
        "journal failed, or a commit could not be acted on; exiting",
        level=logging.CRITICAL,
        error=error,
    )
    logging.shutdown()
    os._exit(_EXIT_IO_ERROR)


def _unexpected(error: BaseException) -> None:
    log_event(_log, "unexpected error", level=logging.ERROR, error=error)


def _enabled(config: Config) -> list[CarrierConfig]:
    return [carrier for carrier in config.carriers if carrier.enabled]


def _keep_orders_days(config: Config) -> float:
    return config.orders.keep_days if config.orders else KEEP_DAYS


def _account(carrier: CarrierConfig) -> str:
    """What tells accounts apart in the journal."""
    return f"{carrier.account.host.lower()}|{carrier.account.system_id}"


def _made_of(carrier: CarrierConfig, config: Config) -> tuple[object, ...]:
    """What a carrier must be made anew for when it changes."""
    return carrier, config.jobs.max_parts
