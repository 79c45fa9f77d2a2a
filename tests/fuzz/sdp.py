"""Agreeing on audio: any session description is agreed to or refused, as an offer and as an answer."""

from protocols.sip.errors import SdpError
from protocols.sip.sdp import Agreed, Crypto, LocalMedia, accept, answer

PLAIN = LocalMedia("192.0.2.1", 20_000)
KEY = bytes(range(30))
SECURED = LocalMedia("192.0.2.1", 20_000, crypto=(Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY),))


def one_input(data: bytes) -> None:
    """Octet 0 says whether we want the audio secured; the rest is the peer's description."""
    local, description = SECURED if data[:1] == b"\x01" else PLAIN, data[1:]
    try:
        _promised(accept(description, local), local)
    except SdpError as error:
        assert error.reason
    try:
        ours, agreed = answer(description, local, 1, 1)
    except SdpError as error:
        assert error.reason
        return
    _promised(agreed, local)
    assert ours.count(b"\r\nm=") == description.count(b"\nm=")
    assert len(ours) < 300 + len(description)


def _promised(agreed: Agreed, local: LocalMedia) -> None:
    assert agreed.codec in local.codecs
    assert 0 <= agreed.payload_type <= 127
    assert 0 < agreed.port <= 65535
    assert (agreed.remote_key is not None) == bool(local.crypto)
    assert (agreed.local_key is not None) == bool(local.crypto)
