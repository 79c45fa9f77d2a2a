"""query_sm and cancel_sm: each is answered once, and none keeps back what has to leave."""

import asyncio
import contextlib
from pathlib import Path
from random import Random

import pytest

from connector.carriers.contract import SentPart
from connector.carriers.enquiries import Enquiries, Enquiry
from connector.carriers.smpp import SmppCarrier
from connector.carriers.throttle import TokenBucket
from connector.config import Account, Binds, Supports
from connector.config import Carrier as CarrierConfig
from connector.journal.ops import Query
from connector.metrics import CarrierMetrics
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.pdu import CancelSm, QuerySm, QuerySmResp
from tests.carriers.stage import Stage, Told, now, stage

T0 = 1_700_000_000.0


class Bind:
    def __init__(self, free: int = 4) -> None:
        self.enquiries_free = free
        self.asked: list[Enquiry] = []

    def enquire(self, enquiry: Enquiry, now: float) -> None:
        if len(enquiry.pdu.message_id) > 64:
            raise LocalProtocolError("message_id", "at most 64 octets")
        self.enquiries_free -= 1
        self.asked.append(enquiry)


class Desk:
    """Enquiries with what they were answered."""

    def __init__(self, tps: float = 1000.0) -> None:
        self.budget = TokenBucket(tps, T0)
        self.enquiries = Enquiries(self.budget, T0)
        self.answers: list[tuple[bytes, int | None]] = []

    def ask(self, id: bytes, *, cancel: bool = False, life_s: float = 60.0) -> None:
        def answered(status: int | None, _: QuerySmResp | None) -> None:
            self.answers.append((id, status))

        pdu = CancelSm(message_id=id) if cancel else QuerySm(message_id=id)
        self.enquiries.ask(Enquiry(pdu, answered, T0 + life_s))


def test_cancels_go_first() -> None:
    desk, bind = Desk(), Bind(2)
    desk.ask(b"query")
    desk.ask(b"cancel", cancel=True)
    desk.enquiries.pump([bind], T0)
    assert [enquiry.pdu.message_id for enquiry in bind.asked] == [b"cancel", b"query"]


def test_queries_leave_the_rate_to_the_messages() -> None:
    desk, bind = Desk(tps=100.0), Bind(10_000)
    for n in range(500):
        desk.ask(b"%d" % n)
    at: float | None = T0
    while at is not None and at < T0 + 10.0:
        at = desk.enquiries.pump([bind], at)
    assert 95 <= len(bind.asked) <= 102, "a tenth of 100 a second, for ten seconds"


def test_what_queries_take_is_missing_in_the_rate() -> None:
    desk, bind = Desk(tps=100.0), Bind()
    before = desk.budget.tokens(T0)
    desk.ask(b"1")
    desk.enquiries.pump([bind], T0)
    assert desk.budget.tokens(T0) == before - 1


def test_without_a_bind_each_is_answered_when_its_time_is_over() -> None:
    desk = Desk()
    desk.ask(b"cancel", cancel=True, life_s=10.0)
    desk.ask(b"query")
    assert desk.enquiries.pump([], T0) == T0 + 10.0
    assert desk.enquiries.pump([Bind(0)], T0 + 10.0) == T0 + 60.0
    assert desk.answers == [(b"cancel", None)]
    assert desk.enquiries.pump([], T0 + 60.0) is None
    assert desk.answers == [(b"cancel", None), (b"query", None)]
    assert not desk.enquiries


def test_an_id_that_no_query_can_carry() -> None:
    desk, bind = Desk(), Bind()
    for id in (b"1" * 65, b"2"):
        desk.ask(id)
    desk.enquiries.pump([bind], T0)
    assert desk.answers == [(b"1" * 65, None)]
    assert [enquiry.pdu.message_id for enquiry in bind.asked] == [b"2"]


def test_too_many_and_the_end() -> None:
    desk = Desk()
    for n in range(1_001):
        desk.ask(b"%d" % n)
    assert desk.answers == [(b"1000", None)]
    desk.enquiries.stop()
    assert len(desk.answers) == 1_001
    assert not desk.enquiries


def answering(port: int, told: Told, folder: Path, binds: dict[str, object]) -> SmppCarrier:
    password = folder / "password"
    password.write_text("secret")
    password.chmod(0o600)
    config = CarrierConfig(
        name="sim",
        password_path=str(password),
        account=Account(host="127.0.0.1", port=port, system_id="shop", password_file="password"),
        binds=Binds(tps=10_000.0),
        supports=Supports(query_sm=True, cancel_sm=True),
    )
    return SmppCarrier(
        config, account=1, max_parts=255, outcomes=told, metrics=CarrierMetrics(), now=now, rng=Random(1)
    )


async def sent_ids(play: Stage, number: int) -> list[tuple[bytes, str]]:
    """(message_id, recipient) of messages that the carrier has and still keeps."""
    attempts = play.send(*(play.job() for _ in range(number)))
    await play.told.until(lambda: all(play.told.of(attempt) for attempt in attempts))
    return [(bytes.fromhex(answer.raw), attempt.job.recipient) for attempt, answer in play.told.answers]


@pytest.mark.asyncio
async def test_more_than_a_bind_asks_at_once_without_other_traffic(tmp_path: Path) -> None:
    async with stage(answering, tmp_path, receipt_delay="fixed:30") as play:
        recalls = [
            play.carrier.recall(SentPart(1, id, "ACME", recipient))
            for id, recipient in await sent_ids(play, 10)
        ]
        async with asyncio.timeout(10.0):
            assert await asyncio.gather(*recalls) == [True] * 10


@pytest.mark.asyncio
async def test_queries_go_on_by_themselves(tmp_path: Path) -> None:
    async with stage(answering, tmp_path, receipt_missing=1.0) as play:
        queries = [
            Query(1, "sim", id.hex(), id, "ACME", recipient) for id, recipient in await sent_ids(play, 12)
        ]
        play.carrier.query(queries, now())
        await play.told.until(lambda: len(play.told.receipts) == 12)


@pytest.mark.asyncio
async def test_a_recall_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    async with stage(answering, tmp_path, receipt_delay="fixed:30") as play:
        ((id, recipient),) = await sent_ids(play, 1)
        waiting = asyncio.ensure_future(play.carrier.recall(SentPart(1, id, "ACME", recipient)))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        attempt = play.send(play.job())[0]
        await play.told.until(lambda: play.told.of(attempt))
        assert play.told.of(attempt) == ["sent"], "the answer has hurt nobody"
