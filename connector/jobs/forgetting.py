"""A number is forgotten: found by those who read, taken out by the one who writes, and again when the last of
its open jobs has ended.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from pathlib import Path

from connector import __version__, state_folder
from connector.config import Config
from connector.config.evidence import EvidenceSettings
from connector.evidence import keys
from connector.evidence.layout import JOURNAL
from connector.evidence.redaction import spans_of
from connector.journal.evidence import Keeping
from connector.journal.lookup import Lookup
from connector.journal.ops import Batch, Forget, Found, Redact
from connector.journal.reader import Reader
from connector.journal.store import Store
from connector.journal.writer import Journal
from connector.log import event as log_event
from protocols.rpc.methods import Forgotten

__all__ = ["Forgetting", "forget_at_rest"]

_log = logging.getLogger(__name__)


class Forgetting:
    """Several at a time, each number once."""

    def __init__(self, journal: Journal, lookup: Lookup, state: Path) -> None:
        self._journal = journal
        self._lookup = lookup
        self._state = state
        self._under_way: dict[str, asyncio.Task[Forgotten]] = {}

    async def forget(self, number: str) -> Forgotten:
        """When this returns it is committed. `number` is E.164 with +."""
        return await asyncio.shield(self._begin(number))

    def committed(self, batch: Batch) -> None:
        """Hand out what a commit has done, and begin with numbers whose jobs have ended."""
        for forget in batch.forgets:
            if not forget.context.done():
                forget.context.set_result(None)
        for number in batch.forgettable:
            self._begin(number)

    async def close(self) -> None:
        """What is not committed is not done; what was left of open jobs is, at the next start."""
        tasks = [*self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, number: str) -> asyncio.Task[Forgotten]:
        if number not in self._under_way:
            task = asyncio.create_task(self._forget(number), name="forget")
            self._under_way[number] = task
            task.add_done_callback(lambda task: self._done(number, task))
        return self._under_way[number]

    def _done(self, number: str, task: asyncio.Task[Forgotten]) -> None:
        del self._under_way[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            log_event(_log, "a number could not be forgotten", level=logging.ERROR, error=error)

    async def _forget(self, number: str) -> Forgotten:
        records = jobs = 0
        while True:
            spans, looked = await asyncio.to_thread(spans_of, self._state, number)
            redact = Redact(spans, "forget", number=number, looked=looked)
            committed = asyncio.get_running_loop().create_future()
            forget = Forget(number, await self._lookup.find(number), committed)
            self._journal.batch.redacts.append(redact)
            self._journal.batch.forgets.append(forget)
            self._journal.touch()
            await committed
            records, jobs = records + redact.records, jobs + forget.jobs
            if not redact.again:
                return Forgotten(jobs, forget.open, records)


def forget_at_rest(state: Path, number: str, config: Config | None) -> Forgotten:
    """The same where no daemon runs; without `config` all keys are in the state folder, and none is made.

    Raises StateInUse when one does run, KeyFault, OSError, SchemaTooNew and SealError.
    """
    _check_keys(state, config)
    lock = state_folder.lock(state)
    try:
        seal = state_folder.seal_of(state, config.privacy if config is not None else None)
        files = config.evidence if config is not None else EvidenceSettings()
        ours = keys.load(state, files.chain_key_path, files.signing_key_path)
        keeping = Keeping(state, ours, config.lane if config is not None else "", __version__)
        path = state / JOURNAL
        store = Store(path, retention_s=math.inf, answer_timeout_s=0.0, seal=seal, keeping=keeping)
        reader = Reader(path, seal)
        try:
            return _forget_by(store, reader, state, number)
        finally:
            reader.close()
            store.close()
    finally:
        state_folder.give_back(state)
        os.close(lock)


def _check_keys(state: Path, config: Config | None) -> None:
    # Whoever names no keys may not know of them: with new ones the daemon would not go on.
    files = config.evidence if config is not None else EvidenceSettings()
    needed = [
        (config is not None and bool(config.privacy.keys), state_folder.own_key(state)),
        (files.chain_key_path is not None, state / keys.FOLDER / "chain.key"),
        (files.signing_key_path is not None, state / keys.FOLDER / "signing.key"),
    ]
    for elsewhere, path in needed:
        if not elsewhere and not path.is_file():
            raise keys.KeyFault(f"{path} is not there: the key is elsewhere; nothing was changed")


def _forget_by(store: Store, reader: Reader, state: Path, number: str) -> Forgotten:
    records = jobs = 0
    while True:
        spans, looked = spans_of(state, number)
        redact = Redact(spans, "forget", number=number, looked=looked)
        found, more = Found(), True
        while more:
            found, more = reader.find(number, found)
        forget = Forget(number, found)
        store.commit(Batch(redacts=[redact], forgets=[forget]), time.time())
        records, jobs = records + redact.records, jobs + forget.jobs
        if not redact.again:
            store.file_evidence(time.time())  # nobody else would take it out of the files
            return Forgotten(jobs, forget.open, records)
