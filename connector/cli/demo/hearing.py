"""What the telephones heard: their recordings, listened to by matched filter, must say the codes."""

from __future__ import annotations

import asyncio
import shutil
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.demo import cast
from connector.cli.demo.processes import Broken
from connector.simulator.callee.sounds import announcement
from protocols.rtp.g711 import PCMA, PCMU

if TYPE_CHECKING:
    from connector.cli.demo.setting import Setting
    from connector.cli.demo.track import Track

__all__ = ["Calls", "Transfer", "listen"]

_FRAME_OCTETS = 320
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Transfer:
    """The call that was handed to the agent.

    agent_s       how long the agent was on the line; None when nobody called there
    agent_heard   whether the telephone heard the agent's words
    """

    job: str
    agent_s: float | None = None
    agent_heard: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"job": self.job, "agent_s": self.agent_s, "agent_heard": self.agent_heard}


@dataclass(frozen=True, slots=True)
class Calls:
    """The first call's code, what was heard of it, its recording, and the call that went on to the agent."""

    code: str
    heard: str | None
    score: float
    wav: Path | None
    transfer: Transfer

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "heard": self.heard,
            "wav": None if self.wav is None else str(self.wav),
            "score": round(self.score, 3),
            "transfer": self.transfer.as_json(),
        }


def listen(records: list[dict[str, Any]], tracks: Iterable[Track], setting: Setting) -> Calls:
    """Decode the recordings of the calls to `cast.CALLS`, and write the first one to `setting.heard`.

    `records` are those of the simulated callee; what was heard is noted in the tracks, too.
    """
    by_number = {record["to"]: record for record in records if record["recording"]}
    spoken = [track for track in tracks if track.message.spoken]
    recordings = {
        track.message.id: Path(record["recording"])
        for track in spoken
        if (record := by_number.get(track.message.to.removeprefix("+")))
    }
    prompts = asyncio.run(_prompts({track.message.lang for track in spoken}, setting))
    scores: dict[str, float] = {}
    for track in spoken:
        if track.message.id in recordings:
            pcm = _pcm(recordings[track.message.id])
            track.heard, scores[track.message.id] = _code(pcm, prompts[track.message.lang], track)
    first, second = cast.CALLS
    wav = recordings.get(first.id)
    if wav is not None:
        wav = Path(shutil.copyfile(wav, setting.heard))
    heard = next((track.heard for track in spoken if track.message is first), None)
    agent = next((record for record in records if record["to"] == cast.AGENT.removeprefix("+")), None)
    pcm = _pcm(recordings[second.id]) if second.id in recordings else b""
    return Calls(first.code, heard, scores.get(first.id, 0.0), wav, _transfer(second.id, agent, pcm))


async def _prompts(langs: Iterable[str], setting: Setting) -> dict[str, dict[str, bytes]]:
    """The digits of each language as they sound, 16-bit PCM, from the daemon's prompt bank."""
    from connector.config import load
    from connector.voice.speech import Speech, SpeechError

    speech = Speech(load(setting.config).voice.speech, setting.state)
    try:
        await speech.start(tuple(langs))
    except SpeechError as error:
        raise Broken(f"there is no speech to compare with: {error}") from None
    try:
        return {
            lang: {digit: PCMU.decode(audio.pcmu) for digit, audio in (await speech.digits(lang)).items()}
            for lang in langs
        }
    finally:
        await speech.stop()


def _code(pcm: bytes, digits: Mapping[str, bytes], track: Track) -> tuple[str | None, float]:
    # numpy is for those who listen.
    from connector.voice.speech.hearing import hear

    found = hear(pcm, digits, len(track.message.code))
    if found is None:
        return None, 0.0
    return found.code if found.certain else None, found.score


def _transfer(job: str, agent: dict[str, Any] | None, pcm: bytes) -> Transfer:
    if agent is None or "answer" not in agent["at"]:
        return Transfer(job)
    return Transfer(job, round(agent["at"]["end"] - agent["at"]["answer"], 3), _is_in(announcement(), pcm))


def _is_in(said: bytes, heard: bytes) -> bool:
    """Whether most of the frames said, as G.711 carries them, are in what was heard."""
    for law in (PCMA, PCMU):
        carried = law.decode(law.encode(said))
        frames = [carried[at : at + _FRAME_OCTETS] for at in range(0, len(carried), _FRAME_OCTETS)]
        loud = [frame for frame in frames if len(set(frame)) > _FRAME_OCTETS // 16]
        if sum(frame in heard for frame in loud) > _ENOUGH * len(loud):
            return True
    return False


def _pcm(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())
