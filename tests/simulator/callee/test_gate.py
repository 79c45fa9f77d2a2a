import asyncio

import pytest

from protocols.sip.digest import Credentials
from protocols.sip.events import Answered, Registered, RegistrationFailed, RegistrationTarget, Rejected
from tests.simulator.callee.caller import calling
from tests.simulator.callee.test_answering import record_of

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("challenge", ["401", "407"])
@pytest.mark.parametrize("algorithms", ["MD5", "SHA-256", "both"])
async def test_the_right_credentials_are_let_in(challenge: str, algorithms: str) -> None:
    async with calling(challenge=challenge, algorithms=algorithms) as (caller, callee):
        call, _ = caller.invite(password="secret")
        await caller.next(Answered)
        caller.hang_up(call)
        await record_of(caller, callee)
        stats = callee.stats()
        assert (stats["calls"], stats["challenged"]) == (1, 1)
        assert caller.saw(b"algorithm=SHA-256") is (algorithms != "MD5")


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_others_are_not(password: str | None) -> None:
    async with calling(challenge="407") as (caller, callee):
        caller.invite(password=password)
        assert (await caller.next(Rejected)).status == 407
        assert callee.stats()["calls"] == 0


async def test_a_nonce_gets_stale() -> None:
    async with calling(challenge="401", stale_nonces=1) as (caller, callee):
        caller.invite(password="secret")
        await caller.next(Answered)
        assert callee.stats()["challenged"] == 2
        assert caller.saw(b"stale=true")


@pytest.mark.parametrize(("password", "right"), [("secret", True), ("wrong", False)])
async def test_trunks_may_register(password: str, right: bool) -> None:
    async with calling(challenge="401") as (caller, callee):
        target = RegistrationTarget(
            registrar=f"sip:127.0.0.1:{caller.port}",
            address_of_record=f"sip:trunk@127.0.0.1:{caller.port}",
            contact_user="trunk",
            expires_s=120,
            credentials=Credentials("trunk", password, "callee.invalid"),
        )
        caller.agent.register(target, caller.flow, asyncio.get_running_loop().time())
        caller.flush()
        if right:
            assert (await caller.next(Registered)).expires_s == 120
        else:
            assert (await caller.next(RegistrationFailed)).status == 401
        assert callee.stats()["registered"] == int(right)
