"""How a carrier spells ids: learned from what matches, given up when receipts stop to match."""

from random import Random

import pytest

from connector.carriers.id_forms import ANY, IdForms
from protocols.smpp.id_keys import lookup_keys, stored_key

TIMEOUT_S = 11.0
NOW = 1_700_000_000.0
LATER = NOW + TIMEOUT_S + 2


def learner(id_form: str = "learn") -> IdForms:
    return IdForms(id_form, TIMEOUT_S)  # type: ignore[arg-type]


def pinned(form: str) -> IdForms:
    forms = learner()
    forms.matched({form: 50})
    assert forms.form == form
    return forms


def miss(forms: IdForms, number: int, at: float = NOW) -> bool:
    """So many receipts find no message; whether that made the form lapse."""
    for _ in range(number):
        forms.parked(at)
    assert not forms.lapsed(at + TIMEOUT_S), "their answers may still come"
    return forms.lapsed(at + TIMEOUT_S + 2)


@pytest.mark.rule("receipts.id-learned")
@pytest.mark.parametrize("form", ["same", "hex_in_response", "decimal_in_response"])
def test_a_form_is_pinned_after_fifty_matches_of_it(form: str) -> None:
    forms = learner()
    for _ in range(49):
        forms.matched({form: 1})
    assert (forms.form, forms.fixed, forms.ratio) == (None, False, 1.0)
    forms.matched({form: 1})
    assert (forms.form, forms.fixed) == (form, False)


def test_matches_of_two_forms_pin_none() -> None:
    forms = learner()
    for _ in range(20):
        forms.matched({"same": 40})
        forms.matched({"hex_in_response": 1})
    forms.matched({"same": 1000, "hex_in_response": 1})
    assert forms.form is None


def test_a_match_that_any_form_would_have_made_is_no_evidence() -> None:
    forms = learner()
    forms.matched({ANY: 100, "": 100, "address": 100})
    assert forms.form is None
    assert forms.keys(b"7") == (((ANY, "7"),), ANY)
    assert forms.keys(b"0118Z-0122I-2309U-57DGB")[0][0][0] == ANY


def test_a_mixed_carrier_is_seldom_pinned(random: Random) -> None:
    """One receipt in ten spelt otherwise: by the comment of _PIN_AFTER, 0.5 % of the runs pin."""
    early = 0
    for _ in range(300):
        forms = learner()
        for _ in range(50):
            forms.matched({"same" if random.random() < 0.9 else "hex_in_response": 1})
        early += forms.form is not None
    assert early < 12


def test_until_then_every_form_is_looked_up() -> None:
    forms = learner()
    assert forms.keys(b"0022") == (lookup_keys(b"22"), "same")
    forms.matched({"same": 49})
    assert forms.keys(b"22") == (lookup_keys(b"22"), "same")


def test_what_speaks_for_another_form_takes_the_trust_from_the_id_as_it_stands() -> None:
    forms = learner()
    forms.matched({"hex_in_response": 1})
    keys, trusted = forms.keys(b"22")
    assert (keys[0], set(keys), trusted) == (("hex_in_response", "16"), set(lookup_keys(b"22")), "")


@pytest.mark.rule("receipts.id-base")
@pytest.mark.parametrize(
    ("form", "receipt", "response"),
    [
        ("same", b"00AbC-9", b"abc9"),
        ("hex_in_response", b"9308878062554710043", b"812FC7470000001B"),
        ("decimal_in_response", b"812FC7470000001B", b"9308878062554710043"),
        ("hex_in_response", b"7", b"7"),
        ("decimal_in_response", b"7", b"07"),
    ],
)
@pytest.mark.parametrize("how", ["learned", "fixed"])
def test_a_known_form_is_looked_up_alone(form: str, receipt: bytes, response: bytes, how: str) -> None:
    forms = pinned(form) if how == "learned" else learner(form)
    assert forms.keys(receipt) == (((form, stored_key(response)),), form)


def test_what_is_no_number_of_the_form_needs_the_handset() -> None:
    assert pinned("hex_in_response").keys(b"ABC") == ((("same", "abc"),), "")


