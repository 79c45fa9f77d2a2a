"""A handset's message as one line."""

import json

from connector.cli.event_line import event_json, event_words, masked
from protocols.rpc.event import Event


def received(**fields: object) -> Event:
    base = {"seq": 1, "id": "mo-1", "at": 0.0, "type": "received", "channel": "sms", "carrier": "north"}
    return Event(**{**base, "from_": "+4915112345678", "to": "60312", "parts": 1, **fields})  # type: ignore[arg-type]


def test_text_on_one_line() -> None:
    shown = event_words(received(text="two\r\nlines \x1b[31m\u202e"))
    assert shown == "received by north, from +4915112345678 to 60312: “two⏎lines ·[31m·”"


def test_keyword_parts_and_what_is_missing() -> None:
    shown = event_words(received(text="Stop", keyword="stop", keyword_lang="en"))
    assert shown.endswith(": “Stop” = stop (en)")
    shown = event_words(received(text="a", parts=4, missing=(2, 4)))
    assert shown.endswith(": “a”, 4 parts, missing 2, 4")


def test_octets_are_only_counted() -> None:
    assert event_words(received(data="00ff")).endswith("to 60312: 2 octets of data")


def test_json_has_the_keys_of_the_socket() -> None:
    fields = json.loads(event_json(received(text="नमस्ते", missing=(2,))))
    assert (fields["from"], fields["text"], fields["missing"]) == ("+4915112345678", "नमस्ते", [2])
    assert "from_" not in fields


def test_of_the_handsets_number_little_shows_unless_it_is_asked_for() -> None:
    shown = event_words(masked(received(text="Stop")))
    assert shown == "received by north, from …78 to 60312: “Stop”"
    job = Event(seq=1, id="j1", at=0.0, type="sent")
    assert masked(job) is job
