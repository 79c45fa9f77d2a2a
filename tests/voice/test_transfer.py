"""An agent is brought in: two bridged legs, or REFER."""

import pytest

from connector.voice.lookup import Answer
from tests.voice.trunk_rig import callee, detail, rig, trunk_config
from tests.voice.uas import TONE, Answerer

pytestmark = pytest.mark.asyncio

AGENT = "+49301112222"


async def wants_agent(answerer: Answerer) -> None:
    """Listens to the code, then presses 0."""
    answerer.accept()
    await answerer.until_spoken_to()
    answerer.media.send_digit("1")
    await answerer.until(lambda: answerer.heard.count(TONE.pcma[:400]) >= 3)
    answerer.media.send_digit("0")


def is_agent(answerer: Answerer) -> bool:
    return AGENT in answerer.request.uri


def played(answerer: Answerer) -> bool:
    return TONE.pcma[:400] in bytes(answerer.heard)


@pytest.mark.rule("sip.transfer-bridge")
@pytest.mark.parametrize("leaves", ["listener", "agent"])
async def test_bridged_until_one_of_them_leaves(leaves: str) -> None:
    async def plan(answerer: Answerer) -> None:
        if not is_agent(answerer):
            await wants_agent(answerer)
            return
        answerer.ring()
        answerer.accept()
        await answerer.until(lambda: answerer.agreed)
        listener = answerer.uas.calls[0]
        listener.heard.clear()
        answerer.heard.clear()
        answerer.media.play(TONE)
        listener.media.play(TONE)
        await answerer.until(lambda: played(answerer))
        await listener.until(lambda: played(listener))
        (answerer if leaves == "agent" else listener).hang_up()

    async with callee(plan) as uas, rig(trunk_config(uas.port), {"agent": AGENT}) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "transferred" in trunk.steps(attempt))
        assert trunk.trunk.active == 2
        end = await trunk.ended(attempt)
        told = detail(end)
        (transfer,) = told["transfers"]
        assert transfer["mode"] == "bridge" and transfer["answered"] < transfer["ended"]
        assert told["result"] == "transferred" and told["ended"] >= transfer["ended"]
        await uas.until(lambda: all(answerer.ended for answerer in uas.calls))
        assert len(uas.calls) == 2


@pytest.mark.parametrize("why", ["busy", "silent", "unresolvable"])
async def test_an_agent_who_cannot_be_reached_is_told_of(why: str) -> None:
    async def plan(answerer: Answerer) -> None:
        if not is_agent(answerer):
            await wants_agent(answerer)
        elif why == "busy":
            answerer.reject(486)
        else:
            answerer.ring()

    async def nothing(name: str, kind: str) -> Answer:
        return Answer((), 60.0)

    agent = "sip:agent@nowhere.invalid" if why == "unresolvable" else AGENT
    async with callee(plan) as uas:
        config = trunk_config(uas.port, calls={"ring_s": 0.6})
        async with rig(config, {"agent": agent}, lookup=nothing) as trunk:
            await trunk.up()
            attempt = trunk.send()
            await trunk.said(attempt, "agent_unavailable")
            uas.calls[0].hang_up()
            end = await trunk.ended(attempt)
            told = detail(end)
            assert "agent_unavailable" in [name for name, *_ in told["prompts"]]
            assert "transferred" not in trunk.steps(attempt)
            assert told["transfers"][0].get("answered") is None and told["transfers"][0]["ended"]
            assert trunk.trunk.active == 0


@pytest.mark.rule("sip.transfer-refer")
@pytest.mark.parametrize("status", [200, 486])
async def test_refer(status: int) -> None:
    async with callee(wants_agent) as uas:
        config = trunk_config(uas.port)
        async with rig(config, {"agent": "sip:agent@pbx.example", "transfer": "refer"}) as trunk:
            await trunk.up()
            attempt = trunk.send()
            await uas.until(lambda: uas.transfers)
            call, to = uas.transfers[0]
            assert to == "sip:agent@pbx.example"
            call.transfer_status(100, uas.now())
            call.transfer_status(status, uas.now())
            uas.turn()
            if status != 200:
                await trunk.said(attempt, "agent_unavailable")
                uas.calls[0].hang_up()
            told = detail(await trunk.ended(attempt))
            assert (told["result"] == "transferred") is (status == 200)
            assert told["transfers"][0]["status"] == status
            assert ("transferred" in trunk.steps(attempt)) is (status == 200)


async def test_no_line_is_left_for_the_agent() -> None:
    async def plan(answerer: Answerer) -> None:
        await wants_agent(answerer)

    async with callee(plan) as uas, rig(trunk_config(uas.port, calls={"max": 1}), {"agent": AGENT}) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.said(attempt, "agent_unavailable")
        uas.calls[0].hang_up()
        told = detail(await trunk.ended(attempt))
        assert "agent_unavailable" in [name for name, *_ in told["prompts"]] and len(uas.calls) == 1
