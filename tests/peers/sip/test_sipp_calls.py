"""SIPp as the callee: every way a call can go, judged by its scenario and by what we were told."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from connector.voice.resolve import Transport
from protocols.sip.events import Answered, Digit, Ended, MediaChanged, Progress, Rejected, Transferred
from protocols.sip.timers import Timers
from tests.peers.sip import scenarios
from tests.peers.sip.caller import PATIENCE_S, Caller, finished
from tests.peers.sip.process import BETWEEN_S
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import Scenario

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.asyncio]

AGENT = "sip:agent@carrier.example"


@pytest_asyncio.fixture
async def caller(random: Random) -> AsyncIterator[Caller]:
    async with Caller(random) as opened:
        yield opened


@pytest.mark.rule("sip.ack-2xx", "sip.provisional-no-answer")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_is_answered_and_we_hang_up(
    caller: Caller, tmp_path: Path, transport: Transport
) -> None:
    with Sipp(tmp_path, scenarios.ANSWERS, tcp=transport == "tcp") as sipp:
        line = await caller.call(sipp.port, transport)
        answered = await line.until(Answered)
        assert (answered.agreed.codec, answered.agreed.port) == ("PCMA", sipp.media_port)
        assert answered.agreed.telephone_event == 101
        line.hang_up()
        assert (await line.until(Ended)).by == "us"
        await finished(sipp)
    assert line.kinds() == ["Trying", "Progress", "Answered", "Ended"]


@pytest.mark.rule("sip.provisional-no-answer")
async def test_busy_after_ringing(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.BUSY) as sipp:
        line = await caller.call(sipp.port)
        rejected = await line.until(Rejected)
        await finished(sipp)
    assert (rejected.status, rejected.local) == (486, False)
    assert line.kinds() == ["Trying", "Progress", "Rejected"]
    assert line.call.provisional_seen


@pytest.mark.rule("sip.ack-non-2xx", "sip.reason-cause", "sip.status-503")
@pytest.mark.parametrize(
    ("status", "headers", "retry_after", "cause"),
    [
        ("404 Not Found", (), None, None),
        ("480 Temporarily Unavailable", ('Reason: Q.850;cause=20;text="Absent"',), None, 20),
        ("484 Address Incomplete", (), None, None),
        ("503 Service Unavailable", ("Retry-After: 7 (overload)",), 7.0, None),
        ("603 Decline", (), None, None),
        ("607 Unwanted", ("Reason: SIP;cause=607, Q.850;cause=21",), None, 21),
    ],
)
async def test_refusals(
    caller: Caller,
    tmp_path: Path,
    status: str,
    headers: tuple[str, ...],
    retry_after: float | None,
    cause: int | None,
) -> None:
    with Sipp(tmp_path, scenarios.refused(status, *headers)) as sipp:
        line = await caller.call(sipp.port)
        rejected = await line.until(Rejected)
        await finished(sipp)
    assert f"{rejected.status} {rejected.reason}" == status
    assert (rejected.retry_after, rejected.cause, rejected.local) == (retry_after, cause, False)
    assert not line.call.provisional_seen


@pytest.mark.rule("sip.no-redirect")
async def test_no_call_goes_where_a_redirect_points(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.NEVER_THERE, calls=2) as elsewhere:
        moved = scenarios.refused(
            "302 Moved Temporarily", f"Contact: <sip:+447700900666@127.0.0.1:{elsewhere.port}>"
        )
        with Sipp(tmp_path, moved) as sipp:
            line = await caller.call(sipp.port)
            assert (await line.until(Rejected)).status == 302
            await finished(sipp)
        assert elsewhere.messages == ""


@pytest.mark.rule("sip.cancel-after-1xx")
async def test_no_answer_is_cancelled(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.NEVER_ANSWERS) as sipp:
        line = await caller.call(sipp.port)
        # At once, and yet it waits for the 180: SIPp would not expect it before.
        line.hang_up()
        assert (await line.until(Ended)).by == "us"
        await finished(sipp)


@pytest.mark.rule("sip.cancel-race", "sip.ack-2xx")
async def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    caller: Caller, tmp_path: Path
) -> None:
    with Sipp(tmp_path, scenarios.ANSWERS_TOO_LATE) as sipp:
        line = await caller.call(sipp.port)
        await line.until(Progress)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)
    assert "Answered" not in line.kinds()


async def test_the_callee_hangs_up(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.HANGS_UP) as sipp:
        line = await caller.call(sipp.port)
        ended = await line.until(Ended)
        await finished(sipp)
    assert (ended.by, ended.cause) == ("peer", 16)


@pytest.mark.rule("sip.ack-2xx")
async def test_ack_and_bye_follow_the_recorded_route(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.RECORDS_ITS_ROUTE) as sipp:
        line = await caller.call(sipp.port)
        await line.until(Answered)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


async def test_a_reliable_provisional_answer_is_confirmed(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.RELIABLE) as sipp:
        line = await caller.call(sipp.port, reliable="supported")
        await line.until(Answered)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


@pytest.mark.rule("sip.status-422", "sip.session-timers")
async def test_a_session_interval_that_is_too_small_is_raised(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.INTERVAL_TOO_SMALL) as sipp:
        line = await caller.call(sipp.port, session_expires_s=1800)
        await line.until(Answered)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


@pytest.mark.rule("sip.provisional-no-answer")
async def test_early_media_is_no_answer(caller: Caller, tmp_path: Path) -> None:
    announcement = tmp_path / "announcement.pcma"
    announcement.write_bytes(b"\xd5" * 8000)
    with Sipp(tmp_path, scenarios.early_media(str(announcement))) as sipp:
        line = await caller.call(sipp.port)
        progress = await line.until(Progress)
        assert (progress.status, line.kinds()) == (183, ["Progress"])
        assert progress.agreed is not None and progress.agreed.codec == "PCMA"
        await line.until(Answered)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


@pytest.mark.rule("sip.options", "rtp.digits-info")
async def test_what_the_callee_asks_within_the_call_is_answered(caller: Caller, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.CHANGES_MEDIA) as sipp:
        line = await caller.call(sipp.port)
        held, resumed = await line.until(MediaChanged, 1), await line.until(MediaChanged, 2)
        assert (held.agreed.send, held.agreed.receive) == (False, True)
        assert (resumed.agreed.send, resumed.agreed.receive) == (True, True)
        assert (await line.until(Digit)).digit == "5"
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


@pytest.mark.rule("sip.transfer-refer")
@pytest.mark.parametrize(("outcome", "ok", "status"), [("200 OK", True, 200), ("486 Busy Here", False, 486)])
async def test_a_transfer_by_refer(
    caller: Caller, tmp_path: Path, outcome: str, ok: bool, status: int
) -> None:
    with Sipp(tmp_path, scenarios.transfers(outcome)) as sipp:
        line = await caller.call(sipp.port)
        await line.until(Answered)
        line.refer(AGENT)
        transferred = await line.until(Transferred)
        assert (transferred.ok, transferred.status) == (ok, status)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)


LOSSY_CALLS = 20
QUICK = Timers(t1=0.1, t2=0.4, t4=0.5)
# Both sides must have the same T1 and T2: our transactions end after 64*T1 and acknowledge nothing any more,
# and SIPp's own times would have repeated a final answer only four times by then.
AS_QUICK = ("-T2", f"{QUICK.t2 * 1000:.0f}", "-max_retrans", "64")
ACK = re.compile(r"message received \[\d+\] bytes :\s+ACK (?:.+\r?\n)+?Call-ID: (\S+)")


def acknowledged(messages: str) -> set[str]:
    """Calls whose ACK has reached SIPp: what it loses upon receipt it writes down as well."""
    blocks = (block for block in messages.split("-" * 47) if "lost (recv)" not in block)
    return {found[1] for block in blocks if (found := ACK.search(block))}


@pytest.mark.rule("sip.ack-2xx-repeated")
@pytest.mark.parametrize(
    ("scenario", "ending"),
    [(scenarios.ANSWERS_ON_A_BAD_LINE, Ended), (scenarios.BUSY_ON_A_BAD_LINE, Rejected)],
)
async def test_every_call_over_a_lossy_line_ends_right(
    random: Random, tmp_path: Path, scenario: Scenario, ending: type[Ended] | type[Rejected]
) -> None:
    async with Caller(random, QUICK) as caller:
        quick = scenario.repeating(round(QUICK.t1 * 1000))
        with Sipp(tmp_path, quick, "-lost", "10", *AS_QUICK, calls=LOSSY_CALLS, timeout_s=45) as sipp:
            lines = [await caller.call(sipp.port) for _ in range(LOSSY_CALLS)]
            for line in lines if ending is Ended else ():
                await line.until(Answered)
            if ending is Ended:
                # Each 200 is repeated until its ACK arrives; a BYE before that SIPp would not expect.
                async with asyncio.timeout(PATIENCE_S):
                    while len(acknowledged(sipp.messages)) < LOSSY_CALLS:
                        await asyncio.sleep(BETWEEN_S)
            for line in lines if ending is Ended else ():
                line.hang_up()
            for line in lines:
                await line.until(ending)
            await finished(sipp, noted=True)
    assert all(type(line.told[-1]) is ending for line in lines)
