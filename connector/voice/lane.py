"""What all trunks of a process share: SIP sockets, media clock, RTP ports, names, and speech."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from random import Random
from typing import Final

from connector.config.voice import Voice as VoiceConfig
from connector.voice.endpoint import Endpoint
from connector.voice.lookup import Dns, Lookup
from connector.voice.media.clock import MediaClock
from connector.voice.media.session import Listener, MediaSession, PortRange
from connector.voice.resolve import Resolver, host_of
from connector.voice.speech import Speech
from protocols.sip.timers import Timers

__all__ = ["VoiceLane"]

_LEAVE_S: Final = 2.0


class VoiceLane:
    """`open` before any trunk starts, `close` after the last has stopped.

    `now` is the process's clock. Media count in monotonic seconds, which `moment` turns into the clock's.
    """

    def __init__(
        self,
        config: VoiceConfig,
        *,
        speech: Speech,
        now: Callable[[], float],
        lookup: Lookup | None = None,
        rng: Callable[[int], bytes] = secrets.token_bytes,
        timers: Timers | None = None,
    ) -> None:
        listen = host_of(config.listen)
        self._host = listen.name
        self.now = now
        self.speech = speech
        self.rng = rng
        self.endpoint = Endpoint(
            (listen.name, listen.port or 0), config.public_address or "", now=now, rng=rng, timers=timers
        )
        self.resolver = Resolver(lookup or Dns(), now=now, rng=Random(int.from_bytes(rng(8), "big")))
        self.ports = PortRange(*config.rtp_ports)
        self.clock: MediaClock | None = None

    async def open(self) -> None:
        """Raises OSError."""
        await self.endpoint.open()
        self.clock = MediaClock(asyncio.get_running_loop())
        self.clock.start()

    async def close(self) -> None:
        """Waits a little for the answers to the last BYEs: until then they would have to be repeated."""
        await self.endpoint.settle(_LEAVE_S)
        if self.clock is not None:
            self.clock.stop()
        await self.endpoint.close()

    def media(self, listener: Listener, timeout_s: float) -> MediaSession:
        """Raises PortsExhausted and OSError."""
        assert self.clock is not None
        return MediaSession(
            self.clock, self._host, self.ports, rng=self.rng, listener=listener, timeout_s=timeout_s
        )

    def monotonic(self) -> float:
        return time.monotonic()

    def moment(self, monotonic: float | None) -> float | None:
        """A time of the media in the process's clock."""
        return None if monotonic is None else monotonic + (self.now() - time.monotonic())
