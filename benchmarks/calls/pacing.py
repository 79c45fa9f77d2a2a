"""What the wire saw, in figures."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

__all__ = ["figures"]

_IN_TIME_MS = 5.0


def figures(streams: Mapping[int, array[float]]) -> dict[str, Any]:
    """Of arrival less timestamp, in seconds, by stream: how late packets are against the earliest one."""
    late_ms = sorted((value - min(stream)) * 1e3 for stream in streams.values() for value in stream)
    if not late_ms:
        return {"packets": 0, "streams": 0}
    return {
        "packets": len(late_ms),
        "streams": len(streams),
        "pacing_p50_ms": round(late_ms[len(late_ms) // 2], 3),
        "pacing_p99_ms": round(late_ms[int(len(late_ms) * 0.99)], 3),
        "pacing_max_ms": round(late_ms[-1], 3),
        "share_within_5ms": round(sum(value <= _IN_TIME_MS for value in late_ms) / len(late_ms), 5),
    }
