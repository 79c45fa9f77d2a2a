"""Every rule has a test that names it, and every rule that a test names is on the list."""

from collections import Counter

import pytest

from tests.docs.facts import RULES, Naming, namings

NAMES = [f"{section}.{name}" for section, rules in RULES.items() for name in rules]


@pytest.mark.parametrize("rule", NAMES)
def test_every_rule_is_named_by_a_test(rule: str) -> None:
    assert any(naming.rule == rule for naming in namings()), f"no test carries @pytest.mark.rule({rule!r})"


def test_every_name_is_a_rule() -> None:
    assert [naming for naming in namings() if naming.rule not in NAMES] == []


def test_no_test_names_a_rule_twice() -> None:
    assert [naming for naming, times in Counter(namings()).items() if times > 1] == []


def test_a_rule_is_one_sentence() -> None:
    sentences = [says for rules in RULES.values() for says in rules.values()]
    assert [says for says in sentences if not says.endswith(".") or len(says) > 200] == []
    assert len(set(sentences)) == len(sentences)


def test_the_markers_are_found() -> None:
    """The tests above read what they should."""
    file, test = "tests/protocols/smpp/test_smpp_session.py", "test_submit_and_its_answers_in_any_order"
    assert Naming("smpp.any-order", file, test) in namings()
