"""Options of asking the caller who it is (RFC 7616, RFC 8760)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.options.takes import Takes as _T


@dataclass(frozen=True)
class ChallengeOptions:
    """Digest authentication of INVITE and REGISTER."""

    challenge: Annotated[str, _T("Ask for credentials with this status.", choices=("none", "401", "407"))] = (
        "none"
    )
    username: Annotated[str, _T("The only user that is let in.")] = "trunk"
    password: Annotated[str, _T("Its password.")] = "secret"
    realm: Annotated[str, _T("Realm of the challenge.")] = "callee.invalid"
    algorithms: Annotated[
        str, _T("Digest algorithm; both: SHA-256 is offered first.", choices=("MD5", "SHA-256", "both"))
    ] = "MD5"
    stale_nonces: Annotated[
        int, _T("Call a caller's nonce stale so many times although the answer is right.", 0, 10)
    ] = 0
