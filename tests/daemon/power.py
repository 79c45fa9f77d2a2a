"""A disk whose power can be cut, as an SQLite VFS.

Writes go to the real files, so the journal works as ever. Beside that the disk remembers what would still be
there after a cut: the content of each file at its last sync, and of what was written since then any part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import apsw

_SECTOR = 512
_HOST = "unix"  # SQLite's own VFS, below ours

Image = dict[str, bytes]


class Disk(apsw.VFS):
    """`steps` counts writes, syncs and removals; `at(step)` may be asked for the image of that moment.

    fail_at  from this step on every write and sync fails like a full or broken disk, by `error`
    """

    def __init__(self, random: Random, moments: set[int] | None = None) -> None:
        self.steps = 0
        self.images: dict[int, tuple[Image, int]] = {}
        """By step: the files after a cut at that moment, and how many commits had returned."""
        self.commits = 0
        self.fail_at: int | None = None
        self.error: type[Exception] = apsw.FullError
        self._random = random
        self._moments = moments or set()
        self._synced: dict[str, bytearray] = {}
        self._unsynced: dict[str, list[tuple[int, bytes]]] = {}
        super().__init__("disk", _HOST, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self._synced.pop(filename, None)
        self._unsynced.pop(filename, None)
        self.step()

    def step(self) -> None:
        """One more operation reaches the disk; takes an image where one is wanted."""
        self.steps += 1
        if self.steps in self._moments:
            self.images[self.steps] = (self._cut(), self.commits)
        if self.fail_at is not None and self.steps >= self.fail_at:
            raise self.error("the disk fails")

    def wrote(self, filename: str, offset: int, data: bytes) -> None:
        self._unsynced.setdefault(filename, []).append((offset, data))

    def truncated(self, filename: str, size: int) -> None:
        # The journal's own files are only cut when nothing in them counts any more: take it as durable.
        self.synced(filename)
        del self._synced[filename][size:]

    def synced(self, filename: str) -> None:
        content = self._synced.setdefault(filename, bytearray())
        for offset, data in self._unsynced.pop(filename, []):
            _put(content, offset, data)

    def _cut(self) -> Image:
        """Sectors that were not synced are there or not, each on its own; the order means nothing."""
        image = {}
        for filename in self._synced.keys() | self._unsynced.keys():
            content = bytearray(self._synced.get(filename, b""))
            share = self._random.choice((0.0, 0.5, 0.9))
            for offset, data in self._unsynced.get(filename, []):
                for start in range(0, len(data), _SECTOR):
                    if self._random.random() < share:
                        _put(content, offset + start, data[start : start + _SECTOR])
            image[filename] = bytes(content)
        return image


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__(_HOST, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.step()
        super().xWrite(data, offset)
        self._disk.wrote(self._name, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        self._disk.step()
        super().xTruncate(newsize)
        self._disk.truncated(self._name, newsize)

    def xSync(self, flags: int) -> None:
        self._disk.step()
        self._disk.synced(self._name)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@contextmanager
def disk(random: Random, moments: set[int] | None = None) -> Iterator[Disk]:
    """SQLite's disk while the block runs."""
    found = Disk(random, moments)
    try:
        yield found
    finally:
        found.unregister()


def restore(image: Image, folder: Path) -> None:
    """Put the files of `image` into `folder`, as the machine finds them when the power is back."""
    folder.mkdir()
    for filename, content in image.items():
        (folder / Path(filename).name).write_bytes(content)
