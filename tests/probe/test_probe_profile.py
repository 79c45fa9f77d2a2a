"""The profile that is written: TOML that loads, holds the findings, and says how each was found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import load_carrier
from connector.config.document import Document, read_document
from connector.probe.finding import assumed, found, unknown
from connector.probe.profile import value_text, written

PROFILES = sorted((Path(__file__).parents[2] / "config" / "profiles").glob("*.toml"))

FINDINGS = {
    finding.key: finding
    for finding in (
        found("binds.tps", 30.0, "30.1 a second were accepted"),
        found("text.alphabets", [{"data_coding": 1, "codec": "gsm7"}], "what came back is what was sent"),
        assumed("receipts.states", {"OKAY": "final_delivered"}, "words seen: OKAY (5)"),
        found("source.short", {"ton": 0, "npi": 1}, "others get ESME_RINVSRCTON"),
        found("statuses", {"0x0000040B": "throttled"}, "came to messages that were too fast"),
        found("tlvs", [{"name": "pe_id", "tag": 0x1400, "type": "digits", "value": "1"}], "without: refused"),
        found("remarks.congestion_state", 12, "submit_sm_resp tells the load"),
        unknown("binds.window", "the rate limits before it"),
        unknown("binds.rate_scope", "a second bind is refused"),
    )
}


def data_of(path: Path) -> dict[str, object]:
    document = read_document(path)
    assert isinstance(document, Document)
    return document.data


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_profile_can_be_written_again_without_a_loss(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(written(data_of(path), {}, "Nothing was found."))
    assert load_carrier(copy) == load_carrier(path)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_findings_stand_in_the_profile_with_how_they_were_found(path: Path, tmp_path: Path) -> None:
    output = tmp_path / "probed.toml"
    text = written(data_of(path), FINDINGS, "Probed.")
    output.write_text(text)
    before, after = load_carrier(path), load_carrier(output)
    assert (after.binds.tps, after.binds.window) == (30.0, before.binds.window)
    assert after.receipts.states == {"OKAY": "final_delivered"}
    assert (after.source.short.ton, after.source.short.npi) == (0, 1)
    assert [each.tag for each in after.tlvs] == [0x1400]
    unwrapped = " ".join(line.removeprefix("# ") for line in text.splitlines())
    for finding in FINDINGS.values():
        assert finding.how in unwrapped
    assert "# found: 30.1 a second were accepted\ntps = 30\n" in text


def test_what_was_not_found_out_is_said_where_the_key_would_stand() -> None:
    text = written({"binds": {"tps": 5}}, FINDINGS, "Probed.")
    assert "# window: not found out, left as it was: the rate limits before it\n" in text
    assert "\nwindow =" not in text


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_strings_come_back_from_toml(text: str) -> None:
    assert tomllib.loads(f"key = {value_text(text)}") == {"key": text}


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.integers(0, 255)))
def test_inline_tables_come_back_from_toml(table: dict[str, int]) -> None:
    assert tomllib.loads(f"key = {value_text(table)}") == {"key": table}
