"""What a number tells of itself, against the library whose numbering plans it reads."""

import random
import string
import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType as Type
from phonenumbers import carrier as library_carrier
from phonenumbers import timezone as library_timezone

from connector.routing.destination import Destination, analyse
from connector.routing.networks import Networks
from connector.routing.zones import zones

KINDS = {
    Type.MOBILE: "mobile",
    Type.FIXED_LINE: "fixed",
    Type.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    Type.PREMIUM_RATE: "premium",
    Type.SHARED_COST: "shared_cost",
}
SATELLITE = ("+870", "+881", "+88213", "+88216")
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def by_the_library(number: str) -> tuple[Destination, tuple[str, ...]]:
    """The same in the library's own words."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return Destination("", "satellite" if number.startswith(SATELLITE) else "other", "", False), ()
    kind = phonenumbers.number_type(parsed)
    main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    region = phonenumbers.region_code_for_number(parsed) or main
    name = KINDS.get(kind, "other")
    valid = phonenumbers.is_valid_number(parsed)
    if number.startswith(SATELLITE):
        name = "satellite"
    network = library_carrier.name_for_number(parsed, "en")
    found = library_timezone.time_zones_for_number(parsed)
    return (
        Destination("" if region == "001" else region, name, network, valid),  # type: ignore[arg-type]
        () if found == ("Etc/Unknown",) else tuple(found),
    )


def compare(number: str) -> None:
    expected, expected_zones = by_the_library(number)
    destination = analyse(number)
    assert destination == expected, number
    assert zones(number, destination) == expected_zones, number


def example_numbers() -> list[str]:
    """One of each kind in each region, in E.164."""
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in Type.values()
    ]
    found += [
        phonenumbers.example_number_for_non_geo_entity(code)
        for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    ]
    form = phonenumbers.PhoneNumberFormat.E164
    return [phonenumbers.format_number(number, form) for number in found if number is not None]


EXAMPLES = example_numbers()


def test_an_example_of_each_kind_in_each_region() -> None:
    assert len(EXAMPLES) > 1_000
    for number in EXAMPLES:
        compare(number)


def test_examples_with_digits_changed_added_and_missing() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for number in rng.sample(EXAMPLES, 1_000):
        position = rng.randrange(1, len(number))
        digit = rng.choice(string.digits)
        compare(number[:position] + digit + number[position + 1 :])
        compare(number[:position] + digit + number[position:])
        compare(number[:position] + number[position + 1 :])


def test_random_digits_after_every_calling_code() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for code in CODES:
        for _ in range(10):
            length = rng.randrange(1, 16)
            compare(f"+{code}" + "".join(rng.choices(string.digits, k=length)))


@pytest.mark.parametrize(
    "prefix",
    ["+490", "+5411", "+54911", "+549351", "+521", "+1", "+1242", "+4470", "+39", "+3906", "+55", "+5511",
     "+61145", "+44", "+7", "+262", "+358", "+599"],
)  # fmt: skip
def test_plans_that_rewrite_numbers_or_have_several_regions(prefix: str) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for length in range(13):
        for _ in range(8):
            compare(prefix + "".join(rng.choices(string.digits, k=length)))


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"\+[0-9]{0,20}", fullmatch=True))
def test_any_digits(number: str) -> None:
    if not number.startswith("+447700900"):
        compare(number)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=24))
def test_what_is_no_number_is_not_valid(text: str) -> None:
    for number in (text, "+" + text, "+49" + text):
        destination = analyse(number)
        if not (number.startswith("+") and number[1:].isascii() and number[1:].isdigit()):
            assert (destination.kind, destination.network, destination.valid) == ("other", "", False)


def test_every_prefix_of_the_librarys_networks() -> None:
    from phonenumbers.carrierdata import CARRIER_DATA

    networks = Networks((prefix, names["en"]) for prefix, names in CARRIER_DATA.items() if "en" in names)

    def longest(digits: str) -> str:
        for end in range(9, 0, -1):
            if "en" in (names := CARRIER_DATA.get(digits[:end], {})):
                return str(names["en"])
        return ""

    for prefix in CARRIER_DATA:
        for filler in "059":
            digits = prefix.ljust(12, filler)
            assert networks.of(digits) == longest(digits), digits
        after = str(int(prefix) + 1).ljust(12, "0")
        assert networks.of(after) == longest(after), after


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text("0123", min_size=1, max_size=4), st.text("abc", min_size=1, max_size=2)))
def test_the_longest_prefix_wins(table: dict[str, str]) -> None:
    networks = Networks(table.items())
    for key in range(4**5):
        digits = "".join("0123"[key >> 2 * place & 3] for place in range(5)) + "0000"
        expected = next((table[digits[:end]] for end in range(9, 0, -1) if digits[:end] in table), "")
        assert networks.of(digits) == expected


@pytest.mark.parametrize("number", ["+447700900000", "+447700900123", "+447700900999"])
def test_numbers_set_aside_for_tests_are_mobiles(number: str) -> None:
    assert analyse(number) == Destination("GB", "mobile", "", True)
    assert "Europe/London" in zones(number, analyse(number))


def test_the_neighbours_of_the_numbers_set_aside() -> None:
    compare("+447700901000")
    compare("+4477009001234")


@pytest.mark.parametrize(
    ("number", "country", "kind"),
    [
        ("+4915112345678", "DE", "mobile"),
        ("+493012345678", "DE", "fixed"),
        ("+14155552671", "US", "fixed_or_mobile"),
        ("+15551234567", "US", "other"),
        ("+499001234567", "DE", "premium"),
        ("+870773111632", "", "satellite"),
        ("+8821612345678", "", "satellite"),
        ("+80012345678", "", "other"),
        ("+77012345678", "KZ", "mobile"),
    ],
)
def test_a_few_known_ones(number: str, country: str, kind: str) -> None:
    destination = analyse(number)
    assert (destination.country, destination.kind) == (country, kind)
    assert destination.cell == (country, destination.network)


def test_equal_answers_are_one_object() -> None:
    assert analyse("+4915112345678") is analyse("+4915112345679")


def test_what_is_imported_and_when() -> None:
    program = """
import sys
from connector.routing.destination import analyse, prepare
assert "phonenumbers.data.region_DE" not in sys.modules
analyse("+4915112345678")
assert not [name for name in sys.modules if "geo" in name or "tzdata" in name or "carrier" in name and
            name.startswith("phonenumbers")]
assert "phonenumbers.data.region_FR" not in sys.modules
prepare()
assert "phonenumbers.data.region_FR" in sys.modules
assert "phonenumbers.carrierdata" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
