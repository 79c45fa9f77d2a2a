"""Two thousand calls in which everything goes wrong that the simulated callee can do: each has one outcome,
and afterwards nothing is left.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from connector.carriers.contract import Attempt
from connector.simulator.callee.callee import Callee
from connector.simulator.callee.options import CalleeOptions
from connector.simulator.callee.records import CallRecord
from tests.voice.trunk_rig import Rig, rig, trunk_config

pytestmark = pytest.mark.alone

CALLS = 2_000
LOSSY_CALLS = 200
AT_ONCE = 150
RING_S = 1.7
PATIENCE_S = 45.0
REALM, PASSWORD = "carrier.example", "s3cret"

SOON = {"answer_after": "fixed:0.05", "says_after_s": 0.02}
FATES: dict[str, Mapping[str, object]] = {
    "answers": SOON,
    "answers at once, without ringing": {**SOON, "ring_status": "none", "answer_after": "fixed:0"},
    "rings reliably": {**SOON, "reliable": True},
    "asks for a password": {**SOON, "challenge": "401"},
    "asks for a password as a proxy": {**SOON, "challenge": "407", "algorithms": "both", "stale_nonces": 1},
    "asks for a password in its own realm": {"challenge": "401", "realm": "evil.example"},
    "early media": {**SOON, "early_media": "announcement", "answer_after": "fixed:0.2"},
    "busy": {"reject_status": 486, "reject_rings": True},
    "bad number": {"reject_status": 404},
    "declines": {"reject_status": 603, "reject_after": "fixed:0.1", "reject_rings": True},
    "overloaded": {"reject_status": 503},
    "points elsewhere": {"reject_status": 302, "moved_to": "sip:+447700900666@192.0.2.1"},
    "rings in vain": {"answers": False},
    "answers our CANCEL": {"answers": False, "late_200": True},
    "deaf to CANCEL": {"answers": False, "ignore": "CANCEL", "no_answer_after_s": 2.5},
    "not there": {"ignore": "INVITE"},
    "deaf to BYE": {**SOON, "ignore": "BYE", "hang_up_after_s": 6.0},
    "hangs up at once": {**SOON, "hang_up_after_s": 0.01},
    "hangs up in the middle": {**SOON, "hang_up_after_s": 0.15},
    "hangs up when we do": {**SOON, "hang_up_after_s": 0.42},
    "says nothing": {**SOON, "sends_rtp": False},
    "presses keys": {**SOON, "press": "1@0.1,0@0.15,9@0.2"},
    "presses keys by INFO": {**SOON, "press": "1@0.1,5@0.3", "digits_by": "info"},
    "puts us on hold": {**SOON, "hold_after_s": 0.1, "hold_s": 0.1},
    "wants longer sessions": {**SOON, "min_se_s": 3600},
    "bad line": {**SOON, "rtp_drop": 0.2, "rtp_duplicate": 0.2, "rtp_reorder": 0.2},
    "spoofs": {**SOON, "spoofed_per_s": 100.0},
}
"""What becomes of a call, as options of the callee."""

CANCELLED_SHARE = 0.05
"""Of the calls that the application takes back while they are under way."""


@asynccontextmanager
async def towards(
    tmp_path: Path, random: Random, ring_s: float, silence_s: float, **options: object
) -> AsyncIterator[tuple[Callee, Rig]]:
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    server = CalleeOptions().changed(
        {"stories": False, "recording_limit": 0, "password": PASSWORD, **options}
    )
    callee = Callee(server, seed=random.getrandbits(32))
    port = await callee.start()
    config = trunk_config(
        port,
        trunk={"username": "trunk", "realm": REALM},
        calls={"max": AT_ONCE, "per_s": 1_000, "ring_s": ring_s, "session_expires_s": 1800},
        media={"timeout_s": silence_s},
        password_path=str(password),
    )
    said = {"kind": "code", "gate": False, "repeats": 1, "input_timeout_s": 0.1}
    try:
        async with rig(config, said, rng=random.randbytes) as trunk:
            await trunk.up()
            yield callee, trunk
            await quiet(trunk)
    finally:
        await callee.stop()


async def quiet(trunk: Rig) -> None:
    """Until the last transaction has ended, which takes its timers."""
    agent = trunk.lane.endpoint.agent
    async with asyncio.timeout(PATIENCE_S):
        while agent.calls or agent.transactions:
            await asyncio.sleep(0.05)
    assert len(trunk.lane.ports) == 0


async def place(trunk: Rig, numbers: list[str], taken_back: Mapping[str, float]) -> list[Attempt]:
    """A call to each number as soon as there is room; some are taken back so many seconds later."""
    loop, attempts = asyncio.get_running_loop(), []
    for number in numbers:
        await trunk.book.until(lambda: trunk.trunk.room(trunk.clock.now()) > 0)
        attempt = trunk.send(to=number)
        attempts.append(attempt)
        if number in taken_back:
            loop.call_later(taken_back[number], hang_up, trunk, attempt)
        if len(attempts) % 10 == 0:
            await asyncio.sleep(0.02)  # a burst of everything at once would measure this machine
    return attempts


def hang_up(trunk: Rig, attempt: Attempt) -> None:
    trunk.trunk.hang_up(attempt, trunk.clock.now())


def descriptors() -> Counter[str]:
    """What is open, by kind; sockets are told apart by nothing."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            found[os.readlink(f"/proc/self/fd/{name}").partition(":")[0]] += 1
        except FileNotFoundError:  # that of the listing itself
            continue
    return found


