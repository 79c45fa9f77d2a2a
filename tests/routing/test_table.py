"""The routing table: the longest prefix, then the country, then all; and pins over it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import load
from connector.config.model import Config
from connector.config.routing import RouteRule
from connector.routing.destination import analyse
from connector.routing.table import Names, RouteTable
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.config.trunk_folder import TRUNK

MOBILE = "+4915112345678"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Carriers east, north, south (off) and west, in this order; trunk phone."""
    folder = Folder(tmp_path_factory.mktemp("table") / "lane")
    folder.write("connector.toml", CONNECTOR)
    folder.write("templates/login-code.toml", TEMPLATE)
    for name in ("north", "west"):
        folder.write(f"secrets/{name}", "s3cret\n", 0o600)
    for priority, name in enumerate(("east", "north", "south", "west")):
        head = f"priority = {priority}\n" + ("enabled = false\n" if name == "south" else "")
        folder.write(f"carriers/{name}.toml", head + CARRIER.replace('"acme"', f'"{name}"'))
    folder.write("trunks/phone.toml", TRUNK)
    return load(folder.path, {})


def table(config: Config, *rules: tuple[str, Names]) -> RouteTable:
    routes = tuple(
        RouteRule(prefix=where, carriers=names)
        if where[0] == "+"
        else RouteRule(country=where, carriers=names)
        for where, names in rules
    )
    return RouteTable(msgspec.structs.replace(config, routes=routes))


def names(
    table: RouteTable, number: str = MOBILE, channel: str = "sms", **how: object
) -> tuple[Names, Names]:
    return table.candidates(number, analyse(number), channel, **how)  # type: ignore[arg-type]


def test_without_rules_all_that_are_enabled(config: Config) -> None:
    assert names(table(config)) == (("east", "north", "west"), ())
    assert names(table(config), channel="voice") == (("phone",), ())


def test_the_longest_prefix_then_the_country_then_all(config: Config) -> None:
    rules = table(
        config, ("DE", ("west",)), ("+49", ("north",)), ("+4915", ("east", "west")), ("FR", ("north",))
    )
    assert names(rules) == (("east", "west"), ())
    assert names(rules, "+493012345678") == (("north",), ())
    assert names(rules, "+33612345678") == (("north",), ())
    assert names(rules, "+12125550100") == (("east", "north", "west"), ())
    assert names(table(config, ("DE", ("west",)))) == (("west",), ())


def test_names_stand_in_the_order_of_priority(config: Config) -> None:
    assert names(table(config, ("DE", ("west", "north", "east")))) == (("east", "north", "west"), ())
    assert names(table(config), pins=("west", "east"), fallback=False) == (("east", "west"), ())


def test_a_rule_counts_for_the_channels_it_names(config: Config) -> None:
    rules = table(config, ("+49", ("north",)), ("DE", ("phone",)), ("+33", ("phone", "west")))
    assert names(rules) == (("north",), ())
    assert names(rules, channel="voice") == (("phone",), ())
    assert names(rules, "+33612345678") == (("west",), ())


def test_a_carrier_that_is_switched_off_is_not_replaced(config: Config) -> None:
    assert names(table(config, ("+49", ("south",)))) == ((), ())
    assert names(table(config, ("+49", ("south", "north")))) == (("north",), ())
    assert names(table(config), pins=("south",), fallback=False) == ((), ())


def test_pins_win_over_the_table(config: Config) -> None:
    rules = table(config, ("+49", ("north", "east")))
    assert names(rules, pins=("west",)) == (("west",), ("east", "north"))
    assert names(rules, pins=("west",), fallback=False) == (("west",), ())
    assert names(rules, pins=("west", "north")) == (("north", "west"), ("east",))


def test_pins_without_a_route_of_the_channel(config: Config) -> None:
    assert names(table(config), channel="voice", pins=("north",)) == (("phone",), ())
    assert names(table(config), channel="voice", pins=("north",), fallback=False) == ((), ())


def test_the_carriers_of_a_step(config: Config) -> None:
    rules = table(config, ("+49", ("north", "east")))
    assert names(rules, only=("east", "west")) == (("east",), ())
    assert names(rules, only=("east", "west"), pins=("west",)) == (("west",), ("east",))
    assert names(rules, only=("phone",)) == ((), ())


prefixes = st.lists(st.from_regex(r"\+49[0-9]{0,5}", fullmatch=True), max_size=8, unique=True)


@given(prefixes, st.from_regex(r"\+49[0-9]{4,11}", fullmatch=True))
def test_the_longest_of_any_prefixes(config: Config, given_ones: list[str], number: str) -> None:
    order = ("east", "north", "west")
    rules = [(prefix, (order[index % 3],)) for index, prefix in enumerate(given_ones)]
    longest = max((prefix for prefix in given_ones if number.startswith(prefix)), key=len, default=None)
    expected = order if longest is None else (order[given_ones.index(longest) % 3],)
    built = table(config, *rules)
    for _ in range(2):
        assert names(built, number) == (expected, ())


def test_what_is_kept_has_a_limit(config: Config) -> None:
    built = table(config)
    for index in range(10_000):
        assert names(built, pins=(f"pin{index}",))[0] == ("east", "north", "west")
    assert len(built._cache) <= 4_096
