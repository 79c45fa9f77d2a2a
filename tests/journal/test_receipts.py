"""Receipts in every order in which carriers send them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.journal import receipts as receipts_module
from connector.model import LiveJob
from tests.journal.book import HANDSET, Book

OTHER = "+4915187654321"


def test_after_the_answer(book: Book) -> None:
    job = book.sent(b"42")
    batch = book.receipt(b"42")
    assert batch.receipts[0].match == "id"
    assert batch.receipts[0].accepted_at == job.accepted_at
    assert batch.outcomes == {"delivered": 1}
    assert batch.ended == [(job.app, job.id)]
    assert book.story(job) == ["accepted", "sent", "delivered/delivered"]
    last = book.told[book.app][-1]
    assert (last.carrier, last.channel, last.attempt, last.reason) == ("north", "sms", 1, None)


@pytest.mark.rule("receipts.before-response")
def test_before_the_answer(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    early = book.receipt(b"42")
    assert (early.receipts[0].match, early.parked, early.found) == ("parked", 1, [])
    batch = book.answer(job, b"42")
    assert (batch.parked, [r.match for r in batch.found]) == (0, ["id"])
    assert book.story(job) == ["accepted", "sent", "delivered/delivered"]
    assert book.told[book.app][-1].carrier == "north"


def test_in_the_same_batch_as_the_answer(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    batch = book.commit(answers=[book.answer_op(job, b"42")], receipts=[book.receipt_op(b"42")])
    assert (batch.parked, batch.outcomes) == (0, {"delivered": 1})


@pytest.mark.rule("receipts.after-restart", "receipts.before-response")
def test_before_the_answer_and_across_a_restart(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.receipt(b"42", "ENROUTE")
    book.receipt(b"42", "UNDELIVERABLE")
    book.reopen()
    book.answer(job, b"42")
    assert book.outcome(job) == "undelivered"
    assert book.row("SELECT count(*) FROM parked_key") == (0,)


@pytest.mark.rule("receipts.final-stays", "receipts.repeats")
@pytest.mark.parametrize(("first", "then"), [("DELIVERED", "UNDELIVERABLE"), ("EXPIRED", "DELIVERED")])
@pytest.mark.parametrize("together", [False, True])
def test_a_final_state_never_goes_back(book: Book, first: str, then: str, together: bool) -> None:
    job = book.sent(b"42")
    receipts = [book.receipt_op(b"42", state) for state in (first, then, "ENROUTE", first)]
    batches = [receipts] if together else [[receipt] for receipt in receipts]
    for batch in batches:
        book.commit(receipts=batch)
    expected = "delivered" if first == "DELIVERED" else "expired"
    assert book.story(job) == ["accepted", "sent", f"{expected}/{expected}"]
    assert book.row("SELECT state FROM part") == (first,)
    if not together:
        assert [r.match for r in receipts] == ["id", "late", "late", "late"]


@pytest.mark.rule("receipts.esm-class")
def test_an_intermediate_state_is_noted_and_ends_nothing(book: Book) -> None:
    job = book.sent(b"42")
    assert book.receipt(b"42", "ENROUTE").chunks == []
    assert book.row("SELECT state, result FROM part") == ("ENROUTE", None)
    book.receipt(b"42", "DELIVERED")
    assert book.outcome(job) == "delivered"


@pytest.mark.rule("receipts.id-base", "receipts.id-case", "receipts.id-zeros", "receipts.id-dashes")
@pytest.mark.parametrize(
    ("answered", "reported"),
    [(b"0042", b"42"), (b"ABC-d", b"abcd"), (b"812FC7470000001B", b"9308878062554710043"), (b"42", b"2A")],
)
def test_an_id_in_another_spelling(book: Book, answered: bytes, reported: bytes) -> None:
    job = book.sent(answered)
    book.receipt(reported)
    assert book.outcome(job) == "delivered"


def test_of_two_spellings_the_handset_decides(book: Book) -> None:
    hexadecimal = book.sent(b"2A", "hex")  # 42 read as a number in hexadecimal
    plain = book.sent(b"42", "plain", to=OTHER)
    book.receipt(b"42", address=HANDSET[1:])
    assert (book.outcome(hexadecimal), book.outcome(plain)) == ("delivered", None)
    book.receipt(b"42", address=OTHER[1:])
    assert book.outcome(plain) == "delivered"


def test_of_two_spellings_and_no_such_handset_the_id_as_it_is_decides(book: Book) -> None:
    hexadecimal, plain = book.sent(b"2A", "hex"), book.sent(b"42", "plain")
    book.receipt(b"42", address="99")
    assert (book.outcome(hexadecimal), book.outcome(plain)) == (None, "delivered")


def test_another_spelling_counts_only_for_the_same_handset(book: Book) -> None:
    """Ids that are counted up: 16 comes before its answer, and 10 (16 in hexadecimal) is another's."""
    bystander = book.sent(b"10", "bystander", to=OTHER)
    job = book.accept("early")
    book.intend(job)
    book.receipt(b"16")
    assert book.outcome(bystander) is None
    book.answer(job, b"16")
    assert (book.outcome(job), book.outcome(bystander)) == ("delivered", None)


