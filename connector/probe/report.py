"""The result of a probe as plain values, for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.probe.finding import Finding

__all__ = ["SCHEMA", "report"]

SCHEMA = 1


def report(findings: Mapping[str, Finding], **about: Any) -> dict[str, Any]:
    """`schema`, what `about` says of the run, and `findings: [{key, value, confidence, how}]`."""
    listed = [
        {"key": each.key, "value": each.value, "confidence": str(each.confidence), "how": each.how}
        for each in findings.values()
    ]
    return {"schema": SCHEMA, **about, "findings": listed}
