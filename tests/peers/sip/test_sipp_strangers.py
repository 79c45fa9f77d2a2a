"""SIPp as somebody whom nobody has asked to call."""

from pathlib import Path
from random import Random

import pytest

from protocols.sip.events import Answered, Ended
from tests.peers.sip import scenarios
from tests.peers.sip.caller import Caller, finished
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import Scenario

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.asyncio]


@pytest.mark.rule("sip.unsolicited-invite", "sip.unsolicited-bye", "sip.options")
@pytest.mark.parametrize(
    ("scenario", "counted"),
    [(scenarios.UNINVITED, "INVITE"), (scenarios.BYE_FOR_NOBODY, "BYE"), (scenarios.ASKS, None)],
)
async def test_strangers_are_refused_while_a_call_goes_on(
    random: Random, tmp_path: Path, scenario: Scenario, counted: str | None
) -> None:
    async with Caller(random) as caller:
        with Sipp(tmp_path, scenarios.ANSWERS) as callee:
            line = await caller.call(callee.port)
            await line.until(Answered)
            with Sipp(tmp_path, scenario, remote=(LOOPBACK, caller.port)) as stranger:
                await finished(stranger)
            assert line.kinds()[-1] == "Answered"
            line.hang_up()
            await line.until(Ended)
            await finished(callee)
        assert dict(caller.endpoint.strangers) == ({} if counted is None else {counted: 1})
