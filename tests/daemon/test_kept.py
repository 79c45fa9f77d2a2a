"""What is kept between two starts is made piece by piece, and written whole or not at all."""

import asyncio
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.kept import Kept

NOW = 1_700_000_000.0


def kept(path: Path, pieces: int = 100, found: list[bytes] | None = None) -> Kept:
    def dump(now: float) -> Iterator[bytes]:
        for index in range(pieces):
            yield b"%d at %.0f;" % (index, now)

    def restore(data: bytes, now: float) -> None:
        if not data.endswith(b";"):
            raise ValueError("not whole")
        assert found is not None
        found.append(data)

    return Kept(path, "test", dump, restore)


def whole(pieces: int = 100, at: float = NOW) -> bytes:
    return b"".join(b"%d at %.0f;" % (index, at) for index in range(pieces))


@pytest.mark.asyncio
async def test_the_loop_has_its_turns_between_the_pieces(tmp_path: Path) -> None:
    asked = turns = 0
    in_one_turn: list[int] = []

    def dump(now: float) -> Iterator[bytes]:
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield b"x"

    async def others() -> None:
        nonlocal turns
        before = asked
        while asked < 100:
            await asyncio.sleep(0)
            turns += 1
            in_one_turn.append(asked - before)
            before = asked

    working = asyncio.create_task(others())
    await Kept(tmp_path / "kept", "test", dump, lambda data, now: None).save(NOW)
    await working
    assert turns >= 99
    assert max(in_one_turn) == 1
    assert (tmp_path / "kept").read_bytes() == b"x" * 100


@pytest.mark.asyncio
async def test_what_was_saved_is_found(tmp_path: Path) -> None:
    found: list[bytes] = []
    here = kept(tmp_path / "kept", found=found)
    here.load(NOW)
    assert found == []
    await here.save(NOW)
    here.load(NOW)
    assert found == [whole()]
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


@pytest.mark.asyncio
async def test_a_full_disk_costs_nothing_that_was_saved_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    here = kept(tmp_path / "kept")
    await here.save(NOW)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, logger="connector"):
        patch.setattr(os, "fsync", full)
        await here.save(NOW + 60.0)
    assert "what is known is not kept" in caplog.text
    assert (tmp_path / "kept").read_bytes() == whole()
    await here.save(NOW + 120.0)
    assert (tmp_path / "kept").read_bytes() == whole(at=NOW + 120.0)


@pytest.mark.asyncio
async def test_a_device_that_is_full_costs_no_job(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "kept.new").symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING, logger="connector"):
        await kept(tmp_path / "kept").save(NOW)
    assert "what is known is not kept" in caplog.text
    assert not (tmp_path / "kept").exists()


@pytest.mark.asyncio
async def test_half_a_state_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    here = kept(tmp_path / "kept")
    await here.save(NOW)
    saving = asyncio.create_task(here.save(NOW + 60.0))
    for _ in range(50):
        await asyncio.sleep(0)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert (tmp_path / "kept").read_bytes() == whole()
    # Nor does what a process that was killed has left behind.
    (tmp_path / "kept.new").write_bytes(whole()[:100])
    found: list[bytes] = []
    kept(tmp_path / "kept", found=found).load(NOW)
    assert found == [whole()]


@pytest.mark.asyncio
async def test_what_nobody_can_read_is_told_and_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept").write_bytes(b"half of it")
    with caplog.at_level(logging.WARNING, logger="connector"):
        kept(tmp_path / "kept", found=[]).load(NOW)
    assert "what was known is lost" in caplog.text
