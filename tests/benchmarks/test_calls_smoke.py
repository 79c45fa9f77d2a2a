"""The benchmark itself, with few calls for a second: every figure is there, and every call spoke."""

import shutil
from array import array
from random import Random

import pytest

from benchmarks.calls import daemon, whole
from benchmarks.calls.concurrent import measure
from benchmarks.calls.pacing import figures

FIGURES = {"cpu_percent", "pacing_p99_ms", "pacing_max_ms", "share_within_5ms"}


def test_every_figure_is_there_and_every_call_spoke(random: Random) -> None:
    found = measure(random.randrange(1 << 31), lambda line: None, calls=(10,), seconds=0.5, srtp_calls=4)
    assert found["problems"] == []
    few = found["concurrent"]["10"]
    for way in (few, few["two_way"], found["srtp"]["4"]):
        assert way.keys() >= FIGURES
        assert way["cpu_percent"] > 0
        assert 0 <= way["share_within_5ms"] <= 1
    assert few["two_way"]["received_share"] > 0
    assert "media_kb_per_call" in found
    assert found["bare_send_us"] > 0


@pytest.mark.parametrize("said", ["code", "message"])
def test_whole_calls_are_measured_while_all_of_them_last(random: Random, said: whole.Said) -> None:
    found = whole.measure_one(said, random.randrange(1 << 31), calls=10, seconds=0.2)
    assert found["calls"] == 10 and found["ended_early"] == 0
    assert "kb_per_call" in found


def test_calls_go_through_the_whole_daemon(random: Random) -> None:
    if shutil.which("sipp") is None:
        pytest.skip("sipp is not installed")
    found = daemon.measure(random.randrange(1 << 31), calls=20)
    assert found["problems"] == []
    assert found["calls_per_s"] > 0 and found["cpu_ms_per_call"] >= 0


def test_lateness_is_against_the_earliest_packet_of_the_stream() -> None:
    late = [0.0] * 98 + [0.004, 0.010]
    found = figures({1: array("d", [7.0 + each for each in late]), 2: array("d", [9.0 - 0.001, 9.0])})
    assert (found["packets"], found["streams"]) == (102, 2)
    assert found["pacing_max_ms"] == pytest.approx(10.0)
    assert found["share_within_5ms"] == round(101 / 102, 5)
    assert found["pacing_p50_ms"] == 0.0
    assert figures({}) == {"packets": 0, "streams": 0}
