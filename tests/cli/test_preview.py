import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import DELIVERED, REPOSITORY, Gateway, connector

PROFILE = str(REPOSITORY / "config/profiles/plain-smpp34.toml")


@pytest.mark.parametrize(
    ("text", "encoding", "data_coding", "parts", "units"),
    [
        ("Your code is 482917", "gsm7", 0, 1, 19),
        ("€" * 80, "gsm7", 0, 1, 160),
        ("a" * 161, "gsm7", 0, 2, 161),
        ("您的验证码是 482917", "ucs2", 8, 1, 13),
        ("😀" * 36, "ucs2", 8, 2, 72),
    ],
)
def test_a_text_by_a_profile(text: str, encoding: str, data_coding: int, parts: int, units: int) -> None:
    done = connector("preview", "--profile", PROFILE, "--text", text, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "schema": 1, "encoding": encoding, "data_coding": data_coding, "parts": parts, "units": units,
        "segments": parts, "cost": None, "locking": None, "single": None, "substituted": [], "refused": None,
    }  # fmt: skip


HINDI = "आपका सत्यापन कोड 482917 है। इसे किसी के साथ साझा न करें। धन्यवाद, आपका बैंक"


@pytest.mark.rule("text.national-profile")
@pytest.mark.parametrize(
    ("profile", "text", "shown"),
    [
        ("india-dlt", HINDI, {"encoding": "gsm7", "data_coding": 0, "parts": 1, "locking": "hi"}),
        ("plain-smpp34", HINDI, {"encoding": "ucs2", "data_coding": 8, "parts": 2, "locking": None}),
        ("india-dlt", HINDI[:60], {"parts": 1}),
        ("packed-gsm", "ğ" * 75, {"encoding": "gsm7_packed", "data_coding": 0, "parts": 1, "single": "tr"}),
        ("latin1", "é" * 140, {"encoding": "latin1", "data_coding": 0, "parts": 1, "units": 140}),
        ("ucs2-only", "a" * 200, {"encoding": "ucs2", "data_coding": 8, "parts": 1, "segments": 3}),
        ("india-dlt", "’" * 90, {"parts": 1, "substituted": [{"from": "’", "to": "'", "times": 90}]}),
        ("latin1", "5 €", {"encoding": "ucs2", "parts": 1, "substituted": []}),
    ],
)
def test_each_carrier_in_its_own_way(profile: str, text: str, shown: dict[str, Any]) -> None:
    file = str(REPOSITORY / f"config/profiles/{profile}.toml")
    done = connector("preview", "--profile", file, "--text", text, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert {key: found[key] for key in shown} == shown
    assert found["refused"] is None


def test_the_profile_decides_the_room_of_a_part(tmp_path: Path) -> None:
    profile = tmp_path / "carrier.toml"
    profile.write_text(Path(PROFILE).read_text().replace("udh8", "udh16"))
    for file, parts in ((PROFILE, 2), (str(profile), 3)):
        done = connector("preview", "--profile", file, "--text", "a" * 306, "--json")
        assert json.loads(done.stdout)["parts"] == parts


def test_what_it_costs(tmp_path: Path) -> None:
    profile = tmp_path / "carrier.toml"
    profile.write_text(Path(PROFILE).read_text() + "\n[price]\nsms = 0.07\n")
    done = connector("preview", "--profile", str(profile), "--text", "a" * 161, "--json")
    assert json.loads(done.stdout)["cost"] == 0.14


def test_a_text_that_is_too_long_is_refused() -> None:
    done = connector("preview", "--profile", PROFILE, "--text", "a" * 153 * 256, "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["parts"], shown["encoding"]) == (1, 0, None)
    assert "256 parts" in shown["refused"]


def test_every_fault_of_a_profile_is_told(tmp_path: Path) -> None:
    profile = tmp_path / "carrier.toml"
    profile.write_text("priority = 'high'\n[binds]\ntsp = 3\n")
    done = connector("preview", "--profile", str(profile), "--text", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{profile}:1: priority: " in done.stderr
    assert f"{profile}:3: binds.tsp: " in done.stderr


def test_a_template_by_the_daemon(gateway: Gateway) -> None:
    done = gateway.run("preview", "--template", "sign-in", "--lang", "hi", "--param", "code=482917", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["schema"], shown["text"]) == (1, "482917 आपका कोड है।")
    assert (shown["encoding"], shown["parts"]) == ("ucs2", 1)
    words = gateway.run("preview", "--template", "sign-in", "--lang", "hi", "--param", "code=482917").stdout
    assert "482917 आपका कोड है।" in words


def test_the_route_by_the_daemon(gateway: Gateway) -> None:
    arguments = ("--text", "x", "--to", DELIVERED, "--deadline", "20", "--class", "login")
    shown = json.loads(gateway.run("preview", *arguments, "--json").stdout)
    decided = shown["decision"]
    assert (decided["rule"], decided["chosen"]) == ("priority", "north")
    north, south = decided["offers"]
    assert 0.0 < north["p"] <= 1.0
    assert north["utility"] == pytest.approx(40.0 * north["p"] - north["price"], abs=0.01)
    assert south == {"route": "south", "reason": "another priority"}
    lines = gateway.run("preview", *arguments).stdout.splitlines()
    assert ["ROUTE", "IN", "TIME", "PRICE", "UTILITY", "NOTES"] in [line.split() for line in lines]
    assert lines[-1].startswith("north comes first by its priority; north ")


def test_the_daemon_refuses(gateway: Gateway) -> None:
    done = gateway.run("preview", "--template", "spring-offer")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: forbidden: template: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--text", "x"],
        ["--profile", PROFILE],
        ["--profile", PROFILE, "--template", "sign-in"],
        ["--profile", PROFILE, "--text", "x", "--to", "+447700900000"],
        ["--profile", PROFILE, "--text", "x", "--deadline", "20"],
        ["--profile", PROFILE, "--text", "x", "--class", "login"],
        ["--socket", "/nonexistent", "--text", "x", "--deadline", "-1"],
        ["--profile", "/nonexistent.toml", "--text", "x"],
        ["--socket", "/nonexistent", "--lang", "de"],
    ],
)
def test_bad_usage(arguments: list[str]) -> None:
    done = connector("preview", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
