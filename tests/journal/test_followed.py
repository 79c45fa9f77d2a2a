"""Jobs that may be sent again while a receipt is awaited: who ends them, and when."""

from typing import Any

import pytest

from connector.journal.ops import Batch, Told
from connector.model import LiveJob
from tests.journal.book import HANDSET, START, Book


def followed(book: Book, follow: int = 1, id: str = "j1", *ids: bytes, **more: Any) -> LiveJob:
    """A job with an attempt for each of `ids`, all of them accepted by the carrier."""
    job = book.accept(id, follow=follow, **more)
    for each in ids:
        book.intend(job)
        book.answer(job, each)
    return job


def call(book: Book, job: LiveJob, result: str | None = None) -> Batch:
    batch = book.intend(job, carrier="west", channel="voice", step=1)
    return book.settle(job, result, channel="voice") if result else batch


def results(batch: Batch) -> list[tuple[int, str, bool]]:
    return [(told.attempt, told.result, told.ended) for told in batch.told]


def test_a_failure_before_the_deadline_is_told_and_ends_nothing(book: Book) -> None:
    job = followed(book, 1, "j1", b"1")
    book.now += 5
    batch = book.receipt(b"1", "UNDELIVERABLE", error="err 075")
    assert batch.told == [
        Told(job.key, book.app, "j1", 1, "failed", "err 075", "receipt UNDELIVERABLE err 075", START + 5,
             False, START),
    ]  # fmt: skip
    assert (batch.outcomes, batch.ended, book.outcome(job)) == ({}, [], None)
    assert book.story(job) == ["accepted", "sent", "failed"]
    last = book.told[book.app][-1]
    assert (last.attempt, last.carrier, last.reason) == (1, "north", "receipt UNDELIVERABLE err 075")


def test_a_delivery_ends_it_whatever_has_failed(book: Book) -> None:
    job = followed(book, 1, "j1", b"1", b"2")
    book.receipt(b"1", "UNDELIVERABLE")
    batch = book.receipt(b"2")
    assert (results(batch), batch.ended) == ([(2, "delivered", True)], [(book.app, "j1")])
    assert book.story(job) == ["accepted", "sent", "sent", "failed", "delivered/delivered"]


def test_after_the_deadline_the_last_failure_ends_it(book: Book) -> None:
    job = followed(book, 1, "j1", b"1", b"2")
    book.now = job.deadline_at
    assert results(book.receipt(b"1", "UNDELIVERABLE")) == [(1, "failed", False)]
    assert results(book.receipt(b"2", "EXPIRED")) == [(2, "expired", True)]
    assert book.story(job)[-1] == "expired/expired"


def test_a_failure_of_the_past_that_is_matched_after_the_deadline_ends_it(book: Book) -> None:
    """It came in time, but its attempt was answered too late for anybody to act on it."""
    job = book.accept(follow=1)
    book.intend(job)
    book.receipt(b"1", "UNDELIVERABLE")
    book.now = job.deadline_at + 1
    batch = book.answer(job, b"1", late=True)
    assert results(batch) == [(1, "failed", True)]
    assert book.story(job)[-1] == "undelivered/undelivered"


@pytest.mark.parametrize("follow", [0, 1])
def test_what_comes_after_the_end_is_told_too(book: Book, follow: int) -> None:
    job = followed(book, follow, "j1", b"1", b"2")
    book.receipt(b"1")
    assert results(book.receipt(b"2", "UNDELIVERABLE")) == [(2, "failed", True)]
    assert results(book.receipt(b"2")) == []  # repeated, and against what is final
    assert book.story(job)[-1] == "delivered/delivered"


def test_all_in_one_commit(book: Book) -> None:
    """The end that comes last is known to all that is told."""
    job = followed(book, 1, "j1", b"1", b"2", b"3")
    batch = book.commit(
        receipts=[book.receipt_op(b"1", "UNDELIVERABLE"), book.receipt_op(b"2"), book.receipt_op(b"3")]
    )
    assert results(batch) == [(1, "failed", True), (2, "delivered", True), (3, "delivered", True)]
    assert book.story(job)[3:] == ["sent", "failed", "delivered/delivered"]


