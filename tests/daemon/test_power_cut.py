"""What was committed is on the disk whenever the power fails, and a disk that fails is not believed."""

import asyncio
from pathlib import Path
from random import Random

import apsw
import pytest

from connector.journal.ops import Batch
from connector.journal.reader import Reader
from connector.journal.store import Store
from connector.journal.writer import Journal
from connector.sealing import Key, Seal
from tests.daemon.operations import NOW, Jobs
from tests.daemon.power import Disk, disk, restore

BATCHES = 200
CUTS = 200
SEAL = Seal([Key("2026-11", b"k" * 32)])
"""Not of the folder: its own key is on the disk before SQLite writes anything, and is in no image."""


def open_store(path: Path) -> Store:
    return Store(path, retention_s=86_400.0, answer_timeout_s=10.0, seal=SEAL)


def commit_many(power: Disk, folder: Path, random: Random, synchronous: str) -> list[Batch]:
    """Commit batches as fast as they come; the WAL is folded back often."""
    folder.mkdir()
    store = open_store(folder / "journal.db")
    assert store.connection.pragma("synchronous") == 2, "FULL (https://sqlite.org/pragma.html)"
    assert store.connection.pragma("journal_mode") == "wal"
    store.connection.pragma("synchronous", synchronous)
    store.connection.pragma("wal_autocheckpoint", 25)
    jobs = Jobs(store.app("shop"), random)
    store.account("127.0.0.1|shop")
    batches = []
    power.commits = 0
    for _ in range(BATCHES):
        batch = jobs.batch()
        store.commit(batch, NOW)
        batches.append(batch)
        power.commits += 1
    store.close()
    return batches


def lost_after_cut(path: Path, committed: list[Batch]) -> list[str]:
    """What of `committed` is not in the journal."""
    store = open_store(path)
    assert store.connection.pragma("integrity_check") == "ok"
    known = {row[0] for row in store.connection.execute("SELECT ext FROM job")}
    delivered = {row[0] for row in store.connection.execute("SELECT id FROM job WHERE outcome = 'delivered'")}
    attempts = {row[0] for row in store.connection.execute("SELECT job FROM attempt")}
    last_seq = max([row[0] for row in store.connection.execute("SELECT last FROM event")], default=0)
    reader = Reader(path, SEAL)
    reader.recover(0.0)
    reader.close()
    store.close()
    lost = []
    for batch in committed:
        lost += [accept.job.id for accept in batch.accepts if accept.job.id not in known]
        lost += [f"intent {intend.job.id}" for intend in batch.intends if intend.job.key not in attempts]
        lost += [f"receipt {r.address}" for r in batch.receipts if int(r.address[4:]) not in delivered]
        lost += [f"event {chunk.last}" for chunk in batch.chunks if chunk.last > last_seq]
    return lost


def cuts(folder: Path, random: Random, synchronous: str) -> list[list[str]]:
    """What was lost in each of many cuts at random moments of one run."""
    state = random.getstate()
    with disk(random) as rehearsal:
        commit_many(rehearsal, folder / "rehearsal", random, synchronous)
    random.setstate(state)
    moments = set(Random(random.getrandbits(32)).sample(range(50, rehearsal.steps), CUTS))
    with disk(random, moments) as power:
        batches = commit_many(power, folder / "run", random, synchronous)
    assert len(power.images) > CUTS / 2
    lost = []
    for step, (image, commits) in power.images.items():
        after = folder / f"cut-{step}"
        restore(image, after)
        lost.append(lost_after_cut(after / "journal.db", batches[:commits]))
    return lost


@pytest.mark.timeout(120)
def test_no_committed_batch_is_lost_when_the_power_fails(tmp_path: Path, random: Random) -> None:
    assert [lost for lost in cuts(tmp_path, random, "FULL") if lost] == []


@pytest.mark.timeout(120)
def test_the_simulated_power_cut_would_show_a_journal_that_does_not_sync(
    tmp_path: Path, random: Random
) -> None:
    """The proof of the test above: with synchronous=NORMAL the same cuts lose acknowledged jobs."""
    assert any(cuts(tmp_path, random, "NORMAL"))


class Watched:
    """A Journal on a failing disk, and what it told."""

    def __init__(self, path: Path) -> None:
        self.committed: list[Batch] = []
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.journal = Journal(
            path,
            now=lambda: NOW,
            on_commit=self.committed.append,
            on_failure=self.failed.set_result,
            retention_s=86_400.0,
            answer_timeout_s=10.0,
            seal=SEAL,
        )


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
async def test_a_failed_commit_is_told_to_nobody_but_the_daemon(
    tmp_path: Path, random: Random, error: type[Exception]
) -> None:
    with disk(random) as power:
        power.error = error
        watched = Watched(tmp_path / "journal.db")
        journal = watched.journal
        jobs = Jobs(journal.app("shop"), random)
        journal.start()
        acknowledged = []
        power.fail_at = power.steps + random.randint(1, 60)
        while not watched.failed.done():
            batch = journal.batch
            made = jobs.batch()
            batch.accepts += made.accepts
            batch.intends += made.intends
            batch.answers += made.answers
            journal.touch()
            async with asyncio.timeout(10):
                while batch not in watched.committed and not watched.failed.done():
                    await asyncio.sleep(0)
            if batch in watched.committed:
                acknowledged.append(batch)
        assert isinstance(watched.failed.result(), error)
        # Whatever comes now is not committed any more, and so nobody is told that it was.
        journal.batch.accepts += jobs.batch().accepts
        journal.touch()
        await asyncio.to_thread(journal._thread.join)
        await asyncio.sleep(0)
        assert watched.committed == acknowledged
        power.fail_at = None
        del journal, watched
    assert lost_after_cut(tmp_path / "journal.db", acknowledged) == []
