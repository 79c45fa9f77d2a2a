import asyncio
import io
import itertools
import wave
from array import array
from pathlib import Path

import pytest

from connector.simulator.callee import sounds
from protocols.rtp.g711 import PCMA, PCMU
from protocols.rtp.rtcp import Goodbye, ReceiverReport, SenderReport, SourceDescription, encode, parse
from protocols.sip.events import Answered, Digit, Ended, MediaChanged, Rejected
from tests.simulator.callee.caller import NUMBER, calling
from tests.simulator.callee.test_answering import record_of

pytestmark = pytest.mark.asyncio

FAST_S = 0.002


def speech(seconds: float) -> bytes:
    return sounds.voice(seconds, seed=9)


def samples_of(wav: bytes | None) -> "array[int]":
    assert wav is not None
    with wave.open(io.BytesIO(wav)) as file:
        return array("h", file.readframes(file.getnframes()))


async def test_it_says_hello_and_then_the_line_is_quiet_but_alive() -> None:
    async with calling(says="hello", says_after_s=0.1) as (caller, callee):
        call, sound = caller.invite(codecs=("PCMU",))
        await caller.next(Answered)
        await caller.until(lambda: len(sound.loud) > 20)
        quiet = len(sound.heard)
        await caller.until(lambda: len(sound.heard) > quiet + 40)
        assert sound.heard[-1].payload == bytes([PCMU.silence]) * 160
        timestamps = [one.timestamp for one in sound.heard]
        assert {b - a for a, b in itertools.pairwise(timestamps)} == {160}
        assert sum(one.marker for one in sound.heard) == 1
        said = b"".join(one.payload for one in sound.heard)
        assert PCMU.encode(sounds.greeting("hello", 0, 0, 0)) in said
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert record.codec == "PCMU"
        assert record.sent >= len(sound.heard)


async def test_voicemail_is_a_greeting_and_a_beep() -> None:
    async with calling(says="voicemail", says_after_s=0, voicemail_s=0.6, beep_hz=900) as (caller, _):
        _, sound = caller.invite(codecs=("PCMA",))
        expected = PCMA.encode(sounds.greeting("voicemail", 0.6, 900, 0.4))
        await caller.until(lambda: expected in b"".join(one.payload for one in sound.heard))


async def test_it_plays_a_file(tmp_path: Path) -> None:
    path = tmp_path / "greeting.wav"
    pcm = array("h", [1000, -1000, 2000, -2000] * 80).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(pcm)
    async with calling(says=str(path), says_after_s=0) as (caller, _):
        _, sound = caller.invite()
        await caller.until(lambda: PCMA.encode(pcm) in b"".join(one.payload for one in sound.heard))


async def test_keys_are_pressed_at_their_time() -> None:
    async with calling(press="12@0.1,#@0.8", says="none") as (caller, callee):
        caller_call, sound = caller.invite()
        await caller.until(lambda: sound.digits == "12#")
        caller.hang_up(caller_call)
        record = await record_of(caller, callee)
        assert [press["keys"] for press in record.pressed] == ["12", "#"]
        assert record.pressed[0]["at"] >= 0.1


async def test_keys_are_pressed_when_the_caller_falls_silent() -> None:
    async with calling(press="1@quiet:200,0@quiet:200", says="none") as (caller, callee):
        call, sound = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        await sound.say(sounds.silence(0.5), agreed)
        assert not callee.records.calls[0].pressed
        await sound.say(speech(0.4), agreed)
        await caller.until(lambda: sound.digits.startswith("1"))
        await sound.say(speech(0.4), agreed)
        await caller.until(lambda: sound.digits == "10")
        caller.hang_up(call)
        await record_of(caller, callee)


async def test_keys_travel_as_info() -> None:
    async with calling(press="42@0.05", digits_by="info") as (caller, _):
        _, sound = caller.invite()
        await caller.until(lambda: len([event for event in caller.events if isinstance(event, Digit)]) == 2)
        assert [event.digit for event in caller.events if isinstance(event, Digit)] == ["4", "2"]
        assert sound.digits == ""


