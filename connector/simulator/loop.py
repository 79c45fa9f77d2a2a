"""The event loop of simulated servers: uvloop's where that is installed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

__all__ = ["new_event_loop"]

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with contextlib.suppress(ImportError):  # an optional extra: slower without it, otherwise the same
    import uvloop

    new_event_loop = uvloop.new_event_loop
