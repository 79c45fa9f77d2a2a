"""One test for every carrier: each numbered rule of connector.carriers.contract, against a simulated peer.

A carrier enters by a line in CARRIERS. What it reports is compared with what the other side really got.
"""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from connector.carriers.contract import Attempt, Unsendable
from connector.simulator.message_ids import SPELLINGS
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from tests.carriers.stage import CARRIERS, MAX_PARTS, PATIENCE_S, WINDOW, Make, Told, now, stage

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=list(CARRIERS.values()), ids=list(CARRIERS))
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


# Rule 1: room


async def test_1_there_is_no_room_before_the_peer_is_there(make: Make, tmp_path: Path) -> None:
    smsc, told = Smsc(SmscOptions(), seed=1), Told()
    port = await smsc.start()
    carrier = make(port, told, tmp_path, {})
    assert carrier.room(now()) == 0
    carrier.start()
    assert carrier.room(now()) == 0
    await told.until(lambda: carrier.room(now()) > 0)
    await smsc.stop()
    await carrier.stop()
    assert carrier.room(now()) == 0


async def test_1_room_counts_what_is_prepared_and_what_is_under_way(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, response_delay="fixed:0.2") as it:
        room = it.carrier.room(now())
        it.send(it.job())
        assert it.carrier.room(now()) == room - 1
        (long,) = it.send(it.job(text="long " * 60))
        assert long.parts == 2
        assert it.carrier.room(now()) == room - 3
        while it.carrier.room(now()) > 0:
            it.send(it.job())
        await it.told.until(
            lambda: len(it.told.endings) == len({id(a) for _, a in it.told.endings}) >= room - 2
        )
        assert it.counted("window_peak") <= WINDOW
        assert it.carrier.room(now()) > 0


async def test_1_room_follows_the_rate(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, {"tps": 20.0}) as it:
        at = now()
        it.send(*(it.job() for _ in range(it.carrier.room(at))))
        assert it.carrier.room(now()) == 0
        again = it.carrier.room_at(now())
        assert again is not None
        assert at < again <= at + 0.2


# Rule 2: prepare


async def test_2_what_cannot_leave_is_unsendable_and_takes_no_room(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path) as it:
        room = it.carrier.room(now())
        with pytest.raises(Unsendable, match="part"):
            it.carrier.prepare(it.job(text="x" * 153 * (MAX_PARTS + 1)), now())
        assert it.carrier.room(now()) == room
        it.send(it.job())
        await it.told.until(lambda: it.told.endings)
        assert it.counted("submits") == 1


# Rule 3: send


async def test_3_nothing_leaves_before_send(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path) as it:
        prepared = it.carrier.prepare(it.job(), now())
        it.carrier.pump(now())
        (other,) = it.send(it.job())
        await it.told.until(lambda: it.told.of(other))
        assert it.arrived(prepared) == 0
        it.carrier.send(prepared, now())
        it.carrier.pump(now())
        await it.told.until(lambda: it.told.of(prepared))
        assert (it.told.of(prepared), it.arrived(prepared)) == (["sent"], 1)


async def test_3_the_message_is_what_the_job_says(make: Make, tmp_path: Path) -> None:
    texts = ["Your code is 482917", "Ваш код 482917", "[€{}]" * 40, "验证码 482917 👩‍👩‍👧" * 5]
    async with stage(make, tmp_path) as it:
        attempts = it.send(*(it.job(text=text) for text in texts))
        await it.told.until(lambda: len(it.told.endings) == len(texts))
        for attempt, text in zip(attempts, texts, strict=True):
            (received,) = it.smsc.handsets.inbox(attempt.job.recipient)
            assert (received.text, received.sender, received.parts) == (text, "ACME", attempt.parts)


# Rule 4: one ending, and the true one

FAULTS: dict[str, dict[str, object]] = {
    "none": {},
    "late": {"response_delay": "uniform:0,0.3"},
    "throttled": {"throttle_tps": 150, "throttle_burst": 5},
    "above the window": {"window_limit": 8, "window_status": 0x14, "response_delay": "fixed:0.02"},
    "refused": {"window_limit": 3, "window_status": 0x45, "response_delay": "fixed:0.02"},
    "missing": {"response_missing": 0.3},
    "cut": {"cut_share": 0.1},
    "silent": {"silence_share": 0.1},
    "garbage": {"garbage_share": 0.1},
    "slow": {"slow_byte_s": 0.0005},
    "all": {
        "throttle_tps": 100, "throttle_burst": 3, "response_missing": 0.1, "cut_share": 0.05,
        "response_delay": "uniform:0,0.6", "receipt_early": 0.5,
    },
}  # fmt: skip


