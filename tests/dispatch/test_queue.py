"""The queue against a list that is sorted at every step."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.model import Content, LiveJob, Standing
from connector.queue import DeadlineQueue

CARRIERS = ("a", "b", "c")
some_carriers = st.frozensets(st.sampled_from(CARRIERS))
CONTENT = Content("text", "Acme")


def free(*names: str) -> Callable[[Standing], bool]:
    """What a job must not be without: one of these carriers that has not refused it."""
    return lambda standing: not standing.tried.issuperset(names)


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = DeadlineQueue()
        self.model: list[LiveJob] = []
        self.outside: list[LiveJob] = []
        self.next_key = 1

    def order(self, jobs: list[LiveJob]) -> list[LiveJob]:
        return sorted(jobs, key=lambda job: (job.deadline_at, job.key))

    @rule(deadline=st.integers(0, 20), tried=some_carriers)
    def push(self, deadline: int, tried: frozenset[str]) -> None:
        job = LiveJob(
            key=self.next_key, app=1, id=str(self.next_key), recipient="+4915112345678", content=CONTENT,
            accepted_at=0.0, deadline_at=float(deadline), barred=tried,
        )  # fmt: skip
        self.next_key += 1
        self.queue.push(job)
        self.model.append(job)

    @rule(which=st.integers(0, 1000), tried=some_carriers)
    def push_again(self, which: int, tried: frozenset[str]) -> None:
        if self.outside:
            job = self.outside.pop(which % len(self.outside))
            job.tried = job.tried | tried
            self.queue.push(job)
            if not job.cancelled:
                self.model.append(job)

    @rule(free=some_carriers)
    def pop(self, free: frozenset[str]) -> None:
        fit = self.order([job for job in self.model if not free <= job.tried])
        popped = self.queue.pop(lambda standing: not free <= standing.tried)
        assert popped is (fit[0] if fit else None)
        if popped is not None:
            self.model.remove(popped)
            self.outside.append(popped)
            assert not popped.queued

    @rule(now=st.integers(0, 20))
    def expire(self, now: int) -> None:
        due = [job for job in self.model if job.deadline_at <= now]
        assert sorted(job.key for job in self.queue.pop_expired(now)) == sorted(job.key for job in due)
        self.model = [job for job in self.model if job not in due]
        self.outside += due

    @rule(which=st.integers(0, 1000), twice=st.booleans())
    def cancel(self, which: int, twice: bool) -> None:
        """One that waits, or one that is on its way there."""
        both = self.model + self.outside
        if both:
            job = both[which % len(both)]
            self.queue.cancel(job)
            if twice:
                self.queue.cancel(job)
            if job in self.model:
                self.model.remove(job)

    @invariant()
    def the_same(self) -> None:
        assert len(self.queue) == len(self.model)
        assert self.queue.next_deadline() == min((job.deadline_at for job in self.model), default=None)
        assert all(job.queued for job in self.model)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=80, stateful_step_count=40)


def test_a_job_does_not_hide_behind_one_that_must_wait() -> None:
    queue = DeadlineQueue()
    jobs = [
        LiveJob(
            key=key, app=1, id=str(key), recipient="+4915112345678", content=CONTENT, accepted_at=0.0,
            deadline_at=float(key), barred=barred,
        )
        for key, barred in ((1, frozenset("a")), (2, frozenset("ab")), (3, frozenset[str]()))
    ]  # fmt: skip
    for job in jobs:
        queue.push(job)
    assert queue.pop(free("a")) is jobs[2]
    assert queue.pop(free("a")) is None
    assert queue.pop(free("a", "b")) is jobs[0]
    assert queue.pop(free("c")) is jobs[1]


def test_what_comes_while_jobs_leave_takes_its_place_or_waits() -> None:
    queue = DeadlineQueue()
    north = frozenset({"north"})
    jobs = {
        name: LiveJob(
            key=key, app=1, id=name, recipient="+4915112345678", content=CONTENT, accepted_at=0.0,
            deadline_at=deadline, barred=north if name in "cd" else frozenset(),
        )
        for key, (name, deadline) in enumerate({"a": 1.0, "b": 3.0, "c": 2.0, "d": 4.0}.items())
    }  # fmt: skip
    for name in "acd":
        queue.push(jobs[name])
    left = []
    for job, _ in queue.leaving(lambda standing: True):
        left.append(job)
        if job is jobs["a"]:
            queue.push(jobs["b"])  # in a line that was looked at
            queue.cancel(jobs["c"])
    assert left == [jobs["a"], jobs["b"], jobs["d"]]
    assert len(queue) == 0
    for name in "ad":
        queue.push(jobs[name])
    (left,) = queue.leaving(lambda standing: standing.tried == north)
    assert left == (jobs["d"], Standing(north, ()))
    assert queue.pop(free("north")) is jobs["a"]
