"""baresip answers the whole trunk, and what it has recorded is the code."""

import asyncio
from pathlib import Path

import pytest
import trustme

from connector.config.voice import SpeechConfig
from connector.model import Voice
from connector.voice.speech import Speech
from connector.voice.speech.hearing import hear
from connector.voice.speech.names import PACES
from protocols.rtp.g711 import PCMA
from tests.peers.sip.baresip import Baresip
from tests.peers.sip.process import LOOPBACK
from tests.voice.trunk_rig import detail, rig, trunk_config

pytestmark = [pytest.mark.peer("baresip"), pytest.mark.peer("espeak"), pytest.mark.slow, pytest.mark.asyncio]

CALLED = "+447700900001"
CODE = "4829"
SCRIPT = {"gate": False, "repeats": 0, "input_timeout_s": 0.3, "machine": "hang_up"}


@pytest.mark.timeout(120)
@pytest.mark.rule("speech.digits-one-by-one", "speech.twice-slower")
async def test_baresip_has_heard_the_code_twice(tmp_path: Path) -> None:
    speech = Speech(SpeechConfig(), tmp_path)
    await speech.start(("en", "de"))
    try:
        await asyncio.gather(
            call_and_hear(tmp_path / "en", speech, "en", "PCMA", encrypted=False),
            call_and_hear(tmp_path / "de", speech, "de", "PCMU", encrypted=True),
        )
    finally:
        await speech.stop()


async def call_and_hear(folder: Path, speech: Speech, lang: str, codec: str, encrypted: bool) -> None:
    """Encrypted is TLS with SRTP."""
    folder.mkdir()
    certificate, ours = folder / "certificate.pem", folder / "ca.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ours))
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with Baresip(folder, CALLED, certificate if encrypted else None) as telephone:
        account = {"transport": "tls"} if encrypted else {}
        port = telephone.tls_port if encrypted else telephone.port
        tables = {"trunk": account, "media": {"codecs": [codec]}}
        if encrypted:
            tables["tls"] = {"ca_file": ours.name}
        async with rig(trunk_config(port, folder, **tables), SCRIPT) as trunk:
            trunk.lane.speech = speech
            await trunk.up()
            end = await trunk.call(to=CALLED, voice=Voice("test", lang, code=CODE))
        recording = await asyncio.to_thread(telephone.recording)
    assert end.result == "delivered", end
    media = detail(end)["media"]
    assert (media["codec"], media.get("encrypted", False)) == (codec, encrypted)
    for pace in PACES:
        digits = await speech.digits(lang, pace)
        prompts = {digit: PCMA.decode(audio.pcma) for digit, audio in digits.items()}
        heard = await asyncio.to_thread(hear, recording, prompts, len(CODE))
        assert heard is not None and heard.certain, (lang, pace, heard)
        assert heard.code == CODE
