"""One call at a time over a real socket: how it goes, and how it may end."""

import asyncio
import socket

import pytest

from connector.carriers.contract import Unsendable
from connector.carriers.statuses import StatusClass
from connector.model import Voice
from connector.segments import Text
from connector.voice.speech import SpeechError
from tests.voice.trunk_rig import CALLER_ID, NUMBER, callee, detail, rig, trunk_config
from tests.voice.uas import TONE, Answerer, answers

pytestmark = pytest.mark.asyncio


@pytest.mark.rule("sip.speak-after-answer", "speech.twice-slower")
async def test_answered_gated_and_said() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        end = await trunk.ended(attempt)
        assert (end.result, end.reason, end.status, end.redial_s) == ("delivered", "heard", 200, None)
        assert trunk.steps(attempt) == ["ringing", "answered", "digit 1"]
        told = detail(end)
        assert [name for name, *_ in told["prompts"]][:3] == ["greeting", "code_intro", "code"]
        assert told["ringing"] <= told["answered"] <= told["first_heard"] + 1
        assert told["ended_by"] == "us" and told["kind"] == "heard" and told["delivered"]
        assert (
            told["media"]["received"] > 0 and told["media"]["sent"] > 0 and told["media"]["codec"] == "PCMA"
        )
        invite = uas.methods("INVITE")[0]
        assert invite.uri == f"sip:{NUMBER}@127.0.0.1"
        assert CALLER_ID in (invite.headers.get("From") or "")
        (answerer,) = uas.calls
        assert answerer.ended[0].by == "peer"
        # The tone arrived as it was: one whole prompt is in what was heard.
        assert TONE.pcma[:800] in bytes(answerer.heard)


@pytest.mark.rule("sip.provisional-no-answer")
async def test_reliable_early_media_is_acknowledged_and_not_spoken_to() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.call.ring(183, answerer.uas.now(), answerer.local, reliable=True)
        answerer.uas.turn()
        await answerer.uas.until(lambda: answerer.uas.methods("PRACK"))
        await asyncio.sleep(0.2)
        assert not answerer.heard
        await answers(answerer)

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        assert (await trunk.ended(attempt)).result == "delivered"
        assert trunk.steps(attempt)[:2] == ["ringing", "answered"]


async def test_nothing_secret_is_in_the_detail() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        end = await trunk.call(voice=Voice("test", "en", code="90817263"))
        assert end.detail is not None and "90817263" not in end.detail and NUMBER[1:] not in end.detail


@pytest.mark.rule("sip.status-user")
@pytest.mark.parametrize(
    ("status", "headers", "result", "reason", "kind", "redial_s"),
    [
        (486, (), "undelivered", "busy", None, 30.0),
        (480, (("Reason", "Q.850;cause=20"),), "undelivered", "not reachable", None, 120.0),
        (404, (), "refused", "no such number", StatusClass.PERMANENT, None),
        (603, (), "undelivered", "does not want calls", None, None),
        (403, (), "refused", "not permitted by the carrier", StatusClass.PERMANENT_HERE, None),
    ],
)
async def test_a_refusal_has_a_meaning(status, headers, result, reason, kind, redial_s) -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.reject(status, *headers)

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert (end.result, end.reason, end.status, end.redial_s) == (result, reason, status, redial_s)
        assert kind is None or end.kind is kind
        await uas.until(lambda: len(uas.methods("ACK")) == 1)


async def test_the_trunks_own_meaning_of_a_status() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.reject(503)

    async with callee(plan) as uas, rig(trunk_config(uas.port, outcomes={"503": "busy"})) as trunk:
        await trunk.up()
        assert (await trunk.call()).reason == "busy"


@pytest.mark.rule("sip.cancel-after-1xx", "sip.timer-b")
async def test_no_answer_is_cancelled() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.ring()

    async with callee(plan) as uas, rig(trunk_config(uas.port, calls={"ring_s": 0.3})) as trunk:
        await trunk.up()
        attempt = trunk.send()
        end = await trunk.ended(attempt)
        assert (end.result, end.reason) == ("undelivered", "no answer")
        assert trunk.steps(attempt) == ["ringing"] and len(uas.methods("CANCEL")) == 1
        assert type(uas.calls[0].ended[0]).__name__ == "Cancelled"


async def test_it_rings_no_longer_than_the_job_lives() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.ring()

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        assert (await trunk.call(deadline_s=0.4)).reason == "no answer"


@pytest.mark.rule("sip.cancel-race")
async def test_an_answer_that_crosses_the_cancel_is_ended() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.ring()
        await answerer.until(lambda: answerer.uas.hold)
        answerer.accept()

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        uas.hold = False
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "ringing" in trunk.steps(attempt))
        assert trunk.trunk.hang_up(attempt, trunk.clock.now())
        uas.hold = True  # its 200 leaves before the CANCEL is read
        uas.calls[0].changed.set()
        await asyncio.sleep(0)
        end = await trunk.ended(attempt)
        assert end.result == "undelivered"
        assert len(uas.calls[0].ended) == 1 and uas.agent.calls == 0


async def test_hung_up_midway_by_the_listener() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.heard)
        answerer.hang_up()

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert (end.result, end.reason) == ("undelivered", "hung up early")
        assert detail(end)["ended_by"] == "listener"


