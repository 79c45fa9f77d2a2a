import random
import socket

import pytest

from connector.simulator.callee.front import Front, digits_of, front_of
from protocols.rtp.packet import Packet
from protocols.sip.events import Answered, Ended
from tests.simulator.callee.caller import calling
from tests.simulator.callee.test_answering import record_of


@pytest.mark.parametrize(
    ("data", "front"),
    [
        (b"INVITE sip:+4915@h SIP/2.0\r\nCall-ID: a@b\r\n\r\n", Front("INVITE", "4915", "a@b")),
        (b"\r\n\r\nBYE sips:004915;npdi@h:5061 SIP/2.0\r\ni : x\r\n\r\n", Front("BYE", "4915", "x")),
        (b"REGISTER sip:127.0.0.1:5060 SIP/2.0\r\ncall-id:y\r\n\r\n", Front("REGISTER", "", "y")),
        (b"OPTIONS sip:h SIP/2.0\n\n", Front("OPTIONS", "", "")),
        (b"INVITE sip:%2B4915:secret@h;transport=tcp SIP/2.0\r\n\r\n", Front("INVITE", "4915", "")),
        (b"SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n", None),
        (b"INVITE tel:+4915 SIP/2.0\r\n\r\n", None),
        (b"\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_request_is_known_by_its_first_lines(data: bytes, front: Front | None) -> None:
    assert front_of(data) == front


@pytest.mark.parametrize(
    ("user", "digits"),
    [("+4915", "4915"), ("004915", "4915"), ("4915", "4915"), ("+4915;isub=1", "4915"), ("anna", "anna")],
)
def test_numbers_are_international_digits(user: str, digits: str) -> None:
    assert digits_of(user) == digits


@pytest.mark.asyncio
async def test_nonsense_disturbs_nobody() -> None:
    async with calling(says="none") as (caller, callee):
        call, sound = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        rng = random.Random(3)
        invite = next(data for data in caller.wire if data.startswith(b"INVITE"))
        for _ in range(300):
            broken = bytearray(invite)
            for _ in range(rng.randint(1, 8)):
                broken[rng.randrange(len(broken))] = rng.randrange(256)
            caller.transport.sendto(bytes(broken), caller.flow.remote)  # type: ignore[attr-defined]
            caller.transport.sendto(rng.randbytes(rng.randint(0, 60)), caller.flow.remote)  # type: ignore[attr-defined]
            sound.socket.sendto(rng.randbytes(rng.randint(0, 60)), (agreed.host, agreed.port))
        sound.socket.sendto(Packet(96, 1, 1, 1, b"?" * 160).encode(), (agreed.host, agreed.port))
        other, _ = caller.invite("+441632960102")
        await caller.next(Answered, other)
        caller.hang_up(call)
        await caller.next(Ended, call)
        assert (await record_of(caller, callee)).received["malformed"]


@pytest.mark.asyncio
async def test_packets_of_another_host_are_not_heard() -> None:
    async with calling(says="none") as (caller, callee):
        call, _ = caller.invite()
        agreed = (await caller.next(Answered)).agreed
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.bind(("127.0.0.2", 0))
        with stranger:
            stranger.sendto(
                Packet(agreed.payload_type, 1, 1, 1, b"?" * 160).encode(), (agreed.host, agreed.port)
            )
            media = callee.line(1)._media  # type: ignore[union-attr]
            await caller.until(lambda: media.statistics()["strangers"] == 1)  # type: ignore[union-attr]
        caller.hang_up(call)
        assert (await record_of(caller, callee)).received["packets"] == 0


@pytest.mark.asyncio
async def test_faults_are_known_over_tcp_too() -> None:
    async with calling(answers=False, late_200=True) as (caller, callee):
        call, _ = caller.invite(flow=await caller.tcp())
        await caller.until(lambda: callee.records.calls and "ring" in callee.records.calls[0].at)
        await caller.until(lambda: caller.saw(b"CSeq") and call.provisional_seen)
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert (record.status, record.ended_by, record.transport) == (200, "caller", "tcp")


@pytest.mark.asyncio
async def test_a_lost_connection_ends_its_call() -> None:
    async with calling(answers=False) as (caller, callee):
        flow = await caller.tcp()
        caller.invite(flow=flow)
        await caller.until(lambda: callee.records.calls)
        caller._writers.pop(flow).close()
        record = await record_of(caller, callee)
        assert record.ended_by == "cancelled"
        assert callee.stats()["lines_open"] == 0
