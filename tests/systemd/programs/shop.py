"""An application: submits codes and follows them to their final events, whatever happens to the daemon.

Arguments: the job socket, how many codes, and the first of them. Prints one JSON object a line:
{"accepted": [ids]}, then of each event its id, type, final and outcome; ends when every job had its last one.
"""

import asyncio
import json
import sys
from typing import Any

from connector.client import Client, Job

DEADLINE_S = 15


def say(fact: dict[str, Any]) -> None:
    print(json.dumps(fact), flush=True)


def job(code: int) -> Job:
    params: dict[str, str | int | float] = {"code": f"{code:06}"}
    return Job(
        id=f"code-{code}", to="+447700900123", template="login-code", params=params, deadline_s=DEADLINE_S
    )


async def shop(path: str, count: int, first: int) -> None:
    async with Client(path, name="shop") as client:
        results = await client.submit_many([job(code) for code in range(first, first + count)])
        open_jobs = {result.id for result in results}
        say({"accepted": sorted(open_jobs)})
        async for event in client.events():
            say({"id": event.id, "type": event.type, "final": event.final, "outcome": event.outcome})
            if event.final:
                open_jobs.discard(event.id)
            if not open_jobs:
                break


asyncio.run(shop(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
