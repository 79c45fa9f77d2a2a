"""SIPp playing a scenario: the callee of a call, or somebody who calls uninvited."""

import subprocess
from pathlib import Path

from benchmarks.ports import free_port
from tests.peers.sip.process import LOOPBACK, PATIENCE_S, Peer
from tests.peers.sip.steps import PASSWORD, USER, Scenario


class Sipp(Peer):
    """One SIPp with one scenario on a port of its own; `media_port` is that of its RTP.

    After `calls` calls it ends by itself, which `finish` waits for.
    """

    def __init__(
        self,
        folder: Path,
        scenario: Scenario,
        *options: str,
        remote: tuple[str, int] | None = None,
        calls: int = 1,
        tcp: bool = False,
        timeout_s: float = PATIENCE_S,
    ) -> None:
        self.media_port = free_port()
        port, control = self.media_port + 4, self.media_port + 5
        self._stem = folder / f"sipp-{port}"
        self._timeout_s = timeout_s
        script = self._stem.with_suffix(".xml")
        script.write_text(scenario.xml())
        command = ["sipp", "-sf", str(script), "-nostdin", "-skip_rlimit", "-m", str(calls)]
        command += ["-i", LOOPBACK, "-bind_local", "-p", str(port), "-cp", str(control)]
        command += ["-mi", LOOPBACK, "-mp", str(self.media_port)]
        command += ["-timeout", f"{timeout_s:.0f}s", "-timeout_error", "-t", "t1" if tcp else "u1"]
        # How busy this machine is must not be an error.
        command += ["-watchdog_minor_threshold", "60000", "-watchdog_major_threshold", "60000"]
        command += ["-au", USER, "-ap", PASSWORD]
        for kind, name in (("err", "error"), ("msg", "message"), ("logs", "log")):
            command += [f"-trace_{kind}", f"-{name}_file", f"{self._stem}.{name}"]
        command += options
        if remote is not None:
            command.append(f"{remote[0]}:{remote[1]}")
        super().__init__(command, folder, port, tables=("tcp",) if tcp else ("udp",))

    @property
    def messages(self) -> str:
        """Everything it sent and received."""
        return self._text("message")

    @property
    def logged(self) -> str:
        """What the scenario's `log` steps wrote."""
        return self._text("log")

    def finish(self, *, noted: bool = False) -> None:
        """Wait for its end; every call must have gone as the scenario says.

        Unless `noted`, for lossy lines, nothing else may have come that it found worth noting.
        """
        try:
            status = self.process.wait(self._timeout_s + PATIENCE_S)
        except subprocess.TimeoutExpired:
            status = None
        errors = self._text("error")
        assert status == 0 and (noted or not errors), f"SIPp ended with {status}\n{errors}\n{self.messages}"

    def _text(self, kind: str) -> str:
        path = Path(f"{self._stem}.{kind}")
        return path.read_text(errors="replace") if path.exists() else ""