@pytest.mark.rule("smpp.time-out")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_4_every_attempt_ends_once_and_truly(
    make: Make, tmp_path: Path, fault: dict[str, object]
) -> None:
    binds: dict[str, object] = {"count": 2, "enquire_link_s": 0.3}
    async with stage(make, tmp_path, binds, **fault) as it:
        attempts: list[Attempt] = []
        while len(attempts) < 60:
            await it.until_room()
            attempts += it.send(it.job(text="long " * 60 if len(attempts) % 10 == 9 else None))
        async with asyncio.timeout(PATIENCE_S):
            await it.carrier.drain()
        for attempt in attempts:
            endings = it.told.of(attempt)
            first, later = endings[0], endings[1:]
            # Rule 5: a late answer may correct `unknown`, once.
            assert not later or (first == "unknown" and len(later) == 1), endings
            if endings[-1] == "sent":
                assert it.arrived(attempt) == 1
            if endings[-1] == "unsent" or (endings[-1] == "refused" and attempt.parts == 1):
                assert it.arrived(attempt) == 0
        counts = Counter(ending for ending, _ in it.told.endings)
        if not fault or "response_delay" in fault or "throttle_tps" in fault:
            assert counts["sent"] > 0
        if "refused" in counts:
            assert fault.get("window_status") == 0x45 or "throttle_tps" in fault
        assert it.smsc.submissions.as_json()["repeated"] == 0, "nothing was accepted twice"


async def test_4_what_has_not_left_when_the_link_ends_is_unsent(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, {"tps": 10.0}, response_delay="fixed:0.05") as it:
        prepared = [it.carrier.prepare(it.job(), now()) for _ in range(5)]
        for attempt in prepared:
            it.carrier.send(attempt, now())
        it.carrier.pump(now())
        await it.until_counted("submits", 1)
        it.smsc.unbind()
        await it.told.until(lambda: len(it.told.endings) == 5)
        endings = Counter(it.told.of(attempt)[0] for attempt in prepared)
        assert endings["unsent"] >= 3
        for attempt in prepared:
            if it.told.of(attempt) == ["unsent"]:
                assert it.arrived(attempt) == 0


async def test_4_an_attempt_sent_to_a_bind_that_has_gone_is_unsent(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path) as it:
        prepared = it.carrier.prepare(it.job(), now())
        await it.smsc.stop()
        async with asyncio.timeout(PATIENCE_S):
            while it.carrier.room(now()):
                await asyncio.sleep(0.002)
        it.carrier.send(prepared, now())
        it.carrier.pump(now())
        assert it.told.of(prepared) == ["unsent"]


# Rule 5: late answers


@pytest.mark.rule("smpp.tombstones", "smpp.time-out")
async def test_5_a_late_answer_corrects_unknown(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, response_delay="fixed:0.8") as it:
        (attempt,) = it.send(it.job())
        await it.told.until(lambda: len(it.told.endings) == 2)
        assert it.told.of(attempt) == ["unknown", "sent"]
        ((_, answer),) = it.told.answers
        assert answer.late


async def test_5_a_late_refusal_corrects_unknown(make: Make, tmp_path: Path) -> None:
    refusals: dict[str, object] = {"throttle_tps": 0.001, "throttle_burst": 1, "throttle_status": 0x45}
    async with stage(make, tmp_path, None, response_delay="fixed:0.8", **refusals) as it:
        taken, refused = it.send(it.job(), it.job())
        await it.told.until(lambda: len(it.told.endings) == 4)
        assert it.told.of(taken) == ["unknown", "sent"]
        assert it.told.of(refused) == ["unknown", "refused"]


async def test_5_a_late_throttling_is_not_sent_again_by_itself(make: Make, tmp_path: Path) -> None:
    """The owner was told `unknown` and may have sent another: the carrier must not, on its own."""
    refusals: dict[str, object] = {"throttle_tps": 0.001, "throttle_burst": 1}
    async with stage(make, tmp_path, None, response_delay="fixed:0.8", **refusals) as it:
        _, throttled = it.send(it.job(), it.job())
        await it.told.until(lambda: len(it.told.endings) == 4)
        assert it.told.of(throttled) == ["unknown", "refused"]
        assert it.counted("submits") == 2


# Rule 6: the deadline


async def test_6_nothing_leaves_after_the_deadline(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, {"tps": 5.0}) as it:
        attempts = it.send(*(it.job(deadline_s=0.3) for _ in range(6)))
        await it.told.until(lambda: len(it.told.endings) == 6)
        endings = [it.told.of(attempt)[0] for attempt in attempts]
        assert set(endings) == {"sent", "unsent"}
        assert endings.count("sent") <= 3
        assert len(it.smsc.handsets) == endings.count("sent")


async def test_6_a_throttled_part_does_not_leave_after_the_deadline(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, throttle_tps=0.001, throttle_burst=1) as it:
        taken, late = it.send(it.job(), it.job(deadline_s=0.4))
        await it.told.until(lambda: len(it.told.endings) == 2)
        assert (it.told.of(taken), it.told.of(late)) == (["sent"], ["unsent"])


# Rule 7: receipts

RECEIPTS: dict[str, dict[str, object]] = {
    "plain": {},
    "late": {"receipt_delay": "uniform:0,0.2"},
    "early": {"receipt_early": 1},
    "shuffled": {"receipt_shuffle": 5},
    "on another bind": {"receipt_other_bind": 1},
    **{f"id {form}": {"id_form": form} for form in SPELLINGS},
    "text": {"receipt_form": "text"},
    "tlv": {"receipt_form": "tlv"},
}


