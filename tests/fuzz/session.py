"""A bound session whose peer sends anything: nothing raises, every submit, query and cancel ends once."""

from collections.abc import Iterable
from typing import Any

from protocols.smpp.events import (
    CancelAnswered,
    LateAnswer,
    QueryAnswered,
    SubmitAnswered,
    SubmitsLost,
    SubmitTimedOut,
)
from protocols.smpp.pdu import BindTransceiverResp, CancelSm, QuerySm, SubmitSm, encode
from protocols.smpp.session import Session, SessionConfig
from protocols.smpp.state import State

CONFIG = SessionConfig(system_id=b"acme", password=b"secret", window=4, max_pdu=300, tombstones=3)
BOUND = encode(BindTransceiverResp(b"smsc"), sequence=1)
SM = SubmitSm(destination_addr=b"447700900000", short_message=b"hi")
NOW = 100.0


def started() -> Session:
    """Timed out: number 2. Outstanding: the submits 3 and 4, the query 5, the cancel 6."""
    session = Session(CONFIG)
    session.bind(0.0)
    session.receive(BOUND, 0.0)
    for number in range(3):
        session.submit(SM, number, 0.0 if number == 0 else 95.0)
    session.query(QuerySm(message_id=b"id"), 3, 95.0)
    session.cancel(CancelSm(message_id=b"id"), 4, 95.0)
    session.handle_timer(10.0)
    session.events()
    session.data_to_send()
    return session


def ended(events: Iterable[Any]) -> list[int]:
    contexts: list[int] = []
    for event in events:
        if isinstance(event, SubmitAnswered | SubmitTimedOut | QueryAnswered | CancelAnswered):
            contexts.append(event.context)
        elif isinstance(event, SubmitsLost):
            contexts += event.contexts
        elif isinstance(event, LateAnswer):
            assert event.context == 0
    return contexts


def one_input(data: bytes) -> None:
    """The first octet says where the stream is cut in two."""
    cut, stream = data[0] if data else 0, data[1:]
    session = started()
    over: list[int] = []
    for chunk in (stream[:cut], stream[cut:]):
        session.receive(chunk, NOW)
        over += ended(session.events())
        assert all(isinstance(frame, bytes) for frame in session.data_to_send())
    if session.state is not State.CLOSED:
        session.eof(NOW)
        over += ended(session.events())
    assert sorted(over) == [1, 2, 3, 4]
    assert session.next_timer() is None
