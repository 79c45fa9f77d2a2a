"""Messages from handsets: whole, in parts, again, for nobody, and after a crash."""

import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.journal import inbound as inbox
from connector.journal.inbound import REPEATED_S, Keyword, Reception, text_or_data
from connector.journal.ops import Batch, Inbound, InboundPart
from connector.journal.schema import MIGRATIONS
from connector.journal.store import connect
from protocols.gsm.coding import encode
from protocols.gsm.languages import Language
from protocols.rpc.event import Event
from tests.journal.book import HANDSET, START, Book
from tests.journal.test_wipe import codes_on_disk, fold, octets_on_disk

OURS = "12345"
WAIT_S = 600.0


def receiver(recipient: str) -> str | None:
    return "shop" if recipient == OURS else None


def keyword(text: str, handset: str) -> Keyword | None:
    assert handset.startswith("+")
    return ("stop", "en") if text == "STOP" else None


RECEPTION = Reception(receiver, keyword, WAIT_S)


@pytest.fixture
def book(tmp_path: Path) -> Generator[Book, None, None]:
    opened = Book(tmp_path / "journal.db", reception=RECEPTION)
    yield opened
    opened.store.connection.close()


def part(text: str = "Hello", index: int = 1, total: int = 1, **more: Any) -> InboundPart:
    codec = more.pop("codec", "ucs2")
    octets = more.pop("octets", None)
    many: dict[str, Any] = {"form": "udh8", "reference": 7} if total > 1 else {}
    return InboundPart(
        more.pop("handset", HANDSET), more.pop("recipient", OURS), codec,
        encode(text, codec or "latin1") if octets is None else octets,
        **{**many, "total": total, "index": index, **more},
    )  # fmt: skip


def op(
    book: Book, piece: InboundPart, connection: int = 1, standing: tuple[int, ...] = (1,), account: int = 0
) -> Inbound:
    return Inbound(account or book.account, "north", piece, connection, frozenset(standing), book.now, None)


def arrive(book: Book, *pieces: InboundPart, **more: Any) -> Batch:
    return book.commit(inbound=[op(book, piece, **more) for piece in pieces])


def fates(batch: Batch) -> list[str]:
    return [inbound.fate for inbound in batch.inbound]


def told(book: Book) -> list[Event]:
    return [event for event in book.told.get(book.app, []) if event.type == "received"]


def rows(book: Book, table: str) -> int:
    (count,) = book.row(f"SELECT count(*) FROM {table}")
    return int(count)


# Whole messages


def test_a_message_becomes_an_event(book: Book) -> None:
    batch = arrive(book, part("Grüße 🙂"))
    assert fates(batch) == ["told"]
    assert told(book) == [
        Event(
            seq=1, id="mo-1", at=START, type="received", channel="sms", carrier="north", from_=HANDSET,
            to=OURS, text="Grüße 🙂", parts=1,
        )
    ]  # fmt: skip
    assert batch.inbound_parts == 0
    assert batch.incomplete == {}


def test_the_event_shares_the_numbering_of_the_jobs(book: Book) -> None:
    book.accept("j1")
    arrive(book, part("one"), part("two"))
    book.accept("j2")
    assert [(event.seq, event.type) for event in book.told[book.app]] == [
        (1, "accepted"), (2, "received"), (3, "received"), (4, "accepted"),
    ]  # fmt: skip


def test_ids_are_never_given_again(book: Book) -> None:
    for text in "abc":
        arrive(book, part(text))
        book.now += 2 * REPEATED_S
        book.sweep()
        book.reopen()
    arrive(book, part("d"))
    assert [event.id for event in told(book)] == ["mo-1", "mo-2", "mo-3", "mo-4"]


def test_octets_that_are_no_text_are_told_as_data(book: Book) -> None:
    arrive(book, part(codec=None, octets=b"\x00\xff\x10"))
    (event,) = told(book)
    assert (event.text, event.data) == (None, "00ff10")


