"""The labelled set: its size and spread, and the error rates that docs/content-gate.md tells of."""

import unicodedata
from collections import Counter

import pytest

from benchmarks.gate.lines import Line, lines
from benchmarks.gate.run import ALLOW
from connector.templates.content import ContentGate, Finding

GATE = ContentGate(ALLOW)
TUNED, HELD_OUT = list(lines("lines")), list(lines("held_out"))

KNOWN_FALSE_ALARMS = {
    "Two-for-one check: both parcels 1/2 and 2/2 are in locker 5.",
    "Transferencia de 300 € a Promociones Inmobiliarias Sur S.L. realizada.",
    "Pagamento di 19,99 € a Sconti & Figli S.r.l. riuscito.",
    "Płatność 19,99 zł w Okazja.info S.A. przyjęta.",
    "骑手优惠民距您 500 米。",
    "Budet Vinn Larsson är 5 minuter bort.",
}
"""Names made of strong words. Who has such customers or riders puts the name into `allow`."""


def wrong(line: Line, found: Finding | None) -> bool:
    return (found is not None) is not line.dirty


def test_the_set_is_as_large_as_it_says() -> None:
    every = TUNED + HELD_OUT
    assert len(every) >= 700
    assert len({line.lang for line in every}) == 20
    assert len({line.text for line in every}) == len(every)
    labels = Counter((line.lang, line.dirty) for line in every)
    assert min(labels.values()) >= 9
    assert not {line.text for line in TUNED} & {line.text for line in HELD_OUT}


def test_on_the_lines_it_was_tuned_on_only_known_names_are_false_alarms() -> None:
    found = {line.text for line in TUNED if wrong(line, GATE.judge(line.text, line.lang))}
    assert found == KNOWN_FALSE_ALARMS


def test_the_lines_held_out() -> None:
    """Rates, not lines: whoever looked at the lines here would tune on them."""
    dirty = [line for line in HELD_OUT if line.dirty]
    clean = [line for line in HELD_OUT if not line.dirty]
    missed = sum(wrong(line, GATE.judge(line.text, line.lang)) for line in dirty)
    alarms = sum(wrong(line, GATE.judge(line.text, line.lang)) for line in clean)
    assert missed / len(dirty) <= 0.03
    assert alarms / len(clean) <= 0.03


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normalisation_changes_no_verdict(form: str) -> None:
    for line in TUNED:
        before = GATE.judge(line.text, line.lang)
        after = GATE.judge(unicodedata.normalize(form, line.text), line.lang)
        assert (before is None) == (after is None), (form, line, before, after)


def test_a_finding_lies_in_the_text_and_tells_our_words() -> None:
    for line in TUNED + HELD_OUT:
        found = GATE.judge(line.text, line.lang)
        if found is not None:
            assert 0 <= found.start < found.end <= len(line.text), (line, found)
            assert found.rule in ("lexicon", "price", "opt_out", "url", "hidden")
            assert found.entry


def test_an_unknown_language_makes_the_gate_no_laxer() -> None:
    for line in TUNED:
        if GATE.judge(line.text, line.lang) is not None:
            assert GATE.judge(line.text) is not None, line
