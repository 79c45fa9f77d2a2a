"""The way over one trunk: its addresses and which of them answer, who we are there, how it wants numbers."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable

import msgspec

from connector.config import Tls, read_password
from connector.config.tls import TlsError, context_of
from connector.config.trunk import Trunk
from connector.log import event as log_event
from connector.voice.endpoint import Endpoint, Owner
from connector.voice.health import Health
from connector.voice.resolve import Host, Resolver, Target, Unresolvable, host_of
from protocols.sip.call import Call
from protocols.sip.digest import Credentials
from protocols.sip.errors import SipError
from protocols.sip.events import Flow, Invitation, RegistrationTarget
from protocols.sip.registration import Registration
from protocols.sip.sdp import KEY_LENGTH, Crypto, LocalMedia
from protocols.sip.uri import Uri, host_text

__all__ = ["Uplink", "is_uri"]

_log = logging.getLogger(__name__)

_SUITE = "AES_CM_128_HMAC_SHA1_80"


class Uplink:
    """What the calls, the OPTIONS and the registration of one trunk have in common.

    targets  as they were found last, those of `host` first, then the standbys'
    """

    def __init__(self, config: Trunk, endpoint: Endpoint, resolver: Resolver) -> None:
        account = config.trunk
        self.config = config
        self.endpoint = endpoint
        self.health = Health()
        self.targets: tuple[Target, ...] = ()
        self.domain = account.domain or account.host
        self._resolver = resolver
        hosts = [Host(account.host, account.port), *map(host_of, account.standby)]
        self._hosts = hosts if account.outbound_proxy is None else [host_of(account.outbound_proxy)]
        self._route = () if account.outbound_proxy is None else (f"<sip:{account.outbound_proxy};lr>",)
        self._credentials: Credentials | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._tls = config.tls if account.transport == "tls" else None

    def read_credentials(self) -> None:
        """Raises OSError."""
        account = self.config.trunk
        if account.username is not None and self.config.password_path:
            password = read_password(self.config.password_path).decode("utf-8", "surrogateescape")
            self._credentials = Credentials(
                account.username, password, account.realm, frozenset((account.host.lower(),))
            )

    async def find(self) -> tuple[Target, ...]:
        """All addresses, in the order to try them. Raises Unresolvable when no host has any."""
        found: dict[Target, None] = {}
        failure = Unresolvable("no host")
        for host in self._hosts:
            try:
                for target in await self._resolver.targets(host, self.config.trunk.transport):
                    found[self._named(target)] = None
            except Unresolvable as error:
                failure = error
        if not found:
            raise failure
        self.targets = tuple(found)
        return self.targets

    def _named(self, target: Target) -> Target:
        name = None if self._tls is None else self._tls.server_name
        return target if name is None else msgspec.structs.replace(target, server_name=name)

    async def towards(self, called: str, now: float) -> list[Target]:
        """Where an INVITE to a number or URI may go, best first: those that rest come last, for when nothing
        else is left. Raises Unresolvable.
        """
        if is_uri(called):
            uri = Uri.parse(called)
            return list(await self._resolver.targets(Host(uri.host, uri.port), self.config.trunk.transport))
        return sorted(await self.find(), key=lambda target: self.health.rests(target, now))

    def failed(
        self,
        target: Target,
        reason: str,
        now: float,
        retry_after: float | None = None,
        since: float | None = None,
    ) -> None:
        """An address did not do its part: it rests, and the log says why when it begins to. `since`: when it
        was asked what it did not answer; has it answered others after that, the question was to blame.
        """
        if since is not None and self.health.heard_since(target, since):
            return
        if not self.health.rests(target, now):
            log_event(
                _log, "trunk address rests", level=logging.WARNING,
                trunk=self.config.name, address=f"{target.address}:{target.port}", reason=reason,
            )  # fmt: skip
        self.health.failed(target, now, retry_after)

    async def flow(self, target: Target) -> Flow:
        """Raises OSError (a refused certificate is one) and TimeoutError."""
        tls = target.transport == "tls"
        return await self.endpoint.flow(target, self._context if tls else None)

    def take_leave(self, call: Call, target: Target, now: Callable[[], float]) -> None:
        """The connection of an answered call is gone without a BYE, and the carrier counts on: another one is
        opened for it (RFC 3261 §18.1.1). Where that fails, the carrier's session timer ends the call.
        """
        task = asyncio.create_task(self._take_leave(call, target, now))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _take_leave(self, call: Call, target: Target, now: Callable[[], float]) -> None:
        try:
            flow = await self.flow(target)
            call.leave_over(flow, now())
        except (OSError, TimeoutError, SipError) as error:
            log_event(
                _log, "no BYE after a lost connection", level=logging.WARNING,
                trunk=self.config.name, error=error,
            )  # fmt: skip
            return
        self.endpoint.touch()

    async def stop(self) -> None:
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _context(self) -> ssl.SSLContext:
        try:
            return context_of(self.config.tls or Tls(), self.config.folder)
        except TlsError as error:
            raise OSError(f"tls.{error.key}: {error}") from None

    def media(self, address: str, port: int) -> LocalMedia:
        """What we offer for media that come to `address`; with fresh keys where they are encrypted."""
        crypto = (Crypto(1, _SUITE, secrets.token_bytes(KEY_LENGTH)),) if self.config.srtp else ()
        return LocalMedia(address, port, self.config.media.codecs, crypto=crypto)

    def uri_of(self, number: str) -> str:
        """As the trunk wants an E.164 number with +."""
        return f"sip:{self.config.destination.of(number)}@{host_text(self.domain)}"

    def invitation(self, called: str, caller_id: str, offer: LocalMedia) -> Invitation:
        """To an E.164 number with + over the trunk, or to a SIP URI; from one of our numbers."""
        calls, ours = self.config.calls, not is_uri(called)
        uri = self.uri_of(called) if ours else called
        identity = f"<sip:{caller_id}@{host_text(self.domain)}>"
        return Invitation(
            request_uri=uri,
            from_=identity,
            to=f"<{uri}>",
            contact_user=caller_id,
            offer=offer,
            route=self._route if ours else (),
            credentials=self._credentials if ours else None,
            headers=(("P-Asserted-Identity", identity),),
            session_expires_s=calls.session_expires_s,
            reliable=calls.reliable,
        )

    def options(self, flow: Flow, answered: Callable[[int | None, float], None], now: float) -> None:
        """Ask the peer of `flow` whether it is there; `answered(status or None, now)` is called once."""
        uri = f"sip:{host_text(self.domain)}"
        self.endpoint.agent.options(uri, flow, now, answered, self._credentials)
        self.endpoint.touch()

    def register(self, flow: Flow, owner: Owner, now: float) -> Registration:
        """Keep us registered over `flow`; `owner` is told how that goes."""
        account = self.config.trunk
        user = account.username or self.config.calls.caller_ids[0]
        target = RegistrationTarget(
            registrar=f"sip:{host_text(self.domain)}",
            address_of_record=f"sip:{user}@{host_text(self.domain)}",
            contact_user=user,
            expires_s=round(account.register_s),
            route=self._route,
            credentials=self._credentials,
        )
        registration = self.endpoint.agent.register(target, flow, now)
        registration.context = owner
        self.endpoint.touch()
        return registration


def is_uri(called: str) -> bool:
    """A SIP URI, and no number."""
    return called.startswith(("sip:", "sips:"))