def test_an_empty_message_has_an_empty_text(book: Book) -> None:
    arrive(book, part(""))
    (event,) = told(book)
    assert (event.text, event.data) == ("", None)


def test_a_keyword_is_named(book: Book) -> None:
    arrive(book, part("STOP"))
    assert [(event.keyword, event.keyword_lang) for event in told(book)] == [("stop", "en")]


def test_no_text_in_what_is_printed(book: Book) -> None:
    batch = arrive(book, part("my secret"), part(codec=None, octets=b"my secret", reference=1))
    for shown in (repr(batch), repr(told(book))):
        assert "secret" not in shown
        assert b"secret".hex() not in shown
        assert HANDSET not in repr(told(book))


def test_a_number_of_nobody_is_parked(book: Book) -> None:
    batch = arrive(book, part("Hello", recipient="999"), part("x" * 70, 1, 2, recipient="999"))
    assert fates(batch) == ["parked", "parked"]
    assert batch.parked == 2
    assert told(book) == []
    assert rows(book, "inbound_part") == 0
    assert book.rows("SELECT keys, state FROM parked") == [("[]", "MO")] * 2


def test_a_journal_of_the_first_version_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = connect(path)
    connection.execute(MIGRATIONS[0])
    connection.pragma("user_version", 1)
    connection.close()
    book = Book(path, reception=RECEPTION)
    arrive(book, part("one"), pieces(TEXT, 2)[0])
    book.reopen()
    arrive(book, pieces(TEXT, 2)[1])
    assert [event.id for event in told(book)] == ["mo-1", "mo-2"]
    book.store.connection.close()


# Parts


