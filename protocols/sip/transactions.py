"""Running transactions: their timers, what they repeat, and which message belongs to which (RFC 3261 §17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from protocols.sip.events import Flow
from protocols.sip.message import Request, Response
from protocols.sip.timers import Alarm, Clock, Timers
from protocols.sip.transaction_tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Action,
    Input,
    State,
    Table,
)

COOKIE: Final = "z9hG4bK"
"""§8.1.1.7: what the branch of everyone begins with who makes branches that are unique."""

_Key = tuple[str, ...]
_Do = Callable[["Transaction", float], None]


class _Cell:
    """A cell of a table with its actions as functions, and the row that follows."""

    __slots__ = ("doing", "row", "state")

    def __init__(self, state: State, doing: tuple[_Do, ...], row: _Row) -> None:
        self.state = state
        self.doing = doing
        self.row = row


_Row = dict[Input, _Cell]


class ClientUser(Protocol):
    """Who asked (the TU): every transaction ends with a final answer or ``failed``, once."""

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None: ...

    def failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """408: no answer in time; 503: the transport is gone (§8.1.3.1)."""


class ServerUser(Protocol):
    """Who answers an INVITE: the ACK of its 2xx, and the loss of the transport."""

    def acknowledged(self, ack: Request, now: float) -> None: ...

    def lost(self, now: float) -> None: ...


class Transaction:
    """What the four kinds have in common: a state, a message to repeat, one alarm for that and one to end."""

    __slots__ = ("data", "flow", "interval", "key", "layer", "repeat", "row", "state", "timeout", "waiting")

    rows: dict[State, _Row]

    def __init__(self, layer: Transactions, key: _Key, flow: Flow) -> None:
        self.layer = layer
        self.key = key
        self.flow = flow
        self.state = State.START
        self.row = self.rows[State.START]
        self.data = b""
        self.interval = 0.0
        self.repeat: Alarm | None = None
        self.timeout: Alarm | None = None
        self.waiting: Input | None = None

    def step(self, cause: Input, now: float) -> bool:
        """Make the step of the table; False when the state has no such cell."""
        cell = self.row.get(cause)
        if cell is None:
            return False
        self.state = cell.state
        self.row = cell.row
        if cell.state is State.TERMINATED:
            self._end()
        for do in cell.doing:
            do(self, now)
        if self.waiting is not None:  # a timer of zero seconds
            cause, self.waiting = self.waiting, None
            self.step(cause, now)
        return True

    def _end(self) -> None:
        if self.repeat is not None:
            self.repeat.cancel()
        if self.timeout is not None:
            self.timeout.cancel()
        self.layer.forget(self)

    # Actions

    def _send(self, now: float) -> None:
        self.layer.send(self.flow, self.data)

    def _resend(self, now: float) -> None:
        if self.data:
            self.layer.resent += 1
            self.layer.send(self.flow, self.data)

    def _stop_repeat(self, now: float) -> None:
        if self.repeat is not None:
            self.repeat.cancel()
            self.repeat = None

    def _stop_timeout(self, now: float) -> None:
        if self.timeout is not None:
            self.timeout.cancel()
            self.timeout = None

    def start_repeat(self, cause: Input, interval: float, now: float) -> None:
        self.interval = interval
        if not self.flow.reliable:
            self.repeat = self.layer.clock.at(now + interval, self._repeat_rings, cause)

    def _repeat_rings(self, cause: Input, now: float) -> None:
        self.repeat = None
        self.step(cause, now)

    def start_timeout(self, cause: Input, seconds: float, now: float) -> None:
        if seconds > 0:
            self.timeout = self.layer.clock.at(now + seconds, self._timeout_rings, cause)
        else:
            self.waiting = cause

    def _timeout_rings(self, cause: Input, now: float) -> None:
        self.timeout = None
        self.step(cause, now)


class ClientTransaction(Transaction):
    """§17.1: a request of ours and what answers it. ``method`` is also that of the CSeq of its answers."""

    __slots__ = ("method", "request", "response", "user")

    def __init__(
        self, layer: Transactions, key: _Key, flow: Flow, request: Request, data: bytes, user: ClientUser
    ) -> None:
        super().__init__(layer, key, flow)
        self.method = request.method
        self.request: Request | None = request
        self.data = data
        self.user = user
        self.response: Response | None = None

    def receive(self, response: Response, now: float) -> bool:
        """False when the answer is not expected in this state."""
        self.response = response
        status = response.status
        if status < 200:
            cause = Input.PROVISIONAL
        elif self.method != "INVITE":
            cause = Input.FINAL
        else:
            cause = Input.SUCCESS if status < 300 else Input.FAILURE
        taken = self.step(cause, now)
        self.response = None
        if self.method != "INVITE" and status >= 200:
            self.request = None  # nothing is repeated any more
            self.data = b""
        return taken

    def _tell(self, now: float) -> None:
        if self.response is not None:
            self.user.answered(self, self.response, now)

    def _timed_out(self, now: float) -> None:
        self.user.failed(self, 408, now)

    def _lost(self, now: float) -> None:
        self.user.failed(self, 503, now)

    def _acknowledge(self, now: float) -> None:
        """§17.1.1.3: the ACK of a refusal, in the transaction of its INVITE."""
        request, response = self.request, self.response
        if request is None or response is None:
            return
        headers = [
            ("Via", str(request.via)),
            ("From", request.headers.get("from") or ""),
            ("To", response.headers.get("to") or ""),
            ("Call-ID", request.call_id),
            ("CSeq", f"{request.cseq.number} ACK"),
            ("Max-Forwards", "70"),
        ]
        headers += (("Route", each) for each in request.headers.all("route"))
        self.layer.send(self.flow, Request("ACK", request.uri, headers).encode())

    def _wait_m(self, now: float) -> None:
        self.request = None  # nothing is repeated any more
        self.data = b""
        self.start_timeout(Input.M, self.layer.timers.patience, now)


class ServerTransaction(Transaction):
    """§17.2: a request of the peer and what we answer. ``user`` is there for an INVITE that was accepted."""

    __slots__ = ("ack", "request", "user")

    def __init__(self, layer: Transactions, key: _Key, flow: Flow, request: Request) -> None:
        super().__init__(layer, key, flow)
        self.request: Request | None = request
        self.user: ServerUser | None = None
        self.ack: Request | None = None

    def respond(self, response: Response, now: float) -> None:
        """Answer; what is out of place (a second final one) is dropped."""
        status = response.status
        if status < 200:
            cause = Input.TU_PROVISIONAL
        elif type(self) is NonInviteServer:
            cause = Input.TU_FINAL
        else:
            cause = Input.TU_SUCCESS if status < 300 else Input.TU_FAILURE
        if cause in self.row:
            self.data = response.encode()
            self.step(cause, now)

    def receive_ack(self, ack: Request, now: float) -> None:
        self.ack = ack
        self.step(Input.ACK, now)
        self.ack = None

    def _tell(self, now: float) -> None:
        if self.user is not None and self.ack is not None:
            self.user.acknowledged(self.ack, now)

    def _lost(self, now: float) -> None:
        if self.user is not None:
            self.user.lost(now)


def _times(cause: Input, t: Callable[[Timers], float], *, zero_on_streams: bool) -> _Do:
    """The action that starts the timer after which a transaction ends."""

    def start(transaction: Transaction, now: float) -> None:
        zero = zero_on_streams and transaction.flow.reliable
        transaction.start_timeout(cause, 0.0 if zero else t(transaction.layer.timers), now)

    return start


def _repeats(cause: Input, grow: Callable[[float, Timers], float]) -> _Do:
    """The action that starts, or starts anew, the timer of repetitions."""

    def start(transaction: Transaction, now: float) -> None:
        timers = transaction.layer.timers
        transaction.start_repeat(cause, grow(transaction.interval, timers), now)

    return start


_ANY: Final[dict[Action, _Do]] = {
    Action.SEND: Transaction._send,
    Action.RESEND: Transaction._resend,
    Action.STOP_A: Transaction._stop_repeat,
    Action.STOP_E: Transaction._stop_repeat,
    Action.STOP_G: Transaction._stop_repeat,
    Action.STOP_B: Transaction._stop_timeout,
    Action.STOP_F: Transaction._stop_timeout,
    Action.STOP_H: Transaction._stop_timeout,
    Action.START_A: _repeats(Input.A, lambda interval, timers: timers.t1),
    Action.DOUBLE_A: _repeats(Input.A, lambda interval, timers: 2 * interval),
    Action.START_E: _repeats(Input.E, lambda interval, timers: timers.t1),
    Action.DOUBLE_E: _repeats(Input.E, lambda interval, timers: min(2 * interval, timers.t2)),
    Action.E_IS_T2: _repeats(Input.E, lambda interval, timers: timers.t2),
    Action.START_G: _repeats(Input.G, lambda interval, timers: timers.t1),
    Action.DOUBLE_G: _repeats(Input.G, lambda interval, timers: min(2 * interval, timers.t2)),
    Action.START_B: _times(Input.B, lambda timers: timers.patience, zero_on_streams=False),
    Action.START_F: _times(Input.F, lambda timers: timers.patience, zero_on_streams=False),
    Action.START_H: _times(Input.H, lambda timers: timers.patience, zero_on_streams=False),
    Action.START_L: _times(Input.L, lambda timers: timers.patience, zero_on_streams=False),
    Action.START_D: _times(Input.D, lambda timers: timers.patience, zero_on_streams=True),
    Action.START_J: _times(Input.J, lambda timers: timers.patience, zero_on_streams=True),
    Action.START_I: _times(Input.I, lambda timers: timers.t4, zero_on_streams=True),
    Action.START_K: _times(Input.K, lambda timers: timers.t4, zero_on_streams=True),
}
_CLIENT: Final[dict[Action, Callable[..., None]]] = {
    **_ANY,
    Action.ACK: ClientTransaction._acknowledge,
    Action.TELL: ClientTransaction._tell,
    Action.TIMED_OUT: ClientTransaction._timed_out,
    Action.LOST: ClientTransaction._lost,
    Action.START_M: ClientTransaction._wait_m,
}
_SERVER: Final[dict[Action, Callable[..., None]]] = {
    **_ANY,
    Action.TELL: ServerTransaction._tell,
    Action.LOST: ServerTransaction._lost,
}


def _rows(table: Table, functions: dict[Action, Callable[..., None]]) -> dict[State, _Row]:
    rows: dict[State, _Row] = {state: {} for state in table}
    for state, row in table.items():
        for cause, (target, actions) in row.items():
            rows[state][cause] = _Cell(target, tuple(functions[each] for each in actions), rows[target])
    return rows


class InviteClient(ClientTransaction):
    """§17.1.1."""

    __slots__ = ()
    rows = _rows(INVITE_CLIENT, _CLIENT)


class NonInviteClient(ClientTransaction):
    """§17.1.2."""

    __slots__ = ()
    rows = _rows(NON_INVITE_CLIENT, _CLIENT)


class InviteServer(ServerTransaction):
    """§17.2.1."""

    __slots__ = ()
    rows = _rows(INVITE_SERVER, _SERVER)


class NonInviteServer(ServerTransaction):
    """§17.2.2."""

    __slots__ = ()
    rows = _rows(NON_INVITE_SERVER, _SERVER)


class Transactions:
    """All transactions of a user agent, found by branch (§17.1.3, §17.2.3) and by flow."""

    def __init__(self, clock: Clock, timers: Timers, send: Callable[[Flow, bytes], None]) -> None:
        self.clock = clock
        self.timers = timers
        self.send = send
        self.resent = 0
        self.clients: dict[_Key, ClientTransaction] = {}
        self.servers: dict[_Key, ServerTransaction] = {}
        self._by_flow: dict[Flow, dict[Transaction, None]] = {}

    def __len__(self) -> int:
        return len(self.clients) + len(self.servers)

    def request(self, request: Request, flow: Flow, user: ClientUser, now: float) -> ClientTransaction:
        """Send a request whose topmost Via carries a branch of our own."""
        key = (request.via.branch or "", request.method)
        kind = InviteClient if request.method == "INVITE" else NonInviteClient
        transaction = kind(self, key, flow, request, request.encode(), user)
        self.clients[key] = transaction
        self._by_flow.setdefault(flow, {})[transaction] = None
        transaction.step(Input.SEND, now)
        return transaction

    def client_of(self, response: Response) -> ClientTransaction | None:
        return self.clients.get((response.via.branch or "", response.cseq.method))

    def server_of(self, request: Request) -> ServerTransaction | None:
        """The transaction that a request repeats; of an ACK, that of its INVITE."""
        return self.servers.get(server_key(request))

    def serve(self, request: Request, flow: Flow, now: float) -> ServerTransaction:
        """Begin to answer a request; ``flow`` is where the answers go."""
        kind = InviteServer if request.method == "INVITE" else NonInviteServer
        transaction = kind(self, server_key(request), flow, request)
        self.servers[transaction.key] = transaction
        self._by_flow.setdefault(flow, {})[transaction] = None
        transaction.step(Input.RECEIVE, now)
        return transaction

    def flow_lost(self, flow: Flow, now: float) -> None:
        for transaction in tuple(self._by_flow.get(flow, ())):
            transaction.step(Input.TRANSPORT_ERROR, now)

    def forget(self, transaction: Transaction) -> None:
        """A transaction has ended."""
        table: dict[_Key, ClientTransaction] | dict[_Key, ServerTransaction]
        table = self.clients if isinstance(transaction, ClientTransaction) else self.servers
        table.pop(transaction.key, None)
        flow = self._by_flow.get(transaction.flow)
        if flow is not None:
            flow.pop(transaction, None)
            if not flow:
                del self._by_flow[transaction.flow]


def server_key(request: Request) -> _Key:
    """§17.2.3: branch, who sent it, method; for a branch without the cookie, what RFC 2543 has instead."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch or ""
    if branch[:7] == COOKIE:
        return (branch, via.host, str(via.port), method)
    sender = f"{via.host}:{via.port};{branch}"
    number = str(request.cseq.number)
    return ("", request.uri, request.from_.tag or "", request.call_id, number, sender, method)
