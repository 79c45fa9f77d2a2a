"""A host that sends all it can think of to the SIP port and the RTP ports, while calls are made."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import urllib.request
from pathlib import Path
from random import Random

import pytest

from benchmarks.ports import free_port
from tests.daemon.callee import SimulatedCallee, code_job, lane
from tests.daemon.harness import Application, Daemon, Site
from tests.hostile.test_hostile_smsc import GROWTH_KIB

pytestmark = pytest.mark.asyncio

A_SECOND = 2_000
CALLS = 4
CODE, NUMBER, USER_PART = "738164", "4915187654321", "ghost-caller"
TORTURE = Path(__file__).parents[1] / "protocols/sip/torture"
METHODS = (
    "INVITE", "BYE", "CANCEL", "REFER", "UPDATE", "NOTIFY", "INFO", "OPTIONS", "ACK", "PRACK", "REGISTER",
    "SUBSCRIBE", "MESSAGE", "PUBLISH", "HACK",
)  # fmt: skip
HEADERS = (
    "Refer-To: <sip:+19005550100@premium.example>", "Contact: *", "Contact: <sip:x@127.0.0.1:53>",
    "Require: nonsense", "Content-Length: 99999", "Content-Length: -1", "Route: <sip:third.example;lr>",
    "Record-Route: " + "<sip:a;lr>," * 300, "CSeq: 99999999999999999999 BYE", "Session-Expires: 1",
    "Proxy-Authorization: Digest username=x", "Subscription-State: active", "Event: refer", "Max-Forwards: 0",
)  # fmt: skip


class Flood:
    """From a thread of its own, so many datagrams a second, to the SIP port and to RTP ports."""

    def __init__(self, sip: int, rtp: range, random: Random) -> None:
        self.sent = 0
        self.octets = self.back = 0
        self._sip, self._rtp, self._random = sip, rtp, random
        self._torture = [path.read_bytes() for path in sorted(TORTURE.rglob("*")) if path.is_file()]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _request(self) -> bytes:
        random = self._random
        if random.random() < 0.1:
            return random.randbytes(random.choice((1, 20, 1_000, 9_000)))
        if random.random() < 0.1 and self._torture:
            return random.choice(self._torture)
        method, id = random.choice(METHODS), random.randrange(10**9)
        tag = random.choice(("", f";tag={random.randrange(10**9)}"))
        start = random.choice((f"{method} sip:{USER_PART}@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"))
        lines = [
            start, f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{id};rport",
            f"From: <sip:{USER_PART}@b>;tag=1", f"To: <sip:x@b>{tag}", f"Call-ID: {id}", f"CSeq: 1 {method}",
            *random.sample(HEADERS, random.randrange(3)),
        ]  # fmt: skip
        data = bytearray(("\r\n".join(lines) + "\r\n\r\n").encode())
        if random.random() < 0.3:
            at = random.randrange(len(data))
            data[at : at + random.randrange(9)] = random.randbytes(random.randrange(9))
        return bytes(data)

    def _run(self) -> None:
        random = self._random
        requests = [self._request() for _ in range(2_000)]
        began = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            while not self._over.is_set():
                for _ in range(A_SECOND // 100):
                    self._send(sock, random.choice(requests), self._sip)
                    media = random.choice(
                        (b"\x80\x00", b"\x80\x65", b"\x80\xc8", b"\x81\xcb", b"")
                    ) + random.randbytes(random.choice((2, 10, 170)))
                    self._send(sock, media, random.choice(self._rtp))
                self._receive(sock)
                self._over.wait(max(0.0, began + self.sent / A_SECOND - time.monotonic()))

    def _send(self, sock: socket.socket, data: bytes, port: int) -> None:
        try:
            sock.sendto(data, ("127.0.0.1", port))
        except OSError:  # refused by ICMP, or full
            return
        if port == self._sip:
            self.sent += 1
            self.octets += len(data)

    def _receive(self, sock: socket.socket) -> None:
        try:
            while True:
                self.back += len(sock.recv(65_535))
        except OSError:
            return


def _metrics(site: Site) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{site.http_port}/metrics", timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def _open_files(daemon: Daemon) -> int:
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


@pytest.mark.timeout(180)
async def test_calls_go_on_and_nothing_is_kept_nor_told(site: Site, random: Random) -> None:
    callee = SimulatedCallee(site, answer_after="fixed:0.1")
    lane(site, callee, http=True)
    port, config = free_port(), site.config / "connector.toml"
    config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    daemon = site.start()
    async with Application(site.socket_path) as shop:
        await shop.client.submit(code_job("before", CODE, f"+{NUMBER}"))
        assert (await shop.final("before", timeout_s=60.0)).outcome == "delivered"
        files, memory = _open_files(daemon), daemon.rss_kib()
        with Flood(port, range(40_000, 40_020), random) as flood:
            jobs = [f"call-{number}" for number in range(CALLS)]
            for job in jobs:
                await shop.client.submit(code_job(job, CODE, f"+{NUMBER}"))
            for job in jobs:
                assert (await shop.final(job, timeout_s=60.0)).outcome == "delivered"
        assert flood.sent > 1_000
        assert flood.back <= 2 * flood.octets
        assert daemon.rss_kib() - memory < GROWTH_KIB
        assert _open_files(daemon) <= files
        metrics = await asyncio.to_thread(_metrics, site)
        status = str(await shop.client.status("call-1"))
    for process in site.processes:
        if process is not callee:
            line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert CODE.encode() not in line and NUMBER.encode() not in line
    assert await asyncio.to_thread(daemon.stop) == 0
    for secret in (CODE, USER_PART, "Traceback", "was not taken", "exception"):
        assert secret not in daemon.log, secret
    for secret in (CODE, NUMBER):
        assert secret not in metrics
        assert secret not in daemon.log
    assert CODE not in status
    kept = b"".join(file.read_bytes() for file in site.state.rglob("*") if file.is_file())
    assert CODE.encode() not in kept
    print(f"sent {flood.sent}, back {flood.back} of {flood.octets} octets")
