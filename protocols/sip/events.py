"""What a user agent tells its owner, and what its owner tells it to do.

Calls come back as the objects that ``invite`` returned or ``Invited`` brought; ``call.context`` is the
owner's own. Every call ends with exactly one of Rejected, Ended and Cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from protocols.sip.digest import Credentials
from protocols.sip.headers import NameAddr
from protocols.sip.message import Request
from protocols.sip.sdp import Agreed, LocalMedia

if TYPE_CHECKING:
    from protocols.sip.call import Call
    from protocols.sip.registration import Registration

Transport = Literal["udp", "tcp", "tls"]
EndedBy = Literal["peer", "us", "session_timer", "transport"]
Reliable = Literal["no", "supported", "required"]


class Flow(NamedTuple):
    """Where datagrams go and come from, or one connection. ``local`` is the address that peers are told."""

    transport: Transport
    local: tuple[str, int]
    remote: tuple[str, int]

    @property
    def reliable(self) -> bool:
        """The transport repeats what is lost, so that the transactions need not (RFC 3261 §17)."""
        return self.transport != "udp"

    def __repr__(self) -> str:
        return f"Flow({self.transport} {self.local[0]}:{self.local[1]} {self.remote[0]}:{self.remote[1]})"


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A call to make. ``from_`` and ``to`` are NameAddr or their text, without tags.

    ``headers`` are further ones of the INVITE (P-Asserted-Identity). ``session_expires_s`` 0 asks for no
    session timer (RFC 4028). ``reliable`` is what is said of 100rel (RFC 3262). ``credentials`` go to their
    realm alone, or without one to a realm that is the host of the request URI, of From or of the flow.
    """

    request_uri: str
    from_: NameAddr | str
    to: NameAddr | str
    contact_user: str
    offer: LocalMedia
    route: tuple[str, ...] = ()
    credentials: Credentials | None = None
    headers: tuple[tuple[str, str], ...] = ()
    session_expires_s: int = 1800
    reliable: Reliable = "supported"

    def __repr__(self) -> str:
        return "Invitation()"


class RegistrationTarget(msgspec.Struct, frozen=True, kw_only=True):
    """An address of record to keep registered. ``registrar`` is a URI without user ("sip:sip.example")."""

    registrar: str
    address_of_record: str
    contact_user: str
    expires_s: int = 300
    route: tuple[str, ...] = ()
    credentials: Credentials | None = None

    def __repr__(self) -> str:
        return "RegistrationTarget()"


class Trying(msgspec.Struct, frozen=True, gc=False):
    """100: the next hop has the INVITE and no more is known."""

    call: Call


class Progress(msgspec.Struct, frozen=True, gc=False):
    """101–199, each once (retransmissions of reliable ones are not told). ``agreed`` with early media."""

    call: Call
    status: int
    reason: str
    agreed: Agreed | None


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The call is up: 2xx and ACK have passed. Of a call we took, the ACK has come."""

    call: Call
    agreed: Agreed


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """The call was not set up. ``local``: the status is our own (408 no answer at all, 503 transport, 488 no
    media in common). ``retry_after`` in seconds, ``cause`` of Q.850 (RFC 3326).
    """

    call: Call
    status: int
    reason: str
    retry_after: float | None
    cause: int | None
    local: bool


class Ended(msgspec.Struct, frozen=True, gc=False):
    """A call that was answered, or that we gave up, is over. ``cause`` of Q.850 where the peer told one."""

    call: Call
    by: EndedBy
    cause: int | None


class MediaChanged(msgspec.Struct, frozen=True, gc=False):
    """The peer has changed the session: hold (``agreed.send`` False), another address or codec."""

    call: Call
    agreed: Agreed


class Digit(msgspec.Struct, frozen=True, gc=False):
    """A key pressed, sent as INFO (application/dtmf-relay or application/dtmf)."""

    call: Call
    digit: str

    def __repr__(self) -> str:
        return f"Digit({self.call!r})"


class TransferProgress(msgspec.Struct, frozen=True, gc=False):
    """A NOTIFY of our REFER: the status that the transferred call has at the peer (RFC 3515 §2.4.5)."""

    call: Call
    status: int


class Transferred(msgspec.Struct, frozen=True, gc=False):
    """The end of our REFER, exactly once for each. ``status`` is the last one known."""

    call: Call
    ok: bool
    status: int


class TransferAsked(msgspec.Struct, frozen=True, gc=False):
    """The peer sent a REFER, which was answered 202: ``call.transfer_status`` tells how it goes.

    Only with ``accepts_calls``: without, a REFER is refused.
    """

    call: Call
    to: str

    def __repr__(self) -> str:
        return f"TransferAsked({self.call!r})"


class Invited(msgspec.Struct, frozen=True, gc=False):
    """Somebody calls; only with ``accepts_calls``. ``offer`` is empty when the INVITE brought none."""

    call: Call
    request: Request
    offer: bytes

    def __repr__(self) -> str:
        return f"Invited({self.call!r})"


class Cancelled(msgspec.Struct, frozen=True, gc=False):
    """The caller gave up before we answered; 487 has been sent. ``cause`` of Q.850."""

    call: Call
    cause: int | None


class Registered(msgspec.Struct, frozen=True, gc=False):
    """The registrar knows us for ``expires_s`` seconds; 0 after ``Registration.end``."""

    registration: Registration
    expires_s: int


class RegistrationFailed(msgspec.Struct, frozen=True, gc=False):
    """Refused, or without answer (408, 503). It is tried again by itself after ``retry_after`` seconds;
    None: never (credentials refused, or ended).
    """

    registration: Registration
    status: int
    retry_after: float | None


class OptionsAnswered(msgspec.Struct, frozen=True, gc=False):
    """What came of ``options``; ``status`` None: no answer."""

    context: Any
    status: int | None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A request that nobody asked for has been refused. ``why`` is one of a fixed few words."""

    method: str
    flow: Flow
    why: str


class RemoteProtocolError(msgspec.Struct, frozen=True, gc=False):
    """What came could not be read. ``close``: a connection has lost its framing and must be closed."""

    flow: Flow
    why: str
    close: bool = False


Event = (
    Trying
    | Progress
    | Answered
    | Rejected
    | Ended
    | MediaChanged
    | Digit
    | TransferProgress
    | Transferred
    | TransferAsked
    | Invited
    | Cancelled
    | Registered
    | RegistrationFailed
    | OptionsAnswered
    | Refused
    | RemoteProtocolError
)
