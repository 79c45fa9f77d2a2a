"""What is measured: one entry a scenario. Receipts come 10 ms after the submit where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["OUTSTANDING", "RIVAL_SCENARIOS", "SCENARIOS", "Scenario"]

_RECEIPTS = {"receipt_delay": "fixed:0.01"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run of the daemon from its start to its stop.

    jobs         submitted in all
    rate         jobs a second; 0: as fast as they go, `window` jobs under way
    closes       what frees a place of `window`; see Order
    smpp_window  submit_sm without answer
    carrier      options of the simulated carrier
    round_trip_s of the carrier; with it `share_of_limit` is smpp_window / round trip
    afterwards   jobs that follow on the same daemon, with receipts again
    limit_s      the run ends then, complete or not
    """

    name: str
    says: str
    jobs: int
    rate: float = 0.0
    window: int = 1000
    closes: Literal["final", "sent"] = "final"
    smpp_window: int = 500
    carrier: Mapping[str, str] = field(default_factory=lambda: _RECEIPTS)
    round_trip_s: float = 0.0
    afterwards: int = 0
    limit_s: float = 60.0


OUTSTANDING = Scenario(
    name="outstanding_200k",
    says="200,000 jobs handed over whose receipts do not come, then 20,000 whole ones on top",
    jobs=200_000, closes="sent", carrier={"receipt_missing": "1"}, afterwards=20_000, limit_s=150.0,
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="full_speed", says="as fast as it goes, 1,000 jobs under way", jobs=40_000),
    Scenario(name="paced_200", says="200 jobs a second, each submitted alone", jobs=2_000, rate=200.0),
    Scenario(name="paced_1000", says="1,000 jobs a second, each submitted alone", jobs=8_000, rate=1000.0),
    Scenario(
        name="rtt_50ms",
        says="the carrier answers after 50 ms; SMPP window 200, so at most 4,000 a second",
        jobs=20_000, smpp_window=200, round_trip_s=0.05,
        carrier={"response_delay": "fixed:0.05", "receipt_delay": "fixed:0.06"},
    ),
    Scenario(
        name="half_receipts",
        says="half of the receipts never come",
        jobs=20_000, closes="sent", carrier={**_RECEIPTS, "receipt_missing": "0.5"},
    ),
    OUTSTANDING,
)  # fmt: skip

RIVAL_SCENARIOS = ("full_speed", "half_receipts")
