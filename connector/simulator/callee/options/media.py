"""Options of what the callee says, hears and presses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connector.simulator.callee.presses import check_presses
from connector.simulator.callee.sounds import check_sound
from connector.simulator.options.takes import Takes as _T
from connector.simulator.options.values import NO_NAMES, Names

CODECS = ("PCMU", "PCMA")
_BOTH = Names(CODECS)
_SOUNDS = "none, hello, voicemail, announcement, ringback or a WAV file (8 kHz, 16 bits, mono)"


@dataclass(frozen=True)
class MediaOptions:
    """Sound in both directions (RFC 3264, RFC 3550, RFC 4733)."""

    early_media: Annotated[
        str, _T(f"Sound sent before the answer, with 183: {_SOUNDS}.", check=check_sound)
    ] = "none"
    says: Annotated[str, _T(f"What it says when it answers: {_SOUNDS}.", check=check_sound)] = "hello"
    says_after_s: Annotated[float, _T("From the answer to the first word.")] = 0.3
    beep_hz: Annotated[int, _T("Pitch of voicemail's beep; 0: no beep.", 0, 3400)] = 1000
    beep_s: Annotated[float, _T("Length of voicemail's beep.")] = 0.4
    voicemail_s: Annotated[float, _T("Length of voicemail's greeting before the beep.", 0, 120)] = 6.0

    press: Annotated[
        Names,
        _T(
            "Keys pressed: KEYS@SECONDS after the answer, or KEYS@quiet:MS when the caller has spoken and "
            "has been quiet for so many milliseconds, e.g. 1@2.5,0@quiet:900.",
            check=check_presses,
        ),
    ] = NO_NAMES
    digits_by: Annotated[
        str, _T("How keys travel: RFC 4733 in RTP, or SIP INFO.", choices=("rfc4733", "info"))
    ] = "rfc4733"
    key_ms: Annotated[int, _T("How long a key is held down.", 40, 5000)] = 120

    codecs: Annotated[Names, _T("Codecs accepted, the preferred one first.", choices=CODECS)] = _BOTH
    sends_rtp: Annotated[bool, _T("Send RTP at all.")] = True
    spoofed_per_s: Annotated[
        float, _T("Hostile: so many RTP packets a second from a port that was never negotiated.", 0, 1000)
    ] = 0.0
