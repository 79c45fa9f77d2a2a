"""The daemon and a carrier that does everything wrong, and is honest afterwards.

Whatever it does, the daemon lives and keeps its memory, binds again, loses no job that it has accepted, sends
none twice without being told to, and goes on sending.
"""

import asyncio
from collections import Counter
from random import Random

import pytest

from protocols.smpp.constants import CommandId, Status, Tag
from protocols.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    UnbindResp,
    encode,
)
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, Site, until
from tests.fuzz.corpus import inputs
from tests.hostile.smsc import Conversation, HostileSmsc, Misdeed, frame, receipt

pytestmark = pytest.mark.asyncio

JOBS = 30
GROWTH_KIB = 40_000
BINDS = {"window": 5, "response_timeout_s": 3.0, "bind_timeout_s": 1.0, "enquire_link_s": 0.5}
WAITS = {"receipt_wait_s": 1.0}


async def started(site: Site, smsc: HostileSmsc, **binds: object) -> Daemon:
    lane = Lane((CarrierFile(smsc.port, binds={**BINDS, **binds}),), jobs=WAITS)
    return await asyncio.to_thread(site.start, lane)


async def submitted(shop: Application, jobs: int = JOBS, deadline_s: float = 5.0) -> list[str]:
    return await shop.submit_many(
        [shop.job(f"+44770091{n:04}", f"code {n}", deadline_s=deadline_s) for n in range(jobs)]
    )


async def outcomes(shop: Application, job_ids: list[str]) -> Counter[str | None]:
    """Every job has come to one end."""
    return Counter([(await shop.final(job_id)).outcome for job_id in job_ids])


async def goes_on(shop: Application, daemon: Daemon, site: Site, before_kib: int) -> None:
    """The carrier is honest again: a job arrives, and the daemon is as it was."""
    later = await shop.submit("+447700920000", "afterwards")
    assert (await shop.final(later)).outcome == "delivered"
    assert daemon.running
    assert "Traceback" not in daemon.log
    assert daemon.rss_kib() - before_kib < GROWTH_KIB


def sent_once(smsc: HostileSmsc) -> None:
    times = Counter((submit.destination_addr, submit.short_message) for submit in smsc.submits)
    assert [key for key, number in times.items() if number > 1] == []


# What a bind outlives


def answering(*answers: tuple[int, int]) -> dict[tuple[int, int], int]:
    return dict(Counter(answers))


RESP = 0x80000000
DELIVER_BODY = encode(DeliverSm(source_addr=b"447700900000", short_message=b"hi"), sequence=1)[16:]
RECEIPT = encode(receipt(SubmitSm(), b"none"), sequence=0xFFFFFFFF)

