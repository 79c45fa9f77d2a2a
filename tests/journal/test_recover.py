"""What a start finds: each open job in the one state that sends nothing twice and forgets nothing."""

import pytest

from connector.journal.recovery import Recovered
from connector.model import Channel, LiveJob
from tests.journal.book import Book


def recover(book: Book) -> Recovered:
    book.reopen()
    reader = book.reader()
    found = reader.recover(book.now)
    reader.close()
    return found


def where(book: Book, job: LiveJob) -> tuple[str, LiveJob | None]:
    found = recover(book)
    for waiting in found.waiting:
        if waiting.key == job.key:
            return "waiting", waiting
    for outstanding, attempt, account, carrier, channel in found.outstanding:
        if outstanding.key == job.key:
            assert (attempt, account, carrier, channel) == (job.attempts, book.account, "north", "sms")
            return "outstanding", outstanding
    assert found.awaiting_receipt <= 1
    return "awaiting" if found.awaiting_receipt else "gone", None


def test_accepted_only(book: Book) -> None:
    job = book.accept(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", on_unknown="resend_once")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    for name in ("key", "app", "id", "recipient", "body", "accepted_at", "deadline_at", "on_unknown"):
        assert getattr(found, name) == getattr(job, name), name
    assert (found.attempts, found.tried, found.resent) == (0, frozenset(), False)


def test_most_urgent_first(book: Book) -> None:
    book.accept("late", deadline_s=90)
    book.accept("soon", deadline_s=10)
    assert [job.id for job in recover(book).waiting] == ["soon", "late"]


def test_intent_without_answer(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    state, found = where(book, job)
    assert state == "outstanding"
    assert found is not None
    assert found.attempts == 1


@pytest.mark.parametrize(("answered", "state"), [(0, "outstanding"), (1, "outstanding"), (2, "awaiting")])
def test_several_parts(book: Book, answered: int, state: str) -> None:
    job = book.accept()
    book.intend(job, 2)
    for part in range(1, answered + 1):
        book.answer(job, b"%d" % part, part, 2)
    assert where(book, job)[0] == state


def test_refused_goes_on_elsewhere(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, "refused")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert (found.tried, found.barred, found.attempts) == ({"north"}, {"north"}, 1)


@pytest.mark.parametrize("result", ["deferred", "unsent"])
def test_may_go_the_same_way_again(book: Book, result: str) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, result)
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert (found.tried, found.attempts) == (frozenset(), 1)


def test_unknown_and_report(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, "unknown")
    assert where(book, job)[0] == "awaiting"


def unknown_once(book: Book) -> LiveJob:
    job = book.accept(on_unknown="resend_once")
    book.intend(job)
    book.settle(job, "unknown")
    return job


def test_unknown_and_resend_once_that_was_not_made(book: Book) -> None:
    state, found = where(book, unknown_once(book))
    assert state == "waiting"
    assert found is not None
    assert found.resent


@pytest.mark.parametrize(
    ("result", "state"), [(None, "outstanding"), ("unknown", "awaiting"), ("refused", "waiting")]
)
def test_the_resend_is_made_once(book: Book, result: str | None, state: str) -> None:
    job = unknown_once(book)
    book.intend(job)
    if result is not None:
        book.settle(job, result)
    found_state, found = where(book, job)
    assert found_state == state
    assert found is None or found.resent


def test_unknown_and_answered_late(book: Book) -> None:
    job = unknown_once(book)
    book.answer(job, b"1", late=True)
    assert where(book, job)[0] == "awaiting"


@pytest.mark.parametrize(
    ("result", "state"), [(None, "outstanding"), ("unknown", "awaiting"), ("refused", "awaiting")]
)
def test_answered_late_after_the_resend_is_never_sent_again(
    book: Book, result: str | None, state: str
) -> None:
    job = unknown_once(book)
    book.intend(job)
    book.answer(job, b"1", attempt=1, late=True)
    if result is not None:
        book.settle(job, result)
    found_state, found = where(book, job)
    assert found_state == state
    assert found is None or found.resent


def test_the_first_refused_late_leaves_the_second_its_resend(book: Book) -> None:
    job = unknown_once(book)
    book.settle(job, "refused")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert not found.resent


def test_ended_jobs_are_gone(book: Book) -> None:
    job = book.sent(b"1")
    book.receipt(b"1")
    assert where(book, job)[0] == "gone"


def test_numbers_go_on(book: Book) -> None:
    job = book.accept()
    book.reopen()
    assert book.store.last_job() == job.key
    assert book.store.app("shop") == book.app
    assert book.store.account("smsc.example|acme") == book.account


class TestFollowed:
    """Jobs that may be sent again before their deadline."""

    def flights(self, found: Recovered, job: LiveJob) -> list[tuple[str, str, int, int, str]]:
        return [(f.route, f.channel, f.step, f.number, f.state) for f in found.flights[job.key]]

    def keys(self, jobs: list[LiveJob]) -> list[str]:
        return [job.id for job in jobs]

    def test_nothing_has_left(self, book: Book) -> None:
        job = book.accept(follow=1, journey_name="code", klass="login", supersedes="k")
        book.intend(job)
        book.settle(job, "refused")
        found = recover(book)
        assert self.keys(found.waiting) == ["j1"]
        assert (found.flights, found.following) == ({job.key: []}, [])
        (again,) = found.waiting
        for name in ("follow", "journey_name", "klass", "supersedes", "body", "attempts"):
            assert getattr(again, name) == getattr(job, name), name
        assert again.barred == {"north"}

    def test_each_attempt_with_its_state(self, book: Book) -> None:
        job = book.accept(follow=2)
        book.intend(job)
        book.answer(job, b"1")
        book.receipt(b"1", "UNDELIVERABLE")
        book.intend(job, carrier="east", step=1)
        book.settle(job, "refused")
        book.now += 1
        book.intend(job, 2, step=1)
        book.answer(job, b"2", 1, 2)
        book.intend(job)
        book.answer(job, b"3")
        book.intend(job)
        book.settle(job, "unknown")
        book.intend(job)
        book.answer(job, b"4")
        book.receipt(b"4")
        for result in (None, "unknown", "completed", "missed"):
            book.intend(job, carrier="west", channel="voice", step=2)
            if result:
                book.settle(job, result, channel="voice")
        found = recover(book)
        assert self.keys(found.following) == ["j1"]
        assert self.flights(found, job) == [
            ("north", "sms", 0, 1, "failed"),
            ("north", "sms", 1, 3, "under_way"),
            ("north", "sms", 0, 4, "sent"),
            ("north", "sms", 0, 5, "unknown"),
            ("north", "sms", 0, 6, "arrived"),
            ("west", "voice", 2, 7, "under_way"),
            ("west", "voice", 2, 8, "unknown"),
            ("west", "voice", 2, 9, "arrived"),
            ("west", "voice", 2, 10, "failed"),
        ]
        assert [flight.left_at - job.accepted_at for flight in found.flights[job.key]] == [0, *[1] * 8]
        (again,) = found.following
        assert [(each.job, each.attempt, each.channel) for each in found.outstanding] == [
            (again, 3, "sms"), (again, 7, "voice"),
        ]  # fmt: skip
        assert again.attempts == 10

    def test_after_its_deadline_only_receipts_tell(self, book: Book) -> None:
        job = book.accept(follow=1)
        book.intend(job)
        book.answer(job, b"1")
        book.now = job.deadline_at
        found = recover(book)
        assert (found.following, found.waiting, found.awaiting_receipt) == ([], [], 1)

    def test_after_its_deadline_a_call_is_still_unknown(self, book: Book) -> None:
        job = book.accept(follow=1)
        book.intend(job)
        book.answer(job, b"1")
        book.intend(job, carrier="west", channel="voice", step=1)
        book.now = job.deadline_at
        found = recover(book)
        assert [(each.attempt, each.channel) for each in found.outstanding] == [(2, "voice")]
        assert (found.following, found.awaiting_receipt) == ([], 0)

    @pytest.mark.parametrize("result", ["refused", "unknown", "missed", "unsent"])
    def test_unfollowed_it_is_never_sent_again(self, book: Book, result: str) -> None:
        job = book.accept(follow=1, on_unknown="resend_once")
        book.intend(job)
        book.answer(job, b"1")
        channel: Channel = "voice" if result == "missed" else "sms"
        book.intend(job, channel=channel)
        book.settle(job, result, channel=channel)
        book.commit(unfollows=[job.key])
        found = recover(book)
        assert (found.waiting, found.following, found.awaiting_receipt) == ([], [], 1)

    def test_unfollowed_with_an_answer_to_come(self, book: Book) -> None:
        job = book.accept(follow=1, on_unknown="resend_once")
        book.intend(job)
        book.commit(unfollows=[job.key])
        found = recover(book)
        assert (found.waiting, found.following) == ([], [])
        assert [(each.job.follow, each.job.resent) for each in found.outstanding] == [(-1, True)]

    def test_the_newest_of_a_key_is_the_only_one(self, book: Book) -> None:
        book.accept("waits", supersedes="k")
        book.sent(b"1", "followed", supersedes="k", follow=1)
        book.sent(b"2", "sent", supersedes="k")
        book.intend(book.accept("under way", supersedes="k"))
        book.accept("newest", supersedes="k", deadline_s=5)
        book.accept("another", supersedes="l")
        book.accept("to another", to="+4915187654321", supersedes="k")
        book.accept("of another", supersedes="k", app=book.store.app("bank"))
        book.finish(book.accept("ended", supersedes="k"))
        found = recover(book)
        assert self.keys(found.waiting) == ["newest", "another", "to another", "of another"]
        assert self.keys(found.superseded) == ["waits", "followed", "under way"]
        assert (found.following, found.awaiting_receipt, found.open_jobs) == ([], 1, 8)
        assert [each.job.id for each in found.outstanding] == ["under way"]
