"""The lexicons as data: what every entry must be, whatever it says."""

from collections import Counter
from pathlib import Path

import pytest

from connector.templates.content import ContentGate
from connector.templates.content.fold import Folding
from connector.templates.content.lexicon import Entry, entries, forms
from connector.templates.content.scan import Scan

ENTRIES = list(entries(()))
PLAIN = Folding().plain
GATE = ContentGate()


def test_there_are_twenty_languages_with_every_kind_of_entry() -> None:
    kinds = Counter((entry.lang, entry.kind) for entry in ENTRIES)
    languages = {lang for lang, _ in kinds}
    assert languages >= set(
        [
            "ar",
            "de",
            "en",
            "es",
            "fr",
            "hi",
            "id",
            "it",
            "ja",
            "ko",
            "nl",
            "pl",
            "pt",
            "ru",
            "sv",
            "th",
            "tr",
            "uk",
            "vi",
            "zh",
        ]
    )
    for lang in languages:
        least_of = {"strong": 80, "weak": 8, "cues": 8, "clean": 10, "price": 15, "opt_out": 8}
        for kind, least in least_of.items():
            assert kinds[lang, kind] >= least, (lang, kind)


@pytest.mark.parametrize("lang", sorted({entry.lang for entry in ENTRIES}))
def test_entries_are_words_and_stand_once(lang: str) -> None:
    own = [entry for entry in ENTRIES if entry.lang == lang]
    for entry in own:
        bare = entry.text.strip("*")
        # Digits alone would be in many an order number.
        assert any(character.isalpha() for character in bare.replace("{percent}", "%")), entry
        assert "*" not in bare, entry
        assert entry.text == entry.text.strip(), entry
        assert entry.kind != "price" or "#" in bare or "{amount}" in bare or "{percent}" in bare, entry
    twice = [pair for pair, count in Counter((entry.text, entry.kind) for entry in own).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("lang", sorted({entry.lang for entry in ENTRIES}))
def test_every_strong_entry_is_found_as_it_stands(lang: str) -> None:
    for entry in ENTRIES:
        if entry.lang == lang and entry.kind in ("strong", "opt_out"):
            for text in (entry.text.strip("*"), entry.text.strip("*").upper(), entry.text.strip("*").title()):
                found = GATE.judge(f"Acme: {text}.", lang)
                assert found is not None, (entry, text)
                assert found.rule in ("lexicon", "opt_out"), (entry, found)


@pytest.mark.parametrize("lang", sorted({entry.lang for entry in ENTRIES}))
def test_every_price_entry_is_found_with_numbers(lang: str) -> None:
    for entry in ENTRIES:
        if entry.lang == lang and entry.kind == "price":
            text = entry.text.strip("*").replace("{amount}", "€ 1.249,50").replace("{percent}", "20 %")
            assert GATE.judge(text.replace("#", "30"), lang) is not None, entry


@pytest.mark.parametrize("lang", sorted({entry.lang for entry in ENTRIES}))
def test_a_clean_phrase_alone_is_clean(lang: str) -> None:
    for entry in ENTRIES:
        if entry.lang == lang and entry.kind == "clean":
            assert GATE.judge(entry.text, lang) is None, entry


def test_forms_know_where_words_may_go_on() -> None:
    def first(text: str, script: str) -> tuple[str, ...]:
        return tuple(form.spaced for form in forms(Entry(text, "xx", "strong", script), PLAIN))

    assert first("Rabatt*", "LATIN") == (" rabatt",)
    assert first("win a", "LATIN") == (" win  a ",)
    assert first("*خصم", "ARABIC") == ("خصم ",)
    assert first("免费", "CJK") == ("免费",)
    amounts = {form.words for form in forms(Entry("now {amount}", "xx", "price", "LATIN", ("kr",)), PLAIN)}
    expected = {("now", "¤", "#"), ("now", "#", "¤"), ("now", "#", "kr"), ("now", "kr", "#")}
    assert amounts == expected


def test_an_unknown_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "xx.toml").write_text('strng = ["sale"]\n')
    monkeypatch.setattr("connector.templates.content.lexicon.files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=r"xx\.toml has unknown lists: strng"):
        list(entries(()))


def test_languages_far_from_latin_share_english_words() -> None:
    scan = Scan(PLAIN, ())
    assert {"ru", "ar", "hi", "zh", "ja", "ko", "th", "uk"} <= scan.far_from_latin
    assert not {"de", "fr", "vi"} & scan.far_from_latin
