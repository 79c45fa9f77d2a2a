"""The methods of the job socket (see docs/socket.md), and what the journal's commits answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from connector import __version__
from connector.carriers.preview import preview_of_draft
from connector.config import Config
from connector.dispatch import Dispatcher
from connector.errors import ConnectorError
from connector.jobs.connection import Connection, fault
from connector.jobs.forgetting import Forgetting
from connector.jobs.gate import Gate
from connector.jobs.intake import Intake
from connector.jobs.subscription import Subscriptions
from connector.jobs.views import job_view, parts_to_recall
from connector.journal import ops
from connector.journal.lookup import Lookup
from connector.journal.ops import Acknowledge, Batch, Finish
from connector.journal.writer import Journal
from connector.log import event as log_event
from connector.metrics import Metrics
from connector.model import LiveJob
from protocols.rpc.errors import ParamsError
from protocols.rpc.job import Job, parse_preview
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Request
from protocols.rpc.methods import (
    Ack,
    Cancel,
    Feedback,
    Forget,
    Hello,
    HelloResult,
    Stats,
    Status,
    Submitted,
    Subscribe,
    only,
    parse_params,
)

__all__ = ["Methods"]

_log = logging.getLogger(__name__)

_FEEDBACKS = 20_000
_ORPHANS_SHOWN = 10
_BY_COMMIT = object()  # the answer is given when what it says is committed


class _Many:
    """Answers of one `submit_many`, collected in the order of its jobs."""

    __slots__ = ("missing", "msgid", "results")

    def __init__(self, msgid: int, count: int) -> None:
        self.msgid = msgid
        self.results: list[Any] = [None] * count
        self.missing = count


class Methods:
    """One call at a time, in the event loop; what needs the disk is answered when it is committed or read."""

    def __init__(
        self,
        config: Config,
        *,
        limits: Limits,
        gate: Gate,
        dispatcher: Dispatcher,
        journal: Journal,
        lookup: Lookup,
        subscriptions: Subscriptions,
        metrics: Metrics,
        live: Callable[[bool], dict[str, Any]],
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._limits = limits
        self._gate = gate
        self._intake = Intake(config, gate, dispatcher, journal, metrics, self._state, now)
        self._dispatcher = dispatcher
        self._journal = journal
        self._lookup = lookup
        self._subscriptions = subscriptions
        self._metrics = metrics
        self._live = live
        self._now = now
        self._feedbacks: LRUCache[tuple[int, bool, int | None], bool] = LRUCache(_FEEDBACKS)
        self._converted: LRUCache[int, bool] = LRUCache(_FEEDBACKS)
        self._forgetting = Forgetting(journal, lookup, Path(config.state_folder))
        self._tasks: set[asyncio.Task[None]] = set()
        self._methods: dict[str, Callable[[Connection, Request, float], None]] = {
            "submit": self._submit,
            "submit_many": self._submit_many,
            "order_event": self._order_event,
            "ack": self._ack,
            "subscribe": self._subscribe,
            "status": self._status,
            "cancel": self._cancel,
            "feedback": self._feedback,
            "preview": self._preview,
            "forget": self._forget,
            "stats": self._stats,
            "hello": self._hello,
        }

    def configure(self, config: Config) -> None:
        """Answer by this configuration from now on."""
        self._config = config
        self._intake.configure(config)

    def drain(self) -> None:
        """Take no new jobs; everything else still works."""
        self._intake.draining = True

    def call(self, connection: Connection, request: Request, now: float) -> None:
        method = self._methods.get(request.method)
        try:
            if method is None:
                known = ", ".join(sorted(self._methods))
                raise ConnectorError("unknown_method", "there is no such method", hint=f"one of {known}")
            method(connection, request, now)
        except ParamsError as error:
            code = "invalid_job" if request.method in ("submit", "preview", "order_event") else "bad_request"
            self._refuse(connection, request.msgid, _params_error(code, error))
        except ConnectorError as error:
            self._refuse(connection, request.msgid, error)
        except Exception as error:
            self._failed(connection, request.msgid, error)

    def committed(self, batch: Batch, now: float) -> None:
        """Answer what waited for this commit."""
        connections = set()
        metrics = self._metrics
        for accept in batch.accepts:
            answer = self._intake.accepted(accept)
            if accept.context is None:
                continue  # an order's event, which is answered below
            connection, msgid, many, index = accept.context
            connections.add(connection)
            if many is None:
                if isinstance(answer, ConnectorError):
                    self._refuse(connection, msgid, answer)
                else:
                    connection.reply(msgid, answer)
            else:
                self._collect(connection, many, index, answer)
            metrics.acceptance.observe(now - accept.job.accepted_at)
        for node in batch.order_nodes:
            connection, msgid = node.context
            if node.verdict == "refused":
                self._refuse(connection, msgid, node.refusal)
            else:
                connection.reply(msgid, self._intake.told(node))
            connections.add(connection)
        for finish in batch.finishes:
            if finish.context is not None:
                connection, msgid, taken_back = finish.context
                connection.reply(msgid, finish.applied or (taken_back and finish.cancelled_before))
                connections.add(connection)
        for connection in connections:
            connection.flush()
        if batch.forgets or batch.redacts or batch.forgettable:
            self._forgetting.committed(batch)

    async def close(self) -> None:
        await self._forgetting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Jobs

    def _submit(self, connection: Connection, request: Request, now: float) -> None:
        self._take(connection, only(request.params), (connection, request.msgid, None, 0))

    def _submit_many(self, connection: Connection, request: Request, now: float) -> None:
        jobs = only(request.params)
        if type(jobs) is not list:
            raise ConnectorError("bad_request", "expected: a list of jobs")
        many = _Many(request.msgid, len(jobs))
        if not jobs:
            connection.reply(request.msgid, [])
        for index, job in enumerate(jobs):
            try:
                self._take(connection, job, (connection, request.msgid, many, index))
            except ParamsError as error:
                self._collect(connection, many, index, _params_error("invalid_job", error))
            except ConnectorError as error:
                self._collect(connection, many, index, error)

    def _take(self, connection: Connection, decoded: Any, context: tuple[Any, ...]) -> None:
        if (refused := self._intake.take(connection, decoded, context)) is not None:
            self._refuse_unless_known(*refused, context)

    def _order_event(self, connection: Connection, request: Request, now: float) -> None:
        self._intake.order_event(connection, only(request.params), (connection, request.msgid))

    def _refuse_unless_known(self, job: Job, refusal: ConnectorError, context: tuple[Any, ...]) -> None:
        """What would be refused now may have been accepted before: its repetition is told so."""
        connection, msgid, many, index = context

        async def answer() -> Any:
            if (connection.app, job.id) in self._dispatcher.live:
                await self._journal.settled()  # its commit may be on its way
            row = await self._lookup.job(connection.app, job.id)
            answer: Submitted | ConnectorError = refusal
            if row is not None and row["digest"] == self._gate.digest(job):
                answer = self._intake.repeated(connection.app, job.id, row["outcome"])
            if many is not None:
                self._collect(connection, many, index, answer)
                return _BY_COMMIT
            if isinstance(answer, ConnectorError):
                raise answer
            return answer

        self._answer_later(connection, msgid, answer)

    def _collect(self, connection: Connection, many: _Many, index: int, answer: Any) -> None:
        if isinstance(answer, ConnectorError):
            self._metrics.jobs_refused[answer.code] += 1
            answer = fault(answer)
        many.results[index] = answer
        many.missing -= 1
        if not many.missing:
            connection.reply(many.msgid, many.results)

    def _refuse(self, connection: Connection, msgid: int, error: ConnectorError) -> None:
        self._metrics.jobs_refused[error.code] += 1
        connection.refuse(msgid, error)

    def _cancel(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Cancel, request.params)
        job = self._dispatcher.live.get((connection.app, params.id))
        if job is not None and self._dispatcher.cancel(job, (connection, request.msgid, False), now):
            return

        self._dispatcher.withhold(connection.app, params.id)

        async def recall() -> Any:
            row = await self._job(connection.app, params.id)
            parts = parts_to_recall(row)
            if parts:
                self._journal.batch.recalls.append(row["id"])
                self._journal.touch()
            if not await self._dispatcher.enquiries.recall(parts):
                return False
            reason = "cancelled by the application; the carrier took it back"
            self._journal.batch.finishes.append(
                Finish(
                    row["id"], connection.app, params.id, "cancelled", "cancelled", reason, self._now(),
                    row["traceparent"], context=(connection, request.msgid, True),
                )
            )  # fmt: skip
            self._journal.touch()
            return _BY_COMMIT

        self._answer_later(connection, request.msgid, recall)

    def _feedback(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Feedback, request.params)

        def record(row: dict[str, Any]) -> bool:
            app, attempts = connection.app, len(row["attempts"])
            if params.attempt is not None and params.attempt > attempts:
                raise ConnectorError(
                    "bad_request", f"the job has had {attempts} attempts", field="attempt",
                    hint="leave it out where it is not known",
                )  # fmt: skip
            ends = self._dispatcher.feedback(
                row["id"], app, params.id, params.converted, params.attempt, now, row["journey"] or ""
            )
            self._keep_feedback(row, params, now)
            if ends and row["outcome"] is None:
                # The code was used: it has arrived, whatever the receipts say.
                self._journal.batch.finishes.append(
                    Finish(
                        row["id"], app, params.id, "delivered", "converted", "the user used it", now,
                        row["traceparent"], params.attempt,
                    )
                )  # fmt: skip
                self._journal.touch()
            return params.converted

        self._read(connection, request.msgid, params.id, record)

    def _keep_feedback(self, row: dict[str, Any], params: Feedback, now: float) -> None:
        """For evidence and guards, once however often it is said."""
        said = (row["id"], params.converted, params.attempt)
        if said in self._feedbacks:
            return
        self._feedbacks[said] = True
        if params.converted and row["id"] not in self._converted:
            self._converted[row["id"]] = True  # of whichever attempts it is said
            self._gate.feedback(row["app"], row["recipient"], params.converted)
        self._journal.batch.feedbacks.append(ops.Feedback(*said, now))
        self._journal.touch()

    # What is read

    def _status(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Status, request.params)

        def view(row: dict[str, Any]) -> dict[str, Any]:
            job = self._dispatcher.live.get((connection.app, params.id))
            waiting = None if job is None else self._dispatcher.waits_for(job, self._now())
            return job_view(row, self._state(connection.app, params.id), waiting, numbers=params.numbers)

        self._read(connection, request.msgid, params.id, view)

    def _state(self, app: int, id: str) -> str | None:
        job = self._dispatcher.live.get((app, id))
        if job is None:
            return None
        if job.under_way:
            return "submitting"
        # One that has left and is only followed is what its attempts are.
        return None if job.follow > 0 and job.attempts and not job.queued else "queued"

    def _preview(self, connection: Connection, request: Request, now: float) -> None:
        assert connection.application is not None
        preview = parse_preview(only(request.params))
        job = self._gate.sketch(preview, connection.application)
        shown = self._spoken(job, preview.to) if job.channel == "voice" else self._written(job)
        if preview.to is not None and job.course is not None:
            shown["decision"] = self._dispatcher.choosing.expected(job, job.course, now)
            shown["journey"] = job.journey_name
        connection.reply(request.msgid, shown)

    def _spoken(self, job: LiveJob, to: str | None) -> dict[str, Any]:
        trunks = [
            trunk.name
            for trunk in self._config.trunks
            if trunk.enabled and (to is None or trunk.destination.takes(to))
        ]
        return {"channel": "voice", "text": job.content.text, "carriers": trunks, "by_carrier": []}

    def _written(self, job: LiveJob) -> dict[str, Any]:
        prices = {carrier.name: carrier.price for carrier in self._config.carriers}
        by_carrier = [
            {"carrier": name, **preview_of_draft(draft, prices[name])}
            for name, draft in self._gate.drafts(job.content)
        ]
        able = [shown for shown in by_carrier if shown["refused"] is None]
        best = {key: value for key, value in (able or by_carrier)[0].items() if key != "carrier"}
        best["carriers"] = [shown["carrier"] for shown in able]
        return {"channel": "sms", "text": job.content.text, **best, "by_carrier": by_carrier}

    def _forget(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Forget, request.params)
        assert connection.application is not None
        if not connection.application.may_forget:
            raise ConnectorError(
                "forbidden", "the application may not have numbers forgotten",
                hint="may_forget = true in its [[application]]",
            )  # fmt: skip
        self._answer_later(connection, request.msgid, lambda: self._forgetting.forget(params.to))

    def _stats(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Stats, request.params)

        async def stats() -> dict[str, Any]:
            return {
                **self._live(params.routes),
                "orphans": await self._lookup.orphans(_ORPHANS_SHOWN, now),
                "orphan_counts": await self._lookup.orphan_counts(now),
            }

        self._answer_later(connection, request.msgid, stats)

    def _hello(self, connection: Connection, request: Request, now: float) -> None:
        parse_params(Hello, request.params)
        lane = self._config.lane
        connection.reply(request.msgid, HelloResult("carrier-connector", __version__, lane, self._limits))

    # Events

    def _subscribe(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Subscribe, request.params)

        async def subscribe() -> dict[str, int]:
            cursor, newest = await self._lookup.cursor(connection.app)
            after = cursor if params.from_seq is None else max(params.from_seq - 1, 0)
            self._subscriptions.add(connection, after, newest)
            return {"from_seq": after + 1, "newest": newest}

        self._answer_later(connection, request.msgid, subscribe)

    def _ack(self, connection: Connection, request: Request, now: float) -> None:
        params = parse_params(Ack, request.params)
        self._journal.batch.acknowledges.append(Acknowledge(connection.app, params.seq))
        self._journal.touch()
        connection.reply(request.msgid, params.seq)

    def _read(
        self, connection: Connection, msgid: int, id: str, answer: Callable[[dict[str, Any]], Any]
    ) -> None:
        """Answer with what `answer` makes of the job's row."""

        async def read() -> Any:
            return answer(await self._job(connection.app, id))

        self._answer_later(connection, msgid, read)

    async def _job(self, app: int, id: str) -> dict[str, Any]:
        row = await self._lookup.job(app, id)
        if row is None:
            raise ConnectorError("unknown_job", "no job of this id", field="id")
        return row

    def _answer_later(
        self, connection: Connection, msgid: int, question: Callable[[], Awaitable[Any]]
    ) -> None:
        """Answer with what `question` finds in the journal; meanwhile other calls go on."""

        async def answer() -> None:
            try:
                result = await question()
                if result is not _BY_COMMIT:
                    connection.reply(msgid, result)
            except ConnectorError as error:
                self._refuse(connection, msgid, error)
            except Exception as error:
                self._failed(connection, msgid, error)
            finally:
                connection.done()
                connection.flush()

        connection.begin()
        task = asyncio.create_task(answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _failed(self, connection: Connection, msgid: int, error: Exception) -> None:
        log_event(_log, "a call failed", level=logging.ERROR, error=error)
        self._refuse(connection, msgid, ConnectorError("internal", "the daemon failed; see its log"))


def _params_error(code: str, error: ParamsError) -> ConnectorError:
    return ConnectorError(code, error.message, field=error.field or None, hint=error.hint)
