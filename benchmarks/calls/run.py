"""The benchmark `calls`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.calls import concurrent, setups
from benchmarks.machine import facts

__all__ = ["calls", "show"]

Progress = Callable[[str], None]


def calls(seed: int, progress: Progress) -> dict[str, Any]:
    """The object that `--json` prints."""
    progress("calls set up and torn down against SIPp")
    set_up = setups.measure(seed)
    speaking = concurrent.measure(seed, progress)
    problems = speaking.pop("problems")
    if set_up.get("failed_share"):
        problems.append(f"{set_up['failed_share']:.2%} of the calls set up did not end as they should")
    return {
        "schema": 1,
        "benchmark": "calls",
        "seed": seed,
        "machine": facts(),
        "setups_per_s": set_up["setups_per_s"],
        "setups": set_up,
        **speaking,
        "problems": problems,
        "ok": not problems,
    }


def show(result: dict[str, Any]) -> None:
    """One line for each way of measuring."""
    print(f"{'set up':20} {json.dumps(result['setups'])}")
    for count, figures in result["concurrent"].items():
        plain = {name: value for name, value in figures.items() if name not in ("two_way", "fifo")}
        print(f"{count + ' calls':20} {json.dumps(plain)}")
        for way in ("two_way", "fifo"):
            print(f"{count + ' ' + way:20} {json.dumps(figures[way])}")
    for count, figures in result["srtp"].items():
        print(f"{count + ' srtp':20} {json.dumps(figures)}")
    print(f"{'kb_per_call':20} {result['kb_per_call']}")
    for problem in result["problems"]:
        print(f"error: {problem}", file=sys.stderr)
