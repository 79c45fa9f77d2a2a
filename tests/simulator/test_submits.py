import asyncio
from collections import Counter

import pytest

from protocols.smpp.constants import CommandId, Status
from protocols.smpp.pdu import (
    HEADER,
    BindReceiver,
    BindTransmitter,
    DeliverSm,
    GenericNack,
    Message,
    SubmitSmResp,
    Unbind,
    encode,
)
from protocols.smpp.receipt import parse
from tests.simulator.esme import Carrier, Esme, carrier, text_to

pytestmark = pytest.mark.asyncio

NUMBER = "4915112345678"


def statuses(messages: list[Message]) -> list[int]:
    return [message.status for message in messages if message.command_id == CommandId.SUBMIT_SM_RESP]


def response_id(message: Message) -> bytes:
    assert isinstance(message.pdu, SubmitSmResp)
    return message.pdu.message_id


def receipt_id(deliver: DeliverSm) -> bytes:
    receipt = parse(deliver)
    assert receipt is not None
    return receipt.message_id


async def test_a_submit_is_answered_and_then_its_receipt_comes() -> None:
    async with carrier() as running:
        esme = await running.bound()
        answer = await esme.ask(text_to(NUMBER))
        assert (answer.command_id, answer.status) == (CommandId.SUBMIT_SM_RESP, 0)
        assert receipt_id(await esme.receipt()) == response_id(answer)
        assert await esme.settled() == []
        (received,) = running.smsc.handsets.inbox("+" + NUMBER)
        assert (received.text, received.sender) == ("Your code is 482917", "ACME")
        assert received.message_ids == (response_id(answer).decode(),)
        assert running.smsc.submissions.count(NUMBER, b"Your code is 482917") == 1
        stats = running.smsc.stats()
        assert [stats[name] for name in ("accepted", "responses", "receipts_sent", "receipts_answered")] == [
            1
        ] * 4


@pytest.mark.parametrize(
    ("registered", "undelivered", "expected"), [(0, 0, 0), (0, 1, 0), (2, 0, 0), (2, 1, 1), (1, 1, 1)]
)
async def test_receipts_come_only_where_they_are_asked_for(
    registered: int, undelivered: float, expected: int
) -> None:
    async with carrier(receipt_undelivered=undelivered) as running:
        esme = await running.bound()
        await esme.ask(text_to(NUMBER, registered_delivery=registered))
        assert len(await esme.settled()) == expected
        assert len(running.smsc.handsets) == (not undelivered)


@pytest.mark.parametrize(
    "form", ["same", "hex_in_response", "decimal_in_response", "upper", "lower", "zeros", "uuid"]
)
async def test_ids_are_spelt_as_asked_for(form: str) -> None:
    async with carrier(id_form=form) as running:
        esme = await running.bound()
        answer = response_id(await esme.ask(text_to(NUMBER)))
        receipt = receipt_id(await esme.receipt())
        bases = {
            "hex_in_response": (16, 10),
            "decimal_in_response": (10, 16),
            "upper": (16, 16),
            "lower": (16, 16),
        }
        of_answer, of_receipt = bases.get(form, (10, 10) if form != "uuid" else (16, 16))
        assert int(answer.replace(b"-", b""), of_answer) == int(receipt, of_receipt)
        assert (answer == receipt) == (form == "same")


async def test_above_the_rate_submits_are_throttled() -> None:
    async with carrier(throttle_tps=0.001, throttle_burst=3, throttle_status=0x14) as running:
        esme, other = await running.bound(), await running.bound()
        esme.burst(*[text_to(NUMBER)] * 5)
        other.send(text_to(NUMBER))
        assert statuses(await esme.settled()) == [0, 0, 0, 0x14, 0x14]
        assert statuses(await other.settled()) == [0]
        assert running.smsc.records.counters.throttled == 2


async def test_the_rate_may_be_the_accounts() -> None:
    async with carrier(throttle_tps=0.001, throttle_burst=3, throttle_scope="account") as running:
        first, second = await running.bound(), await running.bound()
        for esme in (first, second):
            esme.burst(*[text_to(NUMBER)] * 2)
            assert statuses(await esme.settled()) == ([0, 0] if esme is first else [0, 0x58])


async def test_tokens_come_back_with_time() -> None:
    async with carrier(throttle_tps=50, throttle_burst=1) as running:
        esme = await running.bound()
        seen: Counter[int] = Counter()
        begun = asyncio.get_running_loop().time()
        while seen[0] < 6:
            seen[(await esme.ask(text_to(NUMBER, registered_delivery=0))).status] += 1
        assert asyncio.get_running_loop().time() - begun >= 5 / 50 - 0.01
        assert seen[0x58] > 0


