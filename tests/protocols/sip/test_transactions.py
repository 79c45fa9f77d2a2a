"""The four transactions: every cell of their tables, and their times to the tenth of a second."""

import pytest

from protocols.sip.events import Flow
from protocols.sip.message import Request, parse
from protocols.sip.timers import Clock, Timers
from protocols.sip.transaction_tables import TABLES, Action, Input, State
from protocols.sip.transactions import (
    InviteClient,
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    Transactions,
    server_key,
)
from tests.protocols.sip.playbook import answer, from_stranger

UDP = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
TCP = UDP._replace(transport="tcp")
KINDS = {
    "INVITE client": InviteClient,
    "non-INVITE client": NonInviteClient,
    "INVITE server": InviteServer,
    "non-INVITE server": NonInviteServer,
}
CELLS = [
    pytest.param(name, state, cause, id=f"{name}-{state}-{cause}")
    for name, table in TABLES.items()
    for state in table
    for cause in Input
]
PATHS = {  # from START to each state
    "INVITE client": {
        State.CALLING: [Input.SEND],
        State.PROCEEDING: [Input.SEND, Input.PROVISIONAL],
        State.ACCEPTED: [Input.SEND, Input.SUCCESS],
        State.COMPLETED: [Input.SEND, Input.FAILURE],
        State.TERMINATED: [Input.SEND, Input.B],
    },
    "non-INVITE client": {
        State.TRYING: [Input.SEND],
        State.PROCEEDING: [Input.SEND, Input.PROVISIONAL],
        State.COMPLETED: [Input.SEND, Input.FINAL],
        State.TERMINATED: [Input.SEND, Input.F],
    },
    "INVITE server": {
        State.PROCEEDING: [Input.RECEIVE],
        State.ACCEPTED: [Input.RECEIVE, Input.TU_SUCCESS],
        State.COMPLETED: [Input.RECEIVE, Input.TU_FAILURE],
        State.CONFIRMED: [Input.RECEIVE, Input.TU_FAILURE, Input.ACK],
        State.TERMINATED: [Input.RECEIVE, Input.TRANSPORT_ERROR],
    },
    "non-INVITE server": {
        State.TRYING: [Input.RECEIVE],
        State.PROCEEDING: [Input.RECEIVE, Input.TU_PROVISIONAL],
        State.COMPLETED: [Input.RECEIVE, Input.TU_FINAL],
        State.TERMINATED: [Input.RECEIVE, Input.TRANSPORT_ERROR],
    },
}
STATUS = {
    Input.PROVISIONAL: 180,
    Input.SUCCESS: 200,
    Input.FAILURE: 486,
    Input.FINAL: 200,
    Input.TU_PROVISIONAL: 180,
    Input.TU_SUCCESS: 200,
    Input.TU_FAILURE: 486,
    Input.TU_FINAL: 200,
}
TIMED = {cause: cause.value[-1] for cause in Input if cause.value.startswith("timer ")}


class Stage:
    """One transaction, its user, and what both have done."""

    def __init__(self, name: str, flow: Flow = UDP) -> None:
        self.clock = Clock()
        self.sent: list[bytes] = []
        self.told: list[object] = []
        self.layer = Transactions(self.clock, Timers(), lambda flow, data: self.sent.append(data))
        self.now = 0.0
        method = "INVITE" if name.startswith("INVITE") else "OPTIONS"
        self.request = from_stranger(method)
        self.client = name.endswith("client")
        key = (self.request.via.branch, method) if self.client else server_key(self.request)
        if self.client:
            self.it = KINDS[name](self.layer, key, flow, self.request, self.request.encode(), self)
            self.layer.clients[key] = self.it
        else:
            self.it = KINDS[name](self.layer, key, flow, self.request)
            self.it.user = self
            self.layer.servers[key] = self.it

    def answered(self, transaction: object, response: object, now: float) -> None:
        self.told.append(response.status)

    def failed(self, transaction: object, status: int, now: float) -> None:
        self.told.append(("failed", status))

    def acknowledged(self, ack: Request, now: float) -> None:
        self.told.append("ACK")

    def lost(self, now: float) -> None:
        self.told.append("lost")

    def step(self, cause: Input) -> None:
        """As the layers around it would."""
        if cause in STATUS:
            response = answer(self.request, STATUS[cause])
            if self.client:
                self.it.receive(response, self.now)
            else:
                self.it.respond(response, self.now)
        elif cause is Input.ACK:
            self.it.receive_ack(from_stranger("ACK"), self.now)
        else:
            self.it.step(cause, self.now)

    def go(self, causes: list[Input]) -> "Stage":
        for cause in causes:
            self.step(cause)
        self.sent.clear()
        self.told.clear()
        return self

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.clock.next()) is not None and at <= until:
            self.now = at
            self.clock.ring(at)
        self.now = until


def wanted(name: str, state: State, cause: Input) -> tuple[State, tuple[Action, ...]] | None:
    return TABLES[name][state].get(cause)


