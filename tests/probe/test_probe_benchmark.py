"""The benchmark `probe` must not take luck for a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from benchmarks.probe.run import PROFILES, compared
from connector.config import CarrierFile, load_carrier

TRUTH = load_carrier(PROFILES / "latin1.toml")


def finding(key: str, confidence: str = "found", how: str = "seen") -> dict[str, Any]:
    return {"key": key, "value": None, "confidence": confidence, "how": how}


def test_an_equal_profile_is_recovered() -> None:
    wrong, count = compared(TRUTH, TRUTH, [])
    assert wrong == []
    assert count > 20


def test_a_value_that_differs_is_wrong() -> None:
    probed = msgspec.structs.replace(TRUTH, text=msgspec.structs.replace(TRUTH.text, long_message="udh8"))
    wrong, _ = compared(TRUTH, probed, [finding("text.long_message")])
    assert wrong == [{"key": "text.long_message", "expected": "sar", "found": "udh8", "how": "seen"}]


def test_a_value_that_is_right_because_nobody_looked_is_wrong_too() -> None:
    wrong, _ = compared(TRUTH, TRUTH, [finding("binds.window", "unknown", "the rate limits before it")])
    assert [fault["key"] for fault in wrong] == ["binds.window"]


def test_state_words_count_where_they_were_seen() -> None:
    plain = msgspec.structs.replace(TRUTH, receipts=msgspec.structs.replace(TRUTH.receipts, states={}))
    assert isinstance(plain, CarrierFile)
    assert compared(TRUTH, plain, [])[0] == []
    seen = finding("receipts.states", "assumed", "words seen: DELIVRD (3), UNKNOWN (1)")
    assert [fault["key"] for fault in compared(TRUTH, plain, [seen])[0]] == ["receipts.states"]


def test_every_shipped_profile_is_measured() -> None:
    assert {path.stem for path in Path(PROFILES).glob("*.toml")} >= {
        "plain-smpp34", "hex-decimal-receipts", "india-dlt", "latin1", "ucs2-only", "packed-gsm",
    }  # fmt: skip