OUTLIVED: dict[str, tuple[bytes, dict[tuple[int, int], int]]] = {
    "truncated: a body cut in a field": (
        frame(CommandId.DELIVER_SM, DELIVER_BODY[:5]),
        answering((RESP | CommandId.DELIVER_SM, Status.ESME_RINVCMDLEN)),
    ),
    "truncated: sm_length beyond the end": (
        frame(CommandId.DELIVER_SM, DELIVER_BODY[:-1]),
        answering((RESP | CommandId.DELIVER_SM, Status.ESME_RINVMSGLEN)),
    ),
    "truncated: half a TLV": (
        frame(CommandId.DELIVER_SM, DELIVER_BODY + b"\x04\x27\x00"),
        answering((RESP | CommandId.DELIVER_SM, Status.ESME_RINVOPTPARSTREAM)),
    ),
    "truncated: no body at all": (
        frame(CommandId.DELIVER_SM),
        answering((RESP | CommandId.DELIVER_SM, Status.ESME_RINVCMDLEN)),
    ),
    "large but allowed": (
        encode(DeliverSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 60_000),)), sequence=7),
        answering((RESP | CommandId.DELIVER_SM, 0)),
    ),
    "unknown: a command": (
        frame(0x00000999, b"whatever"),
        answering((CommandId.GENERIC_NACK, Status.ESME_RINVCMDID)),
    ),
    "unknown: a response": (frame(0x80000999, b"whatever"), {}),
    "unknown: tags and numbers": (
        encode(
            DeliverSm(
                source_addr_ton=99, esm_class=0xC3, data_coding=0xF5, tlvs=((0xFFFF, b"?"), (0x1400, b""))
            ),
            sequence=0,
        ),
        answering((RESP | CommandId.DELIVER_SM, 0)),
    ),
    "out of state: bound once more": (encode(BindTransceiverResp(b"again"), sequence=1), {}),
    "out of state: a refused bind afterwards": (
        encode(BindTransceiverResp(), sequence=1, status=Status.ESME_RINVPASWD),
        {},
    ),
    "out of state: a bind from the SMSC": (
        encode(BindTransceiver(b"x", b"y"), sequence=5),
        answering((RESP | CommandId.BIND_TRANSCEIVER, Status.ESME_RINVBNDSTS)),
    ),
    "out of state: a submit_sm from the SMSC": (
        encode(SubmitSm(destination_addr=b"1", short_message=b"x"), sequence=5),
        answering((RESP | CommandId.SUBMIT_SM, Status.ESME_RINVBNDSTS)),
    ),
    "out of state: an unbind_resp nobody asked for": (encode(UnbindResp(), sequence=1), {}),
    "out of state: answers to nothing": (
        encode(SubmitSmResp(b"ghost"), sequence=0x7FFFFFFF)
        + encode(DeliverSmResp(), sequence=3)
        + encode(GenericNack(), sequence=0, status=Status.ESME_RINVCMDLEN),
        {},
    ),
    "duplicated: a receipt, a hundred times": (RECEIPT * 100, {(RESP | CommandId.DELIVER_SM, 0): 100}),
    "duplicated: every number an answer": (
        b"".join(encode(EnquireLinkResp(), sequence=n) for n in range(200)),
        {},
    ),
}


@pytest.mark.parametrize(("octets", "answers"), OUTLIVED.values(), ids=OUTLIVED)
async def test_the_bind_outlives_it(
    site: Site, smsc: HostileSmsc, octets: bytes, answers: dict[tuple[int, int], int]
) -> None:
    async def misdeed(conversation: Conversation) -> None:
        conversation.write(octets)

    smsc.at_bind = smsc.at_submit = misdeed
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        assert await outcomes(shop, await submitted(shop)) == {"delivered": JOBS}
        await goes_on(shop, daemon, site, before)
        await until(
            lambda: all(smsc.answers.count(answer) >= 2 * number for answer, number in answers.items()),
            f"answered by {answers}",
        )
    assert smsc.binds == 1, "the bind has been given up"
    assert smsc.done == 2
    sent_once(smsc)


async def test_responses_and_receipts_come_twice(site: Site, smsc: HostileSmsc) -> None:
    async def repeat(conversation: Conversation) -> None:
        write, conversation.write = conversation.write, lambda octets: write(octets * 2)  # type: ignore[method-assign]

    smsc.at_bind = repeat
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        job_ids = await submitted(shop)
        assert await outcomes(shop, job_ids) == {"delivered": JOBS}
        assert all(shop.types(job_id) == ["accepted", "sent", "delivered"] for job_id in job_ids)
        await goes_on(shop, daemon, site, before)
    assert smsc.binds == 1
    sent_once(smsc)


async def test_octets_come_one_by_one(site: Site, smsc: HostileSmsc) -> None:
    async def slow(conversation: Conversation) -> None:
        octets = bytearray()
        write, conversation.write = conversation.write, octets.extend  # type: ignore[method-assign]
        while not conversation.over:
            if octets:
                write(bytes(octets[:1]))
                del octets[:1]
            await asyncio.sleep(0)

    smsc.at_bind = slow
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        assert await outcomes(shop, await submitted(shop)) == {"delivered": JOBS}
        await goes_on(shop, daemon, site, before)
    assert smsc.binds == 1
    sent_once(smsc)


# What ends the connection


async def hang_up(conversation: Conversation) -> None:
    conversation.abort()


def writing(octets: bytes) -> Misdeed:
    async def misdeed(conversation: Conversation) -> None:
        conversation.write(octets)
        await conversation.ended()

    return misdeed


async def deaf_and_dumb(conversation: Conversation) -> None:
    """Half open: the connection stays, and nothing comes any more, whatever is asked."""
    conversation.write = lambda octets: None  # type: ignore[method-assign]
    await conversation.ended()


