"""baresip as the telephone of a user, that answers by itself, sends silence and records what it hears."""

import wave
from pathlib import Path
from typing import Self

from benchmarks.ports import free_port
from tests.peers.sip.process import LOOPBACK, Peer

RATE = 8000
# The account comes last: it knows only of what has been loaded before.
MODULES = ("srtp", "g711", "aufile", "sndfile", "menu", "account")

CONFIGURATION = """\
poll_method epoll
sip_listen {address}:{port}
net_interface {address}
call_local_timeout 120
call_max_calls 4
audio_source aufile,{folder}/silence.wav
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_tos 184
rtp_ports {first}-{last}
rtcp_mux no
jitter_buffer_delay 1-10
rtp_stats yes
snd_path {folder}/heard
module_path {modules}
"""
ACCOUNT = "<sip:{user}@{address}:{port}>;regint=0;answermode=auto{encryption}\n"


class Baresip(Peer):
    """It needs its standard input, which `Peer` holds open.

    With a certificate (PEM, its key in the same file) calls come over TLS, to `tls_port`, and are encrypted:
    SRTP with keys in the description, and nothing else.
    """

    def __init__(
        self, folder: Path, user: str, certificate: Path | None = None, silence_s: float = 60.0
    ) -> None:
        first = free_port()
        port = first + 8
        self._heard = folder / "heard"
        self._heard.mkdir()
        with wave.open(str(folder / "silence.wav"), "wb") as silence:
            silence.setparams((1, 2, RATE, 0, "NONE", ""))
            silence.writeframes(bytes(int(silence_s * RATE) * 2))
        self.tls_port = port + 1
        encryption = "" if certificate is None else ";mediaenc=srtp-mand"
        places = {"encryption": encryption, "user": user, "address": LOOPBACK, "port": port, "folder": folder}
        places["modules"] = next(Path("/usr/lib").glob("**/baresip/modules"))
        places |= {"first": first, "last": first + 7}
        loaded = "".join(f"module {name}.so\n" for name in MODULES)
        if certificate is not None:
            loaded += f"sip_certificate {certificate}\n"
        (folder / "config").write_text(CONFIGURATION.format_map(places) + loaded)
        (folder / "accounts").write_text(ACCOUNT.format_map(places))
        (folder / "contacts").write_text("")
        super().__init__(["baresip", "-f", str(folder), "-v"], folder, port)

    def __enter__(self) -> Self:
        super().__enter__()
        # UDP is the first of its transports, and TLS the last.
        self.wait_until(lambda: "baresip is ready" in self.told(), "it is not ready")
        return self

    def recording(self) -> bytes:
        """What it has heard of the one call it had, as soon as that is over: 16 bits, 8 kHz."""
        self.wait_until(lambda: "audio: destroyed" in self.told(), "the call is not over")
        (path,) = self._heard.glob("*dec.wav")
        with wave.open(str(path), "rb") as file:
            assert file.getparams()[:3] == (1, 2, RATE)
            return file.readframes(file.getnframes())
