"""The blocking client against a real socket."""

import threading
import time
from random import Random

import pytest

from connector.client import Forgotten, Job, Options, RpcError, Submitted, SyncClient
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Fault, encode_notification

QUICK = Options(timeout_s=5.0, backoff_base_s=0.001, backoff_cap_s=0.01)
BRIEF = Options(timeout_s=0.2, backoff_base_s=0.001, backoff_cap_s=0.01)


def job(job_id: str, **more) -> Job:
    return Job(id=job_id, to="+4915112345678", text="482917", deadline_s=20, **more)


@pytest.fixture
def client(daemon):
    with SyncClient(daemon.path, name="shop", options=QUICK, random=Random(1)) as connected:
        yield connected


def test_it_greets_with_its_name(daemon, client):
    assert daemon.calls[0][0] == "hello"
    assert daemon.calls[0][1]["client"] == "shop"
    assert client.connect().lane == "test"


def test_every_method(daemon, client):
    assert client.submit(job("a", class_="login")) == Submitted("a", "queued", False)
    assert client.submit({"id": "a", "to": "+4915112345678", "text": "x", "deadline_s": 1.0}).duplicate
    assert client.status("a") == {"id": "a", "state": "queued"}
    assert client.cancel("a") is True
    assert client.cancel("b") is False
    assert client.feedback("a", converted=True) is None
    assert client.feedback("a", converted=True, attempt=2) is None
    assert client.forget("+4915112345678") == Forgotten(2, 1, 2)
    client.status("a", numbers=True)
    assert daemon.called("status") == [{"id": "a"}, {"id": "a", "numbers": True}]
    assert client.preview(job("p"))["encoding"] == "gsm7"
    assert client.stats() == {"jobs": 1}
    assert client.ack(7) is None
    assert daemon.calls[1] == (
        "submit",
        {"id": "a", "to": "+4915112345678", "text": "482917", "deadline_s": 20.0, "class": "login"},
    )
    assert daemon.called("forget") == [{"to": "+4915112345678"}]
    assert daemon.called("feedback") == [
        {"id": "a", "converted": True}, {"id": "a", "converted": True, "attempt": 2},
    ]  # fmt: skip
    assert daemon.acked == 7


def test_an_error_carries_everything(daemon, client):
    daemon.faults["submit"] = [Fault("busy", "the queue is full", "id", "wait", 1.5)]
    with pytest.raises(RpcError, match="busy: id: the queue is full \\(wait\\)") as refusal:
        client.submit(job("a"))
    error = refusal.value
    assert (error.code, error.message, error.field, error.hint, error.retry_after_s) == (
        "busy", "the queue is full", "id", "wait", 1.5,
    )  # fmt: skip
    assert client.submit(job("a")).id == "a"


def test_one_bad_job_does_not_spoil_the_rest(client):
    good, bad, other = client.submit_many([job("a"), {"id": "b"}, job("c")])
    assert (good, other) == (Submitted("a", "queued", False), Submitted("c", "queued", False))
    assert isinstance(bad, RpcError)
    assert (bad.code, bad.field) == ("bad_job", "to")


def test_many_jobs_are_cut_to_the_daemons_limits(daemon):
    daemon.limits = Limits(frame=1000, array=7, string=300)
    jobs = [job(f"{i}", traceparent=None) for i in range(20)]
    jobs[9] = Job(id="long", to="+4915112345678", text="x" * 301, deadline_s=20)
    jobs[15] = Job(id="longer", to="+4915112345678", text="x" * 1001, deadline_s=20)
    with SyncClient(daemon.path, options=QUICK) as client:
        results = client.submit_many(iter(jobs))
    assert [result.code for result in results if isinstance(result, RpcError)] == ["too_large", "too_large"]
    assert isinstance(results[9], RpcError)
    assert isinstance(results[15], RpcError)
    assert [result.id for result in results if isinstance(result, Submitted)] == [
        each.id for i, each in enumerate(jobs) if i not in (9, 15)
    ]
    assert max(map(len, daemon.called("submit_many"))) <= 7
    assert len(daemon.called("hello")) == 1


