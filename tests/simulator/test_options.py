import statistics
from random import Random

import pytest

from connector.simulator.delay import Delay
from connector.simulator.options import OPTIONS, OptionError, SmscOptions, parse


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("0.5", Delay("fixed", 0.5)),
        ("fixed:2", Delay("fixed", 2)),
        ("uniform:0.1,2", Delay("uniform", 0.1, 2)),
        ("lognormal:2.0,0.6", Delay("lognormal", 2.0, 0.6)),
    ],
)
def test_a_delay_is_read_and_written_back(text: str, delay: Delay) -> None:
    assert Delay.parse(text) == delay
    assert Delay.parse(str(delay)) == delay


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "fixed:",
        "fixed:1,2",
        "uniform:1",
        "uniform:2,1",
        "lognormal:0,1",
        "normal:1,1",
        "-1",
        "nan",
    ],
)
def test_what_is_no_delay_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a delay"):
        Delay.parse(text)


def test_samples_follow_the_distribution(random: Random) -> None:
    uniform = Delay.parse("uniform:1,3").sampler(random)
    assert all(1 <= uniform() <= 3 for _ in range(1000))
    lognormal = Delay.parse("lognormal:2.0,0.6").sampler(random)
    drawn = sorted(lognormal() for _ in range(4000))
    assert drawn[2000] == pytest.approx(2.0, rel=0.1)
    assert statistics.median(drawn[2000:]) / drawn[2000] == pytest.approx(1.5, rel=0.1)  # exp(0.6 · 0.674)
    assert Delay.parse("0.25").sampler(random)() == 0.25


def test_options_are_changed_by_text_or_by_value() -> None:
    changed = SmscOptions().changed(
        {
            "throttle_status": "0x14",
            "receipt_delay": "uniform:1,2",
            "stories": "off",
            "cut_after": 3,
            "ghost_s": 2,
        }
    )
    assert (changed.throttle_status, changed.receipt_delay) == (0x14, Delay("uniform", 1, 2))
    assert (changed.stories, changed.cut_after, changed.ghost_s) == (False, 3, 2.0)
    assert SmscOptions().changed(changed.as_json()) == changed


def test_lists_and_pairs_are_read_as_text_or_as_what_they_are() -> None:
    as_text = SmscOptions().changed(
        {"long_forms": "udh8, sar", "alphabets": "0=latin1,8=ucs2", "limits": "+91=2.5", "senders": ""}
    )
    as_json = SmscOptions().changed(
        {"long_forms": ["udh8", "sar"], "alphabets": {"0": "latin1", 8: "ucs2"}, "limits": {"+91": 2.5}}
    )
    assert as_text == as_json
    assert (as_text.long_forms, as_text.alphabets) == (("udh8", "sar"), (("0", "latin1"), ("8", "ucs2")))
    assert as_text.as_json()["alphabets"] == "0=latin1,8=ucs2"
    assert SmscOptions().changed(as_text.as_json()) == as_text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("receipt_mising", 0.1, "did you mean receipt_missing"),
        ("receipt_missing", 1.5, "at least 0 and at most 1"),
        ("cut_after", -1, "at least 0"),
        ("cut_after", "soon", "whole number"),
        ("cut_share", "much", "not a number"),
        ("throttle_status", 0, "at least 1"),
        ("id_form", "roman", "same, hex_in_response"),
        ("receipt_delay", "late", "expected fixed:SECONDS"),
        ("stories", "perhaps", "true or false"),
        ("system_id", 7, "not a text"),
        ("receipt_missing", "nan", "at least 0"),
        ("long_forms", "udh8,pigeon", "'pigeon' is not one of udh8"),
        ("long_forms", ["pigeon"], "'pigeon' is not one of udh8"),
        ("alphabets", "0", "expected NAME=VALUE"),
        ("alphabets", "0=klingon", "'klingon' is not one of gsm7"),
        ("alphabets", "256=gsm7", "not one octet"),
        ("alphabets", "x=gsm7", "not a whole number"),
        ("required_tlvs", "0x10000=any", "not two octets"),
        ("required_tlvs", "0x1400=float", "begin with one of any"),
        ("limits", "ACME=0", "not a rate"),
        ("limits", "ACME=fast", "not a rate"),
        ("source_types", "numeric=1", "expected TON/NPI"),
        ("source_types", "royal=1/1", "'royal' is not one of numeric"),
        ("destination_types", "1/1,2", "expected TON/NPI"),
        ("outbind", "host", "expected HOST:PORT"),
        ("outbind_password", "much too long", "at most 8 ASCII"),
        ("receipt_id_key", "ключ", "at most 32 ASCII"),
        ("receipt_words", {"DELIVRD": "X" * 33}, "at most 32 ASCII"),
    ],
)
def test_a_wrong_option_says_what_is_expected(name: str, value: object, expected: str) -> None:
    with pytest.raises(OptionError, match=expected) as refusal:
        SmscOptions().changed({name: value})
    assert str(refusal.value).startswith(f"{name}: ")


def test_every_option_explains_itself_and_is_off_unless_asked_for() -> None:
    assert all(takes.help.endswith(".") for takes in OPTIONS.values())
    assert all(getattr(SmscOptions(), name) == 0 for name, takes in OPTIONS.items() if takes.high == 1)
    assert parse("cut_after", "0x10") == 16
