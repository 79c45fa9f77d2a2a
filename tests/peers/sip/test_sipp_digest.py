"""SIPp asks for a password: it gets the proof that it can check, and nobody else gets any."""

import hashlib
import re
from pathlib import Path
from random import Random

import pytest

from protocols.sip.digest import Credentials
from protocols.sip.events import Answered, Ended, Rejected
from tests.peers.sip import scenarios
from tests.peers.sip.caller import Caller, finished
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import PASSWORD, REALM, USER

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.asyncio]


@pytest.mark.rule("sip.repeated-401", "sip.digest-realm")
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("proxy", [False, True])
async def test_a_challenge_is_answered(random: Random, tmp_path: Path, proxy: bool, repeated: bool) -> None:
    async with Caller(random) as caller:
        with Sipp(tmp_path, scenarios.challenged(proxy, repeated=repeated)) as sipp:
            line = await caller.call(sipp.port)
            await line.until(Answered)
            line.hang_up()
            await line.until(Ended)
            await finished(sipp)
    assert "Rejected" not in line.kinds()
    assert_proves(sipp.messages)


RECEIVED = r"^([A-Z]+) sip:[^\n]*\n(?:[^\r\n]+\r?\n)*?(?:Proxy-)?Authorization: Digest (.*?)\r?$"


def assert_proves(messages: str) -> None:
    """Each proof is right (RFC 7616 §3.4.1, MD5, qop=auth), and counts one up; the ACK has its INVITE's."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    assert PASSWORD not in messages
    secret = md5(f"{USER}:{REALM}:{PASSWORD}")
    counts = []
    for method, proof in re.findall(RECEIVED, messages, re.MULTILINE):
        found = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', proof)
        said = {name: quoted or bare for name, quoted, bare in found}
        assert (said["username"], said["realm"], said["qop"]) == (USER, REALM, "auth")
        subject = md5(f"{'INVITE' if method == 'ACK' else method}:{said['uri']}")
        between = f"{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}"
        assert said["response"] == md5(f"{secret}:{between}:{subject}"), method
        counts.append((method, int(said["nc"], 16)))
    assert counts == [("INVITE", 1), ("ACK", 1), ("BYE", 2)]


async def test_a_wrong_password_is_a_refusal_and_tried_once(random: Random, tmp_path: Path) -> None:
    async with Caller(random) as caller:
        with Sipp(tmp_path, scenarios.challenged(proxy=False)) as sipp:
            line = await caller.call(sipp.port, credentials=Credentials(USER, "guessed", None))
            assert (await line.until(Rejected)).status == 403
            await finished(sipp, noted=True)
    assert sipp.messages.count("UDP message received") == 4  # INVITE, ACK, INVITE, ACK


@pytest.mark.rule("sip.digest-realm")
@pytest.mark.parametrize(
    ("realm", "ours"),
    [
        ("evil.example", None),
        ("evil.example", REALM),
        (f"{REALM}.evil.example", None),
        (f"not-{REALM}", None),
        (REALM.upper(), REALM),
        ("", None),
    ],
)
async def test_another_realm_gets_nothing(
    random: Random, tmp_path: Path, realm: str, ours: str | None
) -> None:
    async with Caller(random) as caller:
        with Sipp(tmp_path, scenarios.phishing(realm)) as sipp:
            line = await caller.call(sipp.port, credentials=Credentials(USER, PASSWORD, ours))
            assert (await line.until(Rejected)).status == 401
            await finished(sipp)
    assert "uthorization:" not in sipp.messages
    assert USER not in sipp.messages
