"""Kamailio between us and the callee: authentication, Record-Route, registrations."""

import asyncio
import re
from pathlib import Path
from random import Random

import pytest

from protocols.sip.digest import Credentials
from protocols.sip.events import Answered, Ended, Progress, Registered, RegistrationFailed, Rejected
from tests.peers.sip import scenarios
from tests.peers.sip.caller import Caller, finished
from tests.peers.sip.kamailio import Kamailio
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import PASSWORD, REALM, USER
from tests.voice.trunk_rig import rig, trunk_config

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.peer("kamailio"), pytest.mark.asyncio]


@pytest.mark.rule("sip.ack-2xx", "sip.digest-realm")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_through_the_carriers_edge(random: Random, tmp_path: Path, transport: str) -> None:
    with Sipp(tmp_path, scenarios.ANSWERS) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with Caller(random) as caller:
            line = await caller.call(edge.port, transport)
            await line.until(Answered)
            line.hang_up()
            assert (await line.until(Ended)).by == "us"
            await finished(callee)
        # The edge answers 481 to what goes around it, and SIPp would not see it.
        assert re.findall(r"edge: (\w+) routed", edge.told()) == ["ACK", "BYE"]


async def test_a_call_is_cancelled_through_the_carriers_edge(random: Random, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.NEVER_ANSWERS) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with Caller(random) as caller:
            line = await caller.call(edge.port)
            await line.until(Progress)
            line.hang_up()
            await line.until(Ended)
            await finished(callee)


async def test_the_callee_hangs_up_through_the_carriers_edge(random: Random, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.HANGS_UP) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with Caller(random) as caller:
            line = await caller.call(edge.port)
            assert (await line.until(Ended)).by == "peer"
            await finished(callee)


async def test_a_wrong_password_is_refused_after_one_attempt(random: Random, tmp_path: Path) -> None:
    with Sipp(tmp_path, scenarios.ANSWERS) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with Caller(random) as caller:
            line = await caller.call(edge.port, credentials=Credentials(USER, "guessed", None))
            assert (await line.until(Rejected)).status == 407
        assert callee.messages == ""


@pytest.mark.rule("sip.unsolicited-invite")
async def test_a_registration_is_kept_and_brings_no_calls(random: Random, tmp_path: Path) -> None:
    """It is refreshed before it expires; an INVITE that comes by it is refused; it ends with us."""
    with Sipp(tmp_path, scenarios.ANSWERS) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with Caller(random) as caller:
            line = await caller.register(edge.port, expires_s=4)
            assert (await line.until(Registered)).expires_s == 4
            assert (await line.until(Registered, 2)).expires_s == 4
            with Sipp(
                tmp_path, scenarios.UNINVITED, "-s", "account", remote=(LOOPBACK, edge.port)
            ) as stranger:
                await finished(stranger)
            assert caller.endpoint.strangers["INVITE"] == 1
            line.unregister()
            assert (await line.until(Registered, 3)).expires_s == 0
            with Sipp(
                tmp_path, scenarios.NOBODY_THERE, "-s", "account", remote=(LOOPBACK, edge.port)
            ) as late:
                await finished(late)
        assert not [event for event in line.told if isinstance(event, RegistrationFailed)]


@pytest.mark.peer("raw sockets")
async def test_the_whole_trunk_registers_and_calls_through_the_carriers_edge(tmp_path: Path) -> None:
    """With its password in a file; the telephone behind the edge presses the key that opens the gate."""
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    account = {"username": USER, "domain": REALM, "realm": REALM, "register": True, "register_s": 60}
    script = {"gate": True, "repeats": 0, "input_timeout_s": 10.0}
    with Sipp(tmp_path, scenarios.PRESSES_A_KEY) as callee, Kamailio(tmp_path, callee.port) as edge:
        async with rig(trunk_config(edge.port, trunk=account, password_path=str(password)), script) as trunk:
            await trunk.up()
            end = await trunk.call()
        await asyncio.to_thread(callee.finish)
        edge.wait_until(lambda: edge.told().count("edge: REGISTER") == 2, "no REGISTER at the end")
        assert re.findall(r"edge: (\w+) routed", edge.told()) == ["ACK", "BYE"]
    assert end.result == "delivered", end
    assert PASSWORD not in callee.messages