def test_the_handset_may_be_told_without_its_country(book: Book) -> None:
    job = book.sent(b"2A")
    book.receipt(b"42", address="015112345678")
    assert book.outcome(job) == "delivered"


def test_an_answer_for_another_spelling_leaves_the_receipt_parked(book: Book) -> None:
    job = book.accept("early")
    book.intend(job)
    book.receipt(b"16")
    book.sent(b"10", "bystander", to=OTHER)
    assert book.row("SELECT count(*) FROM parked") == (1,)
    book.answer(job, b"16")
    assert book.outcome(job) == "delivered"


@pytest.mark.rule("receipts.per-account")
def test_accounts_do_not_share_ids(book: Book) -> None:
    job = book.sent(b"42")
    elsewhere = book.store.account("other|acme")
    assert book.receipt(b"42", account=elsewhere).receipts[0].match == "parked"
    assert book.outcome(job) is None


def test_no_id_in_the_receipt_matches_no_message_without_id(book: Book) -> None:
    jobs = [book.sent(b"", f"j{n}", to=f"+49151000000{n}0") for n in range(3)]
    assert book.receipt(b"", address="49151000000").receipts[0].match == "parked"
    assert [book.outcome(job) for job in jobs] == [None] * 3
    assert book.row("SELECT count(DISTINCT key) FROM part") == (3,)


# What an SMSC answers to query_sm


def test_the_answer_to_a_query_counts_as_a_receipt_does(book: Book) -> None:
    job = book.sent(b"2A")
    query = {"keys": (("same", "2a"),), "kind": "query"}
    book.receipt(b"2A", "ENROUTE", **query)
    batch = book.receipt(b"2A", "UNDELIVERABLE", error="err 34", **query)
    assert batch.receipts[0].match == "id"
    assert book.story(job)[-1] == "undelivered/undelivered"
    assert book.told[book.app][-1].reason == "answer to query_sm UNDELIVERABLE err 34"


def test_the_answer_about_a_message_that_is_gone_is_not_parked(book: Book) -> None:
    batch = book.receipt(b"2A", keys=(("same", "2a"),), kind="query")
    assert (batch.parked, batch.receipts[0].match) == (0, "")


# Several parts


def long_job(book: Book, parts: int = 3) -> LiveJob:
    job = book.accept()
    book.intend(job, parts)
    book.commit(answers=[book.answer_op(job, b"id%d" % n, n, parts) for n in range(1, parts + 1)])
    return job


@pytest.mark.rule("receipts.all-parts")
def test_delivered_when_all_parts_are(book: Book) -> None:
    job = long_job(book)
    book.receipt(b"id2")
    book.receipt(b"id2")
    book.receipt(b"id1")
    assert book.outcome(job) is None
    book.receipt(b"id3")
    assert book.story(job) == ["accepted", "sent", "delivered/delivered"]


def test_all_parts_in_one_batch_end_it_once(book: Book) -> None:
    job = long_job(book)
    book.commit(receipts=[book.receipt_op(b"id%d" % n) for n in (3, 1, 2, 1)])
    assert book.story(job) == ["accepted", "sent", "delivered/delivered"]


@pytest.mark.rule("receipts.one-part")
@pytest.mark.parametrize("order", [(b"id1", b"id2"), (b"id2", b"id1")])
def test_undelivered_when_one_part_is(book: Book, order: tuple[bytes, bytes]) -> None:
    job = long_job(book)
    states = {b"id1": "DELIVERED", b"id2": "UNDELIVERABLE"}
    book.commit(receipts=[book.receipt_op(id, states[id]) for id in order])
    book.receipt(b"id3")
    assert book.story(job) == ["accepted", "sent", "undelivered/undelivered"]


def test_sent_is_not_told_after_a_part_has_failed(book: Book) -> None:
    job = book.accept()
    book.intend(job, 2)
    book.answer(job, b"id1", 1, 2)
    book.receipt(b"id1", "UNDELIVERABLE")
    book.answer(job, b"id2", 2, 2)
    book.receipt(b"id2")
    assert book.story(job) == ["accepted", "undelivered/undelivered"]