async def test_above_the_window_submits_are_refused() -> None:
    async with carrier(
        window_limit=3, window_status=0x14, response_delay="0.01", receipt_missing=1
    ) as running:
        esme = await running.bound()
        esme.burst(*[text_to(NUMBER)] * 5)
        answers = await esme.take(5)
        assert {answer.sequence: answer.status for answer in answers} == {2: 0, 3: 0, 4: 0, 5: 0x14, 6: 0x14}
        assert (await esme.ask(text_to(NUMBER))).status == 0
        assert running.smsc.records.counters.window_peak == 5


async def test_a_window_that_is_kept_is_never_refused() -> None:
    async with carrier(window_limit=3, receipt_missing=1) as running:
        esme = await running.bound()
        for _ in range(10):
            esme.burst(*[text_to(NUMBER)] * 3)
            assert statuses(await esme.take(3)) == [0, 0, 0]


async def test_responses_are_delayed() -> None:
    async with carrier(response_delay="fixed:0.05", receipt_delay="fixed:0.1") as running:
        esme = await running.bound()
        begun = asyncio.get_running_loop().time()
        assert (await esme.ask(text_to(NUMBER))).status == 0
        assert asyncio.get_running_loop().time() - begun >= 0.05
        await esme.receipt()
        assert asyncio.get_running_loop().time() - begun >= 0.1


async def test_refusals_are_delayed_like_other_responses() -> None:
    async with carrier(response_delay="0.05", throttle_tps=0.001, throttle_burst=1) as running:
        esme = await running.bound()
        begun = asyncio.get_running_loop().time()
        esme.burst(*[text_to(NUMBER, registered_delivery=0)] * 2)
        assert statuses(await esme.take(2)) == [0, 0x58]
        assert asyncio.get_running_loop().time() - begun >= 0.05


async def test_a_missing_response_still_delivers() -> None:
    async with carrier(response_missing=1) as running:
        esme = await running.bound()
        esme.send(text_to(NUMBER))
        assert [message.command_id for message in await esme.settled()] == [CommandId.DELIVER_SM]
        assert running.smsc.records.counters.responses_missing == 1


async def test_missing_and_duplicated_receipts() -> None:
    async with carrier(receipt_missing=1) as running:
        esme = await running.bound()
        await esme.ask(text_to(NUMBER))
        assert await esme.settled() == []
        running.smsc.set({"receipt_missing": 0, "receipt_duplicate": 1})
        answer = response_id(await esme.ask(text_to(NUMBER)))
        assert [receipt_id(await esme.receipt()) for _ in range(2)] == [answer, answer]
        assert await esme.settled() == []


@pytest.mark.parametrize("pair", [False, True])
async def test_an_early_receipt_comes_before_the_response(pair: bool) -> None:
    async with carrier(receipt_early=1, receipt_delay="5") as running:
        if pair:
            esme, receiver = await running.bound(BindTransmitter), await running.bound(BindReceiver)
            esme.send(text_to(NUMBER))
            await receiver.receipt()
            assert running.smsc.records.counters.responses == 0
        else:
            esme = await running.bound()
            esme.send(text_to(NUMBER))
            await esme.receipt()
        assert statuses([await esme.next()]) == [0]


async def test_receipts_come_on_another_bind_if_asked_for() -> None:
    async with carrier() as running:
        first, second, stranger = (
            await running.bound(),
            await running.bound(),
            await running.bound(account=b"other"),
        )
        await first.ask(text_to(NUMBER))
        await first.receipt()
        running.smsc.set({"receipt_other_bind": 1})
        answer = await first.ask(text_to(NUMBER))
        assert receipt_id(await second.receipt()) == response_id(answer)
        assert await first.settled() == await stranger.settled() == []


async def test_shuffled_receipts_are_all_there_in_another_order() -> None:
    async with carrier(receipt_shuffle=10) as running:
        esme = await running.bound()
        esme.burst(*[text_to(NUMBER)] * 25)
        answers = [response_id(message) for message in await esme.take(25)]
        # The last block is not full and leaves all the same.
        receipts = [receipt_id(await esme.receipt()) for _ in range(25)]
        assert receipts != answers
        assert sorted(receipts) == sorted(answers)


