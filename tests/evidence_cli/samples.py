"""Lines of a chain made by hand, one of each kind of job that a certificate must be able to show."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

START = 1_795_419_224.12  # 2026-11-23 07:33:44.120 UTC
NUMBER = "+447700900123"
RAW = (
    "id:9308878062554710043 sub:001 dlvrd:001 submit date:2611230733 done date:2611230733 "
    "stat:DELIVRD err:000 text:"
)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hexadecimal(text: str) -> str:
    return text.encode().hex()


def part(
    number: int = 1, parts: int = 1, at: float = START + 0.15, state: str | None = "DELIVERED", **more: Any
) -> dict[str, Any]:
    results = {"DELIVERED": "delivered", "UNDELIVERABLE": "failed", "EXPIRED": "expired"}
    return {
        "part": number, "parts": parts, "sent_at": at,
        "message_id": hexadecimal(f"930887806255471004{number}"),
        "state": state, "result": results.get(state or ""), "error": None,
        "receipt_at": None if state is None else at + 3.9, "receipts": int(state is not None), **more,
    }  # fmt: skip


def decision(rule: str = "best_utility", chosen: str = "north") -> dict[str, Any]:
    return {
        "rule": rule, "candidates": ["north", "east"], "chosen": chosen,
        "offers": [
            {"route": "north", "p": 0.93, "utility": 0.9, "price": 1.0, "wait_s": 0.0},
            {"route": "east", "p": 0.91, "utility": 0.8, "price": 1.4, "wait_s": 0.0},
        ],
    }  # fmt: skip


def attempt(n: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "n": n, "channel": "sms", "carrier": "north", "step": 0, "at": START + 0.04, "decision": decision(),
        "result": None, "status": None, "parts": [part()], "call": None, **more,
    }  # fmt: skip


def call(at: float = START + 12.0, **more: Any) -> dict[str, Any]:
    return {
        "trunk": "west", "call_id": "a84b4c76e66710.4f1c@gateway.example", "at": at,
        "trying": 0.03, "ringing": 1.8, "ringing_status": 180, "answered": 6.4, "acknowledged": 6.41,
        "first_heard": 6.5, "first_sent": 6.6,
        "prompts": [["greeting", 6.6, 9.1, True], ["code", 9.3, 16.0, True], ["repeat", 16.2, 20.9, False]],
        "machine": "human", "machine_at": 7.1, "ended": 30.5, "ended_by": "listener", "status": 200,
        "kind": "confirmed", "result": "confirmed", "delivered": True,
        "media": {"codec": "PCMA", "encrypted": True, "sent": 1190, "received": 1184, "lost": 3}, **more,
    }  # fmt: skip


def job(seq: int = 17, id: str = "order-4711", **more: Any) -> dict[str, Any]:
    personal = {"salt": "5f" * 16, "to": NUMBER, "receipts": {"1/1": hexadecimal(RAW)}, "keys": {}}
    personal |= more.pop("personal", {})
    record = {
        "job": seq, "app": "shop", "id": id, "lane": "verification", "accepted_at": START,
        "deadline_at": START + 20, "finished_at": START + 4.05, "outcome": "delivered",
        "reason": "receipt DELIVERED", "class": None, "journey": "sms", "country": "GB",
        "template": {"name": "login-code", "version": 3, "hash": digest("login-code"), "lang": "en"},
        "text_hmac": {"sms": [digest("text")], "voice": []}, "attempts": [attempt()], "timeline": [],
        "personal": digest(str(personal)), **more,
    }  # fmt: skip
    return {
        "seq": seq, "at": record["finished_at"] + 0.01, "kind": "job", "record": record, "personal": personal,
        "mac": digest(f"mac {seq}"),
    }  # fmt: skip


def three_attempts() -> dict[str, Any]:
    """Refused by one carrier, silent on the next, and then called."""
    attempts = [
        attempt(1, carrier="east", parts=[], result="refused", status=0x58, decision=decision(chosen="east")),
        attempt(
            2, at=START + 0.3,
            decision={"rule": "follow_up", "candidates": ["north"], "chosen": "north", "offers": []},
            parts=[part(1, 2, START + 0.45, "ENROUTE"), part(2, 2, START + 0.46, None)],
        ),
        attempt(
            3, at=START + 12.0, channel="voice", carrier="west", step=1, parts=[], result="completed",
            decision={"rule": "after", "candidates": ["west"], "chosen": "west", "offers": []}, call=call(),
        ),
    ]  # fmt: skip
    return job(
        18, "payment-90210", attempts=attempts, journey="sms-then-voice", finished_at=START + 42.6,
        deadline_at=START + 60, reason="the call was confirmed", **{"class": "payments"},
        template={"name": "payment-confirmation", "version": 12, "hash": digest("payment"), "lang": "pt-BR"},
        text_hmac={"sms": [digest("a"), digest("b")], "voice": [digest("c")]},
        personal={"receipts": {"2/1": hexadecimal("id:1 stat:ENROUTE")}, "keys": {"3": "1"}},
    )  # fmt: skip


def called() -> dict[str, Any]:
    transfer = {"mode": "bridge", "began": 17.0, "answered": 21.0, "ended": 29.9}
    spoken = attempt(
        1, channel="voice", carrier="west", parts=[], result="completed",
        decision={"rule": "only_candidate", "candidates": ["west"], "chosen": "west", "offers": []},
        call=call(START + 0.05, transfers=[transfer]),
    )  # fmt: skip
    return job(
        19, "risk-warning-1", attempts=[spoken], journey="voice", finished_at=START + 30.6,
        deadline_at=START + 50, reason="the listener confirmed",
        template={"name": "new-device", "version": 2, "hash": digest("new-device"), "lang": "de"},
        text_hmac={"sms": [], "voice": [digest("v")]}, personal={"receipts": {}, "keys": {"1": "10"}},
    )  # fmt: skip


def strange() -> dict[str, Any]:
    """Long, right-to-left and hostile values, and a chain of receipts."""
    return job(
        20, "طلب-٤٧١١-\u202egnp.exe-" + "x" * 30, app="تطبيق<script>alert(1)</script>", country=None,
        outcome="undelivered", finished_at=START + 3700,
        reason="receipt UNDELIVERABLE with err 075 " + "network said " * 12,
        template={"name": "t" * 60, "version": 1, "hash": digest("t"), "lang": "ar"},
        attempts=[attempt(1, carrier="c" * 40, parts=[
            part(n, 3, START + n, "UNDELIVERABLE" if n == 2 else "DELIVERED", error="err 075",
                 message_id=hexadecimal("f" * 64)) for n in (1, 2, 3)])],
        timeline=[{
            "attempt": 1, "part": 1, "at": START + 2, "state": "ENROUTE", "result": None, "error": None,
            "late": 0,
        }],
        personal={"receipts": {f"1/{n}": hexadecimal(RAW + f" to {NUMBER[1:]} \0\u202e") for n in (1, 2, 3)}},
    )  # fmt: skip


HEAD = {
    "day": "2026-11-23", "first": 1, "last": 20, "count": 20, "previous_mac": digest("previous"),
    "mac": digest("last"), "sha256": digest("day"), "key": "0123456789abcdef", "signature": "9c" * 64,
}  # fmt: skip


def unsent() -> dict[str, Any]:
    """Free text that no carrier could take in time."""
    return job(
        21, "=late", attempts=[], outcome="expired", reason="the deadline passed", template=None,
        personal={"receipts": {}},
    )  # fmt: skip


def start() -> dict[str, Any]:
    record = {"lane": "verification", "version": "0.6.0", "keys": {"chain": "0" * 16, "signing": "1" * 16}}
    return {"seq": 1, "at": START - 1, "kind": "start", "record": record, "mac": digest("start")}


def feedback(line: dict[str, Any], after_s: float) -> dict[str, Any]:
    record = {key: line["record"][key] for key in ("job", "app", "id")}
    at = line["at"] + after_s
    record |= {"what": ["feedback"], "converted": True, "attempt": 1, "told_at": at}
    return {"seq": 90, "at": at, "kind": "late", "record": record, "mac": digest("feedback")}


def late_receipt(line: dict[str, Any], after_s: float = 60.0) -> dict[str, Any]:
    """The receipt of the first attempt, when the job had ended."""
    record = {key: line["record"][key] for key in ("job", "app", "id")}
    at = line["at"] + after_s
    told = attempt(1, parts=[part(1, 1, START + 0.15, "DELIVERED", receipt_at=at, receipts=1)])
    record |= {"what": ["receipt"], "attempts": [told], "timeline": [], "personal": digest("late")}
    personal = {"salt": "6a" * 16, "to": NUMBER, "receipts": {"1/1": hexadecimal(RAW)}}
    return {
        "seq": 91, "at": at, "kind": "late", "record": record, "personal": personal, "mac": digest("late"),
    }  # fmt: skip


def redacted(line: dict[str, Any]) -> dict[str, Any]:
    record = {"seqs": [[line["seq"], line["seq"]]], "reason": "retention"}
    at = line["at"] + 90 * 86_400
    return {"seq": 99, "at": at, "kind": "redacted", "record": record, "mac": digest("redacted")}


def moved(line: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The same, recorded later; a feedback has its own time already."""
    return line if line["kind"] == "late" else {**line, "at": line["at"] + seconds}