def test_several_parts_are_told_once(book: Book) -> None:
    job = book.accept(follow=2)
    for attempt in (1, 2, 3):
        book.intend(job, 2)
        for part in (1, 2):
            book.answer(job, b"%d%d" % (attempt, part), part, 2)
    assert results(book.receipt(b"11")) == []
    assert results(book.receipt(b"12")) == [(1, "delivered", False)]
    assert results(book.receipt(b"21", "UNDELIVERABLE")) == [(2, "failed", False)]
    assert results(book.receipt(b"22", "UNDELIVERABLE")) == []
    batch = book.commit(receipts=[book.receipt_op(b"31", "EXPIRED"), book.receipt_op(b"32")])
    assert results(batch) == [(3, "expired", False)]
    assert book.story(job) == ["accepted", "sent", "sent", "sent", "delivered", "failed", "failed"]


def test_a_part_known_by_its_handset_alone_is_told_once(book: Book) -> None:
    """Its true id comes after the receipt that was taken for it, and the carrier repeats itself."""
    job = book.accept(follow=1)
    book.intend(job)
    book.settle(job, "unknown")
    book.receipt(b"1f", "UNDELIVERABLE")
    book.now += 20
    assert results(book.sweep()) == [(1, "failed", False)]
    book.answer(job, b"31", late=True)
    assert results(book.receipt(b"31", "UNDELIVERABLE")) == []
    assert book.rows("SELECT raw, result, receipts FROM part") == [(b"31".hex(), "failed", 2)]


def test_a_delivery_may_be_no_end(book: Book) -> None:
    job = followed(book, 2, "j1", b"1")
    batch = book.receipt(b"1")
    assert (results(batch), batch.outcomes) == ([(1, "delivered", False)], {})
    assert book.story(job) == ["accepted", "sent", "delivered"]
    assert not book.told[book.app][-1].final
    book.finish(job, "delivered", "converted")
    assert book.story(job)[-1] == "converted/delivered"


def test_what_arrived_is_delivered_at_the_deadline_whoever_forgot_it(book: Book) -> None:
    job = followed(book, 2, "j1", b"1", b"2")
    book.receipt(b"1")
    book.receipt(b"2", "UNDELIVERABLE")
    book.reopen()
    assert book.sweep(job.deadline_at + 1).outcomes == {}
    batch = book.sweep(job.deadline_at + 3)
    assert (batch.outcomes, batch.missed, batch.ended) == ({"delivered": 1}, 0, [(book.app, "j1")])
    last = book.told[book.app][-1]
    assert (last.type, last.attempt, last.channel, last.final) == ("delivered", 1, "sms", True)


def test_what_failed_is_undelivered_at_the_deadline_whoever_forgot_it(book: Book) -> None:
    job = followed(book, 1, "j1", b"1")
    call(book, job, "missed")
    book.receipt(b"1", "EXPIRED")
    other = followed(book, 1, "other", b"2")
    book.now = job.deadline_at + 3
    batch = book.sweep()
    assert (batch.outcomes, batch.missed) == ({"undelivered": 1}, 1)
    last = book.told[book.app][-1]
    assert (last.id, last.channel, last.carrier, last.reason) == (
        "j1", "voice", "west", "nobody heard the call",
    )  # fmt: skip
    assert book.outcome(other) is None  # its receipt may come
    book.receipt(b"2", "UNDELIVERABLE")
    assert book.story(other)[-1] == "undelivered/undelivered"