@pytest.mark.parametrize(("name", "state", "cause"), CELLS)
def test_every_cell_does_what_it_says(name: str, state: State, cause: Input) -> None:
    stage = Stage(name).go(PATHS[name].get(state, []))
    assert stage.it.state is state
    sent_before = stage.it.data
    cell = wanted(name, state, cause)
    foreign = cause in (Input.PROVISIONAL, Input.SUCCESS, Input.FAILURE, Input.FINAL) and not stage.client
    foreign |= cause in STATUS and cause.value.endswith("TU") and stage.client
    foreign |= cause is Input.FINAL and name == "INVITE client"
    foreign |= cause in (Input.SUCCESS, Input.FAILURE) and name == "non-INVITE client"
    foreign |= cause in (Input.TU_SUCCESS, Input.TU_FAILURE) and name == "non-INVITE server"
    foreign |= cause is Input.TU_FINAL and name == "INVITE server"
    if foreign or (cause is Input.ACK and stage.client):
        assert cell is None  # the kind has no such input at all
        return
    stage.step(cause)
    if cell is None:
        assert (stage.it.state, stage.sent, stage.told) == (state, [], [])
        return
    target, actions = cell
    assert stage.it.state is target
    sends = [each for each in (Action.SEND, Action.RESEND, Action.ACK) if each in actions]
    if sends == [Action.RESEND] and not sent_before:
        sends = []  # no 1xx has been sent that could be repeated
    assert len(stage.sent) == len(sends)
    if sends == [Action.RESEND]:
        assert stage.sent == [sent_before]
    if sends == [Action.ACK]:
        assert parse(stage.sent[0]).method == "ACK"
    told = {
        Action.TELL: "ACK" if cause is Input.ACK else STATUS.get(cause),
        Action.TIMED_OUT: ("failed", 408),
        Action.LOST: ("failed", 503) if stage.client else "lost",
    }
    assert stage.told == [told[each] for each in actions if each in told]
    assert (stage.it.repeat is not None) == _repeats(name, target)
    if target is State.TERMINATED:
        assert len(stage.layer) == 0
        assert len(stage.clock) == 0


def _repeats(name: str, state: State) -> bool:
    """Whether something is repeated in that state."""
    return {
        "INVITE client": state is State.CALLING,
        "non-INVITE client": state in (State.TRYING, State.PROCEEDING),
        "INVITE server": state is State.COMPLETED,
        "non-INVITE server": False,
    }[name]


def test_every_input_has_a_use_and_every_state_is_reached() -> None:
    assert {cause for table in TABLES.values() for row in table.values() for cause in row} == set(Input)
    used = {
        action
        for table in TABLES.values()
        for row in table.values()
        for _, doing in row.values()
        for action in doing
    }
    assert used == set(Action)
    for name, table in TABLES.items():
        assert set(table) == {State.START, *PATHS[name]}
        assert table[State.TERMINATED] == {}


@pytest.mark.parametrize(
    ("name", "path", "times", "end"),
    [
        ("INVITE client", [], [0.5, 1.5, 3.5, 7.5, 15.5, 31.5], 32),
        ("non-INVITE client", [], [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], 32),
        ("non-INVITE client", [Input.PROVISIONAL], [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5], 32),
        ("INVITE server", [Input.TU_FAILURE], [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], 32),
        ("INVITE server", [Input.TU_FAILURE, Input.ACK], [], 5),
        ("INVITE server", [Input.TU_SUCCESS], [], 32),
        ("INVITE client", [Input.FAILURE], [], 32),
        ("INVITE client", [Input.SUCCESS], [], 32),
        ("non-INVITE client", [Input.FINAL], [], 5),
        ("non-INVITE server", [Input.TU_FINAL], [], 32),
    ],
)
@pytest.mark.rule("sip.timer-b")
def test_what_is_repeated_when_over_udp_and_when_it_ends(
    name: str, path: list[Input], times: list[float], end: float
) -> None:
    stage = Stage(name)
    stage.step(Input.SEND if stage.client else Input.RECEIVE)
    stage.go(path)
    seen = []
    for tenth in range(1, 500):
        stage.wait(0.1)
        seen += [tenth / 10] * len(stage.sent)
        stage.sent.clear()
        if stage.it.state is State.TERMINATED:
            assert tenth / 10 == pytest.approx(end, abs=0.11)
            break
    assert seen == pytest.approx(times, abs=0.11)
    assert stage.it.state is State.TERMINATED
    assert len(stage.clock) == 0


@pytest.mark.parametrize(
    ("name", "path", "end"),
    [
        ("INVITE client", [], 32),
        ("non-INVITE client", [], 32),
        ("INVITE server", [Input.TU_FAILURE], 32),
        ("INVITE server", [Input.TU_SUCCESS], 32),
        ("INVITE client", [Input.SUCCESS], 32),
        ("INVITE client", [Input.FAILURE], 0),
        ("INVITE server", [Input.TU_FAILURE, Input.ACK], 0),
        ("non-INVITE client", [Input.FINAL], 0),
        ("non-INVITE server", [Input.TU_FINAL], 0),
    ],
)
def test_connections_repeat_nothing_and_wait_for_no_repetition(
    name: str, path: list[Input], end: float
) -> None:
    stage = Stage(name, TCP)
    stage.step(Input.SEND if stage.client else Input.RECEIVE)
    stage.go(path)
    if end:
        stage.wait(end - 0.01)
        assert stage.it.state is not State.TERMINATED
        stage.wait(0.02)
    assert stage.sent == []
    assert stage.it.state is State.TERMINATED


