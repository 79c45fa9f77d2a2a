"""Receipts whose ids are spelt otherwise than in the answer, once it is known how."""

import pytest

from protocols.smpp.id_keys import lookup_keys
from tests.journal.book import ANSWER_TIMEOUT_S, Book

OTHER = "+4915187654321"


# Forms of ids, once it is known which one the carrier uses


def known(id: bytes, form: str) -> dict[str, object]:
    """A receipt as it is looked up then."""
    return {"keys": tuple(pair for pair in lookup_keys(id) if pair[0] == form), "trusted": form}


@pytest.mark.rule("receipts.id-base")
@pytest.mark.parametrize(
    ("answered", "reported", "form"),
    [
        (b"812FC7470000001B", b"9308878062554710043", "hex_in_response"),
        (b"9308878062554710043", b"812FC7470000001B", "decimal_in_response"),
    ],
)
@pytest.mark.parametrize("learned", [False, True])
def test_the_vector_in_two_bases(
    book: Book, answered: bytes, reported: bytes, form: str, learned: bool
) -> None:
    """response 812FC7470000001B, receipt 9308878062554710043: the same number."""
    job = book.sent(answered)
    receipt = book.receipt_op(reported, **known(reported, form) if learned else {})
    book.commit(receipts=[receipt])
    assert (receipt.match, receipt.form) == ("id", form)
    assert book.outcome(job) == "delivered"
    assert book.row("SELECT form FROM part") == (form,)


def test_a_known_form_needs_no_handset(book: Book) -> None:
    job = book.sent(b"2A")
    assert book.receipt(b"42", address="SHOP").receipts[0].match == "parked"
    book.receipt(b"42", address="SHOP", **known(b"42", "hex_in_response"))
    assert book.outcome(job) == "delivered"


def test_a_known_form_reaches_no_other_message(book: Book) -> None:
    """Ids counted up, one handset: the hexadecimal of one is the decimal of another."""
    sixteen, twentytwo = book.sent(b"10", "16"), book.sent(b"16", "22")
    book.receipt(b"16", **known(b"16", "hex_in_response"))
    assert (book.outcome(sixteen), book.outcome(twentytwo)) == ("delivered", None)


def test_where_two_forms_fit_alike_the_match_is_no_evidence(book: Book) -> None:
    plain = book.sent(b"16", "plain")
    book.sent(b"10", "hexadecimal")
    batch = book.receipt(b"16")
    assert (batch.receipts[0].match, batch.receipts[0].form) == ("id", "")
    assert book.outcome(plain) == "delivered"


def test_where_two_forms_fit_alike_the_first_one_is_taken(book: Book) -> None:
    plain, hexadecimal = book.sent(b"16", "plain"), book.sent(b"10", "hexadecimal")
    keys = tuple(sorted(lookup_keys(b"16"), key=lambda pair: pair[0] != "hex_in_response"))
    book.receipt(b"16", keys=keys, trusted="")
    assert (book.outcome(plain), book.outcome(hexadecimal)) == (None, "delivered")


def test_no_form_is_trusted_alone_where_another_was_seen(book: Book) -> None:
    job = book.sent(b"16")
    assert book.receipt(b"16", address="99", trusted="").receipts[0].match == "parked"
    assert book.receipt(b"16", trusted="").receipts[0].match == "id"
    assert book.outcome(job) == "delivered"


def test_an_id_that_comes_into_use_long_after_its_receipt_is_anothers(book: Book) -> None:
    book.receipt(b"42", address="99")
    book.now += 600
    job = book.sent(b"42")
    assert book.outcome(job) is None
    assert book.row("SELECT count(*) FROM parked") == (1,)


def test_what_a_learned_form_does_not_find_is_looked_at_once_more(book: Book) -> None:
    """The carrier spells its ids in another way from now on, or has done so now and then."""
    job = book.sent(b"2A")
    stranger = book.sent(b"2B", "stranger", to=OTHER)
    narrow = {**known(b"42", "same"), "narrow": True}
    book.receipt(b"42", "ENROUTE", **narrow)
    book.receipt(b"42", **narrow)
    book.receipt(b"43", **known(b"43", "same"), narrow=True)  # not this handset's
    book.receipt(b"42", "ENROUTE", **known(b"42", "same"))  # the form stands in the file
    book.now += ANSWER_TIMEOUT_S - 1
    assert book.sweep().found == [], "an answer may still be on its way"
    assert book.reader().orphans(9, book.now)
    book.reopen()
    book.now += 2
    batch = book.sweep()
    assert [(receipt.match, receipt.form) for receipt in batch.found] == [("id", "hex_in_response")] * 2
    assert (book.outcome(job), book.outcome(stranger)) == ("delivered", None)
    assert book.rows("SELECT keys != ?, narrow FROM parked ORDER BY id", '[["same","42"]]') == [
        (0, 0),
        (1, 0),
    ]
    late = book.sent(b"43", "late")
    assert book.outcome(late) == "delivered", "it goes on to wait, under every form"


def test_the_forms_of_the_newest_messages_are_remembered(book: Book) -> None:
    for n in range(3):
        book.sent(b"2%d" % n, f"j{n}")
    book.receipt(b"20")
    book.receipt(b"%d" % 0x21)
    assert book.reader().recover(book.now).id_forms == {book.account: {"same": 1, "hex_in_response": 1}}


@pytest.mark.rule("receipts.week-late")
def test_a_week_late_and_after_a_restart(book: Book) -> None:
    book.store.close()
    book.retention_s = 8 * 86_400.0
    book.open()
    job = book.sent(b"2A")
    book.finish(job, "unknown", "unknown")
    book.now += 7 * 86_400.0
    book.sweep()
    book.reopen()
    batch = book.receipt(b"42")
    assert batch.receipts[0].match == "late"
    assert book.row("SELECT state, result FROM part") == ("DELIVERED", "delivered")
    assert book.outcome(job) == "unknown", "told before, and final"
