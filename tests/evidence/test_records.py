"""What a record says of a job, and what it never says."""

from pathlib import Path
from typing import Any

import msgspec

from connector.evidence.canonical import canonical
from connector.evidence.days import lines
from tests.evidence.diary import DECISION, Diary


def told(diary: Diary) -> list[dict[str, Any]]:
    return [line for _, line in lines(diary.state)]


def test_a_message_of_two_parts(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    began = diary.now
    job = diary.accept("j1")
    assert job.proof is not None
    intend = diary.intend_op(job, 2)
    intend.decision = DECISION
    diary.commit(intends=[intend])
    diary.answer(job, b"2", 2, 2, complete=False)
    diary.answer(job, b"1", 1, 2, complete=True)
    diary.now += 1.0625
    diary.receipt(b"1", "ENROUTE", address=job.recipient[1:])
    diary.now += 1.0
    for message_id in (b"1", b"2"):
        diary.receipt(message_id, address=job.recipient[1:], error="err 000")
    start, line = told(diary)
    assert start["record"] == {
        "lane": "verification", "version": "0.0",
        "keys": {"chain": diary.keeping.keys.chain_id, "signing": diary.keeping.keys.signing_id},
    }  # fmt: skip
    assert (line["seq"], line["kind"], line["at"]) == (2, "job", diary.now)
    record, personal = line["record"], line["personal"]
    (attempt,) = record.pop("attempts")
    (former,) = record.pop("timeline")
    assert record == {
        "job": job.key, "app": "shop", "id": "j1", "lane": "verification",
        "accepted_at": began, "deadline_at": began + 60, "finished_at": diary.now,
        "outcome": "delivered", "reason": "receipt DELIVERED err 000", "class": None, "journey": None,
        "country": "GB",
        "template": {"name": "login-code", "version": 3, "hash": job.proof.hash, "lang": "en"},
        "text_hmac": {"sms": ["ab" * 32], "voice": []}, "personal": record["personal"],
    }  # fmt: skip
    assert former == {
        "attempt": 1, "part": 1, "at": began + 1.0625, "state": "ENROUTE", "result": None, "error": None,
        "late": 0,
    }  # fmt: skip
    parts = attempt.pop("parts")
    assert attempt == {
        "n": 1, "channel": "sms", "carrier": "north", "step": 0, "at": began, "result": None,
        "status": None, "decision": msgspec.json.decode(DECISION), "call": None,
    }  # fmt: skip
    assert parts == [
        {
            "part": part, "parts": 2, "message_id": f"3{part}", "sent_at": began, "state": "DELIVERED",
            "result": "delivered", "error": "err 000", "receipt_at": diary.now, "receipts": 3 - part,
        }
        for part in (1, 2)
    ]  # fmt: skip
    assert personal.pop("salt") not in ("", "0" * 32)
    assert personal == {"to": job.recipient, "keys": {}, "receipts": {"1/1": "69643a31", "1/2": "69643a32"}}


def test_a_call_keeps_its_keys_apart(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    job = diary.called("c1")
    record, personal = told(diary)[1]["record"], told(diary)[1]["personal"]
    (attempt,) = record["attempts"]
    assert attempt["result"] == "completed"
    assert attempt["call"] == {
        "trunk": "west", "call_id": "c1", "at": job.accepted_at, "answered": 3.5, "ended": 20.0,
        "result": "confirmed", "delivered": True,
    }  # fmt: skip
    assert personal["keys"] == {"1": "12"}


def test_what_comes_after_the_end_is_a_record_of_its_own(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    job = diary.sent(b"1")
    diary.finish(job)
    for state in ("ENROUTE", "DELIVERED"):
        diary.receipt(b"1", state)
    diary.feedback(job)
    _, end, first, second, said = told(diary)
    assert end["record"]["outcome"] == "expired"
    assert [line["kind"] for line in (first, second, said)] == ["late"] * 3
    assert first["record"]["what"] == ["receipt"]
    assert first["record"]["attempts"][0]["parts"][0]["state"] == "ENROUTE"
    assert second["record"]["attempts"][0]["parts"][0]["result"] == "delivered"
    assert second["personal"]["receipts"] == {"1/1": "69643a31"}
    assert said["record"] == {
        "app": "shop", "id": "j1", "job": job.key, "what": ["feedback"], "converted": True, "attempt": 1,
        "told_at": diary.now,
    }  # fmt: skip
    assert "personal" not in said


def test_a_carrier_that_repeats_itself_does_not_fill_the_disk(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    job = diary.sent(b"1")
    diary.finish(job)
    for _ in range(100):
        diary.receipt(b"1")
    assert len(told(diary)) < 20


def test_a_late_answer_and_a_late_call(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    job = diary.accept("j1")
    diary.intend(job)
    diary.settle(job, "unknown")
    diary.finish(job, "unknown", "unknown")
    diary.answer(job, b"1", late=True)
    _, end, late = told(diary)
    assert end["record"]["attempts"][0]["parts"] == []
    assert late["record"]["what"] == ["answer"]
    assert late["record"]["attempts"][0]["parts"][0]["message_id"] == "31"


def test_each_ended_job_has_one_record_whatever_ends_it(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    jobs = [diary.delivered("delivered"), diary.called("called")]
    for id, outcome in (("a", "expired"), ("b", "cancelled"), ("c", "rejected")):
        jobs.append(diary.accept(id))
        diary.finish(jobs[-1], outcome, "cancelled")
    jobs.append(diary.sent(b"x", "given up"))
    diary.accept("open")
    diary.sweep(diary.now + 1_000.0)
    records = [line["record"] for line in told(diary) if line["kind"] == "job"]
    assert [record["id"] for record in records][:-2] == [job.id for job in jobs][:-1]
    assert {record["id"] for record in records[-2:]} == {"given up", "open"}
    assert {record["outcome"] for record in records} == {
        "delivered", "expired", "cancelled", "rejected", "unknown",
    }  # fmt: skip


def test_jobs_of_a_commit_are_chained_together_with_salts_of_their_own(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    jobs = [diary.sent(b"%d" % n, f"j{n}") for n in range(1, 30)]
    diary.commit(receipts=[diary.receipt_op(b"%d" % n) for n in range(1, 30)])
    ended = told(diary)[1:]
    assert [line["record"]["id"] for line in ended] == [job.id for job in jobs]
    assert len({line["personal"]["salt"] for line in ended}) == 29
    assert diary.rows("SELECT last - first + 1 FROM evidence WHERE first > 1") == [(29,)]
    assert diary.verify().findings == []


def test_no_text_code_or_sender_is_in_any_line(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.called("j2")
    for line in told(diary):
        octets = canonical(line)
        assert b"482917" not in octets
        assert b"Acme" not in octets
        assert (b"+4477" in octets) == (line["kind"] == "job")


def test_nothing_is_recorded_without_keys(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.store._evidence = None
    assert diary.commit().head is None
    diary.delivered("j1")
    assert told(diary) == []