def test_a_failed_part_of_a_refused_attempt_ends_nothing(book: Book) -> None:
    job = book.accept()
    book.intend(job, 2)
    book.answer(job, b"id1", 1, 2)
    book.settle(job, "refused")  # in its second part: the job waits for another carrier
    book.receipt(b"id1", "UNDELIVERABLE")
    assert book.outcome(job) is None
    book.intend(job, 1, "south")
    book.answer(job, b"s1")
    book.receipt(b"s1")
    assert book.story(job) == ["accepted", "failed", "sent", "delivered/delivered"]


# Several attempts


def resent(book: Book) -> LiveJob:
    """Attempt 1 was answered late, attempt 2 had left by then."""
    job = book.accept(on_unknown="resend_once")
    book.intend(job)
    book.settle(job, "unknown")
    book.intend(job)
    book.answer(job, b"first", attempt=1, late=True)
    book.answer(job, b"second", attempt=2)
    return job


def test_one_failed_attempt_leaves_the_other_its_chance(book: Book) -> None:
    job = resent(book)
    book.receipt(b"first", "UNDELIVERABLE")
    assert book.outcome(job) is None
    book.receipt(b"second")
    assert book.story(job)[-1] == "delivered/delivered"


@pytest.mark.parametrize("together", [False, True])
def test_undelivered_when_all_attempts_failed(book: Book, together: bool) -> None:
    job = resent(book)
    receipts = [book.receipt_op(id, "UNDELIVERABLE") for id in (b"first", b"second")]
    for batch in [receipts] if together else [[receipt] for receipt in receipts]:
        book.commit(receipts=batch)
    assert [kind for kind in book.story(job) if "/" in kind] == ["undelivered/undelivered"]


def test_an_attempt_is_not_made_for_a_job_that_ended(book: Book) -> None:
    ended, other = book.sent(b"42", "ended"), book.accept("other")
    book.receipt(b"42")
    batch = book.commit(intends=[book.intend_op(ended), book.intend_op(other)])
    assert [intend.applied for intend in batch.intends] == [False, True]
    assert book.rows("SELECT job, n FROM attempt ORDER BY job") == [(ended.key, 1), (other.key, 1)]


