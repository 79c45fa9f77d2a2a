"""The benchmark `gate`: how often the content gate is wrong, and what a judgement costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from time import perf_counter_ns
from typing import Any

from benchmarks.gate.disguises import DISGUISES
from benchmarks.gate.lines import Line, lines
from benchmarks.gate.names import places, terms
from benchmarks.machine import facts
from connector.templates.content import ContentGate

__all__ = ["ALLOW", "LIMIT_160_US", "LIMIT_SHORT_US", "gate", "show"]

ALLOW = ("https://t.acme.example/", "Free Mobile")
"""What the operator of the labelled set allows."""

LIMIT_SHORT_US, LIMIT_160_US = 5.0, 60.0
"""Microseconds on an idle machine. A busy one makes the figures larger: no reason to fail."""

_SHORT = (
    "Anna Miller", "DHL Express", "Weidenweg 4", "Müller", "Kiosk Sonne", "Мария", "王小明", "2 Stunden",
)  # fmt: skip
_DIGITS = ("482917", "004471", "90210")
_ENGLISH = (
    "Acme: your parcel 0034043 arrives today between 14:00 and 15:00. Your pickup code is 4471. "
    "Questions? Call us on +44 7700 900123. Do not share this code. Thanks"
)
_GERMAN = (
    "Acme: 128,40 EUR gezahlt an Buchhandlung Weber am 3. Mai um 14:22 Uhr mit der Karte, die auf 4471 "
    "endet. Waren Sie das nicht? Rufen Sie sofort an: +44 7700 900123."
)
_ROUNDS, _CALLS = 60, 40

Progress = Callable[[str], None]


def gate(seed: int, progress: Progress) -> dict[str, Any]:
    """The object that `--json` prints."""
    judge = ContentGate(ALLOW).judge
    tuned, held_out = list(lines("lines")), list(lines("held_out"))
    progress(f"{len(tuned)} lines that the gate was tuned on, {len(held_out)} held out")
    every = tuned + held_out
    texts = {line.lang for line in every}
    return {
        "schema": 1, "benchmark": "gate", "seed": seed, "machine": facts(),
        **_rates(judge, every), "languages": len(texts),
        "by_language": {
            lang: _rates(judge, [line for line in every if line.lang == lang]) for lang in sorted(texts)
        },
        "tuned": _rates(judge, tuned), "held_out": _rates(judge, held_out),
        "unknown_language": _rates(judge, [line._replace(lang="") for line in every]),
        "names": {"places": _names(judge, places()), "terms": _names(judge, terms())},
        "miss_rate_by_disguise": _disguised(judge, every, seed),
        "us_per_digits": _cost(judge, _DIGITS), "us_per_short_value": _cost(judge, _SHORT),
        "us_per_160_chars": _cost(judge, (_ENGLISH, _GERMAN)),
        "limits_us": {"short_value": LIMIT_SHORT_US, "160_chars": LIMIT_160_US},
        "ok": True, "problems": [],
    }  # fmt: skip


def _rates(judge: Callable[..., object], found: Iterable[Line]) -> dict[str, Any]:
    """miss_rate: dirty lines taken ÷ dirty lines; false_alarm_rate: clean ones refused ÷ clean ones."""
    wrong = {True: 0, False: 0}
    count = {True: 0, False: 0}
    for line in found:
        refused = judge(line.text, line.lang or None) is not None
        count[line.dirty] += 1
        wrong[line.dirty] += refused is not line.dirty
    return {
        "miss_rate": round(wrong[True] / count[True], 4) if count[True] else None,
        "false_alarm_rate": round(wrong[False] / count[False], 4) if count[False] else None,
        "lines": count[True] + count[False], "clean": count[False], "dirty": count[True],
        "missed": wrong[True], "false_alarms": wrong[False],
    }  # fmt: skip


def _names(judge: Callable[..., object], names: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Names that nobody chose for this: all of them are clean."""
    refused = [judge(name, lang) is not None for lang, name in names]
    return {"count": len(refused), "false_alarm_rate": round(sum(refused) / len(refused), 5)}


def _disguised(judge: Callable[..., object], found: list[Line], seed: int) -> dict[str, float]:
    """Every dirty line again, the whole of it in one disguise more."""
    dirty = [line for line in found if line.dirty]
    rates = {}
    for name, disguise in DISGUISES.items():
        random = Random(f"{seed} {name}")
        missed = sum(judge(disguise(line.text, random), line.lang) is None for line in dirty)
        rates[name] = round(missed / len(dirty), 4)
    return rates


def _cost(judge: Callable[..., object], texts: tuple[str, ...]) -> float:
    """Microseconds for one text, of many short rounds the best: others use the machine too."""
    best = min(_round(judge, texts) for _ in range(_ROUNDS))
    return round(best / _CALLS / len(texts) / 1000, 2)


def _round(judge: Callable[..., object], texts: tuple[str, ...]) -> int:
    began = perf_counter_ns()
    for _ in range(_CALLS):
        for text in texts:
            judge(text, "en")
    return perf_counter_ns() - began


def show(result: dict[str, Any]) -> None:
    """The figures as a table."""
    print(f"{'part':<18}{'lines':>7}{'missed':>8}{'false alarms':>14}")
    rows = {"tuned on": result["tuned"], "held out": result["held_out"], "all": result}
    for name, rates in (rows | result["by_language"]).items():
        print(f"{name:<18}{rates['lines']:>7}{rates['miss_rate']:>8.1%}{rates['false_alarm_rate']:>14.1%}")
    print("missed under one more disguise: ", end="")
    print(", ".join(f"{name} {rate:.1%}" for name, rate in result["miss_rate_by_disguise"].items()))
    print(
        f"digits {result['us_per_digits']} µs, a short value {result['us_per_short_value']} µs, "
        f"160 characters {result['us_per_160_chars']} µs"
    )
