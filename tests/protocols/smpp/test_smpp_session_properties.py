"""What holds for a session whatever its peer sends, however it arrives, and whatever its owner asks for."""

import tracemalloc
from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp.constants import Status
from protocols.smpp.enquiries import LIMIT
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.events import (
    CancelAnswered,
    LateAnswer,
    ProtocolViolation,
    QueryAnswered,
    SubmitAnswered,
    SubmitsLost,
    SubmitTimedOut,
)
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import (
    HEADER,
    AlertNotification,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitterResp,
    BroadcastSm,
    CancelSm,
    CancelSmResp,
    DataSm,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
)
from protocols.smpp.session import Session, SessionConfig
from protocols.smpp.state import LOCAL, TABLE, Input, State

CONFIG = SessionConfig(system_id=b"acme", password=b"secret", window=4, max_pdu=300, tombstones=3)
QUERY, CANCEL = QuerySm(b"id-1"), CancelSm(message_id=b"id-1")
SM = SubmitSm(destination_addr=b"4915112345678", short_message=b"hi")

# What a peer sends: PDUs with numbers that often hit ours, damaged ones, and noise.
SEQUENCES = st.integers(0, 9) | st.sampled_from([0x7FFFFFFF, 0xFFFFFFFF])
STATUSES = st.sampled_from([0, 0, 0, Status.ESME_RTHROTTLED, 0x42A])
PEER_PDUS = st.sampled_from(
    [
        SubmitSmResp(b"id-1"),
        SubmitSmResp(b"id-2", ((0x1400, b"x"),)),
        DeliverSm(esm_class=4, short_message=b"id:1 stat:DELIVRD"),
        EnquireLink(),
        EnquireLinkResp(),
        GenericNack(),
        Unbind(),
        UnbindResp(),
        BindTransceiverResp(b"smsc"),
        BindTransceiver(b"smsc"),
        SM,
        QuerySmResp(b"id-1", message_state=2),
        CancelSmResp(),
        DataSm(tlvs=((0x0424, b"hi"),)),
        AlertNotification(source_addr=b"49"),
        Outbind(b"smsc"),
        BroadcastSm(),
    ]
)
PEER_FRAMES = st.builds(
    lambda pdu, sequence, status: encode(pdu, sequence=sequence, status=status),
    PEER_PDUS,
    SEQUENCES,
    STATUSES,
)
UNTIDY_FRAMES = st.builds(
    lambda command_id, status, sequence, body: (
        HEADER.pack(16 + len(body), command_id, status, sequence) + body
    ),
    st.sampled_from(
        [0x80000004, 5, 0x80000009, 0x80000000, 0x999, 0x80000999, 0x80000003, 0x80000021, 0x103, 0x102, 0x0B]
    ),
    STATUSES,
    SEQUENCES,
    st.binary(max_size=30),
)
# Whatever follows a broken frame is not read.
NOISE = st.binary(min_size=16, max_size=40)
READS = st.lists(PEER_FRAMES | UNTIDY_FRAMES, max_size=8).map(b"".join)


def started(submits: int, unbinding: bool = False) -> Session:
    """A bound session with numbers 2… outstanding, the first of them timed out."""
    session = Session(CONFIG)
    session.bind(0.0)
    session.receive(encode(BindTransceiverResp(b"smsc"), sequence=1), 0.0)
    for number in range(submits):
        session.submit(SM, number, float(min(number, 1)))
    if submits:
        session.query(QUERY, "query", 1.0)
        session.cancel(CANCEL, "cancel", 1.0)
    session.handle_timer(10.0)
    if unbinding:
        session.unbind(10.0)
    session.events()
    session.data_to_send()
    return session


def told(session: Session) -> tuple:
    """Everything a session says; answers to submits may overtake the rest of a read, but not one another."""
    events = [
        event if type(event) is not ProtocolViolation else str(event.error) for event in session.events()
    ]
    answers = [event for event in events if isinstance(event, SubmitAnswered | LateAnswer)]
    others = [event for event in events if event not in answers]
    return answers, others, b"".join(session.data_to_send()), session.state, session.unmatched