def test_eleven_misses_in_a_row_make_a_form_lapse() -> None:
    assert not miss(pinned("same"), 10)
    forms = pinned("same")
    assert miss(forms, 11)
    assert (forms.form, forms.ratio) == (None, pytest.approx(50 / 61))
    assert forms.keys(b"22") == (lookup_keys(b"22"), "same")


def test_one_in_ten_that_misses_makes_it_lapse_too() -> None:
    forms, receipts = pinned("same"), 0
    at = NOW
    while forms.form:
        forms.matched({"same": 9})
        forms.parked(at)
        at += 20
        forms.lapsed(at)
        receipts += 10
    assert 100 <= receipts <= 150


def test_a_few_lost_responses_do_not() -> None:
    forms, at = pinned("same"), NOW
    for _ in range(1_000):
        forms.matched({"same": 99})
        forms.parked(at)
        at += 20
        assert not forms.lapsed(at)
    assert forms.ratio == pytest.approx(0.99, abs=0.01)


def test_receipts_that_come_before_their_answer_are_no_misses() -> None:
    forms = pinned("same")
    for _ in range(100):
        forms.parked(NOW)
        forms.found("same", NOW)
    assert not forms.lapsed(LATER)
    assert forms.ratio == 1.0


def test_a_message_found_late_is_no_miss_after_all() -> None:
    forms = pinned("same")
    assert not miss(forms, 10)
    for _ in range(10):
        forms.found("same", NOW)
    assert forms.ratio == 1.0
    assert not miss(forms, 10, at=LATER)


def test_what_the_handset_alone_told_says_nothing_of_ids() -> None:
    forms = learner()
    assert not miss(forms, 5)
    for _ in range(5):
        forms.found("address", NOW)
    assert forms.ratio is None


def test_after_a_lapse_it_is_learned_again_and_twice_as_long() -> None:
    forms = pinned("same")
    assert miss(forms, 50)
    forms.matched({"hex_in_response": 99})
    assert (forms.form, forms.keys(b"22")[1]) == (None, "")
    forms.matched({"hex_in_response": 1})
    assert forms.form == "hex_in_response"


def test_what_another_form_finds_after_all_speaks_against_the_known_one() -> None:
    forms = pinned("same")
    for _ in range(10):
        forms.parked(NOW)
        forms.found("hex_in_response", NOW)
    assert forms.lapsed(NOW)
    assert (forms.form, forms.ratio) == (None, 1.0)
    keys, trusted = forms.keys(b"22")
    assert (keys[0][0], trusted) == ("hex_in_response", "")


def test_after_another_form_has_lapsed_the_id_as_it_stands_is_not_trusted() -> None:
    forms = pinned("hex_in_response")
    assert miss(forms, 50)
    keys, trusted = forms.keys(b"22")
    assert (keys[0][0], trusted) == ("hex_in_response", "")


def test_a_fixed_form_stays_and_tells_of_the_misses() -> None:
    forms = learner("hex_in_response")
    assert miss(forms, 50)
    assert (forms.form, forms.fixed, forms.ratio) == ("hex_in_response", True, 0.0)


def test_misses_are_told_while_nothing_is_known_yet() -> None:
    forms = learner()
    assert miss(forms, 11)
    assert (forms.form, forms.ratio) == (None, 0.0)
    assert not forms.lapsed(LATER + 10), "once"


def test_the_ratio_is_of_recent_receipts() -> None:
    forms = pinned("same")
    forms.matched({"same": 100_000})
    miss(forms, 400)
    assert forms.ratio is not None
    assert forms.ratio < 0.5


def test_what_the_journal_remembers_pins_at_once() -> None:
    forms = learner()
    forms.remember({"hex_in_response": 400})
    assert (forms.form, forms.ratio) == ("hex_in_response", None)
    mixed = learner()
    mixed.remember({"hex_in_response": 400, "same": 1})
    assert mixed.form is None
    assert mixed.keys(b"22")[1] == ""
