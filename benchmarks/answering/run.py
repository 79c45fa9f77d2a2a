"""The benchmark `machine`: the detector's error rates on synthetic speech, by a seed.

Synthetic voices are cleaner, steadier and more alike than people are, and their greetings were written for
this: the rates tell whether a change made the detector better or worse, not what the field will see.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from benchmarks.answering.cases import Case, Heard, cases, hear
from benchmarks.machine import facts

__all__ = ["EACH", "detection", "rates", "show"]

EACH = 40
"""Humans, machines, and calls of each kind with nobody, for each language."""

_PROGRESS_CALLS = 200
_SHARES = (
    "false_machine", "false_human", "false_human_at_beep", "undecided", "beep_found", "beep_of_human",
)  # fmt: skip

Progress = Callable[[str], None]
Pairs = Sequence[tuple[Case, Heard]]


def detection(seed: int, progress: Progress, *, each: int = EACH) -> dict[str, Any]:
    """The object that `--json` prints: rates of the half that nothing was tuned on."""
    half: Literal[0, 1] = 1
    began = time.perf_counter()
    pairs = []
    for number, case in enumerate(cases(seed, half, each), 1):
        pairs.append((case, hear(case)))
        if number % _PROGRESS_CALLS == 0:
            progress(f"{number} calls, {time.perf_counter() - began:.0f} s")
    result = rates(pairs)
    return {
        "schema": 1, "benchmark": "machine", "seed": seed, "machine": facts(), **result,
        "speech": "synthetic (espeak-ng): a comparison between versions, not a forecast for the field",
        "ok": True, "problems": [],
    }  # fmt: skip


def rates(pairs: Pairs) -> dict[str, Any]:
    """Shares of wrong verdicts, in all and by condition."""
    humans = [pair for pair in pairs if pair[0].label == "human"]
    machines = [pair for pair in pairs if pair[0].label == "machine"]
    beeps = [heard.beep_at - case.beep_at for case, heard in machines if heard.beep_at and case.beep_at]
    return {
        "calls": len(pairs), "humans": len(humans), "machines": len(machines),
        "languages": len({case.language for case, _ in humans}),
        **_errors(humans, machines),
        "beep_found": _share(sum(heard.beep_at is not None for _, heard in machines), len(machines)),
        "beep_of_human": _share(sum(heard.beep_at is not None for _, heard in humans), len(humans)),
        "beep_late_p50_s": _quantile(beeps, 0.5),
        "by_snr": _by(humans, machines, _snr),
        "by_loss": _by(humans, machines, lambda case: f"{case.loss:.0%}"),
        "by_language": _by(humans, machines, lambda case: case.language),
        "office": _verdicts(pair for pair in pairs if pair[0].label == "office").get("once", {}),
        "nobody": _verdicts(pair for pair in pairs if pair[0].label == "nobody"),
    }  # fmt: skip


def _errors(humans: Pairs, machines: Pairs) -> dict[str, Any]:
    wrong = sum(heard.first in ("machine", "beep") for _, heard in humans)
    missed = sum(heard.first == "human" for _, heard in machines)
    kept = sum(heard.last == "human" for _, heard in machines)
    undecided = sum(heard.first is None for _, heard in (*humans, *machines))
    human_s = [heard.first_at for _, heard in humans if heard.first == "human"]
    machine_s = [heard.first_at for _, heard in machines if heard.first in ("machine", "beep")]
    of_speech = [
        heard.first_at - case.speech_at for case, heard in (*humans, *machines) if heard.first is not None
    ]
    return {
        "false_machine": _share(wrong, len(humans)), "false_human": _share(missed, len(machines)),
        "false_human_at_beep": _share(kept, len(machines)),
        "undecided": _share(undecided, len(humans) + len(machines)),
        "human_p50_s": _quantile(human_s, 0.5), "human_p95_s": _quantile(human_s, 0.95),
        "machine_p50_s": _quantile(machine_s, 0.5), "machine_p95_s": _quantile(machine_s, 0.95),
        "after_speech_p50_s": _quantile(of_speech, 0.5), "after_speech_p95_s": _quantile(of_speech, 0.95),
    }  # fmt: skip


def _by(humans: Pairs, machines: Pairs, key: Callable[[Case], str]) -> dict[str, dict[str, Any]]:
    names = sorted({key(case) for case, _ in (*humans, *machines)})
    found = {}
    for name in names:
        errors = _errors(
            [pair for pair in humans if key(pair[0]) == name],
            [pair for pair in machines if key(pair[0]) == name],
        )
        found[name] = {each: errors[each] for each in ("false_machine", "false_human", "undecided")}
    return found


def _snr(case: Case) -> str:
    return "none" if case.snr_db is None else f"{case.snr_db:.0f} dB"


def _verdicts(pairs: Iterable[tuple[Case, Heard]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for case, heard in pairs:
        counts.setdefault(case.kind, Counter())[heard.first or "undecided"] += 1
    return {kind: dict(count) for kind, count in counts.items()}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(sorted(values)[min(int(share * len(values)), len(values) - 1)], 2) if values else None


def show(result: dict[str, Any]) -> None:
    """For people."""
    print(f"{result['humans']} humans, {result['machines']} machines, {result['languages']} languages")
    print(result["speech"])
    for key in _SHARES:
        print(f"{key:20} {result[key]:8.2%}")
    for key in ("human", "machine", "after_speech"):
        print(f"{key:20} p50 {result[f'{key}_p50_s']} s, p95 {result[f'{key}_p95_s']} s")
    for by in ("by_snr", "by_loss", "by_language"):
        for name, errors in result[by].items():
            print(f"{by:12} {name:8} " + " ".join(f"{key} {value}" for key, value in errors.items()))
    print(f"{'office':26} {result['office']}")
    for kind, counts in result["nobody"].items():
        print(f"{kind:26} {counts}")