async def test_shuffling_changes_the_order_within_blocks_only() -> None:
    async with carrier(receipt_shuffle=10) as running:
        esme = await running.bound(BindTransmitter)
        esme.burst(*[text_to(NUMBER)] * 20)
        answers = [response_id(message) for message in await esme.take(20)]
        receiver = await running.bound(BindReceiver)
        receipts = [receipt_id(await receiver.receipt()) for _ in range(20)]
        assert receipts != answers
        assert set(receipts[:10]) == set(answers[:10]) and set(receipts[10:]) == set(answers[10:])


async def test_a_cut_answers_what_came_before_it() -> None:
    async with carrier(cut_after=4) as running:
        esme = await running.bound(BindTransmitter)
        esme.writer.write(b"".join(encode(text_to(NUMBER, b"%d" % n), sequence=n) for n in range(1, 11)))
        assert [message.sequence for message in await esme.take(3)] == [1, 2, 3]
        assert await esme.rest() == b""
        assert running.smsc.records.counters.accepted == 4
        assert running.smsc.submissions.count(NUMBER, b"4") == 1
        assert running.smsc.submissions.count(NUMBER, b"5") == 0
        receiver = await running.bound(BindReceiver)
        assert len({receipt_id(await receiver.receipt()) for _ in range(4)}) == 4


async def test_a_share_of_submits_cuts() -> None:
    async with carrier(cut_share=1) as running:
        esme = await running.bound(BindTransmitter)
        esme.send(text_to(NUMBER))
        assert await esme.rest() == b""


async def test_half_open_silence_keeps_the_socket() -> None:
    async with carrier(silence_after=2) as running:
        esme, other = await running.bound(), await running.bound()
        esme.writer.write(b"".join(encode(text_to(NUMBER), sequence=n) for n in range(2, 6)))
        assert statuses([await esme.next()]) == [0]
        assert (
            len({receipt_id(await other.receipt()) for _ in range(2)}) == 2
        )  # the second, and the unanswered first
        assert running.smsc.records.counters.accepted == 2
        assert len(running.smsc._connections) == 2
        await running.smsc.stop()
        assert await esme.rest() == b""


async def test_garbage_comes_instead_of_a_response() -> None:
    async def garbage() -> bytes:
        async with carrier(seed=4, garbage_share=1, receipt_missing=1) as running:
            esme = await running.bound()
            esme.send(text_to(NUMBER))
            return await asyncio.wait_for(esme.reader.read(1000), 5)

    found = await garbage()
    assert 16 <= len(found) <= 64
    assert found == await garbage()


async def test_slow_bytes_arrive_one_by_one_and_whole() -> None:
    async with carrier() as running:
        esme = await running.bound()
        running.smsc.set({"slow_byte_s": 0.001})
        begun = asyncio.get_running_loop().time()
        answer = await esme.ask(text_to(NUMBER, registered_delivery=0))
        assert answer.status == 0
        assert asyncio.get_running_loop().time() - begun >= 0.001 * 30


async def test_slow_bytes_are_all_written_before_the_end() -> None:
    async with carrier(slow_byte_s=0.0005) as running:
        esme = await running.bound()
        assert (await esme.ask(Unbind())).command_id == CommandId.UNBIND_RESP
        assert await esme.rest() == b""


async def receipts_after(running: Carrier, esme: Esme, amount: int) -> set[bytes]:
    return {receipt_id(await esme.receipt()) for _ in range(amount)}


async def test_unanswered_receipts_are_offered_again_after_a_reconnect() -> None:
    async with carrier(deliver_window=3) as running:
        esme = await running.bound()
        esme.burst(*[text_to(NUMBER)] * 5)
        answers = {response_id(message) for message in await esme.take(5)}
        answered = receipt_id(await esme.receipt())
        await esme.settled()
        await esme.close()
        again = await running.bound()
        assert await receipts_after(running, again, 4) == answers - {answered}
        assert await again.settled() == []
        assert running.smsc.stats()["receipts_answered"] == 5


async def test_the_deliver_window_is_kept() -> None:
    async with carrier(deliver_window=2) as running:
        esme = await running.bound()
        esme.burst(*[text_to(NUMBER)] * 5)
        found = await esme.settled()
        assert [message.command_id for message in found] == [CommandId.SUBMIT_SM_RESP] * 5 + [
            CommandId.DELIVER_SM
        ] * 2
        assert running.smsc.stats()["receipts_in_flight"] == 2
        assert running.smsc.stats()["receipts_ready"] == 3