def test_each_is_looked_at_once(book: Book) -> None:
    jobs = [followed(book, 1, f"j{n}", b"%d" % n, deadline_s=10 + n % 3) for n in range(9)]
    statements: list[str] = []
    for at in (11.0, 13.0, 13.5, 15.0, 16.0):
        book.store.connection.trace_v2(
            0x01, lambda trace: statements.append(trace["sql"]) if "jsonb_each" in trace["sql"] else None
        )
        book.sweep(START + at)
    looked = [sql for sql in statements if "SELECT json_group_array(json_array(j.id, j.app, j.ext" in sql]
    assert len(looked) == 2  # at 13 and at 15
    assert all(book.outcome(job) is None for job in jobs)


def test_an_end_that_is_decided_twice_is_told_once(book: Book) -> None:
    job = followed(book, 1, "j1", b"1")
    book.receipt(b"1", "UNDELIVERABLE")
    book.now = job.deadline_at + 3
    batch = book.commit(finishes=[book.finish_op(job, "undelivered", "undelivered")], sweep_at=book.now)
    assert (batch.finishes[0].applied, batch.outcomes) == (True, {"undelivered": 1})
    assert not book.finish(job).finishes[0].applied


class TestUnfollowed:
    """Nothing more is sent of these."""

    def test_what_is_known_ends_it(self, book: Book) -> None:
        job = followed(book, 1, "j1", b"1")
        book.receipt(b"1", "UNDELIVERABLE")
        batch = book.commit(unfollows=[job.key])
        assert (batch.outcomes, batch.ended) == ({"undelivered": 1}, [(book.app, "j1")])
        assert book.told[book.app][-1].reason == "receipt UNDELIVERABLE"

    def test_its_receipts_decide_alone(self, book: Book) -> None:
        job = followed(book, 1, "j1", b"1", b"2")
        assert book.commit(unfollows=[job.key]).outcomes == {}
        book.receipt(b"1", "UNDELIVERABLE")
        assert book.outcome(job) is None
        assert results(book.receipt(b"2", "UNDELIVERABLE")) == [(2, "failed", True)]
        assert book.story(job)[-1] == "undelivered/undelivered"

    def test_the_failure_and_the_word_that_nothing_follows_in_one_commit(self, book: Book) -> None:
        job = followed(book, 1, "j1", b"1")
        batch = book.commit(receipts=[book.receipt_op(b"1", "EXPIRED")], unfollows=[job.key])
        assert (results(batch), batch.outcomes) == ([(1, "expired", True)], {"expired": 1})
        assert book.story(job) == ["accepted", "sent", "failed", "expired/expired"]

    def test_a_call_under_way_is_waited_for(self, book: Book) -> None:
        job = followed(book, 1, "j1", b"1")
        call(book, job)
        book.receipt(b"1", "UNDELIVERABLE")
        assert book.commit(unfollows=[job.key]).outcomes == {}
        book.commit(settles=[book.settle_op(job, "missed", channel="voice")], unfollows=[job.key])
        assert book.story(job)[-1] == "undelivered/undelivered"

    def test_an_end_of_its_own_comes_first(self, book: Book) -> None:
        job = followed(book, 1, "j1", b"1")
        book.receipt(b"1", "UNDELIVERABLE")
        book.commit(finishes=[book.finish_op(job, "cancelled", "cancelled")], unfollows=[job.key])
        assert book.story(job)[-1] == "cancelled/cancelled"

    def test_one_that_never_left_is_left_alone(self, book: Book) -> None:
        job = book.accept(follow=1)
        assert book.commit(unfollows=[job.key, 999]).outcomes == {}
        assert book.outcome(job) is None


def test_a_call_of_which_nobody_knows_the_end(book: Book) -> None:
    """It may have been heard: the failure of the rest does not say otherwise."""
    job = followed(book, 1, "j1", b"1")
    call(book, job, "unknown")
    assert book.rows("SELECT * FROM unresolved") == []
    book.now = job.deadline_at + 1
    batch = book.receipt(b"1", "UNDELIVERABLE")
    assert (results(batch), batch.outcomes) == ([(1, "failed", True)], {"unknown": 1})
    assert "nobody knows whether the call was heard" in str(book.told[book.app][-1].reason)