def test_no_jobs_are_no_request(daemon, client):
    assert client.submit_many([]) == []
    assert daemon.called("submit_many") == []


def test_a_job_whose_answer_was_lost_is_submitted_again_with_its_id(daemon, client):
    daemon.faults["submit"] = [daemon.HANG_UP]
    assert client.submit(job("a")) == Submitted("a", "queued", True)
    assert [each["id"] for each in daemon.called("submit")] == ["a", "a"]
    assert len(daemon.called("hello")) == 2


def test_a_restarted_daemon_is_found_again(daemon, client):
    client.submit(job("a"))
    daemon.stop()
    restart = threading.Thread(target=daemon.start)
    restart.start()
    assert client.status("a")["id"] == "a"
    restart.join()


def test_no_answer_in_time(daemon):
    daemon.faults["stats"] = [daemon.SILENCE]
    with SyncClient(daemon.path, options=BRIEF) as client:
        with pytest.raises(RpcError) as refusal:
            client.stats()
        assert refusal.value.code == "timeout"
        assert client.stats() == {"jobs": 0}


def test_nobody_there(tmp_path):
    started = time.monotonic()
    with (
        pytest.raises(RpcError, match="disconnected") as refusal,
        SyncClient(tmp_path / "none", options=BRIEF),
    ):
        pass
    assert refusal.value.code == "disconnected"
    assert time.monotonic() - started < 2


def test_a_connection_that_is_lost_again_and_again(daemon):
    daemon.faults["hello"] = [daemon.HANG_UP] * 100_000
    started = time.monotonic()
    with pytest.raises(RpcError, match="again and again"):
        SyncClient(daemon.path, options=BRIEF).connect()
    assert time.monotonic() - started < 2


def test_a_daemon_that_does_not_read(daemon):
    with SyncClient(daemon.path, options=BRIEF) as client:
        client.stats()
        daemon.read(False)
        with pytest.raises(RpcError, match="timeout"):
            for _ in range(20):
                client.submit({"id": "a", "to": "x", "params": {str(i): "x" * 16000 for i in range(15)}})
        daemon.read(True)
        assert client.stats() == {"jobs": 0}


def test_a_refused_greeting_is_final(daemon):
    daemon.faults["hello"] = [Fault("not_permitted", "uid 1000 may not use this lane")]
    with pytest.raises(RpcError, match="not_permitted"):
        SyncClient(daemon.path, options=QUICK).connect()
    assert len(daemon.called("hello")) == 1


def test_a_busy_greeting_is_tried_again(daemon):
    daemon.faults["hello"] = [Fault("busy", "too many connections", retry_after_s=0.01)]
    with SyncClient(daemon.path, options=QUICK) as client:
        assert client.stats() == {"jobs": 0}
    assert len(daemon.called("hello")) == 2


def test_what_the_daemon_cannot_read_fails_once_and_is_not_repeated(daemon, client):
    daemon.faults["submit"] = [
        encode_notification("error", [{"code": "limit_exceeded", "message": "too deep"}])
    ]
    with pytest.raises(RpcError, match="limit_exceeded"):
        client.submit(job("a"))
    assert client.stats() == {"jobs": 1}
    assert len(daemon.called("submit")) == 1


@pytest.mark.parametrize("garbage", [b"\xc1", b"\x94\x00\x01\xa1m\x90" * 2, b"GET / HTTP/1.1\r\n\r\n"])
def test_garbage_from_the_daemon_is_a_lost_connection(daemon, client, garbage):
    daemon.faults["submit"] = [garbage, garbage]
    if garbage.startswith(b"\x94"):
        daemon.faults["submit"] = [garbage + b"\xc1"]
    assert client.submit(job("a")).duplicate


def test_a_greeting_that_is_not_understood(daemon, monkeypatch):
    monkeypatch.setattr(daemon, "_do", lambda method, param: {"server": 5})
    with pytest.raises(RpcError, match="bad_response"):
        SyncClient(daemon.path, options=QUICK).connect()


