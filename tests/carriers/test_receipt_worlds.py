"""Intake and journal together, against carriers that count their ids up, which is where forms collide.

Whatever a carrier spells and in whatever order it reports: no receipt is ever taken for another handset's
message, and once the form is known, for no other message at all.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from connector.carriers.receipts import ReceiptIntake
from connector.config import Carrier as CarrierConfig
from connector.config.carrier import Account, Binds
from connector.metrics import CarrierMetrics
from connector.model import LiveJob
from protocols.smpp.pdu import DeliverSm
from tests.journal.book import Book

HEXADECIMAL, DECIMAL = b"%X", b"%d"
SPELLINGS: dict[str, tuple[bytes, bytes]] = {
    "same": (DECIMAL, DECIMAL),
    "same in hexadecimal": (HEXADECIMAL, HEXADECIMAL),
    "hex_in_response": (HEXADECIMAL, DECIMAL),
    "decimal_in_response": (DECIMAL, HEXADECIMAL),
}


class World:
    """A carrier of one account, our intake of its receipts, and the journal."""

    def __init__(self, path: Path, spelling: str, handsets: int, random: Random) -> None:
        self.random = random
        self.book = Book(path)
        self.book.store.connection.pragma("synchronous", "OFF")  # hundreds of commits, and no power cut
        config = CarrierConfig(
            name="north", password_path="", account=Account(host="smsc", port=2775, system_id="shop"),
            binds=Binds(tps=1.0, response_timeout_s=10.0),
        )  # fmt: skip
        self.intake = ReceiptIntake(config, self.book.account, CarrierMetrics())
        self.spell(spelling)
        self.numbers = [f"+49151{n:08}" for n in range(handsets)]
        self.next_id = 1
        self.jobs: dict[int, LiveJob] = {}

    def spell(self, spelling: str) -> None:
        self.response, self.receipt = SPELLINGS[spelling]

    def send(self, *, answered: bool = True) -> int:
        id, self.next_id = self.next_id, self.next_id + 1
        job = self.book.accept(f"j{id}", to=self.random.choice(self.numbers))
        self.book.intend(job)
        self.jobs[id] = job
        if answered:
            self.answer(id)
        return id

    def answer(self, id: int) -> None:
        batch = self.book.answer(self.jobs[id], self.response % id)
        self.intake.found(batch.found, self.book.now)

    def report(self, *ids: int) -> None:
        ops = []
        for id in ids:
            pdu = DeliverSm(
                source_addr=self.jobs[id].recipient[1:].encode(), destination_addr=b"SHOP", esm_class=0x04,
                short_message=b"id:" + self.receipt % id + b" stat:DELIVRD",
            )  # fmt: skip
            op = self.intake.read(pdu, self.book.now, None)
            assert op is not None
            ops.append(op)
        self.book.commit(receipts=ops)
        self.intake.committed(ops, self.book.now)

    def wait(self, seconds: float) -> None:
        """And let the journal sweep, as it does every second."""
        self.book.now += seconds
        self.intake.found(self.book.sweep().found, self.book.now)

    def delivered(self) -> set[int]:
        return {id for id, job in self.jobs.items() if self.book.outcome(job) == "delivered"}

    @property
    def form(self) -> str | None:
        return self.intake.id_forms.form


@pytest.fixture
def world(tmp_path: Path, random: Random) -> Callable[[str, int], World]:
    return lambda spelling, handsets: World(tmp_path / "journal.db", spelling, handsets, random)


@pytest.mark.rule("receipts.id-learned", "receipts.id-base", "receipts.before-response")
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("early", [False, True])
def test_each_receipt_finds_its_message_and_the_form_is_learned(
    world: Callable[[str, int], World], spelling: str, early: bool
) -> None:
    this = world(spelling, 1_000_000)
    reported: set[int] = set()
    for _ in range(150):
        id = this.send(answered=not early)
        this.report(id)
        if early:
            this.answer(id)
        reported.add(id)
        this.wait(1)
        assert this.delivered() == reported
    assert this.form == spelling.removesuffix(" in hexadecimal")
    assert this.intake.id_forms.ratio == 1.0


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_in_any_order_and_with_few_handsets(world: Callable[[str, int], World], spelling: str) -> None:
    """Two messages of one handset may be taken for each other until the form is known, never later."""
    this = world(spelling, 3)
    open_ids: list[int] = []
    reported: set[int] = set()
    for _ in range(400):
        if this.form is None and this.random.random() < 0.1:
            this.wait(30)
        open_ids.append(this.send())
        if this.random.random() < 0.8:
            id = open_ids.pop(this.random.randrange(max(0, len(open_ids) - 8), len(open_ids)))
            pinned, before = this.form, this.delivered()
            this.report(id)
            reported.add(id)
            found = this.delivered() - before
            recipients = {this.jobs[each].recipient for each in found}
            assert recipients <= {this.jobs[id].recipient}
            if pinned is not None:
                assert found <= {id}
    assert this.form == spelling.removesuffix(" in hexadecimal")


@pytest.mark.rule("receipts.id-learned")
@pytest.mark.parametrize("before", ["same", "hex_in_response", "decimal_in_response"])
@pytest.mark.parametrize("after", ["same", "hex_in_response", "decimal_in_response"])
def test_a_carrier_changes_its_form_and_no_receipt_is_lost(
    world: Callable[[str, int], World], before: str, after: str
) -> None:
    """As after a move to another SMSC; ids go on above those given before."""
    this = world(before, 1_000_000)
    for _ in range(60):
        this.report(this.send())
    assert this.form == before
    this.spell(after)
    this.next_id = 0xA0000
    for _ in range(130):
        this.report(this.send())
        this.wait(1)
    this.wait(20)
    assert this.form == after
    assert this.delivered() == set(this.jobs)
    assert this.book.row("SELECT count(*) FROM parked") == (0,)


def test_a_carrier_of_two_kinds_of_smsc_is_not_lost_either(world: Callable[[str, int], World]) -> None:
    this = world("same", 1_000_000)
    this.next_id = 0xA0000
    for _ in range(500):
        this.spell("same" if this.random.random() < 0.7 else "hex_in_response")
        this.report(this.send())
        this.wait(1)
    assert this.form is None
    assert this.delivered() == set(this.jobs)