async def test_it_hears_keys() -> None:
    async with calling() as (caller, callee):
        call, sound = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        for digit in "731":
            await sound.press(digit, agreed)
        await caller.until(lambda: callee.records.calls[0].heard == "731")
        caller.hang_up(call)


async def test_it_hangs_up_midway_and_says_why() -> None:
    async with calling(hang_up_after_s=0.1, reason="Q.850;cause=31") as (caller, callee):
        caller.invite()
        ended = await caller.next(Ended)
        assert (ended.by, ended.cause) == ("peer", 31)
        assert (await record_of(caller, callee)).ended_by == "callee"


async def test_it_hangs_up_when_the_caller_has_nothing_more_to_say() -> None:
    async with calling(hang_up_when_quiet_s=0.2, says="none") as (caller, callee):
        _, sound = caller.invite()
        await sound.say(speech(0.3), (await caller.next(Answered)).agreed)
        assert (await caller.next(Ended)).by == "peer"
        assert (await record_of(caller, callee)).ended_by == "callee"


async def test_one_codec_only() -> None:
    async with calling(codecs="PCMU") as (caller, _):
        call, _ = caller.invite()
        assert (await caller.next(Answered, call)).agreed.codec == "PCMU"
        other, _ = caller.invite(codecs=("PCMA",))
        assert (await caller.next(Rejected, other)).status == 488


async def test_no_rtp_at_all() -> None:
    async with calling(sends_rtp=False, hang_up_after_s=0.3, press="1@0.05") as (caller, callee):
        _, sound = caller.invite()
        await caller.next(Ended)
        assert sound.packets == []
        assert (await record_of(caller, callee)).sent == 0


async def test_spoofed_packets_come_from_a_port_of_their_own() -> None:
    async with calling(spoofed_per_s=50) as (caller, _):
        _, sound = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        await caller.until(lambda: len({source for _, source in sound.packets}) == 2)
        spoofed = [came for came, source in sound.packets if source[1] != agreed.port]
        assert {came.payload for came in spoofed} == {b"\x2a" * 160}


async def test_hold_and_resume() -> None:
    async with calling(hold_after_s=0.1, hold_s=0.4) as (caller, callee):
        call, sound = caller.invite()
        await caller.next(Answered)
        await caller.until(lambda: len([one for one in caller.events if isinstance(one, MediaChanged)]) == 2)
        held, resumed = (event.agreed for event in caller.events if isinstance(event, MediaChanged))
        assert (held.send, resumed.send, resumed.receive) == (False, True, True)
        count = len(sound.heard)
        await caller.until(lambda: len(sound.heard) > count + 5)
        caller.hang_up(call)
        assert (await record_of(caller, callee)).held == 1
        assert (await caller.next(Ended)).by == "us"


async def test_what_it_hears_is_recorded(tmp_path: Path) -> None:
    async with calling(says="none") as (caller, callee):
        callee.records._folder = tmp_path
        call, sound = caller.invite(codecs=("PCMA",))
        agreed = (await caller.next(Answered)).agreed
        said = speech(0.5)
        await sound.say(said, agreed, FAST_S)
        await caller.until(lambda: callee.records.calls[0].at.get("first_rtp"))
        await sound.say(sounds.silence(0.1), agreed)
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert record.recording == str(tmp_path / "call-0001.wav")
        assert record.recorded_s == pytest.approx(0.6)
        assert record.received["packets"] == 30
        heard = samples_of(Path(record.recording).read_bytes())
        assert heard[:4000] == array("h", PCMA.decode(PCMA.encode(said)))