def test_too_few_answers_to_many_jobs(daemon, client, monkeypatch):
    monkeypatch.setattr(
        daemon, "_do", lambda method, param: [{"id": "a", "state": "queued", "duplicate": False}]
    )
    results = client.submit_many([job("a"), job("b")])
    assert [result.code for result in results] == ["bad_response", "bad_response"]


@pytest.mark.parametrize("result", [None, 5, {"id": 5}, []])
def test_an_answer_that_is_not_understood(daemon, client, result, monkeypatch):
    monkeypatch.setattr(daemon, "_do", lambda method, param: result)
    with pytest.raises(RpcError) as refusal:
        client.submit(job("a"))
    assert refusal.value.code == "bad_response"


def test_threads_take_turns(daemon, client):
    results: list[object] = []

    def work(name: str) -> None:
        for i in range(20):
            results.append(client.submit(job(f"{name}-{i}")).id == f"{name}-{i}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 60
    assert len(daemon.jobs) == 60


def test_events_come_in_order_and_are_acknowledged_when_done_with(daemon):
    daemon.add_events(1, 10)
    with SyncClient(daemon.path, options=Options(ack_every=4)) as client:
        stream = client.events()
        assert [next(stream).seq for _ in range(10)] == list(range(1, 11))
        assert stream.get(0.01) is None
        daemon.wait(lambda: daemon.acked == 10)
    assert daemon.called("ack") == [{"seq": 4}, {"seq": 8}, {"seq": 10}]


def test_an_event_under_work_is_not_acknowledged(daemon):
    daemon.add_events(1, 10)
    with SyncClient(daemon.path, options=Options(ack_every=1)) as client:
        stream = client.events()
        for _ in range(3):
            next(stream)
    daemon.wait(lambda: not daemon._connections)
    assert daemon.acked == 2


def test_events_from_a_place(daemon):
    daemon.add_events(1, 10)
    with SyncClient(daemon.path, options=QUICK) as client:
        assert next(client.events(from_seq=7)).seq == 7
        assert next(client.events()).seq == 1
    assert daemon.called("subscribe") == [{"from_seq": 7}, {}]


def test_acknowledgement_by_hand_only(daemon):
    daemon.add_events(1, 10)
    with SyncClient(daemon.path, options=Options(ack_every=0)) as client:
        stream = client.events()
        for _ in range(9):
            next(stream)
        client.ack(5)
        client.ack(3)
        daemon.wait(lambda: daemon.acked)
    daemon.wait(lambda: not daemon._connections)
    assert daemon.called("ack") == [{"seq": 5}]


def test_events_go_on_where_the_connection_was_lost(daemon):
    daemon.add_events(1, 100)
    seen = []
    with SyncClient(daemon.path, options=QUICK, random=Random(2)) as client:
        for event in client.events():
            seen.append(event.seq)
            if event.seq in (100, 200):
                daemon.cut()
                daemon.add_events(event.seq + 1, event.seq + 100)
            if event.seq == 300:
                break
    assert seen == list(range(1, 301))
    assert daemon.called("subscribe") == [{}, {"from_seq": 101}, {"from_seq": 201}]


def test_asking_while_events_are_waiting(daemon):
    daemon.add_events(1, 5000)
    with SyncClient(daemon.path, options=Options(event_buffer=1)) as client:
        for event in client.events():
            assert client.stats() == {"jobs": 0}
            if event.seq == 50:
                break


def test_a_refused_subscription_is_raised(daemon):
    daemon.faults["subscribe"] = [Fault("gone", "those events are no longer kept", "from_seq")]
    with SyncClient(daemon.path, options=QUICK) as client, pytest.raises(RpcError, match="gone"):
        next(client.events(from_seq=1))


def test_a_closed_stream_ends(daemon):
    daemon.add_events(1, 3)
    with SyncClient(daemon.path, options=QUICK) as client:
        stream = client.events()
        assert next(stream).seq == 1
        stream.close()
        assert list(stream) == []
