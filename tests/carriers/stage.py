"""A carrier, the peer it talks to, and what it tells its owner: the stage of the contract test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

from connector.carriers.contract import Attempt, Carrier, PartAnswer
from connector.carriers.smpp import SmppCarrier
from connector.carriers.statuses import StatusClass
from connector.clock import Clock
from connector.config import Carrier as CarrierConfig
from connector.config.carrier import Account, Backoff, Binds
from connector.journal.ops import Inbound, Receipt
from connector.metrics import CarrierMetrics
from connector.model import Content, LiveJob
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc

PATIENCE_S = 10.0
MAX_PARTS = 4
WINDOW = 10
now = Clock().now


class Told:
    """Everything a carrier tells its owner, in order."""

    def __init__(self) -> None:
        self.endings: list[tuple[str, Attempt]] = []
        self.answers: list[tuple[Attempt, PartAnswer]] = []
        self.receipts: list[Receipt] = []
        self.arrived: list[Inbound] = []
        self.rooms = 0
        self._changed = asyncio.Event()

    def sent(self, attempt: Attempt, answer: PartAnswer, now: float) -> None:
        self.answers.append((attempt, answer))
        if attempt.answered == attempt.parts:
            self._end("sent", attempt)

    def refused(self, attempt: Attempt, status: int, kind: StatusClass, now: float) -> None:
        self._end("refused", attempt)

    def unknown(self, attempt: Attempt, reason: str, now: float) -> None:
        assert reason
        self._end("unknown", attempt)

    def unsent(self, attempt: Attempt, reason: str, now: float) -> None:
        assert reason
        self._end("unsent", attempt)

    def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        self._changed.set()

    def inbound(self, inbound: Inbound) -> None:
        self.arrived.append(inbound)
        self._changed.set()

    def room(self) -> None:
        self.rooms += 1
        self._changed.set()

    def of(self, attempt: Attempt) -> list[str]:
        return [ending for ending, ended in self.endings if ended is attempt]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _end(self, ending: str, attempt: Attempt) -> None:
        self.endings.append((ending, attempt))
        self._changed.set()


class Stage:
    """A carrier, the peer it talks to, and what it tells."""

    def __init__(self, carrier: Carrier, smsc: Smsc, told: Told) -> None:
        self.carrier = carrier
        self.smsc = smsc
        self.told = told
        self._numbers = count(1)

    def job(self, *, to: str | None = None, text: str | None = None, deadline_s: float = 60.0) -> LiveJob:
        number = next(self._numbers)
        at = now()
        return LiveJob(
            key=number, app=1, id=f"job-{number}", recipient=to or f"+4915{number:09}",
            content=Content(text or f"code {number}", "ACME"), accepted_at=at, deadline_at=at + deadline_s,
        )  # fmt: skip

    def send(self, *jobs: LiveJob) -> list[Attempt]:
        attempts = []
        for job in jobs:
            attempt = self.carrier.prepare(job, now())
            job.attempts = attempt.number
            self.carrier.send(attempt, now())
            attempts.append(attempt)
        self.carrier.pump(now())
        return attempts

    async def until_room(self) -> None:
        """As the dispatcher waits: for `room` to be told, or for the time that `room_at` gives."""

        def there() -> bool:
            if self.carrier.room(now()) > 0:
                return True
            if (at := self.carrier.room_at(now())) is not None:
                asyncio.get_running_loop().call_later(max(0.001, at - now()), self.told.room)
            return False

        await self.told.until(there)

    def commit_receipts(self) -> list[Receipt]:
        """As the journal would: only then the peer is answered."""
        receipts, self.told.receipts = self.told.receipts, []
        for receipt in receipts:
            receipt.match = "id"
            receipt.accepted_at = now()
        self.carrier.receipts_committed(receipts, now())
        return receipts

    def counted(self, name: str) -> int:
        return int(getattr(self.smsc.records.counters, name))

    async def until_counted(self, name: str, number: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.counted(name) < number:
                await asyncio.sleep(0.002)

    def arrived(self, attempt: Attempt) -> int:
        return len(self.smsc.handsets.inbox(attempt.job.recipient))


Make = Callable[[int, Told, Path, dict[str, object]], Carrier]


def smpp(mode: str) -> Make:
    def make(port: int, told: Told, folder: Path, binds: dict[str, object]) -> Carrier:
        password = folder / "password"
        password.write_text("secret")
        password.chmod(0o600)
        settings = {"tps": 10_000.0, "window": WINDOW, "response_timeout_s": 0.5, "mode": mode, **binds}
        config = CarrierConfig(
            name="sim",
            password_path=str(password),
            account=Account(host="127.0.0.1", port=port, system_id="shop", password_file="password"),
            binds=Binds(**settings),  # type: ignore[arg-type]
            backoff=Backoff(initial_s=0.02, max_s=0.1, ghost_s=0.1),
        )
        return SmppCarrier(
            config,
            account=1,
            max_parts=MAX_PARTS,
            outcomes=told,
            metrics=CarrierMetrics(),
            now=now,
            rng=Random(1),
        )

    return make


CARRIERS: dict[str, Make] = {
    "smpp, transceiver": smpp("transceiver"),
    "smpp, transmitter and receiver": smpp("transmitter+receiver"),
}


@asynccontextmanager
async def stage(
    make: Make, folder: Path, binds: dict[str, object] | None = None, **faults: object
) -> AsyncIterator[Stage]:
    smsc = Smsc(SmscOptions().changed(faults), seed=7)
    told = Told()
    carrier = make(await smsc.start(), told, folder, binds or {})
    try:
        carrier.start()
        await told.until(lambda: carrier.room(now()) > 0)
        number = int(str((binds or {}).get("count", 1)))
        if number > 1:
            await told.until(
                lambda: sum(bind.state == "bound" for bind in carrier.live(now()).binds) >= number
            )
        yield Stage(carrier, smsc, told)
    finally:
        await carrier.stop()
        await smsc.stop()