def number_of(index: int) -> str:
    return f"+4477009{index:05}"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.asyncio
@pytest.mark.rule("sip.cancel-race", "sip.repeated-401", "sip.no-redirect", "rtp.timeout", "rtp.spoofed")
async def test_every_call_has_one_outcome_and_nothing_is_left(tmp_path: Path, random: Random) -> None:
    before = descriptors()
    names = list(FATES)
    fate = {number_of(index): names[index % len(names)] for index in range(CALLS)}
    numbers = random.sample(list(fate), CALLS)
    taken_back = {number: random.uniform(0, 0.8) for number in numbers if random.random() < CANCELLED_SHARE}
    # Before timer B ends: an address that leaves INVITEs without any answer rests for a while.
    taken_back |= {number: 0.5 for number, name in fate.items() if name == "not there"}
    async with towards(
        tmp_path, random, RING_S, 2.0, sip_drop=0.01, sip_duplicate=0.02, sip_reorder=0.02
    ) as (
        callee,
        trunk,
    ):
        for number, name in fate.items():
            callee.number(number, {"realm": REALM, **FATES[name]})
        attempts = await place(trunk, numbers, taken_back)
        async with asyncio.timeout(PATIENCE_S):
            await trunk.book.until(lambda: len(trunk.book.ends) == CALLS)

    ends = {attempt.job.recipient: trunk.book.ends[attempt.job.id] for attempt in attempts}
    assert [number for number, told in ends.items() if len(told) != 1] == []
    results: dict[str, Counter[str]] = {name: Counter() for name in FATES}
    for number, (end,) in ends.items():
        if number not in taken_back:
            results[fate[number]][end.result] += 1
    for name, results_of in results.items():
        print(f"{name:40} {dict(results_of)}")
    assert_plausible(results)
    assert all(attempt.settled for attempt in attempts)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    async with asyncio.timeout(PATIENCE_S):
        while descriptors() - before:  # a transport closes its socket in the loop's next turn
            await asyncio.sleep(0.05)


def assert_plausible(results: Mapping[str, Counter[str]]) -> None:
    """What must never be, of calls that nobody took back, and what has to be."""
    for name in ("busy", "bad number", "declines", "overloaded", "points elsewhere", "rings in vain",
                 "asks for a password in its own realm", "deaf to CANCEL"):  # fmt: skip
        assert "delivered" not in results[name], name
    for name in ("answers", "asks for a password", "early media", "bad line", "spoofs", "rings reliably"):
        assert results[name]["delivered"] > 0, name  # how many is this machine's business


@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.rule("sip.ack-2xx-repeated", "sip.cancel-race")
async def test_no_call_is_left_behind_by_lost_signalling(tmp_path: Path, random: Random) -> None:
    """Every tenth datagram is lost, each way. The callee says what became of its telephones."""
    fates = ("answers", "rings in vain", "busy", "hangs up in the middle", "rings reliably")
    fate = {number_of(index): fates[index % len(fates)] for index in range(LOSSY_CALLS)}
    async with towards(tmp_path, random, 5.0, 15.0, sip_drop=0.1) as (callee, trunk):
        for number, name in fate.items():
            callee.number(number, FATES[name])
        attempts = await place(trunk, list(fate), {})
        await trunk.book.until(lambda: len(trunk.book.ends) == LOSSY_CALLS)
        await quiet(trunk)
        async with asyncio.timeout(PATIENCE_S):
            while callee.stats()["lines_open"]:
                await asyncio.sleep(0.05)
        dropped = callee.stats()["sip_dropped"]
    print(f"lost: {dropped}")
    assert min(dropped.values()) > LOSSY_CALLS / 4  # type: ignore[attr-defined]

    records: dict[str, list[CallRecord]] = {}
    for record in callee.records.calls:
        records.setdefault(f"+{record.to}", []).append(record)
    wrong = []
    for attempt in attempts:
        number = attempt.job.recipient
        (end,) = trunk.book.ends[attempt.job.id]
        if not right(fate[number], end.result, records.get(number, [])):
            wrong.append((fate[number], end.result, end.reason, records.get(number)))
    assert wrong == []


def right(fate: str, result: str, records: list[CallRecord]) -> bool:
    """What the trunk says of a call agrees with what its telephone has seen of it."""
    if len(records) != 1:  # no INVITE came through; a second one would be a second ringing
        return not records and result in ("refused", "unknown", "unsent")
    (record,) = records
    if record.status == 200 and fate == "hangs up in the middle":
        return record.ended_by in ("callee", "caller")  # whose BYE is the first to arrive
    if record.status == 200:
        return record.ended_by == "caller" and (result == "delivered") is (fate != "rings in vain")
    return record.ended_by in ("cancelled", "rejected") and result != "delivered"
