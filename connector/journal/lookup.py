"""The journal's reader in a thread of its own, awaited from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from connector.journal.ops import Found
from connector.journal.reader import Reader
from connector.sealing import Seal

__all__ = ["Lookup"]

_T = TypeVar("_T")


class Lookup:
    """See `Reader` for what each question answers. One at a time, in order."""

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        self._reader = Reader(path, seal)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    async def events(self, app: int, after: int) -> tuple[bytes, int]:
        return await self._ask(self._reader.events, app, after)

    async def cursor(self, app: int) -> tuple[int, int]:
        return await self._ask(self._reader.cursor, app)

    async def job(self, app: int, ext: str) -> dict[str, Any] | None:
        return await self._ask(self._reader.job, app, ext)

    async def find(self, number: str) -> Found:
        """All rows that name a number, but for those that come meanwhile."""
        found, more = Found(), True
        while more:
            found, more = await self._ask(self._reader.find, number, found)
        return found

    async def orphans(self, limit: int, now: float) -> list[dict[str, Any]]:
        return await self._ask(self._reader.orphans, limit, now)

    async def id_forms(self) -> dict[int, dict[str, int]]:
        return await self._ask(self._reader.id_forms)

    async def orphan_counts(self, now: float) -> list[dict[str, Any]]:
        return await self._ask(self._reader.orphan_counts, now)

    async def _ask(self, question: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *args)

    def close(self) -> None:
        self._thread.shutdown()
        self._reader.close()
