"""The shipped notification lane in jumping time: the real rules, gate, methods, journal and dispatcher."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Coroutine
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from connector.carriers.contract import Attempt
from connector.config import Application, Config, load
from connector.dispatch import Dispatcher, Routing
from connector.errors import ConnectorError
from connector.jobs.gate import Gate, opt_outs
from connector.jobs.methods import Methods
from connector.journal.ops import Batch
from connector.routing.guards import Guards, guard_settings
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Request
from protocols.rpc.order import OrderTold
from tests.dispatch.stage import FakeCarrier, Stage, play
from tests.dispatch.test_calls import FakeTrunk, trunk

__all__ = ["CONFIG", "Shop", "notification", "run"]

CONFIG = Path(__file__).parents[2] / "config"
GERMAN = "+4915112345678"


@lru_cache
def notification() -> Config:
    """config/notification as it is shipped."""
    with tempfile.TemporaryDirectory() as path:
        for name in ("north", "east", "west"):
            (Path(path) / f"secret_{name}").write_text("s3cret")
        return load(CONFIG / "notification", {"CREDENTIALS_DIRECTORY": path, "STATE_DIRECTORY": path})


class _Connection:
    """What Methods needs of one; `answers` by msgid: results and ConnectorErrors."""

    def __init__(self, app: int, application: Application) -> None:
        self.app, self.application = app, application
        self.answers: dict[int, Any] = {}

    def reply(self, msgid: int, result: Any) -> None:
        self.answers[msgid] = result

    def refuse(self, msgid: int, error: ConnectorError) -> None:
        self.answers[msgid] = error

    def flush(self) -> None: ...
    def begin(self) -> None: ...
    def done(self) -> None: ...


class Shop:
    """The application `shop`. `texts` and `calls` are what has left, in order."""

    def __init__(self, stage: Stage, config: Config) -> None:
        self.stage = stage
        self.config = config
        stage.book.retention_s = config.state.retention_days * 86_400.0
        stage.book.reopen()
        self.carriers: dict[str, FakeCarrier] = {
            carrier.name: stage.carrier(carrier.name, priority=carrier.priority)
            for carrier in config.carriers
        }
        self.west: FakeTrunk = trunk(stage, "west")
        self._msgids = count(1)
        self._keep = stage.committed
        stage.committed = self._committed  # type: ignore[method-assign]
        self.start()

    def start(self) -> None:
        """What a start makes anew."""
        stage, config = self.stage, self.config
        routing = Routing(config)
        stage.dispatcher.configure(routing)
        guards = Guards(guard_settings(config.guards, config.applications), b"k" * 32, stage.now())
        row = stage.book.store.last_job() + 1
        self.gate = Gate(
            config, b"k" * 32, row, stage.now, routing, opt_outs(config), guards, stage.metrics, b"t" * 32
        )
        self.methods = Methods(
            config, limits=Limits(), gate=self.gate, dispatcher=stage.dispatcher,
            journal=stage.journal,  # type: ignore[arg-type]
            lookup=SimpleNamespace(job=self._job),  # type: ignore[arg-type]
            subscriptions=SimpleNamespace(),  # type: ignore[arg-type]
            metrics=stage.metrics, live=lambda routes: {}, now=stage.now,
        )  # fmt: skip
        self.connection = _Connection(stage.book.app, config.applications[0])

    def die(self) -> None:
        """Another process takes over; the old one hears of nothing any more."""
        stage = self.stage
        stage.book.reopen()
        old = stage.dispatcher
        old._draining = True
        if old._timer is not None:
            old._timer.cancel()
        fresh = Dispatcher(stage.journal, stage.metrics, stage.now)  # type: ignore[arg-type]
        for carrier in stage.carriers:
            carrier._open.clear()
        stage.dispatcher = fresh
        self.start()
        fresh.start(stage.carriers)
        with contextlib.closing(stage.book.reader()) as reader:
            fresh.recover(reader.recover(stage.now()), stage.now())

    async def _job(self, app: int, ext: str) -> dict[str, Any] | None:
        with contextlib.closing(self.stage.book.reader()) as reader:
            return reader.job(app, ext)

    def _committed(self, batch: Batch, now: float) -> None:
        dispatcher = self.stage.dispatcher
        dispatcher.intends_committed(batch.intends, now)
        self.methods.committed(batch, now)
        dispatcher.acknowledgements.receipts(batch.receipts, now)
        dispatcher.following.told(batch.told, now)
        dispatcher.ended(batch.ended)

    def call(self, method: str, **params: Any) -> int:
        """Ask; the msgid under which the answer comes."""
        msgid = next(self._msgids)
        request = Request(msgid, method, [params])
        self.methods.call(self.connection, request, self.stage.now())  # type: ignore[arg-type]
        return msgid

    async def ask(self, method: str, **params: Any) -> Any:
        """The answer. Raises ConnectorError."""
        msgid = self.call(method, **params)
        await self.stage.settle()
        answer = self.connection.answers.pop(msgid)
        if isinstance(answer, ConnectorError):
            raise answer
        return answer

    async def tell(self, node: str, order: str = "1001", to: str = GERMAN, **more: Any) -> OrderTold:
        answer: OrderTold = await self.ask("order_event", order=order, node=node, to=to, **DATA[node], **more)
        return answer

    @property
    def left(self) -> list[Attempt]:
        return [attempt for carrier in self.stage.carriers for attempt in carrier.attempts]

    @property
    def texts(self) -> list[str]:
        return [attempt.job.content.text for each in self.carriers.values() for attempt in each.attempts]

    def outcome(self, id: str) -> tuple[str | None, str | None]:
        return self.stage.book.row("SELECT outcome, reason FROM job WHERE ext = ?", id)  # type: ignore[return-value]


DATA: dict[str, dict[str, Any]] = {
    "shipped": {"data": {"day": "2023-11-16", "weight_kg": 3}},
    "in_transit": {"data": {"place": "Leeds"}},
    "out_for_delivery": {"data": {"start": "14:00", "end": "16:00"}},
    "rider": {"data": {"rider": "Noor", "gender": "female", "minutes": 12}},
    "in_locker": {"data": {"locker": "Bahnhof 12", "code": "482917", "until": "2023-11-17"}},
    "overdue": {"data": {"locker": "Bahnhof 12", "days": 3, "until": "2023-11-17"}},
    "collected": {},
    "delivered": {"data": {"day": "2023-11-16", "at": "14:20"}},
}


def run(path: Path, act: Callable[[Shop], Coroutine[Any, Any, None]]) -> None:
    """`act` on a fresh lane. It begins at 23:13 in Germany, 22:13 in London, on Tuesday 14 November 2023."""

    async def on(stage: Stage) -> None:
        shop = Shop(stage, notification())
        stage.start()
        await act(shop)

    play(path, on)
