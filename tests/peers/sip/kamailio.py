"""Kamailio as the edge of a carrier: proxy and registrar with authentication."""

from pathlib import Path

from benchmarks.ports import free_port
from tests.peers.sip.process import Peer
from tests.peers.sip.steps import PASSWORD, REALM, USER

CONFIGURATION = Path(__file__).with_name("kamailio.cfg")


class Kamailio(Peer):
    """Passes calls on to the callee at a port of loopback."""

    def __init__(self, folder: Path, callee: int) -> None:
        port = free_port()
        words = {
            "PORT": port,
            "CALLEE": callee,
            "REALM_NAME": REALM,
            "ACCOUNT_USER": USER,
            "ACCOUNT_PASSWORD": PASSWORD,
            "CHALLENGE_FLAGS": 1,  # qop="auth"
        }
        text = CONFIGURATION.read_text()
        for name, value in words.items():
            text = text.replace(name, str(value))
        written = folder / "kamailio.cfg"
        written.write_text(text)
        command = ["kamailio", "-f", str(written), "-DD", "-E", "-m", "32", "-M", "4"]
        command += ["-Y", str(folder), "-w", str(folder), "-P", str(folder / "kamailio.pid")]
        super().__init__(command, folder, port, tables=("udp", "tcp"))
