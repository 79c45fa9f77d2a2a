"""Prompts on disk."""

import os
from pathlib import Path

import pytest

from connector.voice.audio import Audio
from connector.voice.speech.bank import Bank, key_of


def audio(octet: int, samples: int = 1000) -> Audio:
    return Audio(bytes([octet]) * samples, bytes([octet ^ 1]) * samples)


def test_what_is_put_is_got(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "prompts", 10_000)
    assert bank.get("a") is None
    bank.put("a", audio(1))
    assert bank.get("a") == audio(1)
    bank.put("a", audio(2))
    assert Bank(tmp_path / "prompts", 10_000).get("a") == audio(2)
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == ["a.prompt"]
    assert (tmp_path / "prompts").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [0, 10, 24, 500, 2000])
def test_damage_is_noticed(tmp_path: Path, damage: int) -> None:
    """A power cut may leave any content: nothing is synced."""
    bank = Bank(tmp_path, 10_000)
    bank.put("a", audio(1))
    path = tmp_path / "a.prompt"
    octets = bytearray(path.read_bytes())
    octets[damage] ^= 0x55
    path.write_bytes(octets)
    assert bank.get("a") is None
    assert not path.exists()
    path.write_bytes(octets[:damage])
    assert bank.get("a") is None


def test_the_least_recently_used_go_and_pinned_ones_never(tmp_path: Path) -> None:
    bank = Bank(tmp_path, 3 * 2024)
    for at, key in enumerate(["pinned", "old", "used", "new", "newest"]):
        bank.put(key, audio(at))
        os.utime(tmp_path / f"{key}.prompt", (at, at))
    bank.pin(["pinned"])
    bank.get("used")
    bank.trim(0)
    assert {path.stem for path in tmp_path.iterdir()} == {"pinned", "used", "newest"}
    Bank(tmp_path, 0).trim(0)
    assert list(tmp_path.iterdir()) == []


def test_pinned_prompts_may_be_over_the_limit(tmp_path: Path) -> None:
    bank = Bank(tmp_path, 0)
    bank.put("a", audio(1))
    bank.pin(["a"])
    bank.trim(0)
    assert bank.get("a") == audio(1)


def test_unfinished_files_of_dead_processes_go(tmp_path: Path) -> None:
    bank = Bank(tmp_path, 10_000)
    for name, at in (("a.1.new", 10), ("b.2.new", 30)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (at, at))
    bank.trim(before=20)
    assert [path.name for path in tmp_path.iterdir()] == ["b.2.new"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    bank = Bank(tmp_path, 10_000)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        bank.put("a", audio(1))
    assert list(tmp_path.iterdir()) == []


def test_a_key_depends_on_everything_that_is_heard() -> None:
    base = {"content": "text null", "lang": "de", "pace": "normal", "engine": "espeak-ng 1.51 processing 1"}
    keys = {key_of(**base)}
    for name in base:
        keys.add(key_of(**{**base, name: "other"}))
    keys.add(key_of(**{**base, "lang": "den", "pace": "ormal"}))
    assert len(keys) == 6
    assert all("null" not in key for key in keys)