ENDED: dict[str, Misdeed] = {
    "truncated: half a header, then silence": writing(frame(CommandId.DELIVER_SM)[:9]),
    "truncated: half a body, then silence": writing(frame(CommandId.DELIVER_SM, DELIVER_BODY, length=5_000)),
    "truncated: the connection ends": hang_up,
    "oversized: 4 GB": writing(frame(CommandId.DELIVER_SM, b"x" * 1_000, length=0xFFFFFFFF)),
    "oversized: just too long": writing(frame(CommandId.DELIVER_SM, b"x" * 1_000, length=70_001)),
    "too short: 15": writing(frame(CommandId.DELIVER_SM, length=15)),
    "too short: 0": writing(bytes(64)),
    "unknown: another protocol": writing(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    "silent: half open": deaf_and_dumb,
}


@pytest.mark.parametrize("misdeed", ENDED.values(), ids=ENDED)
@pytest.mark.parametrize("when", ["at_open", "at_bind", "at_submit"])
async def test_the_daemon_binds_again(site: Site, smsc: HostileSmsc, misdeed: Misdeed, when: str) -> None:
    setattr(smsc, when, misdeed)
    if when == "at_open":
        smsc.answers_binds = False
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        job_ids = await submitted(shop)
        found = await outcomes(shop, job_ids)
        # What was under way is at most one window; its receipts cannot come any more.
        assert found["delivered"] + found["unknown"] == JOBS
        assert found["unknown"] <= (0 if when == "at_open" else BINDS["window"])
        await goes_on(shop, daemon, site, before)
    assert smsc.done == 1
    sent_once(smsc)


@pytest.mark.parametrize("octets", [b"", bytes(16), b"\xff" * 200], ids=["silence", "zeros", "ones"])
async def test_a_carrier_that_never_binds_anybody_takes_no_job_with_it(
    site: Site, smsc: HostileSmsc, octets: bytes
) -> None:
    smsc.answers_binds, smsc.times = False, 3
    smsc.at_open = writing(octets)
    daemon = await started(site, smsc, bind_timeout_s=0.3)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        assert await outcomes(shop, await submitted(shop)) == {"delivered": JOBS}
        await goes_on(shop, daemon, site, before)
    sent_once(smsc)


@pytest.mark.rule("smpp.time-out")
async def test_a_carrier_that_takes_everything_and_answers_nothing(site: Site, smsc: HostileSmsc) -> None:
    """Only enquire_link finds out; what was sent into it is unknown and not sent again."""
    smsc.answers_submits = False
    daemon = await started(site, smsc, response_timeout_s=0.3)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        found = await outcomes(shop, await submitted(shop))
        assert found["delivered"] + found["unknown"] == JOBS
        assert found["unknown"] >= BINDS["window"]
        await goes_on(shop, daemon, site, before)
    sent_once(smsc)


async def test_whatever_a_carrier_writes(site: Site, smsc: HostileSmsc, random: Random) -> None:
    """What fuzzing begins with, damaged at random, in twenty connections and at any time in them."""
    frames = [octets[1:] for name in ("framing", "session") for octets in inputs(name)]
    frames += [frame(int.from_bytes(octets[:4], "big"), octets[12:]) for octets in inputs("pdu")]

    async def write(conversation: Conversation) -> None:
        for _ in range(random.randint(1, 30)):
            octets = bytearray(random.choice(frames))
            for _ in range(random.choice((0, 0, 1, 2))):
                octets[random.randrange(len(octets))] = random.choice(
                    (0, 1, 0x7F, 0xFF, random.randrange(256))
                )
            conversation.write(bytes(octets))
            await conversation.written()
        conversation.abort()

    smsc.times, smsc.at_bind = 20, write
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        job_ids = await submitted(shop, 100, deadline_s=8.0)
        async with asyncio.timeout(40):
            while smsc.done < smsc.times:
                await asyncio.sleep(0.01)
        # It may refuse a message, and report one as failed, by numbers it has hit upon.
        ends = {"delivered", "undelivered", "unknown", "rejected", "expired"}
        assert set(await outcomes(shop, job_ids)) <= ends
        await goes_on(shop, daemon, site, before)
