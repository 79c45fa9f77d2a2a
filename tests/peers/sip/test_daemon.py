"""The real daemon: it registers with Kamailio, calls baresip through it, and baresip has heard the code."""

import asyncio
import os
from pathlib import Path

import pytest

from connector.client import Event, Job
from connector.config.voice import SpeechConfig
from connector.voice.speech import Speech
from connector.voice.speech.hearing import hear
from protocols.rtp.g711 import PCMA
from tests.peers.lane import Daemon
from tests.peers.sip.baresip import Baresip
from tests.peers.sip.caller import CALLED, CALLER_ID
from tests.peers.sip.kamailio import Kamailio
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.steps import PASSWORD, REALM, USER

DEADLINE_S = 40.0
CODE = "730518"

CONNECTOR = """\
lane = "verification"
[socket]
path = "{folder}/jobs.sock"
[[application]]
name = "shop"
uids = [{uid}]
[state]
folder = "{folder}/state"
[voice]
listen = "{address}:0"
languages = ["pt-BR"]
[scripts.plain]
kind = "code"
gate = false
repeats = 0
input_timeout_s = 0.5
[journeys.call]
channel = "voice"
script = "plain"
"""
TRUNK = """\
[trunk]
host = "{address}"
port = {port}
domain = "{realm}"
realm = "{realm}"
username = "{user}"
password_file = "password"
register = true
[calls]
max = 2
per_s = 5
caller_ids = ["{caller_id}"]
"""
TEMPLATE = """\
lane = "verification"
purpose = "A code"
default_lang = "pt-BR"
[text]
pt-BR = "{code} é o seu código."
[voice]
code = "code"
[params.code]
kind = "digits"
max_length = 8
"""


class Caller(Daemon):
    """The daemon with one trunk, which leads to a port of loopback, and no carrier."""

    def __init__(self, folder: Path, port: int) -> None:
        config = folder / "config"
        for name in ("trunks", "templates"):
            (config / name).mkdir(parents=True)
        places = {"folder": folder, "uid": os.getuid(), "address": LOOPBACK, "port": port}
        places |= {"realm": REALM, "user": USER, "caller_id": CALLER_ID}
        (config / "connector.toml").write_text(CONNECTOR.format_map(places))
        (config / "trunks" / "edge.toml").write_text(TRUNK.format_map(places))
        (config / "templates" / "sign-in.toml").write_text(TEMPLATE)
        password = config / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        super().__init__(folder)

    def call(self) -> list[Event]:
        """Every event of one call."""
        job = Job(
            id="one",
            to=CALLED,
            template="sign-in",
            params={"code": CODE},
            journey="call",
            deadline_s=DEADLINE_S,
        )
        events: list[Event] = []
        with self.client() as client:
            client.submit(job)
            told = client.events()
            while not events or not events[-1].final:
                event = told.get(DEADLINE_S)
                assert event is not None, events
                events.append(event)
        return events


async def prompts(state: Path) -> dict[str, bytes]:
    """The digits as the daemon has said them, from its bank."""
    speech = Speech(SpeechConfig(), state)
    await speech.start(("pt-BR",))
    digits = await speech.digits("pt-BR")
    await speech.stop()
    return {digit: PCMA.decode(audio.pcma) for digit, audio in digits.items()}


@pytest.mark.slow
@pytest.mark.peer("kamailio")
@pytest.mark.peer("baresip")
@pytest.mark.peer("espeak")
def test_the_daemon_calls_through_the_carriers_edge(tmp_path: Path) -> None:
    (tmp_path / "telephone").mkdir()
    with Baresip(tmp_path / "telephone", CALLED) as telephone, Kamailio(tmp_path, telephone.port) as edge:
        with Caller(tmp_path, edge.port) as daemon:
            events = daemon.call()
            recording = telephone.recording()
        edge.wait_until(lambda: edge.told().count("edge: REGISTER") == 2, "no REGISTER at the end")

    types = [event.type for event in events]
    assert types == ["accepted", "ringing", "answered", "completed"], events
    assert events[-1].outcome == "delivered"
    heard = hear(recording, asyncio.run(prompts(tmp_path / "state")), len(CODE))
    assert heard is not None and heard.certain and heard.code == CODE, heard
    for secret in (CODE, CALLED, PASSWORD):
        assert secret not in daemon.log
