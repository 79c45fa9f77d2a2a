import pytest

from connector.simulator.stories import PREFIX, STORIES
from protocols.smpp.constants import CommandId
from protocols.smpp.pdu import DeliverSm
from protocols.smpp.receipt import parse
from tests.simulator.esme import carrier, text_to


def number(last: int) -> str:
    return f"{PREFIX}{last:03}"


def test_every_reserved_number_has_a_story() -> None:
    assert set(STORIES) == {number(last).encode() for last in range(1000)}
    assert {STORIES[number(100 + late).encode()].fate.reports[0].after_s for late in range(1, 100)} == set(
        range(1, 100)
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("last", "course", "arrives"),
    [
        (0, ["response", "DELIVERED"], 1),
        (1, ["DELIVERED", "response"], 1),
        (2, ["response"], 1),
        (3, ["response"], 0),
        (4, ["DELIVERED"], 1),
        (5, [], 0),
        (6, ["response", "UNDELIVERABLE"], 0),
        (7, ["response", "EXPIRED"], 0),
        (8, ["response", "REJECTED"], 0),
        (9, ["response", "UNKNOWN"], 1),
        (10, ["response", "ACCEPTED"], 1),
        (11, ["response", "ACCEPTED", "DELIVERED"], 1),
        (12, ["response", "ENROUTE", "DELIVERED"], 1),
        (13, ["response", "DELIVERED", "DELIVERED"], 1),
        (14, ["response", "DELIVERED", "UNDELIVERABLE"], 1),
        (15, ["response", "DELETED"], 0),
        (40, ["0x0A"], 0),
        (51, ["0x42A"], 0),
        (500, ["response", "DELIVERED"], 1),
    ],
)
async def test_a_story_takes_its_course_whatever_faults_are_on(
    last: int, course: list[str], arrives: int
) -> None:
    async with carrier(receipt_missing=1, garbage_share=1) as running:
        esme = await running.bound()
        esme.send(text_to(number(last)))
        seen = []
        while len(seen) < len(course):
            message = await esme.next()
            if message.command_id == CommandId.SUBMIT_SM_RESP:
                seen.append(f"0x{message.status:02X}" if message.status else "response")
            else:
                assert isinstance(message.pdu, DeliverSm)
                receipt = parse(message.pdu)
                assert receipt is not None
                seen.append(receipt.state.value)
        assert seen == course
        assert await esme.settled() == []
        while running.smsc.stats()["scheduled"]:
            await esme.settled()
        assert await esme.settled() == []
        assert len(running.smsc.handsets.inbox(number(last))) == arrives


@pytest.mark.asyncio
@pytest.mark.parametrize(("last", "status"), [(23, 0x58), (32, 0x14)])
async def test_throttled_so_many_times_then_accepted_and_again(last: int, status: int) -> None:
    async with carrier() as running:
        esme = await running.bound()
        seen = []
        for _ in range(8):
            esme.send(text_to(number(last)))
            seen += [m.status for m in await esme.settled() if m.command_id == CommandId.SUBMIT_SM_RESP]
        refused = [status] * (last % 10)
        assert seen == ([*refused, 0] * 3)[:8]


@pytest.mark.asyncio
@pytest.mark.parametrize("last", [70, 71, 72])
async def test_a_story_may_end_the_conversation(last: int) -> None:
    async with carrier() as running:
        esme = await running.bound()
        esme.send(text_to(number(last)))
        await esme.writer.drain()
        counters = running.smsc.records.counters
        other = await running.bound()
        while not counters.receipts_sent and last != 72:
            await other.receipt()
        if last == 72:
            assert len(await esme.reader.read(100)) >= 16
        assert (counters.cuts, counters.silences, counters.garbage) == (last == 70, last == 71, last == 72)


@pytest.mark.asyncio
async def test_stories_can_be_turned_off() -> None:
    async with carrier(stories=False) as running:
        esme = await running.bound()
        assert (await esme.ask(text_to(number(40)))).status == 0


@pytest.mark.asyncio
async def test_a_plus_before_the_number_changes_nothing() -> None:
    async with carrier() as running:
        esme = await running.bound()
        assert (await esme.ask(text_to("+" + number(40)))).status == 0x0A
