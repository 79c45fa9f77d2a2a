"""The play: carriers and daemon start, messages travel, carriers vanish and come back, telephones ring."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from subprocess import Popen
from typing import Protocol

from connector.cli.demo import cast
from connector.cli.demo.cast import Message, Mistake
from connector.cli.demo.filing import Filed, file_away
from connector.cli.demo.hearing import Calls, listen
from connector.cli.demo.processes import Broken, SimulatedCallee, SimulatedCarrier, running
from connector.cli.demo.result import Refusal, Result
from connector.cli.demo.setting import TRUNK, Setting
from connector.cli.demo.track import Track
from connector.cli.job_socket import NAME
from connector.client import Event, Options, RpcError, Submitted, SyncClient
from connector.client_sync import SyncEventStream

__all__ = ["Audience", "perform"]

_START_S = 20.0
_FRAME_S = 1 / 15
_PATIENCE_S = 25.0
_CALLS_S = 60.0


class Audience(Protocol):
    """Who is shown what happens, as it happens."""

    def act(self, title: str) -> None: ...
    def submitted(self, tracks: list[Track]) -> None: ...
    def refused(self, refusal: Refusal) -> None: ...
    def repeated(self, track: Track, state: str) -> None: ...
    def event(self, track: Track, event: Event) -> None: ...
    def heard(self, calls: Calls) -> None: ...
    def filed(self, filed: Filed) -> None: ...
    def frame(self) -> None: ...


def perform(setting: Setting, audience: Audience) -> Result:
    """Everything, from the first process to the last; Broken when it cannot go on."""
    result = Result()
    audience.act("starting simulated carriers, telephones and the daemon, each a process of its own")
    with _carriers(setting) as carriers, _telephones(setting) as telephones:
        setting.write({TRUNK: telephones.port} | {carrier.name: carrier.port for carrier in carriers})
        with (
            running("the daemon", ["run", str(setting.config)], setting.log("daemon")) as daemon,
            _connected(setting, daemon) as client,
        ):
            _Play(client, carriers, audience, result).run()
        result.stopped(daemon.returncode)
        result.received_by(carrier.handsets() for carrier in carriers)
        audience.act("what the telephones heard")
        result.calls = listen(telephones.calls(), result.tracks, setting)
        audience.heard(result.calls)
        audience.act("what is on file")
        result.filed = file_away(setting, cast.CALLS[0].id)
        audience.filed(result.filed)
    return result


@contextmanager
def _carriers(setting: Setting) -> Iterator[list[SimulatedCarrier]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(SimulatedCarrier.serving(name, account.options, setting.log(name)))
            for name, account in setting.accounts.items()
        ]


@contextmanager
def _telephones(setting: Setting) -> Iterator[SimulatedCallee]:
    options = setting.trunk.options
    with SimulatedCallee.serving(options, setting.recordings, setting.log("callee")) as callee:
        for number, habits in cast.TELEPHONES.items():
            callee.number(number, habits)
        yield callee


@contextmanager
def _connected(setting: Setting, daemon: Popen[str]) -> Iterator[SyncClient]:
    deadline = time.monotonic() + _START_S
    while not setting.socket.exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise Broken("the daemon did not start")
        time.sleep(_FRAME_S)
    try:
        with SyncClient(setting.socket, name=NAME, options=Options(timeout_s=_START_S)) as client:
            yield client
    except RpcError as error:
        raise Broken(f"the daemon refused us: {error}") from None


class _Play:
    def __init__(
        self, client: SyncClient, carriers: list[SimulatedCarrier], audience: Audience, result: Result
    ) -> None:
        self._client = client
        self._carriers = carriers
        self._audience = audience
        self._result = result
        self._texts = cast.wordings()
        self._tracks: dict[str, Track] = {}
        self._events: SyncEventStream = client.events()

    def run(self) -> None:
        audience = self._audience
        self._until_binds(lambda states: all(state == "bound" for state in states), "bind")
        audience.act("codes in several scripts, all at once, and three that must be refused")
        self._submit(cast.BURST, cast.WRONG)
        again = self._client.submit(cast.TWICE.job())
        self._result.duplicate = again.duplicate
        audience.repeated(self._tracks[cast.TWICE.id], again.state)
        self._until_final()
        audience.act("both carriers hang up: a code nobody can send in time is never sent late")
        for carrier in self._carriers:
            carrier.go_away()
        self._until_binds(lambda states: "bound" not in states, "unbind")
        self._submit([cast.LATE])
        self._until_final()
        for carrier in self._carriers:
            carrier.come_back()
        self._until_binds(lambda states: all(state == "bound" for state in states), "bind again")
        audience.act("the carriers are back")
        self._submit([cast.AFTERWARDS])
        self._until_final()
        audience.act("north takes a code and says nothing more; the person asks again, and south has to help")
        self._submit([cast.ASKED_AGAIN])
        self._until(lambda: self._tracks[cast.ASKED_AGAIN.id].sent_at is not None)
        self._submit([cast.FOLLOWED])
        self._until_final()
        audience.act("a call that says the code, and one that is handed to an agent")
        self._submit(cast.CALLS)
        self._until_final(_CALLS_S)

    def _submit(self, messages: Iterable[Message], mistakes: Iterable[Mistake] = ()) -> None:
        messages, mistakes = list(messages), list(mistakes)
        tracks = [Track(message, message.text(self._texts)) for message in messages]
        self._tracks |= {track.message.id: track for track in tracks}
        self._result.tracks += tracks
        self._audience.submitted(tracks)
        answers = self._client.submit_many(
            [each.job() for each in messages] + [each.job for each in mistakes]
        )
        for message, answer in zip(messages, answers[: len(messages)], strict=True):
            if not isinstance(answer, Submitted):
                raise Broken(f"{message.id} was refused: {answer}")
        for mistake, answer in zip(mistakes, answers[len(messages) :], strict=True):
            refusal = Refusal(mistake, answer if isinstance(answer, RpcError) else None)
            self._result.refusals.append(refusal)
            self._audience.refused(refusal)

    def _until_final(self, patience_s: float = _PATIENCE_S) -> None:
        self._until(lambda: all(track.outcome is not None for track in self._tracks.values()), patience_s)

    def _until(self, condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
        """Follow the events until `condition` holds, or patience ends: the result tells then."""
        deadline = time.monotonic() + patience_s
        while not condition():
            event = self._events.get(_FRAME_S)
            if event is not None and event.id in self._tracks:
                self._tracks[event.id].apply(event)
                self._audience.event(self._tracks[event.id], event)
            self._audience.frame()
            if time.monotonic() > deadline:
                return

    def _until_binds(self, agree: Callable[[list[str]], bool], what: str) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            carriers = self._client.stats()["carriers"]
            if agree([bind["state"] for carrier in carriers for bind in carrier["binds"]]):
                return
            if time.monotonic() > deadline:
                raise Broken(f"the carriers did not {what} within {_START_S:g} s")
            self._audience.frame()
            time.sleep(_FRAME_S)
