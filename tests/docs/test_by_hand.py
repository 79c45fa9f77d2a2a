"""What the pages tell people to type, typed; what they show as printed, compared."""

import inspect
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from connector.carriers.contract import CallStep
from connector.jobs.methods import Methods
from connector.journal.ops import EventType, Settle
from protocols.rpc.job import Job
from tests.daemon.callee import SimulatedCallee
from tests.daemon.harness import Site
from tests.docs.conftest import indented, shell
from tests.docs.exchange import carry_out, shape, spoken
from tests.docs.pages import read, session

REPOSITORY = Path(__file__).parents[2]
SOCKET = read("docs/socket.md")
README = read("README.md")
FIRST_JOB, _, CALL = README[: README.index("## In time")].partition("### A call by hand")
PROOF = README[README.index("## Words that may be said") : README.index("## Install")]


def fenced(page: str, language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return str(found)


def without_numbers(text: str) -> list[str]:
    return re.sub(r"\d+", "0", text).split()


def without_ids(text: str) -> list[str]:
    """The same without the chain's MACs."""
    return without_numbers(re.sub(r"\b[0-9a-f]{64}\b", "0", text))


def in_any_run(line: str) -> str:
    """A line of the demo without what differs from run to run: times, codes, carriers, the moment."""
    line = re.sub(r"(before, )\w+", r"\1…", line)
    line = re.sub(r"north|south", "carrier", line)
    return " ".join(re.sub(r"\d+(\.\d+)?( m?s\b)?", "0", line).split())


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    block = README[README.index("    $ make demo") : README.index("<!-- end demo -->")]
    shown = [in_any_run(line) for line in block.splitlines()[1:] if line.strip() not in ("", "…")]
    command = [sys.executable, "-m", "connector", "demo"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    printed = {in_any_run(line) for line in done.stdout.splitlines()}
    for line in shown:
        if line.endswith("…") and line not in printed:
            assert any(each.startswith(line[:-1]) for each in printed), line
        else:
            assert line in printed, line


def test_the_first_job_from_the_shell(site: Site) -> None:
    typed = [(command, shown) for command, shown in session(FIRST_JOB) if command.startswith("connector ")]
    assert [command.split()[1] for command, _ in typed] == ["send", "why"]
    for command, shown in typed:
        assert without_numbers(shell(command, site)) == without_numbers(shown)


def compare(page: str, site: Site) -> None:
    """Type what a part of a page shows after $, in one shell; … at the end stands for all that follows."""
    typed = list(session(page))
    script = "\n".join(f"echo @@; {{ {command}\n}} 2>&1 || true" for command, _ in typed)
    for folder in ("/tmp/lane", "/tmp/parcels"):
        script = script.replace(folder, str(site.config))
    _, *outputs = shell(script, site).split("@@\n")
    for (command, shown), output in zip(typed, outputs, strict=True):
        whole, cut, _ = shown.partition("\n…")
        printed, expected = without_ids(output), without_ids(whole)
        assert (printed[: len(expected)] if cut else printed) == expected, command


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.timeout(120)
def test_words_that_may_be_said_and_proof(site: Site) -> None:
    """In the order of the page; what must be refused ends with another code, which its words tell."""
    texts, orders = PROOF.split("Shops need not know")
    script, hang_up = indented(texts[texts.index("    cp config") : texts.index("Marketing does not")]).split(
        "kill"
    )
    assert hang_up.split() == ["-HUP", "%?run"]
    shell(script.replace("/tmp/lane", str(site.config)), site)
    daemon = site.processes[-1]
    daemon.send(signal.SIGHUP)
    wait_for(lambda: "configuration read again" in daemon.log)
    compare(texts, site)
    script, starts = indented(orders[: orders.index("    $ export")].partition("\n\n")[2]).split(
        "connector run"
    )
    assert starts.split() == ["/tmp/parcels", "&"]
    parcels = Site()
    try:
        parcels.config = parcels.folder / "parcels"
        script = script.replace("/tmp/lane", str(site.config))
        shell("umask 077\n" + script.replace("/tmp/parcels", str(parcels.config)), parcels)
        parcels.socket_path = str(parcels.config / "jobs.sock")
        parcels.start()
        compare(orders, parcels)
    finally:
        parcels.close()


@pytest.mark.timeout(180)
def test_a_call_from_the_shell(site: Site) -> None:
    typed_first = indented(CALL[: CALL.index("+447700900001 is")])
    set_up, starts = typed_first.split("connector simulate callee --recordings /tmp/lane/heard")
    assert " ".join(starts.split()) == "& kill %2; wait %2 connector run /tmp/lane &"
    callee = SimulatedCallee(site, recordings=site.config / "heard")
    set_up = set_up.replace("/tmp/lane", str(site.config))
    shell(set_up.replace("port = 5060", f"port = {callee.port}"), site)
    *_, daemon, _ = site.processes
    assert daemon.stop() == 0
    site.start()
    typed = [(command, shown) for command, shown in session(CALL) if command.startswith("connector ")]
    assert [command.split()[1] for command, _ in typed] == ["send", "why", "say"]
    for command, shown in typed:
        printed = shell(command.replace("/tmp/lane", str(site.config)), site, timeout_s=90.0)
        told = [without_numbers(line) for line in printed.replace(str(site.config), "/tmp/lane").splitlines()]
        # Two things at the same moment have no order.
        assert sorted(told) == sorted(without_numbers(line) for line in shown.splitlines())
    assert len(list((site.config / "heard").iterdir())) == 1


def test_the_first_job_from_python(site: Site) -> None:
    script = fenced(README, "python").replace("/tmp/lane/jobs.sock", site.socket_path)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Submitted(id='login-2', state='queued', duplicate=False)",
        "login-2 accepted None None",
        "login-2 sent simulated None",
        "login-2 delivered simulated delivered",
    ]


def test_the_exchange_on_the_socket(site: Site) -> None:
    exchanged = list(carry_out(site.socket_path, SOCKET))
    assert len(exchanged) == sum(direction == "<" for direction, _ in spoken(SOCKET))
    for told, real in exchanged:
        assert shape(told) == shape(real)


@pytest.mark.peer("node")
def test_the_client_in_node(site: Site, node_modules: Path, tmp_path: Path) -> None:
    client = tmp_path / "client.mjs"
    client.write_text(fenced(SOCKET, "js"))
    (tmp_path / "node_modules").symlink_to(node_modules)
    done = subprocess.run(["node", client, site.socket_path], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    (shown,) = [output for command, output in session(SOCKET) if command.startswith("node ")]
    assert without_numbers(done.stdout) == without_numbers(shown)


def test_the_copy_of_the_journal(site: Site) -> None:
    script = fenced(read("docs/operations.md"), "python")
    script = script.replace("/var/lib/connector/verification", str(site.config / "state"))
    script = script.replace("journal-copy.db", str(site.folder / "copy.db"))
    check = f"print(apsw.Connection({str(site.folder / 'copy.db')!r}).pragma('integrity_check'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{check}"], capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("ok\n", "")


def test_the_octets_of_the_greeting() -> None:
    octets = bytes.fromhex(fenced(SOCKET, "hex"))
    (_, greeting), *_ = spoken(SOCKET)
    assert msgspec.msgpack.decode(octets) == greeting


def test_every_method_is_shown() -> None:
    shown = {message[2] for direction, message in spoken(SOCKET) if direction == ">"}
    assert shown == set(re.findall(r'"(\w+)": self\._\1,', inspect.getsource(Methods.__init__)))


def test_every_key_of_a_job_is_explained() -> None:
    rows = SOCKET[SOCKET.index("## Jobs") : SOCKET.index("are required.")]
    keys = " ".join(re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", keys)) == {field.encode_name for field in msgspec.structs.fields(Job)}


def test_every_kind_of_event_is_explained() -> None:
    rows = SOCKET[SOCKET.index("| `type` | means") : SOCKET.index("The type `queued")]
    explained = set(re.findall(r"^\| `(\w+)` \| (?!means)", rows, re.MULTILINE))
    assert explained == {"accepted", *get_args(EventType), *get_args(CallStep)}


def test_every_end_of_an_attempt_is_explained() -> None:
    sentence = SOCKET[SOCKET.index("`result` of an attempt") : SOCKET.index("numbers are masked")]
    (result,) = [field for field in msgspec.structs.fields(Settle) if field.name == "result"]
    assert set(get_args(result.type)) <= set(re.findall(r"`(\w+)`", sentence))
