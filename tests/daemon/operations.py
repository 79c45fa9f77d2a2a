"""Operations of the journal for jobs that go well, without a daemon around them."""

from __future__ import annotations

from itertools import count
from random import Random

from connector.journal.ops import Accept, Answer, Batch, Intend, Receipt
from connector.model import Content, LiveJob

ACCOUNT = 1
CARRIER = "sim"
NOW = 1_800_000_000.0


class Jobs:
    """Makes batches in which jobs advance by a step: accepted, intended, answered, delivered."""

    def __init__(self, app: int, random: Random) -> None:
        self._app = app
        self._random = random
        self._keys = count(1)
        self._accepted: list[LiveJob] = []
        self._intended: list[LiveJob] = []
        self._answered: list[LiveJob] = []

    def job(self) -> LiveJob:
        key = next(self._keys)
        return LiveJob(
            key=key, app=self._app, id=f"job-{key}", recipient=f"+4915{key:09}",
            content=Content(f"Your code is {key:06}", "ACME"), accepted_at=NOW, deadline_at=NOW + 60,
        )  # fmt: skip

    def batch(self) -> Batch:
        batch = Batch()
        for job in self._answered:
            batch.receipts.append(delivered(job))
        for job in self._intended:
            batch.answers.append(answer(job))
        for job in self._accepted:
            batch.intends.append(intend(job))
        fresh = [self.job() for _ in range(self._random.randint(1, 8))]
        batch.accepts += [accept(job) for job in fresh]
        self._answered, self._intended, self._accepted = self._intended, self._accepted, fresh
        return batch


def accept(job: LiveJob) -> Accept:
    body = f'{{"sms":[{{"text":"{job.content.text}","sender":"ACME"}}]}}'
    return Accept(job, f"digest-{job.id}", body, NOW + 360, None)


def intend(job: LiveJob) -> Intend:
    job.attempts += 1
    return Intend(job, ACCOUNT, CARRIER, 1, NOW, "{}", None)


def answer(
    job: LiveJob, *, key: str | None = None, late: bool = False, part: int = 1, parts: int = 1
) -> Answer:
    key = key or f"id{job.key}"
    return Answer(
        job, job.attempts, part, parts, ACCOUNT, CARRIER, key, key.encode().hex(), NOW, part == parts, late
    )


def delivered(job: LiveJob, *, key: str | None = None, at: float = NOW) -> Receipt:
    keys = (("same", key or f"id{job.key}"),)
    return Receipt(ACCOUNT, CARRIER, keys, job.recipient[1:], "DELIVERED", "delivered", "", at, None)
