"""The carriers in use, and how one takes the place of another while jobs flow: new binds first, then the old
ones drain. Where the carrier permits no more binds, one old bind makes room for one new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from connector.carriers.smpp import SmppCarrier
from connector.log import event as log_event

__all__ = ["Lineup", "Plan", "plan"]

_log = logging.getLogger(__name__)

_LOOK_S = 0.05
_WARN_S = 30.0


class Plan(NamedTuple):
    """Names of carriers; `kept` are in use already and stay as they are."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def plan(present: Mapping[str, object], wanted: Mapping[str, object]) -> Plan:
    """What leads from the configurations in use to the ones wanted, by name and in the order of `wanted`."""
    return Plan(
        tuple(name for name in wanted if name not in present),
        tuple(name for name in wanted if name in present and present[name] != wanted[name]),
        tuple(name for name in present if name not in wanted),
        tuple(name for name in wanted if name in present and present[name] == wanted[name]),
    )


class Lineup:
    """`use` is told the carriers to choose among, whenever they change; all are started by then."""

    def __init__(self, use: Callable[[Sequence[SmppCarrier]], None]) -> None:
        self._use = use
        self._carriers: dict[str, SmppCarrier] = {}
        self._made_of: dict[str, object] = {}
        self._successors: dict[str, asyncio.Task[None]] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._leaving: set[SmppCarrier] = set()

    @property
    def bound(self) -> bool:
        """Something can be sent."""
        return any(carrier.bound for carrier in self._carriers.values())

    @property
    def carriers(self) -> list[SmppCarrier]:
        """Those in use."""
        return list(self._carriers.values())

    def begin(self, carriers: Mapping[str, tuple[object, SmppCarrier]]) -> None:
        """At the start: `carriers` by name, what each is made of and itself; started by somebody else."""
        self._made_of = {name: made_of for name, (made_of, _) in carriers.items()}
        self._carriers = {name: carrier for name, (_, carrier) in carriers.items()}

    async def change(
        self, wanted: Mapping[str, object], make: Callable[[str], SmppCarrier], grace_s: float
    ) -> Plan:
        """Go over to `wanted`, what each carrier is made of. Returns when all is under way.

        What is replaced or removed gets `grace_s` for its open windows.
        """
        for name in list(self._successors):
            # It is not in use yet: what is wanted now is compared with what is.
            await self._cancel(name)
        steps = plan(self._made_of, wanted)
        for name in steps.kept:
            self._carriers[name].binds.again()
        for name in steps.added:
            self._carriers[name] = make(name)
            self._carriers[name].start()
            self._made_of[name] = wanted[name]
        removed = [self._carriers.pop(name) for name in steps.removed]
        for name in steps.removed:
            del self._made_of[name]
        if steps.added or steps.removed:
            self._tell()
        for carrier in removed:
            self._farewell(carrier, grace_s)
        for name in steps.changed:
            successor = self._succeed(self._carriers[name], make(name), wanted[name], grace_s)
            self._successors[name] = asyncio.create_task(successor, name=f"successor of {name}")
        return steps

    async def stop(self) -> None:
        """End what has not come into use, and close what still drains. Those in use are somebody else's."""
        for name in list(self._successors):
            await self._cancel(name)
        for task in self._farewells:
            task.cancel()
        await asyncio.gather(*self._farewells, return_exceptions=True)
        await asyncio.gather(*(carrier.stop() for carrier in self._leaving))

    async def _cancel(self, name: str) -> None:
        task = self._successors.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _succeed(self, old: SmppCarrier, new: SmppCarrier, made_of: object, grace_s: float) -> None:
        new.learn_from(old)
        new.start()
        try:
            await self._until_it_can_take_over(old, new, grace_s)
        except BaseException:
            await asyncio.shield(new.stop())
            raise
        name = old.name
        self._carriers[name], self._made_of[name] = new, made_of
        del self._successors[name]
        self._tell()
        log_event(_log, "new binds in use", carrier=name)
        self._farewell(old, grace_s, successor=new)

    async def _until_it_can_take_over(self, old: SmppCarrier, new: SmppCarrier, grace_s: float) -> None:
        loop = asyncio.get_running_loop()
        warn_at = loop.time() + _WARN_S
        helped: set[str] = set()
        while not new.binds.complete and (old.bound or not new.bound):
            crowded = [bind for bind in new.binds.crowded_out() if bind.name not in helped]
            if crowded:
                if new.bound:
                    return  # the others come when the old ones are gone
                helped.add(crowded[0].name)
                self._made_of[old.name] = None  # it is not whole any more: no later change can keep it
                await old.binds.make_room(crowded[0], grace_s)
                crowded[0].again()
            elif loop.time() >= warn_at:
                if new.bound:
                    return
                warn_at = math.inf
                log_event(_log, "new binds fail; the old ones go on", level=logging.ERROR, carrier=old.name)
            await asyncio.sleep(_LOOK_S)

    def _farewell(self, carrier: SmppCarrier, grace_s: float, successor: SmppCarrier | None = None) -> None:
        self._leaving.add(carrier)
        task = asyncio.create_task(
            self._leave(carrier, grace_s, successor), name=f"farewell of {carrier.name}"
        )
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _leave(self, carrier: SmppCarrier, grace_s: float, successor: SmppCarrier | None) -> None:
        """Take nothing new, wait for the answers under way, unbind."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(carrier.drain(), grace_s)
        await carrier.stop()
        self._leaving.discard(carrier)
        log_event(_log, "old binds gone", carrier=carrier.name)
        if successor is not None:
            successor.binds.again()

    def _tell(self) -> None:
        self._use(self.carriers)
