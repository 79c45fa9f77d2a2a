"""`python -m tests.fuzz`: the harnesses under atheris, as many at once as there are cores.

Each starts from its corpus and goes on by coverage of `protocols` and `connector`. An input that breaks a
promise is written to the folder of findings and named; add its octets to corpus/NAME.hex together with the
correction. Ends with 1 when there was a finding.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fuzz.corpus import HARNESSES, inputs

REPOSITORY = Path(__file__).parents[2]
LONGEST = 400
"""Octets of an input."""


def main() -> int:
    arguments = _arguments()
    each = -(-arguments.runs // len(arguments.harness))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        done = list(
            pool.map(lambda name: _run(name, each, arguments, Path(folder) / name), arguments.harness)
        )
    result = {
        "inputs": sum(run["inputs"] for run in done),
        "seconds": round(max(run["seconds"] for run in done), 1),
        "findings": [path for run in done for path in run["findings"]],
        "harnesses": {run.pop("name"): run for run in done},
    }
    print(json.dumps(result, indent=1))
    ended = all(run["ended"] == 0 for run in done)
    return 0 if ended and not result["findings"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("harness", nargs="*", default=HARNESSES, help=f"of {', '.join(HARNESSES)}; all")
    parser.add_argument("--runs", type=int, default=10_000_000, help="inputs of all harnesses together")
    parser.add_argument("--seconds", type=int, default=0, help="the most that one harness may take; 0: any")
    parser.add_argument("--seed", type=int, default=0, help="0: a new one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="harnesses at a time")
    parser.add_argument("--findings", type=Path, default=REPOSITORY / ".cache" / "fuzz")
    return parser.parse_args()


def _run(name: str, runs: int, arguments: argparse.Namespace, corpus: Path) -> dict[str, Any]:
    """One harness in a process of its own, for atheris ends the process that it has run in."""
    corpus.mkdir()
    for number, octets in enumerate(inputs(name)):
        (corpus / str(number)).write_bytes(octets)
    findings = arguments.findings / name
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    command = [sys.executable, "-m", "tests.fuzz.under_atheris", name, f"-runs={runs}"]
    command += [f"-seed={arguments.seed}", f"-max_total_time={arguments.seconds}"]
    command += [f"-max_len={LONGEST}", "-timeout=10", "-print_final_stats=1"]
    command += [f"-artifact_prefix={findings}/", str(corpus)]
    done = subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    told = done.stdout + done.stderr
    (arguments.findings / f"{name}.log").write_text(told)
    counted = re.search(r"Done (\d+) runs in (\d+) second", told)
    return {
        "name": name,
        "inputs": int(counted[1]) if counted else 0,
        "seconds": int(counted[2]) if counted else 0,
        "corpus": len(list(corpus.iterdir())),
        "ended": done.returncode,
        "findings": [str(path) for path in sorted(set(findings.iterdir()) - before)],
    }


if __name__ == "__main__":
    sys.exit(main())
