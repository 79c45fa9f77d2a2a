"""World files: the shipped ones load, and what is wrong with one is said with file, line and key."""

from pathlib import Path

import pytest

from benchmarks.routing.world import load_world, shipped_worlds
from connector.config.problem import ConfigError

LEAST = """\
says = "one carrier"
duration_s = 60.0
warm_up_s = 0.0
[traffic]
rate = 5.0
[[networks]]
name = "a"
country = "DE"
[[carriers]]
name = "north"
price = 0.05
median_s = 4.0
"""


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_world(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


@pytest.mark.parametrize("file", shipped_worlds(), ids=lambda file: file.stem)
def test_the_shipped_worlds_are_as_rich_as_promised(file: Path) -> None:
    world = load_world(file)
    assert world.name == file.stem
    assert 3 <= len(world.carriers) <= 8
    assert len(world.networks) == 12
    assert world.trunks
    assert all(0.05 <= carrier.no_receipt <= 0.2 for carrier in world.carriers)
    assert 0 < world.users.unreachable < 0.05
    assert all(world.warm_up_s <= outage.at_s < world.duration_s for outage in world.outages)


def test_there_is_a_world_for_each_kind_of_trouble() -> None:
    worlds = [load_world(file) for file in shipped_worlds()]
    assert len(worlds) >= 9
    kinds = {outage.kind for world in worlds for outage in world.outages}
    assert kinds == {"hard", "down", "throttle", "silent", "slow", "fake"}
    assert {world.targets for world in worlds} == {"usual", "throttle", "fake", "low"}
    assert max(burst.rate for world in worlds for burst in world.traffic.bursts) == 50.0
    assert min(world.traffic.rate for world in worlds) <= 3.0


def test_the_least_world_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(LEAST)
    world = load_world(file)
    assert (world.name, world.mean_price, world.traffic.deadlines[0].s) == ("mine", 0.05, 30.0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("duration_s = 60.0", "duration_s = -1", "2: duration_s: -1 is not allowed here, expected seconds"),
        ("rate = 5.0", "rat = 5.0", '5: traffic.rat: unknown key, expected one of rate, rhythm'),
        ('"DE"', '"Germany"', '8: networks[0].country: "Germany" is not allowed here, expected a country'),
        ("price = 0.05", "", "9: carriers[0].price: is missing, expected a number above 0"),
        ("warm_up_s = 0.0", "warm_up_s = 60.0", "3: warm_up_s: is too long, expected less than duration_s"),
        ("rate = 5.0", "rate = ", "5: (file): is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    found = problems(tmp_path, LEAST.replace(before, after))
    assert any(problem.startswith(expected) for problem in found), found


def test_names_must_be_known(tmp_path: Path) -> None:
    outage = '[[outages]]\nkind = "hard"\nroutes = ["nort"]\nat_s = 1.0\nfor_s = 1.0\nnetworks = ["b"]\n'
    found = problems(tmp_path, LEAST + "[carriers.networks.b]\nloss = 0.1\n" + outage)
    assert [problem.split(": ", 1)[1] for problem in found] == [
        'carriers[0].networks.b: no network is called "b", expected one of a',
        'outages[0].routes: no carrier is called "nort", expected one of north, did you mean "north"?',
        'outages[0].networks: no network is called "b", expected one of a',
    ]


def test_a_name_may_not_be_there_twice(tmp_path: Path) -> None:
    trunk = '[[trunks]]\nname = "north"\nprice = 0.1\n'
    assert problems(tmp_path, LEAST + trunk) == [
        '14: trunks[0].name: "north" is there twice, expected another name'
    ]
