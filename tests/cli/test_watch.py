import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cli.conftest import DELIVERED, REPOSITORY, Gateway, connector


@contextmanager
def watching(gateway: Gateway, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "connector", "watch", "--socket", gateway.socket, *arguments]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(process: "subprocess.Popen[str]", last: Callable[[str], bool]) -> list[str]:
    """The lines it prints, up to the one that is the `last`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if last(line):
            return lines
    raise AssertionError(f"it ended after {lines}")


def interrupted(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    return process.returncode, stdout, stderr


def final_of(id: str) -> Callable[[str], bool]:
    def is_final(line: str) -> bool:
        event = json.loads(line)
        return event["id"] == id and bool(event.get("final"))

    return is_final


def test_events_come_as_json_and_stay_the_applications(gateway: Gateway) -> None:
    gateway.acknowledge_all()
    with watching(gateway, "--json") as process:
        id = gateway.finished(DELIVERED)
        events = [json.loads(line) for line in until(process, final_of(id))]
        assert interrupted(process) == (0, "", "")
    assert [event["type"] for event in events] == ["accepted", "sent", "delivered"]
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], events[0]["seq"] + 3))
    with watching(gateway, "--json", "--from-seq", str(events[1]["seq"])) as process:
        again = [json.loads(line) for line in until(process, final_of(id))]
    assert again == events[1:]


def test_acknowledged_events_are_gone(gateway: Gateway) -> None:
    first = gateway.finished(DELIVERED)
    with watching(gateway, "--json", "--ack") as process:
        until(process, final_of(first))
        assert interrupted(process)[0] == 0
    with watching(gateway, "--json") as process:
        second = gateway.finished(DELIVERED)
        assert {json.loads(line)["id"] for line in until(process, final_of(second))} == {second}


def test_events_in_words(gateway: Gateway) -> None:
    gateway.acknowledge_all()
    id = gateway.finished(DELIVERED)
    with watching(gateway) as process:
        lines = until(process, lambda line: "final" in line)
    assert [line.split()[2] for line in lines] == [id] * 3
    assert lines[-1].endswith("delivered by north · final\n")


def test_a_negative_seq_is_bad_usage(gateway: Gateway) -> None:
    assert connector("watch", "--socket", gateway.socket, "--from-seq", "-1").returncode == 2
