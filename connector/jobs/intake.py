"""From what an application hands over to what the journal is to store, and from its word to the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from connector.config import Application, Config
from connector.dispatch import Dispatcher
from connector.errors import ConnectorError
from connector.jobs.connection import Connection
from connector.jobs.gate import Gate
from connector.jobs.orders import Orders, told, why_dropped
from connector.journal.ops import Accept, OrderNode
from connector.journal.writer import Journal
from connector.metrics import Metrics
from protocols.rpc.job import Job, parse_job
from protocols.rpc.methods import Submitted
from protocols.rpc.order import OrderTold, parse_order_event

__all__ = ["Intake"]

_MOST_UNCOMMITTED: Final = 20_000


class Intake:
    """
    draining  no new jobs are taken
    state     of a job that has not ended, by (row of the application, id); None: it is not here
    """

    def __init__(
        self,
        config: Config,
        gate: Gate,
        dispatcher: Dispatcher,
        journal: Journal,
        metrics: Metrics,
        state: Callable[[int, str], str | None],
        now: Callable[[], float],
    ) -> None:
        self.draining = False
        self._config = config
        self._gate = gate
        self._orders = Orders(config, gate, now)
        self._dispatcher = dispatcher
        self._journal = journal
        self._metrics = metrics
        self._state = state

    def configure(self, config: Config) -> None:
        """Take by this configuration from now on."""
        self._config = config
        self._orders.configure(config)

    def take(
        self, connection: Connection, decoded: Any, context: tuple[Any, ...]
    ) -> tuple[Job, ConnectorError] | None:
        """Have a job stored; `context` comes back with its commit. Raises ParamsError and ConnectorError.

        What the gate refuses is given back: it may have been accepted before, by another configuration or at
        another moment.
        """
        application = self._with_room(connection)
        said = parse_job(decoded)
        try:
            job, digest, body, give_up_at = self._gate.admit(connection.app, application, said)
        except ConnectorError as error:
            return said, error
        self._store(Accept(job, digest, body, give_up_at, context))
        return None

    def order_event(self, connection: Connection, decoded: Any, context: tuple[Any, ...]) -> None:
        """Have an order's event stored, and its job. As `take`."""
        application = self._with_room(connection)
        event = parse_order_event(decoded)
        node = self._orders.node(connection.app, application, event, context)
        self._journal.batch.order_nodes.append(node)
        if node.accept is not None:
            self._store(node.accept)
        self._journal.touch()

    def _store(self, accept: Accept) -> None:
        job = accept.job
        if (job.app, job.id) not in self._dispatcher.live:
            self._dispatcher.admit(job)
        self._journal.batch.accepts.append(accept)
        self._journal.touch()

    def _with_room(self, connection: Connection) -> Application:
        """The caller, who may have a further job. Raises ConnectorError."""
        application = connection.application
        assert application is not None
        if self.draining:
            raise ConnectorError("draining", "the daemon is stopping", retry_after_s=5.0)
        self._check_room(connection.app, application.max_queued)
        return application

    def _check_room(self, app: int, most: int) -> None:
        dispatcher = self._dispatcher
        held, own = dispatcher.waiting, dispatcher.holding[app]
        jobs = self._config.jobs
        followed = dispatcher.followed < jobs.max_followed
        batch = self._journal.batch
        committing = len(batch.accepts) + len(batch.order_nodes) < _MOST_UNCOMMITTED
        if own < most and held < jobs.max_queued and followed and committing:
            return
        rate = sum(carrier.binds.tps for carrier in self._config.carriers if carrier.enabled)
        rate += sum(trunk.calls.per_s for trunk in self._config.trunks if trunk.enabled)
        retry = min(5.0, max(0.1, held / 10 / max(rate, 1.0)))
        what = "waiting to leave" if followed else "under way"
        raise ConnectorError("busy", f"too many jobs are {what}", retry_after_s=round(retry, 3))

    def accepted(self, accept: Accept) -> Submitted | ConnectorError:
        """What the commit has made of a job."""
        job = accept.job
        dispatcher, metrics = self._dispatcher, self._metrics
        if accept.verdict == "new":
            metrics.jobs_accepted += 1
            job.proof = None  # the journal has it
            dispatcher.enqueue(job)
            return Submitted(job.id, "queued", False)
        dispatcher.release(job)
        self._gate.release(job)
        if accept.verdict == "dropped":
            return Submitted(job.id, "dropped", False)  # its OrderNode has the answer
        if accept.verdict == "conflict":
            return ConnectorError(
                "conflict", "a job with this id and another content was accepted before", field="id"
            )
        return self.repeated(job.app, job.id, accept.outcome)

    def repeated(self, app: int, id: str, outcome: str | None) -> Submitted:
        """The answer to a job that was accepted before."""
        self._metrics.jobs_duplicate += 1
        return Submitted(id, "final" if outcome else self._state(app, id) or "sent", True)

    def told(self, node: OrderNode) -> OrderTold:
        """What the commit has made of an order's event."""
        metrics = self._metrics
        metrics.jobs_superseded += node.ended
        if (dropped := why_dropped(node)) is not None:
            metrics.jobs_refused[dropped] += 1
            metrics.order_events_dropped += dropped != "conflict"
        elif node.verdict == "duplicate":
            metrics.jobs_duplicate += 1
        return told(node, None if node.ext is None else self._state(node.app, node.ext))
