"""Whatever the disguise, the phrase is found, and the position is where it stands."""

import unicodedata
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.gate.disguises import DISGUISES, compose
from connector.templates.content import ContentGate
from connector.templates.content.fold import Folding, clusters, traced, visible
from connector.templates.content.lexicon import entries
from connector.templates.content.scan import numbered, spaced, stretched

GATE = ContentGate()
FOLDING = Folding()

PHRASES = [
    (entry.text.strip("*"), entry.lang)
    for entry in entries(())
    if entry.kind == "strong"
    and entry.script in ("LATIN", "CYRILLIC")
    and sum(character.isalpha() for character in entry.text) >= 6
    and all(character.isalpha() or character == " " for character in entry.text.strip("*"))
]
AROUND = ("Ref", "Nr. 4471, Ref", "at 12:30 ok", "")


@given(
    st.sampled_from(PHRASES),
    st.sets(st.sampled_from(sorted(DISGUISES)), max_size=4),
    st.tuples(st.sampled_from(AROUND), st.sampled_from(AROUND)),
    st.integers(0, 2**32),
)
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_a_phrase_is_found_under_any_disguises(
    phrase: tuple[str, str], names: set[str], around: tuple[str, str], seed: int
) -> None:
    text, lang = phrase
    hidden = compose(text, names, Random(seed))
    before, after = around
    whole = f"{before} . {hidden} . {after}"
    found = GATE.judge(whole, lang)
    assert found is not None, (text, names, whole)
    start = len(before) + 3
    assert start <= found.start < found.end <= start + len(hidden) + 1, (text, names, whole, found)


@given(st.text(max_size=60))
@settings(max_examples=400)
def test_anything_is_judged_without_a_fault(text: str) -> None:
    found = GATE.judge(text)
    assert found is None or 0 <= found.start < found.end <= len(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(max_examples=400)
def test_positions_follow_the_same_letters_as_the_fold(text: str) -> None:
    """Folding the whole text and folding it cluster by cluster give the same letters."""
    for spelling in (FOLDING.plain, FOLDING.latin):
        whole = "".join(visible(text).translate(spelling).split())
        assert "".join(letter for letter, _, _ in traced(text, spelling)) == whole
    pieces = list(clusters(text))
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces)][: len(pieces)]


MULTILINGUAL = [
    *("a", "äéñ", "øłß", "žŠ", "한글 각", "がぱヴ", "ｶﾞﾊﾟ", "कि", "क़", "ไทย", "กำ", "مجّانًا"),
    *("﷼", "ﬁ", "①", "Å", "①ǅ", "ẛ̣", "𝐅", "🅵", "İı"),
]


@given(st.lists(st.sampled_from(MULTILINGUAL), max_size=8), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_folding_does_not_depend_on_normalisation(words: list[str], form: str) -> None:
    text = " ".join(words)
    other = unicodedata.normalize(form, text)
    assert visible(text).translate(FOLDING.plain).split() == visible(other).translate(FOLDING.plain).split()
    assert [letter for letter, _, _ in traced(other, FOLDING.plain)] == [
        letter for letter, _, _ in traced(text, FOLDING.plain)
    ]


def test_the_forms_of_a_text() -> None:
    assert spaced(["a", "bc"]) == " a  bc "
    assert numbered(" only  9  99  ¤ ") == " only  #  ¤ "
    assert numbered(" rp50  000 ") == " rp  # "
    assert stretched(" freeee ") == (" fre ", " free ")
    assert stretched(" tiii  free ") == ()
