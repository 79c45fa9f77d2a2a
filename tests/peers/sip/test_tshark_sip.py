"""tshark reads our SIP and SDP off the wire."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from protocols.sip.events import Answered, Digit, Ended, Rejected, Transferred
from tests.peers.capture import Capture
from tests.peers.dissection import everything, frames, is_fault
from tests.peers.sip import scenarios
from tests.peers.sip.caller import CALLED, Caller, finished
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import REALM

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.peer("tshark"), pytest.mark.asyncio]

Fields = dict[str, str]


def messages(file: Path, port: int) -> Iterator[Fields]:
    """Every SIP message of ours at `port`, by the first value of each field; none may have a fault."""
    for frame in frames(file, "-d", f"udp.port=={port},sip"):
        fields = list(everything(dict(dict(frame)["_source"])["layers"]))
        faults = [value for name, value in fields if is_fault(name, value)]
        if dict(fields)["udp.srcport"] == str(port):
            shown = dict(reversed(fields))
            assert not faults, shown
            assert "sip.msg_hdr" in shown, shown
            yield shown


async def everything_we_say(caller: Caller, folder: Path) -> None:
    """Calls with INVITE, ACK of both kinds, PRACK, CANCEL, BYE, REFER, digest, and answers to the callee."""
    for scenario in (
        scenarios.challenged(proxy=False),
        scenarios.RELIABLE,
        scenarios.RECORDS_ITS_ROUTE,
        scenarios.INTERVAL_TOO_SMALL,
    ):
        with Sipp(folder, scenario) as sipp:
            line = await caller.call(sipp.port)
            await line.until(Answered)
            line.hang_up(16)
            await line.until(Ended)
            await finished(sipp)
    with Sipp(folder, scenarios.NEVER_ANSWERS) as sipp:
        line = await caller.call(sipp.port)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)
    with Sipp(folder, scenarios.BUSY) as sipp:
        await (await caller.call(sipp.port)).until(Rejected)
        await finished(sipp)
    with Sipp(folder, scenarios.CHANGES_MEDIA) as sipp:
        line = await caller.call(sipp.port)
        await line.until(Digit)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)
    with Sipp(folder, scenarios.transfers("200 OK")) as sipp:
        line = await caller.call(sipp.port)
        await line.until(Answered)
        line.refer(f"sip:agent@{REALM}")
        await line.until(Transferred)
        line.hang_up()
        await line.until(Ended)
        await finished(sipp)
    for scenario in (scenarios.UNINVITED, scenarios.BYE_FOR_NOBODY, scenarios.ASKS):
        with Sipp(folder, scenario, remote=(LOOPBACK, caller.port)) as stranger:
            await finished(stranger)


async def test_everything_we_say_is_dissected_without_a_fault(random: Random, tmp_path: Path) -> None:
    file = tmp_path / "sip.pcapng"
    async with Caller(random) as caller:
        with Capture(file, f"udp port {caller.port}") as capture:
            await everything_we_say(caller, tmp_path)
            capture.wait(b" OPTIONS\r\n", 4)  # of CHANGES_MEDIA and of ASKS, each with its answer
            capture.stop()
    said = list(messages(file, caller.port))

    methods = Counter(fields["sip.Method"] for fields in said if "sip.Method" in fields)
    assert set(methods) == {"INVITE", "ACK", "PRACK", "CANCEL", "BYE", "REFER"}
    assert methods["INVITE"] == 8 + 2  # a digest and a 422 take one more each
    answers = {fields["sip.Status-Code"] for fields in said if "sip.Status-Code" in fields}
    assert {"200", "403", "481"} <= answers
    for fields in said:
        if fields.get("sip.Method") == "INVITE":
            assert fields["sip.r-uri"] == f"sip:{CALLED}@{REALM}"
            assert fields["sdp.media.media"] == "audio"
            assert fields["sdp.media.port"] == str(caller.media_port)
            assert fields["sdp.connection_info.address"] == LOOPBACK
