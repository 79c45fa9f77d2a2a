"""The benchmark `calls`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.calls import concurrent, daemon, setups, speech, whole
from benchmarks.machine import facts

__all__ = ["calls", "show"]

Progress = Callable[[str], None]


def calls(seed: int, progress: Progress) -> dict[str, Any]:
    """The object that `--json` prints."""
    progress("calls set up and torn down against SIPp")
    set_up = setups.measure(seed)
    speaking = concurrent.measure(seed, progress)
    progress("speech made by one worker and by two")
    synthesis = speech.measure(seed)
    problems = speaking.pop("problems")
    progress("whole calls, for their memory")
    memory = whole.measure(seed)
    problems += memory.pop("problems")
    progress("calls through the whole daemon")
    through = daemon.measure(seed)
    problems += through.pop("problems")
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
        "speech": synthesis,
        **memory,
        "daemon": through,
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
    for workers, figures in result["speech"]["workers"].items():
        print(f"{'speech, ' + workers + ' workers':20} {json.dumps(figures)}")
    print(f"{'speech, idle loop':20} {json.dumps(result['speech']['idle_tick_ms'])}")
    print(f"{'kb_per_call':20} {result['kb_per_call']} {json.dumps(result['whole_calls'])}")
    print(f"{'daemon':20} {json.dumps(result['daemon'])}")
    for problem in result["problems"]:
        print(f"error: {problem}", file=sys.stderr)
