"""SRTP with keys from SDP (RFC 3711, RFC 4568), by libsrtp. Imported only for calls that agreed on keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pylibsrtp import Error, Policy, Session

if TYPE_CHECKING:
    from protocols.sip.sdp import Crypto

__all__ = ["SUITES", "Srtp"]

SUITES: Final = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
"""Crypto suites of RFC 4568 §6.2 and RFC 7714 §14.2 by name."""


class Srtp:
    """Both directions of one call, RTP and RTCP. `local` protects what we send, `remote` what the peer sends.

    Raises ValueError for a suite that is not in SUITES, or a key too short for it.
    """

    def __init__(self, local: Crypto, remote: Crypto) -> None:
        sending = _session(local, Policy.SSRC_ANY_OUTBOUND)
        receiving = _session(remote, Policy.SSRC_ANY_INBOUND)
        self.keys = (local, remote)
        self._protect = sending.protect
        self.protect_rtcp: Callable[[bytes], bytes] = sending.protect_rtcp
        self._unprotect = receiving.unprotect
        self._unprotect_rtcp = receiving.unprotect_rtcp

    def protect(self, packet: bytes) -> bytes | None:
        """The SRTP packet; None for what a relay may pass on and libsrtp does not take: a packet that was
        protected before, one that is older than what it remembers, or one that is too long.
        """
        try:
            return self._protect(packet)
        except (Error, ValueError):
            return None

    def unprotect(self, datagram: bytes) -> bytes | None:
        """The RTP packet; None for one that is not authentic, or that has come before."""
        try:
            return self._unprotect(datagram)
        except Error:
            return None

    def unprotect_rtcp(self, datagram: bytes) -> bytes | None:
        try:
            return self._unprotect_rtcp(datagram)
        except Error:
            return None


def _session(crypto: Crypto, direction: int) -> Session:
    if crypto.suite not in SUITES:
        raise ValueError(f"crypto suite {crypto.suite}: one of {', '.join(SUITES)} is expected")
    return Session(Policy(key=crypto.key, ssrc_type=direction, srtp_profile=SUITES[crypto.suite]))