@pytest.mark.parametrize("nack", [False, True])
async def test_a_refused_receipt_is_offered_again(nack: bool) -> None:
    async with carrier(receipt_retry_s=0.01) as running:
        esme = await running.bound()
        answer = response_id(await esme.ask(text_to(NUMBER)))
        if nack:
            message = await esme.next()
            esme.send(GenericNack(), sequence=message.sequence, status=Status.ESME_RINVCMDID)
        else:
            await esme.receipt(status=Status.ESME_RX_T_APPN)
        assert receipt_id(await esme.receipt()) == answer
        await esme.settled()
        stats = running.smsc.stats()
        assert (stats["receipts_refused"], stats["receipts_again"], stats["receipts_answered"]) == (1, 1, 1)


async def test_a_receipt_without_an_answer_is_offered_again() -> None:
    async with carrier(receipt_retry_s=0.01) as running:
        esme = await running.bound()
        answer = response_id(await esme.ask(text_to(NUMBER)))
        await esme.receipt(answer=False)
        assert receipt_id(await esme.receipt()) == answer


async def test_the_same_input_has_the_same_course_however_it_is_cut() -> None:
    stream = b"".join(encode(text_to(NUMBER, b"%d" % n), sequence=n) for n in range(2, 60))

    async def course(chunk: int) -> list[tuple[int, bytes]]:
        faults = {
            "response_missing": 0.3,
            "receipt_missing": 0.3,
            "receipt_duplicate": 0.2,
            "id_form": "upper",
        }
        async with carrier(seed=11, **faults) as running:
            esme = await running.bound()
            for start in range(0, len(stream), chunk):
                esme.writer.write(stream[start : start + chunk])
                await asyncio.sleep(0)
            found = await esme.settled()
        assert len({message.command_id for message in found}) == 2
        return sorted(
            (m.command_id, m.pdu.message_id if m.pdu.__class__ is SubmitSmResp else receipt_id(m.pdu))
            for m in found
        )

    whole = await course(len(stream))
    assert whole == await course(97)
    assert whole == await course(7)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"destination_addr": b""}, Status.ESME_RINVDSTADR),
        ({"destination_addr": b"nobody"}, Status.ESME_RINVDSTADR),
        ({"destination_addr": b"+" + NUMBER.encode()}, 0),
    ],
)
async def test_addresses_are_checked(fields: dict[str, bytes], status: int) -> None:
    async with carrier(receipt_missing=1) as running:
        esme = await running.bound()
        assert (await esme.ask(text_to(NUMBER, **fields))).status == status


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (NUMBER.encode(), b"1" * 21, Status.ESME_RINVDSTADR),
        (b"ACME", b"A" * 21, Status.ESME_RINVSRCADR),
        (b"000000001000000R", b"1000R", Status.ESME_RINVEXPIRY),
        (b"\0\0\x00000000001", b"\0\0tomorrow\x00000000001", Status.ESME_RINVSCHED),
        (b"\x13Your", b"\xf0Your", Status.ESME_RINVMSGLEN),
        (b"\x13Your code is 482917", b"\xff" + b"x" * 255, Status.ESME_RINVMSGLEN),
    ],
)
async def test_a_submit_no_codec_would_write_is_refused_and_the_bind_stays(
    old: bytes, new: bytes, status: int
) -> None:
    async with carrier(receipt_missing=1) as running:
        esme = await running.bound()
        right = encode(text_to(NUMBER, validity_period=b"000000001000000R"), sequence=9)
        body = right[16:].replace(old, new)
        assert body != right[16:]
        esme.writer.write(HEADER.pack(16 + len(body), CommandId.SUBMIT_SM, 0, 9) + body)
        assert statuses([await esme.next()]) == [status]
        assert (await esme.ask(text_to(NUMBER))).status == 0


async def test_stamps_in_the_text_are_measured() -> None:
    async with carrier() as running:
        esme = await running.bound()
        await esme.ask(text_to(NUMBER, b"T=%019d" % 1, registered_delivery=0))
        await esme.ask(text_to(NUMBER, b"no stamp", registered_delivery=0))
        latencies = running.smsc.records.latencies.as_json()
        assert latencies["count"] == 1
        assert latencies["p50_ms"] > 0


async def test_reset_forgets_what_was_counted() -> None:
    async with carrier() as running:
        esme = await running.bound()
        await esme.ask(text_to(NUMBER))
        await esme.receipt()
        running.smsc.reset()
        stats = running.smsc.stats()
        assert (stats["submits"], stats["handset_messages"], stats["submissions"]["total"]) == (0, 0, 0)
        assert (await esme.ask(text_to(NUMBER))).status == 0
