"""`python -m benchmarks NAME [--json] [--seed N]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Any

from benchmarks import decision as deciding
from benchmarks.answering import run as answering
from benchmarks.calls import run as calling
from benchmarks.cycle import table
from benchmarks.cycle.run import cycle
from benchmarks.cycle.scenarios import SCENARIOS
from benchmarks.gate import run as gating
from benchmarks.probe import run as probing
from benchmarks.processes import BenchmarkError
from benchmarks.routing import run as choosing
from benchmarks.routing.policies import POLICIES
from benchmarks.throttle import run as throttling

_SEED_BITS = 31

_SHOW: dict[str, Callable[[dict[str, Any]], None]] = {
    "cycle": table.show, "throttle": throttling.show, "probe": probing.show,
    "machine": answering.show, "calls": calling.show, "decision": deciding.show,
    "routing": choosing.show, "gate": gating.show,
}  # fmt: skip


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not allowed here, expected a whole number above 0")
    return int(text)


def main() -> int:
    """0 when every job is accounted for, 1 when not or when it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures on this machine.")
    parser.add_argument("name", nargs="?", choices=list(_SHOW), default="cycle", help="what to measure")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, help="repeat a run: same numbers, texts and missing receipts")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SCENARIO",
        choices=[scenario.name for scenario in SCENARIOS], help="cycle: this scenario; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--world", action="append", default=[], metavar="FILE", type=Path,
        help="routing: this world, of benchmarks/routing/worlds or yours; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--policy", action="append", default=[], choices=list(POLICIES), help="routing: may be repeated"
    )
    parser.add_argument("--seeds", type=_whole, default=choosing.SEEDS, help="routing: runs of each world")
    arguments = parser.parse_args()
    seed = SystemRandom().getrandbits(_SEED_BITS) if arguments.seed is None else arguments.seed
    try:
        if arguments.name == "throttle":
            result = throttling.throttle(seed, _progress)
        elif arguments.name == "probe":
            result = probing.probe(seed, _progress)
        elif arguments.name == "machine":
            result = answering.detection(seed, _progress)
        elif arguments.name == "decision":
            result = deciding.decision(seed, _progress)
        elif arguments.name == "routing":
            result = choosing.routing(seed, arguments.world, arguments.policy, arguments.seeds, _progress)
        elif arguments.name == "gate":
            result = gating.gate(seed, _progress)
        elif arguments.name == "calls":
            result = calling.calls(seed, _progress)
        else:
            result = cycle(seed, arguments.only, _progress)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(result, indent=2))
        for problem in result["problems"]:
            print(f"error: {problem}", file=sys.stderr)
    else:
        _SHOW[arguments.name](result)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
