"""An application: submits codes and follows them to their final events, whatever happens to the daemon.

Arguments: the job socket, how many codes, a prefix for their ids. Prints one JSON object a line:
{"accepted": [ids]}, then each event as {"id", "type", "outcome"}, and ends when every job had its last one.
"""

import asyncio
import faulthandler, signal; faulthandler.register(signal.SIGUSR1)
import json
import sys
from typing import Any

from connector.client import Client, Job


def say(fact: dict[str, Any]) -> None:
    print(json.dumps(fact), flush=True)


def code(prefix: str, number: int) -> Job:
    params: dict[str, str | int | float] = {"code": f"{number:06}"}
    return Job(
        id=f"{prefix}-{number}", to="+447700900123", template="login-code", params=params, deadline_s=20
    )


async def shop(path: str, count: int, prefix: str) -> None:
    async with Client(path, name="shop") as client:
        results = await client.submit_many([code(prefix, number) for number in range(count)])
        open_jobs = {result.id for result in results}
        say({"accepted": sorted(open_jobs)})
        async for event in client.events():
            say({"id": event.id, "type": event.type, "final": event.final, "outcome": event.outcome})
            if event.final:
                open_jobs.discard(event.id)
            if not open_jobs:
                break


asyncio.run(shop(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
