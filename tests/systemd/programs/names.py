"""The DNS of the container: west.example, whose SIP is at port 5070 of this machine."""

import asyncio

from tests.voice.dns_server import DnsServer

ZONE = {
    ("_sip._udp.west.example", "SRV"): ["0 0 5070 sip.west.example."],
    ("sip.west.example", "A"): ["127.0.0.1"],
}


async def serve() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: DnsServer(ZONE), local_addr=("127.0.0.1", 53))
    await asyncio.Event().wait()


asyncio.run(serve())