def test_nothing_is_told_of_an_attempt_after_the_end(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.finish(job, "delivered", "converted")
    book.settle(job, "unknown")
    book.answer(job, b"42", late=True)
    book.receipt(b"42", "UNDELIVERABLE")
    assert book.story(job) == ["accepted", "converted/delivered"]


# Ends that no receipt decides


def test_a_receipt_and_an_end_in_one_batch(book: Book) -> None:
    job = book.sent(b"42")
    batch = book.commit(
        receipts=[book.receipt_op(b"42")], finishes=[book.finish_op(job, "unknown", "unknown")]
    )
    assert batch.finishes[0].applied is False
    assert book.story(job) == ["accepted", "sent", "delivered/delivered"]
    assert batch.outcomes == {"delivered": 1}


def test_two_ends_in_one_batch(book: Book) -> None:
    job = book.accept()
    batch = book.commit(
        finishes=[book.finish_op(job, "cancelled", "cancelled"), book.finish_op(job, "expired", "expired")]
    )
    assert [finish.applied for finish in batch.finishes] == [True, False]
    assert book.story(job) == ["accepted", "cancelled/cancelled"]


def test_the_refusal_that_ends_a_job_is_told_once(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.commit(
        settles=[book.settle_op(job, "refused")],
        finishes=[book.finish_op(job, "rejected", "failed", "north")],
    )
    assert book.story(job) == ["accepted", "failed/rejected"]
    last = book.told[book.app][-1]
    assert (last.carrier, last.channel, last.attempt) == ("north", "sms", 1)


def test_a_late_receipt_after_an_end(book: Book) -> None:
    job = book.sent(b"42")
    book.finish(job, "unknown", "unknown")
    assert book.receipt(b"42").receipts[0].match == "late"
    assert book.outcome(job) == "unknown"
    assert book.row("SELECT result FROM part") == ("delivered",)


def test_the_time_out_and_the_late_answer_in_one_batch(book: Book) -> None:
    job = book.accept(on_unknown="resend_once")
    book.intend(job)
    book.commit(settles=[book.settle_op(job, "unknown")], answers=[book.answer_op(job, b"42", late=True)])
    assert book.story(job) == ["accepted", "unknown", "sent"]
    assert book.row("SELECT result FROM attempt") == (None,)
    recovered = book.reader().recover(book.now)
    assert (recovered.waiting, recovered.outstanding, recovered.awaiting_receipt) == ([], [], 1)


# Ids given again


def test_an_id_given_again_belongs_to_the_newest(book: Book, caplog: pytest.LogCaptureFixture) -> None:
    old, new = book.sent(b"1", "old"), book.sent(b"1", "new", to=OTHER)
    assert "message ids given again while open" in caplog.text
    book.receipt(b"1", address=OTHER[1:])
    assert (book.outcome(old), book.outcome(new)) == (None, "delivered")
    # The old one was sent all the same: a restart must not take its answer for lost.
    recovered = book.reader().recover(book.now)
    assert (recovered.outstanding, recovered.awaiting_receipt) == ([], 1)


def test_an_id_given_again_after_the_end_is_nothing_to_tell(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    book.sent(b"1", "old")
    book.receipt(b"1")
    book.sent(b"1", "new")
    assert caplog.text == ""


def test_an_id_given_twice_in_one_batch(book: Book) -> None:
    jobs = [book.accept(f"j{n}") for n in range(3)]
    book.commit(intends=[book.intend_op(job) for job in jobs])
    book.commit(answers=[book.answer_op(job, b"1") for job in jobs])
    assert book.row("SELECT job FROM part WHERE key = '1'") == (jobs[2].key,)
    assert book.row("SELECT count(*) FROM part") == (3,)


# Bounds


def test_who_has_most_gives_way(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A carrier that floods us with receipts of nothing costs the others none of theirs."""
    monkeypatch.setattr(receipts_module, "MAX_PARKED", 12)
    quiet, busy = book.store.account("quiet|x"), book.store.account("busy|x")
    book.commit(receipts=[book.receipt_op(b"q%d" % n, account=quiet) for n in range(3)])
    book.commit(receipts=[book.receipt_op(b"b%d" % n, account=busy) for n in range(5)])
    for n in range(20):
        book.commit(receipts=[book.receipt_op(b"x%d-%d" % (n, m)) for m in range(7)])
    book.reopen()
    book.commit(receipts=[book.receipt_op(b"y%d" % n) for n in range(30)])
    held = dict(book.rows("SELECT account, count(*) FROM parked GROUP BY account"))
    assert held == {quiet: 3, busy: 4, book.account: 5}
    newest = [id for (id,) in book.rows("SELECT message_id FROM parked WHERE account = ? ORDER BY id", busy)]
    assert [bytes.fromhex(id) for id in newest] == [b"b1", b"b2", b"b3", b"b4"]


@given(st.dictionaries(st.integers(1, 9), st.integers(1, 60), max_size=9), st.integers(9, 100))
def test_shares_are_as_equal_as_can_be(held: dict[int, int], room: int) -> None:
    cut = receipts_module._shares(Counter(held), room)
    left = {account: cut.get(account, number) for account, number in held.items()}
    assert sum(left.values()) <= room
    assert all(cut[account] < held[account] for account in cut)
    if cut:
        assert len(set(cut.values())) == 1
        assert sum(left.values()) > room - len(held), "no more than needed"
        assert max(left.values()) == next(iter(cut.values())), "nobody keeps more than who gives way"
    else:
        assert sum(held.values()) <= room


@pytest.mark.rule("receipts.unmatched")
def test_parked_receipts_are_bounded(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts_module, "MAX_PARKED", 10)
    book.commit(receipts=[book.receipt_op(b"x%d" % n) for n in range(8)])
    batch = book.commit(receipts=[book.receipt_op(b"y%d" % n) for n in range(5)] + [book.handset_message()])
    assert (batch.parked, batch.unmatched) == (10, {"north": 4})
    assert book.row("SELECT count(*), count(DISTINCT parked) FROM parked_key") == (9, 9)
    assert book.commit(sweep_at=book.now).unmatched == {}


@pytest.mark.rule("receipts.never-mo")
def test_a_handsets_message_is_kept_and_is_no_receipt(book: Book) -> None:
    batch = book.commit(receipts=[book.handset_message()])
    assert (batch.parked, batch.receipts[0].match) == (1, "parked")
    (orphan,) = book.reader().orphans(10, book.now + 7)
    assert orphan == {
        "carrier": "north", "account": "smsc.example|acme", "at": book.now, "age_s": 7.0, "state": "MO",
        "error": "", "message_id": "", "raw": "",
    }  # fmt: skip
    assert book.reader().orphan_counts(book.now) == [], "no receipt"
    book.commit(receipts=[book.receipt_op(b"x"), book.handset_message()])
    shown = book.reader().orphans(2, book.now)
    assert [each["state"] for each in shown] == ["DELIVERED", "MO"], "receipts first"