def test_a_call_that_was_heard_outweighs_a_failure(book: Book) -> None:
    job = followed(book, 2, "j1", b"1")
    call(book, job, "completed")
    book.now = job.deadline_at + 1
    book.receipt(b"1", "UNDELIVERABLE")
    assert book.outcome(job) is None
    book.sweep(job.deadline_at + 3)
    last = book.told[book.app][-1]
    assert (last.type, last.outcome, last.attempt, last.channel) == ("completed", "delivered", 2, "voice")


def test_taken_back_by_its_carrier(book: Book) -> None:
    job = followed(book, 1, "j1", b"1")
    book.commit(recalls=[job.key])
    batch = book.receipt(b"1", "DELETED")
    assert (results(batch), batch.outcomes) == ([(1, "failed", True)], {"cancelled": 1})


@pytest.mark.parametrize("end", ["receipt", "finish"])
def test_nothing_leaves_for_a_job_that_ends_in_the_same_commit(book: Book, end: str) -> None:
    job = followed(book, 1, "j1", b"1")
    batch = Batch(intends=[book.intend_op(job)])
    if end == "receipt":
        batch.receipts = [book.receipt_op(b"1")]
    else:
        batch.finishes = [book.finish_op(job, "delivered", "converted")]
    book.commit_batch(batch)
    assert not batch.intends[0].applied
    assert book.rows("SELECT n FROM attempt") == [(1,)]


def test_channel_and_step_are_kept(book: Book) -> None:
    job = followed(book, 1, "j1", b"1", journey_name="code", klass="login", supersedes="login-7")
    call(book, job)
    found = book.reader().job(book.app, "j1")
    assert found is not None
    assert [(a["channel"], a["step"], a["carrier"]) for a in found["attempts"]] == [
        ("sms", 0, "north"), ("voice", 1, "west"),
    ]  # fmt: skip
    assert (found["follow"], found["journey"], found["class"], found["supersedes"]) == (
        1, "code", "login", "login-7",
    )  # fmt: skip


def test_only_the_followed_have_an_index(book: Book) -> None:
    followed(book, 0, "plain", b"1")
    followed(book, 1, "one", b"2", to=HANDSET)
    plan = " ".join(
        row[3]
        for row in book.rows(
            "EXPLAIN QUERY PLAN SELECT id FROM job WHERE outcome IS NULL AND follow > 0 AND deadline_at < 1"
        )
    )
    assert "job_followed" in plan


@pytest.mark.parametrize("end", ["receipt", "finish"])
def test_what_was_under_way_at_the_end_is_known_by_its_handset(book: Book, end: str) -> None:
    """The daemon was killed before the answer came, and a job that has ended is not recovered."""
    job = followed(book, 1, "j1", b"1")
    book.intend(job)
    book.receipt(b"1") if end == "receipt" else book.finish(job, "delivered", "converted")
    book.reopen()
    book.receipt(b"2", "UNDELIVERABLE")
    book.now += 20
    batch = book.sweep()
    assert (results(batch), batch.parked) == ([(2, "failed", True)], 0)
    assert book.rows("SELECT * FROM unresolved") == []


def test_what_is_answered_after_the_end_is_known(book: Book) -> None:
    job = followed(book, 1, "j1", b"1")
    book.intend(job)
    book.receipt(b"1")
    assert book.row("SELECT attempt FROM unresolved") == (2,)
    book.answer(job, b"2")
    assert book.rows("SELECT * FROM unresolved") == []
    assert results(book.receipt(b"2")) == [(2, "delivered", True)]


@pytest.mark.parametrize("follow", [1, 2])
def test_a_call_that_ends_after_the_last_look_at_its_job_was_heard_all_the_same(
    book: Book, follow: int
) -> None:
    job = followed(book, follow)
    call(book, job)
    book.sweep(job.deadline_at + 3.0)
    assert book.outcome(job) is None
    book.settle(job, "completed", channel="voice")
    book.sweep(job.deadline_at + 400.0)
    assert book.outcome(job) == "delivered"