@given(READS, NOISE | st.just(b""), st.integers(0, 4), st.booleans(), st.data())
def test_any_chunking_gives_the_same_events(read, noise, submits, unbinding, data):
    stream = read + noise
    whole = started(submits, unbinding)
    whole.receive(stream, 10.0)
    whole.eof(10.0)
    expected = told(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    for edges in ([0, *cuts, len(stream)], range(len(stream) + 1)):
        session = started(submits, unbinding)
        for start, end in zip(edges, list(edges)[1:], strict=False):
            session.receive(stream[start:end], 10.0)
        session.eof(10.0)
        assert told(session) == expected


VERBS = {
    Input.AWAIT_OUTBIND: lambda session, now: session.await_outbind(now),
    Input.BIND: lambda session, now: session.bind(now),
    Input.QUERY: lambda session, now: session.query(QUERY, object(), now),
    Input.CANCEL: lambda session, now: session.cancel(CANCEL, object(), now),
    Input.SUBMIT: lambda session, now: session.submit(SM, object(), now),
    Input.ACKNOWLEDGE: lambda session, now: session.acknowledge(7, now),
    Input.ENQUIRE: lambda session, now: session.enquire_link(now),
    Input.UNBIND: lambda session, now: session.unbind(now),
}
# Weighted so that sessions get somewhere.
STEPS = st.lists(
    st.sampled_from([Input.SUBMIT, Input.SUBMIT, *VERBS])
    | st.sampled_from([0.0, 1.0, 10.0, 30.0, 500.0])
    | PEER_FRAMES
    | UNTIDY_FRAMES
    | st.binary(max_size=20),
    max_size=40,
)


class Owner:
    """Keeps count of what it handed over and what it got back."""

    def __init__(self) -> None:
        self.session = Session(CONFIG)
        self.now = 0.0
        self.handed_over: list[object] = []
        self.ended: Counter[int] = Counter()
        self.expired: set[int] = set()

    def do(self, step: object) -> None:
        if isinstance(step, bytes):
            self.session.receive(step, self.now)
        elif isinstance(step, float):
            self.now += step
            self.session.handle_timer(self.now)
            assert (self.session.next_timer() or self.now + 1) > self.now
        else:
            self._ask(step)
        self._collect()

    def _ask(self, verb: Input) -> None:
        session = self.session
        state, free = session.state, session.window_free
        context, enquiries_free = object(), session.enquiries_free
        room = {Input.SUBMIT: free, Input.QUERY: enquiries_free, Input.CANCEL: enquiries_free}
        legal = verb in TABLE[state] and room.get(verb, 1) > 0
        try:
            if verb in room:
                ask, pdu = {
                    Input.SUBMIT: (session.submit, SM),
                    Input.QUERY: (session.query, QUERY),
                    Input.CANCEL: (session.cancel, CANCEL),
                }[verb]
                ask(pdu, context, self.now)
                self.handed_over.append(context)
            else:
                VERBS[verb](session, self.now)
        except LocalProtocolError:
            assert not legal
            assert (session.state, session.window_free, session.data_to_send()) == (state, free, [])
        else:
            assert legal
            assert session.state == TABLE[state][verb]

    def _collect(self) -> None:
        for event in self.session.events():
            if isinstance(event, SubmitAnswered | SubmitTimedOut | QueryAnswered | CancelAnswered):
                self.ended[id(event.context)] += 1
            if isinstance(event, SubmitTimedOut):
                self.expired.add(id(event.context))
            if isinstance(event, LateAnswer):
                self.expired.remove(id(event.context))
            if isinstance(event, SubmitsLost):
                self.ended.update(id(context) for context in event.contexts)
        reader = FrameReader()
        for frame in reader.feed(b"".join(self.session.data_to_send())):
            decode(frame)
        assert reader.error is None


@given(STEPS, st.booleans())
def test_every_step_is_legal_or_our_error_and_every_submit_and_enquiry_ends_once(steps, bind_first):
    owner = Owner()
    if bind_first:
        owner.do(Input.BIND)
        owner.do(encode(BindTransceiverResp(b"smsc"), sequence=1))
    for step in steps:
        owner.do(step)
        assert owner.session.in_flight <= CONFIG.window
        assert len(owner.session._asked) <= LIMIT
    owner.session.eof(owner.now)
    owner._collect()
    assert owner.session.state is State.CLOSED
    assert owner.ended == Counter(id(context) for context in owner.handed_over)
    assert owner.session.next_timer() is None


@given(st.lists(st.binary(max_size=400), max_size=10))
def test_arbitrary_octets_never_raise_and_are_never_kept(reads):
    for session in (Session(CONFIG), started(3)):
        for read in reads:
            session.receive(read, 10.0)
            session.events()
            session.data_to_send()
            assert len(session._reader._pending) < CONFIG.max_pdu
            assert session.in_flight <= 3


FLOODS = {
    "answers to nothing": encode(SubmitSmResp(b"x" * 60), sequence=77),
    "receipts never acknowledged": encode(DeliverSm(esm_class=4, short_message=b"id:1"), sequence=77),
    "unknown commands": HEADER.pack(20, 0x999, 0, 1) + b"body",
    "nacks": encode(GenericNack(), sequence=9, status=3),
    "data never acknowledged": encode(DataSm(), sequence=77),
    "alerts": encode(AlertNotification(), sequence=77),
    "outbinds": encode(Outbind(b"smsc"), sequence=77),
    "broadcasts": encode(BroadcastSm(), sequence=77),
    "unreadable answers": HEADER.pack(16, 0x80000003, 0, 9),
    "questions": encode(EnquireLink(), sequence=9),
    "unfinished": HEADER.pack(300, 5, 0, 1) + bytes(284),
}


@pytest.mark.parametrize("frame", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_leaves_nothing_behind(frame):
    session = started(0)
    flood = frame * 200

    def pour(times: int) -> int:
        for _ in range(times):
            session.receive(flood[:-1], 10.0)
            session.receive(flood[-1:], 10.0)
            session.events()
            session.data_to_send()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = pour(10)
        assert pour(40) - before < 4096
    finally:
        tracemalloc.stop()


# Every state, every input


def reach(state: State) -> Session:
    modes = {State.BOUND_TX: "transmitter", State.BOUND_RX: "receiver"}
    mode = modes.get(state, "transceiver")
    answer = {"transmitter": BindTransmitterResp, "receiver": BindReceiverResp}.get(mode, BindTransceiverResp)
    session = Session(SessionConfig(system_id=b"a", password=b"b", mode=mode))
    if state is State.AWAITING_OUTBIND:
        session.await_outbind(0.0)
    elif state is not State.OPEN:
        session.bind(0.0)
    if state not in (State.OPEN, State.AWAITING_OUTBIND, State.BINDING):
        session.receive(encode(answer(b"smsc"), sequence=1), 0.0)
    if state in (State.UNBINDING, State.UNBOUND):
        session.unbind(0.0)
    if state is State.UNBOUND:
        session.receive(encode(UnbindResp(), sequence=2), 0.0)
    if state is State.CLOSED:
        session.eof(0.0)
    session.events()
    session.data_to_send()
    assert session.state is state
    return session


def peer(pdu, sequence, status=0):
    return lambda session: session.receive(encode(pdu, sequence=sequence, status=status), 0.0)


def ours(verb, session):
    verb(session, 0.0)


def silence(session: Session) -> None:
    for _ in range(3):
        session.handle_timer(session.next_timer() or 0.0)


CAUSES = {
    **{cause: partial(ours, verb) for cause, verb in VERBS.items()},
    Input.BIND_REFUSED: peer(BindTransceiverResp(), 1, Status.ESME_RBINDFAIL),
    Input.BIND_TRX_ACCEPTED: peer(BindTransceiverResp(), 1),
    Input.SUBMIT_ANSWER: peer(SubmitSmResp(b"1"), 77),
    Input.OUTBIND: peer(Outbind(b"smsc"), 77),
    Input.QUERY_ANSWER: peer(QuerySmResp(b"1"), 77),
    Input.CANCEL_ANSWER: peer(CancelSmResp(), 77),
    Input.DELIVER: peer(DeliverSm(), 77),
    Input.ALERT: peer(AlertNotification(), 77),
    Input.ENQUIRED: peer(EnquireLink(), 77),
    Input.UNBIND_ANSWER: peer(UnbindResp(), 2),
    Input.PEER_UNBIND: peer(Unbind(), 77),
    Input.BROKEN: lambda session: session.receive(bytes(16), 0.0),
    Input.SILENT: silence,
    Input.EOF: lambda session: session.eof(0.0),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("cause", CAUSES)
def test_the_session_follows_the_table(state, cause):
    session = reach(state)
    target = TABLE[state].get(cause)
    if target is None and cause in LOCAL:
        with pytest.raises(LocalProtocolError) as raised:
            CAUSES[cause](session)
        assert raised.value.field == cause.value
        assert session.data_to_send() == session.events() == []
    else:
        CAUSES[cause](session)
    assert session.state is (target or state)


@pytest.mark.parametrize(
    ("mode", "answer", "state"),
    [("transmitter", BindTransmitterResp, State.BOUND_TX), ("receiver", BindReceiverResp, State.BOUND_RX)],
)
def test_the_other_binds_follow_the_table(mode, answer, state):
    session = Session(SessionConfig(system_id=b"a", password=b"b", mode=mode))
    session.bind(0.0)
    session.receive(encode(answer(b"smsc"), sequence=1), 0.0)
    accepted = Input.BIND_TX_ACCEPTED if mode == "transmitter" else Input.BIND_RX_ACCEPTED
    assert session.state is TABLE[State.BINDING][accepted] is state