def pieces(text: str, total: int, **more: Any) -> list[InboundPart]:
    """`text` cut anywhere, also within a character."""
    octets = encode(text, more.get("codec", "ucs2"))
    step = -(-len(octets) // total)
    return [
        part(index=number, total=total, octets=octets[(number - 1) * step : number * step], **more)
        for number in range(1, total + 1)
    ]


TEXT = "Der Zug nach Köln fährt heute nicht 🙂, bitte benutzen Sie den Bus 🙂🙂"


@pytest.mark.parametrize("seed", range(5))
def test_parts_in_any_order_and_repeated(book: Book, seed: int) -> None:
    rng = random.Random(seed)
    arriving = pieces(TEXT, 5) * 2
    rng.shuffle(arriving)
    there = set()
    for piece in arriving:
        arrive(book, piece)
        there.add(piece.index)
        assert rows(book, "inbound_part") == (0 if told(book) else len(there))
    (event,) = told(book)
    assert (event.text, event.parts, event.missing, event.id) == (TEXT, 5, (), "mo-1"), f"seed {seed}"
    assert rows(book, "inbound_part") == 0


def test_parts_in_one_commit_are_never_written(book: Book) -> None:
    batch = arrive(book, *reversed(pieces(TEXT, 3)))
    assert fates(batch) == ["waiting", "waiting", "told"]
    assert [event.text for event in told(book)] == [TEXT]
    assert rows(book, "inbound_part") == 0


def test_each_part_is_read_with_its_own_tables(book: Book) -> None:
    hindi = encode("नमस्ते", "gsm7", Language.HINDI, Language.HINDI)
    shifted = {"codec": "gsm7", "locking": Language.HINDI, "single": Language.HINDI}
    arrive(book, part(index=1, total=2, octets=hindi, **shifted), part(" ok", 2, 2, codec="gsm7"))
    assert [event.text for event in told(book)] == ["नमस्ते ok"]


def test_packed_septets_were_unpacked_before_and_join(book: Book) -> None:
    escape, euro = b"\x1b", b"\x65"  # an escape at the end of one part, its septet in the next
    for number, octets in ((1, b"A" + escape), (2, euro + b"B")):
        arrive(book, part(index=number, total=2, codec="gsm7_packed", octets=octets))
    assert [event.text for event in told(book)] == ["A€B"]


def test_messages_are_kept_apart(book: Book) -> None:
    other = book.store.account("other|acme")
    same = pieces(TEXT, 2)
    variants: list[tuple[dict[str, Any], int]] = [
        ({}, 0), ({"handset": "+4915100000001"}, 0), ({"reference": 8}, 0), ({"form": "udh16"}, 0),
        ({"form": "sar"}, 0), ({}, other),
    ]  # fmt: skip
    for more, account in variants:
        arrive(book, pieces(TEXT, 2, **more)[0], account=account)
    assert told(book) == []
    assert book.commit(sweep_at=book.now).inbound_parts == 6
    arrive(book, same[1])
    assert len(told(book)) == 1
    arrive(book, same[1], account=other)
    assert len(told(book)) == 2


def test_a_part_that_does_not_come(book: Book) -> None:
    first, _, third = pieces("a" * 30 + "b" * 30 + "c" * 30, 3)
    arrive(book, third)
    book.now += 10
    arrive(book, first)
    assert book.sweep(START + WAIT_S - 0.1).incomplete == {}
    batch = book.sweep(START + WAIT_S)
    assert batch.incomplete == {"north": 1}
    assert batch.inbound_parts == 0
    (event,) = told(book)
    assert (event.text, event.parts, event.missing) == ("a" * 30 + "c" * 30, 3, (2,))
    assert rows(book, "inbound_part") == 0
    assert book.sweep(START + 2 * WAIT_S).incomplete == {}


def test_characters_are_not_joined_over_a_gap(book: Book) -> None:
    high, low = b"\xd8\x3d", b"\xde\x42"  # 🙂, cut in two
    arrive(book, part(index=1, total=3, octets=high), part(index=3, total=3, octets=low))
    book.sweep(START + WAIT_S)
    assert [event.text for event in told(book)] == ["\ufffd\ufffd"]


def test_a_part_of_a_message_is_no_keyword(book: Book) -> None:
    arrive(book, part("STOP", 1, 2))
    book.sweep(START + WAIT_S)
    assert [(event.text, event.keyword) for event in told(book)] == [("STOP", None)]


def test_a_reference_used_again_ends_what_was_open(book: Book) -> None:
    old, new = pieces("o" * 20, 2), pieces("n" * 20, 2)
    arrive(book, old[0])
    batch = arrive(book, new[0])
    assert (fates(batch), batch.incomplete, batch.inbound_parts) == (["waiting"], {"north": 1}, 1)
    arrive(book, new[1])
    assert [(event.text, event.missing) for event in told(book)] == [("o" * 10, (2,)), ("n" * 20, ())]


def test_what_comes_after_the_time_out_is_a_message_of_its_own(book: Book) -> None:
    first, second = pieces("o" * 20, 2)
    arrive(book, first)
    book.now += WAIT_S
    book.sweep()
    arrive(book, second)
    book.now += WAIT_S
    book.sweep()
    assert [event.missing for event in told(book)] == [(2,), (1,)]


def test_parts_survive_a_crash(book: Book) -> None:
    first, second, third = pieces(TEXT, 3)
    arrive(book, first)
    arrive(book, third)
    book.reopen()
    assert book.commit(sweep_at=book.now).inbound_parts == 2
    assert fates(arrive(book, first)) == ["repeated"]
    assert fates(arrive(book, second)) == ["told"]
    assert [event.text for event in told(book)] == [TEXT]


def test_the_time_out_counts_from_the_first_part_also_after_a_crash(book: Book) -> None:
    arrive(book, pieces(TEXT, 2)[1])
    book.now += WAIT_S / 2
    book.reopen()
    assert book.sweep(START + WAIT_S - 1).incomplete == {}
    assert book.sweep(START + WAIT_S).incomplete == {"north": 1}


def test_what_has_lost_its_application_is_parked(book: Book) -> None:
    arrive(book, pieces(TEXT, 2)[0])
    book.reception = Reception()
    book.reopen()
    batch = book.sweep(START + WAIT_S)
    assert (batch.parked, batch.incomplete, batch.inbound_parts) == (1, {}, 0)


def test_one_account_cannot_fill_the_memory(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MAX_PARTS_OF_ACCOUNT", 10)
    for reference in range(13):
        arrive(book, *pieces(TEXT, 3, reference=reference)[:2])
    assert [event.missing for event in told(book)] == [(3,)] * 8
    assert rows(book, "inbound_part") == 10
    assert book.row("SELECT min(reference) FROM inbound_part") == (8,)


def test_all_accounts_together_are_bounded_and_the_oldest_go_first(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_PARTS", 6)
    accounts = [book.store.account(f"{name}|acme") for name in "abc"]
    for reference in range(3):
        for account in accounts:
            book.now += 1
            batch = arrive(book, pieces(TEXT, 3, reference=reference)[0], account=account)
    assert batch.inbound_parts == 6
    assert book.rows("SELECT DISTINCT reference FROM inbound_part ORDER BY 1") == [(1,), (2,)]
    assert len(told(book)) == 3


def test_a_reload_between_two_parts_of_one_step_is_harmless(book: Book) -> None:
    asked = []

    def fickle(recipient: str) -> str | None:
        asked.append(recipient)
        return "shop" if len(asked) % 2 else None

    book.reception = Reception(fickle)
    book.reopen()
    batch = arrive(book, *(part(str(n)) for n in range(4)))
    assert fates(batch) == ["told", "parked"] * 2
    assert len(asked) == 4


def test_what_the_application_has_leaves_no_trace(book: Book) -> None:
    arrive(book, *(part(f"CODE-{n:06}" + "x" * n, codec="latin1") for n in range(0, 900, 7)))
    arrive(book, *pieces("CODE-123456" * 3, 3, codec="latin1")[1:])
    assert codes_on_disk(book) == set()
    book.sweep(book.now + WAIT_S)
    sealed = [frames[:60] for (frames,) in book.rows("SELECT frames FROM event")]
    assert sealed and all(each in octets_on_disk(book) for each in sealed)
    book.acknowledge(told(book)[-1].seq)
    book.sweep()
    fold(book)
    assert codes_on_disk(book) == set()
    assert not any(each in octets_on_disk(book) for each in sealed)


# Again


def test_a_part_of_what_was_told_comes_again(book: Book) -> None:
    arrive(book, *pieces(TEXT, 3))
    book.now += 60
    batch = arrive(book, *pieces(TEXT, 3), connection=2, standing=(2,))
    assert fates(batch) == ["repeated"] * 3
    assert len(told(book)) == 1
    assert rows(book, "inbound_part") == 0


def test_the_same_words_on_the_same_connection_are_meant(book: Book) -> None:
    arrive(book, part("1"))
    book.now += 5
    arrive(book, part("1"))
    book.now += 5
    arrive(book, part("1"), connection=2, standing=(1, 2))  # another bind, while the first one stands
    book.now += 5
    arrive(book, part("1"), connection=2, standing=(1,))  # one that is about to end
    arrive(book, part("1"), connection=2, standing=(1,))
    assert [event.id for event in told(book)] == [f"mo-{n}" for n in range(1, 6)]


@pytest.mark.parametrize("crash", [False, True])
def test_a_message_that_was_not_answered_comes_again(book: Book, crash: bool) -> None:
    arrive(book, part("1"), part("2"))
    if crash:
        book.reopen()
    book.now += 60
    batch = arrive(book, part("1"), part("3"), part("2"), connection=2, standing=(2,))
    assert fates(batch) == ["repeated", "told", "repeated"]
    assert [event.text for event in told(book)] == ["1", "2", "3"]


def test_as_often_as_it_was_meant_it_may_come_again(book: Book) -> None:
    arrive(book, part("1"), part("1"))
    second = {"connection": 2, "standing": (2,)}
    assert fates(arrive(book, part("1"), part("1"), part("1"), **second)) == ["repeated", "repeated", "told"]
    # And the repetitions may get lost like the first.
    third = {"connection": 3, "standing": (3,)}
    assert fates(arrive(book, *[part("1")] * 4, **third)) == ["repeated"] * 3 + ["told"]
    assert len(told(book)) == 4


def test_with_a_reference_of_its_own_it_is_known_anywhere(book: Book) -> None:
    arrive(book, part("1", reference=5))
    assert fates(arrive(book, part("1", reference=5), part("1", reference=6))) == ["repeated", "told"]


def test_after_minutes_it_is_another_message(book: Book) -> None:
    arrive(book, part("1", reference=5))
    book.now += REPEATED_S + 1
    assert fates(arrive(book, part("1", reference=5))) == ["told"]
    book.now += REPEATED_S + 1
    book.sweep()
    assert rows(book, "inbound_told") == 0


def test_a_clock_that_was_ahead_before_the_start_keeps_nothing_back(book: Book) -> None:
    """What was told or kept then lies in the future now."""
    book.now += 86_400
    arrive(book, part("YES"), part("first", 1, 2))
    book.now -= 86_400
    book.reopen()
    assert fates(arrive(book, part("YES"), connection=2, standing=(2,))) == ["told"]
    book.sweep()
    book.now += WAIT_S + 1
    book.sweep()
    assert [event.text for event in told(book)] == ["YES", "YES", "first"]
    assert (rows(book, "inbound_part"), rows(book, "inbound_told")) == (0, 1)


def test_what_was_told_is_remembered_without_its_words(book: Book) -> None:
    arrive(book, part("my secret", codec="latin1"))
    ((digest, _, _),) = book.rows("SELECT * FROM inbound_told")
    assert len(digest) == 32
    assert b"my secret".hex() not in str(book.rows("SELECT * FROM inbound_told"))


def test_the_memory_of_what_was_told_is_bounded(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MAX_TOLD", 4)
    arrive(book, *(part(str(n)) for n in range(6)))
    arrive(book, part("6"), part("5"))
    assert rows(book, "inbound_told") == 4
    again = arrive(book, *(part(str(n)) for n in range(7)), connection=2, standing=(2,))
    assert fates(again)[:3] == ["told"] * 3


# Whatever comes


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_message_is_told_once_whole_or_with_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.text("abcä🙂", min_size=8, max_size=30), min_size=1, max_size=4))
    sent = [
        piece
        for reference, text in enumerate(texts)
        for piece in pieces(text, data.draw(st.integers(2, 4)), reference=reference)
    ]
    lost = data.draw(st.sets(st.integers(0, len(sent) - 1), max_size=3))
    arriving = [piece for index, piece in enumerate(sent) if index not in lost]
    arriving += data.draw(st.lists(st.sampled_from(arriving), max_size=5)) if arriving else []
    arriving = data.draw(st.permutations(arriving))
    book = Book(tmp_path_factory.mktemp("inbox") / "journal.db", reception=RECEPTION)
    try:
        for piece in arriving:
            arrive(book, piece)
            if data.draw(st.booleans()):
                book.reopen()
        book.sweep(book.now + WAIT_S)
        expected = []
        for reference in range(len(texts)):
            there = [piece for piece in sent if piece.reference == reference and piece in arriving]
            if there:
                missing = set(range(1, there[0].total + 1)) - {piece.index for piece in there}
                expected.append((text_or_data(there)[0], tuple(sorted(missing))))
        assert sorted((event.text or "", event.missing) for event in told(book)) == sorted(
            (text or "", missing) for text, missing in expected
        )
        for event in told(book):
            if not event.missing:
                assert event.text in texts
        assert rows(book, "inbound_part") == 0
    finally:
        book.store.connection.close()