@pytest.mark.rule("receipts.commit-first")
@pytest.mark.parametrize("fault", RECEIPTS.values(), ids=RECEIPTS.keys())
async def test_7_a_receipt_is_answered_after_its_commit_and_names_its_message(
    make: Make, tmp_path: Path, fault: dict[str, object]
) -> None:
    async with stage(make, tmp_path, {"count": 2}, **fault) as it:
        attempts = it.send(*(it.job() for _ in range(10)))
        await it.told.until(lambda: len(it.told.receipts) == 10 and len(it.told.answers) == 10)
        await it.until_counted("receipts_sent", 10)
        assert it.counted("receipts_answered") == 0
        keys = {answer.key: attempt for attempt, answer in it.told.answers}
        for receipt in it.commit_receipts():
            (attempt,) = {id(keys[key]): keys[key] for _, key in receipt.keys if key in keys}.values()
            assert attempt in attempts
            assert (receipt.result, receipt.account) == ("delivered", it.carrier.account)
            assert receipt.address == attempt.job.recipient[1:]
        await it.until_counted("receipts_answered", 10)
        assert it.counted("receipts_refused") == 0


@pytest.mark.rule("receipts.repeats")
async def test_7_a_repeated_receipt_is_told_and_answered_again(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, receipt_duplicate=1) as it:
        it.send(it.job())
        await it.told.until(lambda: len(it.told.receipts) == 2)
        it.commit_receipts()
        await it.until_counted("receipts_answered", 2)


async def test_7_a_receipt_that_was_not_answered_when_the_link_ended_comes_again(
    make: Make, tmp_path: Path
) -> None:
    async with stage(make, tmp_path) as it:
        it.send(it.job())
        await it.told.until(lambda: it.told.receipts)
        it.smsc.cut()
        await it.told.until(lambda: len(it.told.receipts) == 2)
        first, again = it.commit_receipts()
        assert first.keys == again.keys
        await it.until_counted("receipts_answered", 1)


async def test_7_a_failed_delivery_says_so(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, receipt_undelivered=1) as it:
        it.send(it.job())
        await it.told.until(lambda: it.told.receipts)
        assert it.told.receipts[0].result == "failed"


# Rule 8: room is announced


async def test_8_room_is_announced_when_a_full_window_empties(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, response_delay="fixed:0.1") as it:
        while it.carrier.room(now()) > 0:
            it.send(it.job())
        rooms = it.told.rooms
        await it.told.until(lambda: it.told.rooms > rooms and it.carrier.room(now()) > 0)


@pytest.mark.parametrize("fault", [{"response_missing": 1}, {"silence_after": 1}, {"cut_after": 3}])
async def test_8_room_is_announced_after_answers_that_never_come(
    make: Make, tmp_path: Path, fault: dict[str, object]
) -> None:
    async with stage(make, tmp_path, {"enquire_link_s": 0.3}, **fault) as it:
        while it.carrier.room(now()) > 0:
            it.send(it.job())
        await it.told.until(lambda: it.carrier.room(now()) > 0)


# Rule 9: drain and stop


@pytest.mark.rule("smpp.clean-stop")
async def test_9_drain_waits_for_the_answers_and_takes_nothing_new(make: Make, tmp_path: Path) -> None:
    async with stage(make, tmp_path, response_delay="fixed:0.2") as it:
        attempts = it.send(*(it.job() for _ in range(5)))
        draining = asyncio.create_task(it.carrier.drain())
        await asyncio.sleep(0)
        assert it.carrier.room(now()) == 0
        assert not draining.done()
        async with asyncio.timeout(PATIENCE_S):
            await draining
        assert [it.told.of(attempt) for attempt in attempts] == [["sent"]] * 5


@pytest.mark.rule("smpp.clean-stop", "smpp.always-unbind")
async def test_9_stop_settles_the_rest_and_unbinds(make: Make, tmp_path: Path) -> None:
    binds: dict[str, object] = {"response_timeout_s": 30.0, "tps": 30.0}
    async with stage(make, tmp_path, binds, response_missing=1) as it:
        attempts = it.send(*(it.job() for _ in range(8)))
        await it.until_counted("submits", 3)
        async with asyncio.timeout(PATIENCE_S):
            await it.carrier.stop()
        for attempt in attempts:
            (ending,) = it.told.of(attempt)
            assert ending == ("unknown" if it.arrived(attempt) else "unsent")
        assert it.counted("cuts") == 0
        async with asyncio.timeout(PATIENCE_S):
            while it.smsc.stats()["connections_open"]:
                await asyncio.sleep(0.002)


async def test_9_stop_ends_attempts_to_reach_a_peer_that_is_not_there(make: Make, tmp_path: Path) -> None:
    smsc = Smsc(SmscOptions(), seed=1)
    port = await smsc.start()
    await smsc.stop()
    carrier = make(port, Told(), tmp_path, {})
    carrier.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await carrier.stop()