async def test_it_reports_what_it_received_and_says_goodbye() -> None:
    async with calling(says="none") as (caller, callee):
        call, sound = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        await sound.say(speech(0.2), agreed, FAST_S)
        media = callee.line(1)._media  # type: ignore[union-attr]
        await caller.until(lambda: media.statistics()["packets"] == 10)  # type: ignore[union-attr]
        report = encode([ReceiverReport(5), SourceDescription(((5, "c"),))])
        sound.above.sendto(report, (agreed.host, agreed.port + 1))
        await caller.until(lambda: media.statistics()["reports"] == 1)  # type: ignore[union-attr]
        caller.hang_up(call)
        record = await record_of(caller, callee)
        reports = parse(await asyncio.get_running_loop().sock_recv(sound.above, 2048))
        while not isinstance(reports[-1], Goodbye):
            reports = parse(await asyncio.get_running_loop().sock_recv(sound.above, 2048))
        assert isinstance(reports[0], SenderReport)
        assert reports[0].packets == record.sent
        assert [(block.lost, block.fraction_lost) for block in reports[0].blocks] == [(0, 0)]


async def test_only_the_newest_recordings_are_kept(tmp_path: Path) -> None:
    async with calling(recording_limit=2, recording_s=0.1, says="none") as (caller, callee):
        callee.records._folder = tmp_path
        for place in range(4):
            call, sound = caller.invite()
            await sound.say(speech(0.2), (await caller.next(Answered, call)).agreed, FAST_S)
            await caller.until(lambda: callee.records.calls[-1].at.get("first_rtp"))
            caller.hang_up(call)
            assert (await record_of(caller, callee, place)).recorded_s == 0.1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["call-0003.wav", "call-0004.wav"]
        assert callee.records.wav(1) is None
        assert len(samples_of(callee.records.wav(4))) == 800


async def test_lost_packets_are_silence_in_the_recording() -> None:
    said = array("h", [(n % 160 + 1) * 100 for n in range(160 * 100)]).tobytes()
    async with calling(says="none", rtp_drop=0.2, rtp_reorder=0.2, rtp_duplicate=0.1) as (caller, callee):
        call, sound = caller.invite(codecs=("PCMA",))
        await sound.say(said, (await caller.next(Answered)).agreed, FAST_S)
        await caller.until(lambda: callee.line(1)._media._reception)  # type: ignore[union-attr]
        caller.hang_up(call)
        record = await record_of(caller, callee)
        heard = samples_of(callee.records.wav(record.id))
        right = array("h", PCMA.decode(PCMA.encode(said)))[:160]
        frames = [heard[at : at + 160] for at in range(0, len(heard) - len(heard) % 160, 160)]
        silent = sum(1 for frame in frames if not any(frame))
        assert sum(1 for frame in frames if frame == right) + silent == len(frames)
        assert 5 < silent < 40
        assert record.received["reordered"]
        assert record.received["duplicates"]


async def test_the_same_seed_loses_the_same_packets() -> None:
    async def lost() -> set[int]:
        async with calling(rtp_drop=0.3, seed=9) as (caller, _):
            _, sound = caller.invite()
            await caller.until(lambda: len(sound.heard) > 40)
            first = sound.heard[0].sequence
            return {(one.sequence - first) & 0xFFFF for one in sound.heard[:40]}

    assert await lost() == await lost()


async def test_signalling_survives_a_bad_network() -> None:
    options = {"sip_drop": 0.1, "sip_duplicate": 0.1, "sip_reorder": 0.1}
    async with calling(**options, says="none") as (caller, callee):
        calls = [caller.invite(NUMBER)[0] for _ in range(20)]
        for call in calls:
            await caller.next(Answered, call)
            caller.hang_up(call)
        await caller.until(lambda: callee.stats()["lines_open"] == 0)
        stats = callee.stats()
        assert stats["calls"] == 20
        assert {record.status for record in callee.records.calls} == {200}
        for fault in ("dropped", "duplicated", "reordered"):
            assert all(stats[f"sip_{fault}"].values())  # type: ignore[attr-defined]
