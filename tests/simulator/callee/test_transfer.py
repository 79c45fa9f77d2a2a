import asyncio

import pytest

from protocols.sip.events import Answered, Transferred
from tests.simulator.callee.caller import calling
from tests.simulator.callee.test_answering import record_of

pytestmark = pytest.mark.asyncio

AGENT = "sip:+441632960190@127.0.0.1"


@pytest.mark.parametrize(
    ("refer", "ok", "status"), [("transferred", True, 200), ("failed", False, 503), ("refused", False, 603)]
)
async def test_a_refer_is_taken_and_its_end_is_told(refer: str, ok: bool, status: int) -> None:
    async with calling(refer=refer) as (caller, callee):
        call, _ = caller.invite()
        await caller.next(Answered)
        call.refer(AGENT, asyncio.get_running_loop().time())
        caller.flush()
        transferred = await caller.next(Transferred)
        assert (transferred.ok, transferred.status) == (ok, status)
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert record.referred is (refer != "refused")
        assert record.ended_by == "caller"


async def test_a_refer_that_is_never_told_about() -> None:
    async with calling(refer="silent") as (caller, callee):
        call, _ = caller.invite()
        await caller.next(Answered)
        call.refer(AGENT, asyncio.get_running_loop().time())
        caller.flush()
        await caller.until(lambda: caller.saw(b"SIP/2.0 202"))
        caller.hang_up(call)
        assert (await record_of(caller, callee)).referred