@pytest.mark.rule("sip.max-length")
async def test_no_call_is_longer_than_the_trunk_allows() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()

    async with callee(plan) as uas, rig(trunk_config(uas.port, calls={"max_s": 0.3})) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert detail(end)["ended_by"] == "us" and end.result == "undelivered"
        assert uas.calls[0].ended[0].by == "peer"


@pytest.mark.rule("rtp.timeout")
async def test_media_that_stop_end_the_call() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.heard)
        answerer.media.close()

    async with callee(plan) as uas, rig(trunk_config(uas.port, media={"timeout_s": 0.5})) as trunk:
        await trunk.up()
        end = await trunk.call()
        assert (end.result, detail(end)["ended_by"]) == ("unknown", "media_timeout")
        assert "cause=41" in (uas.methods("BYE")[0].headers.get("Reason") or "")


@pytest.mark.rule("rtp.digits-info")
async def test_keys_by_info_and_by_telephone_event_count_once() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until_spoken_to()
        answerer.press_info("1")
        answerer.media.send_digit("1")

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        assert (await trunk.ended(attempt)).result == "delivered"
        assert trunk.steps(attempt) == ["answered", "digit 1"]


@pytest.mark.rule("rtp.spoofed")
async def test_spoofed_media_are_counted_and_not_heard() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.agreed and answerer.heard)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            for number in range(20):  # a key pressed by somebody else, as telephone-event
                packet = bytes((0x80, 101, 0, number, 0, 0, 0, 1, 0, 0, 0, 9, 1, 0x8A, 3, 0xC0))
                stranger.sendto(packet, (answerer.agreed.host, answerer.agreed.port))

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "answered" in trunk.steps(attempt))
        media = attempt.call._leg.media
        async with asyncio.timeout(20):
            while media.statistics().spoofed < 20:
                await asyncio.sleep(0.01)
        uas.calls[0].hang_up()
        told = detail(await trunk.ended(attempt))
        assert trunk.trunk._metrics.packets_spoofed == 20
        assert told["media"]["spoofed"] == 20 and "digit 1" not in trunk.steps(attempt)


async def test_a_call_of_which_nothing_was_said_can_be_taken_back() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.ring()

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "ringing" in trunk.steps(attempt))
        assert trunk.trunk.hang_up(attempt, trunk.clock.now())
        end = await trunk.ended(attempt)
        assert (end.result, end.reason) == ("undelivered", "cancelled")
        assert not trunk.trunk.hang_up(attempt, trunk.clock.now())


async def test_what_was_said_cannot_be_taken_back() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "digit 1" in trunk.steps(attempt))
        await uas.calls[0].until(lambda: attempt.call.said)
        assert not trunk.trunk.hang_up(attempt, trunk.clock.now())
        assert (await trunk.ended(attempt)).result == "delivered"


async def test_a_call_that_is_still_being_prepared_can_be_taken_back() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        trunk.speech.slow = True
        attempt = trunk.send()
        await asyncio.sleep(0)
        assert trunk.trunk.hang_up(attempt, trunk.clock.now())
        assert (await trunk.ended(attempt)).result == "unsent" and not uas.calls


async def test_a_call_can_be_taken_back_while_its_intent_is_committed() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.attempt()
        assert trunk.trunk.hang_up(attempt, trunk.clock.now())
        trunk.trunk.send(attempt, trunk.clock.now())
        assert (await trunk.ended(attempt)).result == "unsent" and not uas.calls


async def test_speech_that_is_not_ready_in_time_costs_nothing() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        trunk.speech.slow = True
        end = await trunk.call(deadline_s=0.2)
        assert (end.result, end.reason) == ("unsent", "deadline") and not uas.calls
        trunk.speech.slow, trunk.speech.error = False, SpeechError("no engine")
        end = await trunk.call()
        assert end.result == "refused" and not uas.calls


async def test_what_no_trunk_could_say_is_refused_before_the_intent() -> None:
    config = trunk_config(1, destination={"prefixes": ["+43"]})
    async with rig(config) as trunk:
        with pytest.raises(Unsendable, match="destination") as refused:
            trunk.attempt()
        assert refused.value.field == "to"
        with pytest.raises(Unsendable, match="has none"):
            trunk.attempt(to="+43123456", voice=Voice("test", "en", message=(Text("hello"),)))
        with pytest.raises(Unsendable, match="language"):
            trunk.attempt(to="+43123456", voice=Voice("test", "tlh", "1", (Text("nuqneH"),)))
        with pytest.raises(Unsendable, match="script"):
            trunk.attempt(to="+43123456", voice=Voice("other", "en", code="1"))
        assert trunk.trunk.active == 0


async def test_the_sender_is_shown_where_the_trunk_has_it() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.reject(486)

    ids = [CALLER_ID, "+493099"]
    async with callee(plan) as uas, rig(trunk_config(uas.port, calls={"caller_ids": ids})) as trunk:
        await trunk.up()
        for sender, shown in (("+493099", "+493099"), ("", CALLER_ID)):
            await trunk.call(sender=sender)
            assert shown in (uas.methods("INVITE")[-1].headers.get("From") or "")
        with pytest.raises(Unsendable, match="caller id"):
            trunk.attempt(sender="+493088")
