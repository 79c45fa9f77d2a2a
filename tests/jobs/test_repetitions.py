"""The same job again, and what guards count: once for each job, however often it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from connector.carriers.contract import Attempt
from connector.config import QuietHours
from connector.config.content import ContentSettings
from connector.config.guards import GuardRules
from connector.dispatch import Routing
from connector.errors import ConnectorError
from connector.jobs.opt_out import OptOut
from connector.routing.guards import Guards, guard_settings
from protocols.rpc.messages import Request
from protocols.rpc.methods import Submitted
from tests.dispatch.stage import Stage, play
from tests.orders.shop import GERMAN, Shop, notification

Act = Callable[["Desk"], Coroutine[Any, Any, None]]


class Desk(Shop):
    """The application, in a lane of free text that permits all until `change` says otherwise."""

    def __init__(self, stage: Stage, rules: dict[str, Any]) -> None:
        self.rules = msgspec.convert(rules, GuardRules)
        shipped = notification()
        settings = replace(shipped.jobs, free_text=True)
        marketing = ContentSettings(marketing="allow")
        super().__init__(stage, replace(shipped, jobs=settings, content=marketing, quiet_hours=None))

    def start(self) -> None:
        super().start()
        settings = guard_settings(self.rules, self.config.applications)
        self.guards = self.gate._guards = Guards(settings, b"k" * 32, self.stage.now())
        self.gate.know({self.config.applications[0].name: self.connection.app})
        self.stage.dispatcher.spent = self.gate.spent

    def change(self, opted_out: OptOut | None = None, **config: Any) -> None:
        """A reload."""
        self.config = replace(self.config, **config)
        routing = Routing(self.config)
        self.stage.dispatcher.configure(routing)
        self.gate.configure(self.config, routing, opted_out or OptOut())
        self.methods.configure(self.config)

    def say(self, method: str, *params: Any, ids: count[int] = count(1_000)) -> int:  # noqa: B008
        msgid = next(ids)
        self.methods.call(self.connection, Request(msgid, method, [*params]), self.stage.now())  # type: ignore[arg-type]
        return msgid

    async def many(self, *jobs: dict[str, Any]) -> list[Any]:
        msgid = self.say("submit_many", [*jobs])
        await self.stage.settle()
        answers: list[Any] = self.connection.answers.pop(msgid)
        return answers

    def counted(self, guard: str) -> dict[str, Any]:
        return next(row for row in self.guards.overview(self.stage.now()) if row["guard"] == guard)


def job(id: str = "j1", **more: Any) -> dict[str, Any]:
    return {"id": id, "to": GERMAN, "text": "Buy now", "journey": "sms", "deadline_s": 600, **more}


def run(path: Path, act: Act, **guards: dict[str, Any]) -> None:
    async def on(stage: Stage) -> None:
        desk = Desk(stage, guards)
        stage.start()
        await act(desk)

    play(path, on)


def at_most(jobs: int) -> dict[str, Any]:
    return {"limits": [{"jobs": jobs, "within_s": 3600}]}


def code(answer: Any) -> str | None:
    return getattr(answer, "code", None)


CHANGES: list[tuple[str, Callable[[Desk], None]]] = [
    ("forbidden", lambda desk: desk.change(jobs=replace(desk.config.jobs, free_text=False))),
    ("invalid_job", lambda desk: desk.change(jobs=replace(desk.config.jobs, max_deadline_s=1.0))),
    ("content", lambda desk: desk.change(content=ContentSettings(marketing="refuse"))),
    ("opted_out", lambda desk: desk.change(OptOut([int(GERMAN)]))),
    (
        "quiet_hours",
        lambda desk: desk.change(quiet_hours=QuietHours(from_="21:00", until="08:00", meanwhile="refuse")),
    ),
]


@pytest.mark.parametrize(("refused", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_what_would_be_refused_now_was_accepted(
    tmp_path: Path, refused: str, change: Callable[[Desk], None]
) -> None:
    async def act(desk: Desk) -> None:
        assert not (await desk.ask("submit", **job())).duplicate
        change(desk)
        again = await desk.ask("submit", **job())
        assert (again.id, again.duplicate) == ("j1", True)
        for other in (job("j2"), job(text="Buy now!")):
            with pytest.raises(ConnectorError) as caught:
                await desk.ask("submit", **other)
            assert caught.value.code == refused
        answers = await desk.many(job("j2"), job(), job("j3"), job())
        assert [code(answer) for answer in answers] == [refused, None, refused, None]
        assert [answer.duplicate for answer in answers if isinstance(answer, Submitted)] == [True, True]
        assert len(desk.texts) == 1
        assert desk.stage.metrics.jobs_duplicate == 3

    run(tmp_path, act)


def test_a_repetition_before_the_commit_of_the_first(tmp_path: Path) -> None:
    """The guard has counted the first one already, and the journal does not have it yet."""

    async def act(desk: Desk) -> None:
        first, again, other = (desk.say("submit", said) for said in (job(), job(), job("j2")))
        await desk.stage.settle()
        answers = desk.connection.answers
        assert (answers[first].duplicate, answers[again].duplicate) == (False, True)
        assert (code(answers[other]), answers[other].guard) == ("guarded", "velocity_number")
        to = "+4915112345679"
        found = await desk.many(job("j3", to=to), job("j3", to=to), job("j4", to=to))
        assert [getattr(answer, "duplicate", None) for answer in found] == [False, True, None]
        assert code(found[2]) == "guarded"

    run(tmp_path, act, velocity_number=at_most(1))


def test_repetitions_and_conflicts_take_nothing_of_a_guard(tmp_path: Path) -> None:
    async def act(desk: Desk) -> None:
        await desk.ask("submit", **job())
        for _ in range(5):
            assert (await desk.ask("submit", **job())).duplicate
            with pytest.raises(ConnectorError) as caught:
                await desk.ask("submit", **job(text="another"))
            assert caught.value.code == "conflict"
        await desk.ask("submit", **job("j2"))
        await desk.ask("submit", **job("j3"))
        with pytest.raises(ConnectorError) as caught:
            await desk.ask("submit", **job("j4"))
        assert (caught.value.guard, desk.guards.hits["velocity_number", "refused"]) == ("velocity_number", 1)

    run(tmp_path, act, velocity_number=at_most(3), velocity_application=at_most(4))


def test_what_is_no_job_takes_nothing_of_a_guard(tmp_path: Path) -> None:
    async def act(desk: Desk) -> None:
        for _ in range(3):
            await desk.ask("preview", to=GERMAN, text="Buy now", journey="sms")
            with pytest.raises(ConnectorError):
                await desk.ask("submit", **job(sender="Nobody"))
        desk.methods.drain()
        with pytest.raises(ConnectorError) as caught:
            await desk.ask("submit", **job())
        assert caught.value.code == "draining"
        desk.methods._intake.draining = False
        assert not (await desk.ask("submit", **job())).duplicate

    run(tmp_path, act, velocity_number=at_most(1))


def test_what_leaves_after_a_restart_is_of_the_budget_though_nothing_was_submitted(tmp_path: Path) -> None:
    async def act(desk: Desk) -> None:
        for carrier in desk.carriers.values():
            carrier.window = 0
        await desk.ask("submit", **job())
        assert desk.counted("budget")["applications"][0]["spent"] > 0.0  # as good as spent
        desk.die()
        assert desk.counted("budget")["applications"] == []
        for carrier in desk.carriers.values():
            carrier.window = 10
        desk.stage.dispatcher.room()
        await desk.stage.settle()
        assert len(desk.texts) == 1
        assert desk.counted("budget")["applications"][0]["spent"] > 0.0

    run(tmp_path, act, budget={"per_day": 100.0})


def test_what_carriers_turn_away_costs_nothing(tmp_path: Path) -> None:
    """Or a carrier that is down for an hour would spend the budget of the day."""

    async def act(desk: Desk) -> None:
        turned_away = 20

        def react(attempt: Attempt) -> None:
            if len(desk.left) <= turned_away:
                attempt.carrier.refuse(attempt, 0x58)  # type: ignore[attr-defined]
            else:
                attempt.carrier.accept(attempt)  # type: ignore[attr-defined]

        for carrier in desk.carriers.values():
            carrier.react = react
        await desk.ask("submit", **job())
        price = desk.counted("budget")["applications"][0]["spent"]
        while len(desk.left) <= turned_away:
            await asyncio.sleep(1.0)
        await desk.stage.settle()
        assert desk.counted("budget")["applications"][0]["spent"] == price > 0.0

    run(tmp_path, act, budget={"per_day": 100.0})


def test_feedback_counts_once_for_a_job_however_often_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    async def act(desk: Desk) -> None:
        monkeypatch.setattr(
            desk.guards, "feedback", lambda app, number, *more: used.append(f"{app} {number}")
        )
        await desk.ask("submit", **job())
        for said in ({}, {"attempt": 1}, {"attempt": 1}, {}):
            await desk.ask("feedback", id="j1", converted=True, **said)
        await desk.ask("feedback", id="j1", converted=False)
        assert used == [f"{desk.config.applications[0].name} {GERMAN}"]

    run(tmp_path, act)