def test_an_invite_that_rings_never_times_out_by_itself() -> None:
    stage = Stage("INVITE client")
    stage.step(Input.SEND)
    stage.step(Input.PROVISIONAL)
    stage.wait(3600)
    assert stage.it.state is State.PROCEEDING
    assert len(stage.clock) == 0


@pytest.mark.rule("sip.ack-non-2xx")
def test_the_ack_of_a_refusal() -> None:
    stage = Stage("INVITE client")
    stage.request.headers.add("Route", "<sip:p1@example.com;lr>")
    stage.request.headers.add("Route", "<sip:p2@example.com;lr>")
    stage.step(Input.SEND)
    stage.sent.clear()
    stage.step(Input.FAILURE)
    ack = parse(stage.sent.pop())
    assert (ack.method, ack.uri, str(ack.cseq)) == ("ACK", stage.request.uri, "1 ACK")
    assert ack.headers.all("via") == stage.request.headers.all("via")[:1]
    assert ack.headers.all("route") == ("<sip:p1@example.com;lr>", "<sip:p2@example.com;lr>")
    assert (ack.from_, ack.call_id) == (stage.request.from_, stage.request.call_id)
    assert ack.to.tag == "bob"
    stage.step(Input.FAILURE)
    assert len(stage.sent) == 1
    assert stage.told == [486]


def test_answers_belong_by_branch_and_method() -> None:
    stage = Stage("INVITE client")
    stage.step(Input.SEND)
    layer = stage.layer
    assert layer.client_of(answer(stage.request, 180)) is stage.it
    other = from_stranger("INVITE", branch="other")
    assert layer.client_of(answer(other, 180)) is None
    assert layer.client_of(answer(from_stranger("OPTIONS"), 180)) is None


def test_requests_belong_by_branch_sender_and_method() -> None:
    stage = Stage("INVITE server")
    assert stage.layer.server_of(from_stranger("INVITE")) is stage.it
    assert stage.layer.server_of(from_stranger("ACK")) is stage.it
    assert stage.layer.server_of(from_stranger("CANCEL")) is None
    assert stage.layer.server_of(from_stranger("INVITE", branch="s2")) is None
    elsewhere = from_stranger("INVITE")
    elsewhere.headers.set("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKs1")
    assert stage.layer.server_of(elsewhere) is None


def test_a_branch_of_rfc_2543_is_none() -> None:
    old = "SIP/2.0/UDP 192.0.2.2:5060;branch=1"
    stage = Stage("INVITE server")
    stage.request.headers.set("Via", old)
    served = stage.layer.serve(stage.request, UDP, 0.0)
    again, later, ack = (
        from_stranger("INVITE"),
        from_stranger("INVITE", number=2),
        from_stranger("ACK", to="x"),
    )
    for each in (again, later, ack):
        each.headers.set("Via", old)
    assert stage.layer.server_of(again) is served
    assert stage.layer.server_of(ack) is served
    assert stage.layer.server_of(later) is None


def test_a_lost_flow_ends_its_transactions_and_no_others() -> None:
    stage = Stage("INVITE client")
    layer = stage.layer
    for number, flow in enumerate((UDP, TCP)):
        request = from_stranger("OPTIONS", branch=f"flow{number}")
        layer.request(request, flow, stage, 0.0)
    assert len(layer) == 3
    layer.flow_lost(TCP, 1.0)
    assert stage.told == [("failed", 503)]
    assert len(layer) == 2


class TestClock:
    def test_alarms_ring_in_order_of_time_then_of_setting(self) -> None:
        rung: list[str] = []
        clock = Clock()
        for at, name in ((2.0, "c"), (1.0, "a"), (1.0, "b")):
            clock.at(at, lambda name, now: rung.append(name), name)
        assert clock.next() == 1.0
        clock.ring(0.9)
        assert rung == []
        clock.ring(5.0)
        assert rung == ["a", "b", "c"]
        assert clock.next() is None

    def test_cancelled_ones_never_ring_and_do_not_pile_up(self) -> None:
        rung: list[int] = []
        clock = Clock()
        kept = clock.at(10.0, lambda name, now: rung.append(name), 0)
        for number in range(10_000):
            alarm = clock.at(5.0, lambda name, now: rung.append(name), number)
            alarm.cancel()
            alarm.cancel()
        assert len(clock) == 1
        assert len(clock._heap) < 200
        assert clock.next() == 10.0
        clock.ring(10.0)
        assert rung == [0]
        kept.cancel()
        assert len(clock) == 0
