"""Which alphabet, tables and substitutions a text takes, or why it takes none."""

import pytest

from protocols.gsm.coding import encode
from protocols.gsm.errors import Unencodable
from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Rules, plan
from tests.protocols.gsm.carriers import ASCII, EVERY, GSM, HINDI, INDIA, LATIN, QUOTES, UCS2, UTF8


@pytest.mark.rule("text.national-saves", "text.national-profile")
def test_a_hindi_code_is_one_part_where_the_tables_are_honoured():
    text = (HINDI * 2)[:60]
    for rules in (Rules(locking=(Language.HINDI,), single=(Language.HINDI,), alphabets=(GSM,)), INDIA, EVERY):
        assert len(plan(text, rules).parts) == 1
    longer = HINDI * 3
    assert len(plan(longer).parts) == 2
    segments = plan(longer, INDIA)
    assert (segments.encoding, segments.data_coding, len(segments.parts)) == ("gsm7", 0, 1)
    assert (segments.locking, segments.single) == (Language.HINDI, Language.HINDI)
    assert segments.user_data(9)[0][:7] == b"\x06\x24\x01\x06\x25\x01\x06"
    assert len(segments.user_data(9)[0]) == 7 + segments.units


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("ığüş" * 25, (Language.TURKISH, None)),
        ("a" * 130 + "ş", (None, Language.TURKISH)),
        ("hello " * 20 + "á", (None, Language.SPANISH)),
        ("नमस्ते " * 15, (Language.HINDI, None)),
        ("नमस्ते A" * 12, (Language.HINDI, Language.HINDI)),
        ("வணக்கம் " * 12, (Language.TAMIL, None)),
        ("اردو زبان " * 12, (Language.URDU, None)),
        ("中" + "ş" * 100, (None, None)),
        ("नமஸ்" * 20, (None, None)),
        ("a" * 300, (None, None)),
    ],
)
def test_which_tables_a_text_takes(text, tables):
    segments = plan(text, EVERY)
    assert (segments.locking, segments.single) == tables


@pytest.mark.rule("text.national-profile")
def test_national_tables_only_where_they_save_a_part():
    assert plan("ş", EVERY).encoding == "ucs2"
    assert plan("ş" * 70, EVERY).encoding == "ucs2"
    assert plan("ş" * 71, EVERY).single is Language.TURKISH
    assert plan("ş" * 80, EVERY).locking is Language.TURKISH
    assert plan("ş", Rules(alphabets=(GSM,), single=(Language.TURKISH,))).single is Language.TURKISH


@pytest.mark.rule("text.long-one-form")
@pytest.mark.parametrize("form", ["sar", "payload"])
def test_no_national_tables_in_a_long_message_whose_header_is_not_ours(form):
    rules = Rules(locking=tuple(Language), single=tuple(Language), long_message=form)
    assert plan("ş" * 150, rules).locking is Language.TURKISH
    assert plan("ş" * 160, rules).encoding == "ucs2"
    with pytest.raises(Unencodable):
        plan("ş" * 160, Rules(alphabets=(GSM,), locking=(Language.TURKISH,), long_message=form))


def test_a_language_without_a_locking_table_changes_nothing():
    assert plan("Á" * 71, Rules(locking=(Language.SPANISH,))).encoding == "ucs2"


def test_the_fewest_parts_win_then_the_order():
    assert plan("ç" * 100, Rules(alphabets=(UCS2, LATIN))).encoding == "latin1"
    assert plan("ç" * 60, Rules(alphabets=(UCS2, LATIN))).encoding == "ucs2"
    assert plan("a" * 150, Rules(alphabets=(LATIN, GSM))).encoding == "gsm7"
    assert plan("a" * 150, Rules(alphabets=(UTF8, LATIN))).encoding == "utf8"


def test_clusters_count_in_the_choice():
    """Of as many octets, UTF-8 holds two of these clusters in a part, UCS2 one."""
    text = ("e" + "\u0301" * 33) * 4 + "中" * 4
    assert len(encode(text, "ucs2")) == len(encode(text, "utf8")) == 280
    assert len(plan(text, Rules(alphabets=(UCS2,))).parts) == 4
    assert plan(text, Rules(alphabets=(UCS2, UTF8))).encoding == "utf8"


@pytest.mark.rule("text.substitution-approved", "text.substitution-reported")
def test_substitutions_only_where_they_make_the_text_sendable_or_save_parts():
    rules = Rules(substitutions=QUOTES)
    short = plan("don’t", rules)
    assert (short.encoding, short.substituted) == ("ucs2", ())
    long = plan("“don’t” don’t " + "x" * 100, rules)
    assert (long.encoding, len(long.parts)) == ("gsm7", 1)
    assert long.substituted == (("“", '"', 1), ("’", "'", 2), ("”", '"', 1))
    assert long.parts[0].startswith(b"\"don't\" don't x")
    only = plan("don’t", Rules(alphabets=(GSM,), substitutions=QUOTES))
    assert only.substituted == (("’", "'", 1),)
    hindi = plan(
        HINDI * 3 + "’", Rules(locking=(Language.HINDI,), single=(Language.HINDI,), substitutions=QUOTES)
    )
    assert (hindi.locking, len(hindi.parts), hindi.substituted) == (Language.HINDI, 1, (("’", "'", 1),))


def test_what_an_alphabet_has_is_not_substituted():
    rules = Rules(alphabets=(GSM,), substitutions={"€": "EUR", "’": "'", "ab": "x"})
    assert plan("ab 5 €’", rules).parts == (b"ab 5 \x1be'",)


def test_the_longest_substitution_wins_and_is_not_substituted_again():
    rules = Rules(alphabets=(ASCII,), substitutions={"é": "e", "éé": "ee!", "…": "é"})
    assert plan("éé é", rules).parts == (b"ee! e",)
    with pytest.raises(Unencodable) as refusal:
        plan("éé…é", rules)
    assert (refusal.value.position, refusal.value.character) == (2, "…")


@pytest.mark.parametrize(
    ("text", "rules", "position", "character"),
    [
        ("a\udc00", Rules(), 1, "\udc00"),
        ("aç中", Rules(alphabets=(GSM, LATIN)), 2, "中"),
        ("a’b’中", Rules(alphabets=(GSM,), substitutions={"’": "'''"}), 4, "中"),
        ("नम😀", Rules(alphabets=(GSM,), locking=(Language.HINDI,)), 2, "😀"),
        ("\x1b", Rules(alphabets=(GSM,)), 0, "\x1b"),
    ],
)
def test_a_refusal_names_what_no_way_gets_past(text, rules, position, character):
    with pytest.raises(Unencodable) as refusal:
        plan(text, rules)
    assert (refusal.value.position, refusal.value.character) == (position, character)
