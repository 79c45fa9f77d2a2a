"""Two user agents and what lies between them: datagrams that are lost, doubled, late, in a virtual time."""

import heapq
import random
from collections.abc import Callable

from protocols.sip.agent import UserAgent
from protocols.sip.events import Event, Flow, Invitation
from protocols.sip.sdp import LocalMedia

CALLER = ("192.0.2.1", 5060)
CALLEE = ("192.0.2.2", 5060)
MEDIA = LocalMedia("192.0.2.1", 30000)
THEIRS = LocalMedia("192.0.2.2", 40000)


def invitation(**changes: object) -> Invitation:
    usual = {
        "request_uri": "sip:bob@192.0.2.2",
        "from_": "<sip:alice@example.com>",
        "to": "<sip:bob@example.com>",
        "contact_user": "alice",
        "offer": MEDIA,
        "session_expires_s": 0,
    }
    return Invitation(**{**usual, **changes})


def random_bytes(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


class World:
    """``loss``, ``doubled``: shares of datagrams; each takes ``delay_s`` plus up to ``jitter_s``."""

    def __init__(
        self, seed: int, *, loss: float = 0, doubled: float = 0, jitter_s: float = 0, transport: str = "udp"
    ) -> None:
        self.chance = random.Random(seed)
        self.loss, self.doubled, self.jitter_s = loss, doubled, jitter_s
        self.now = 1000.0
        self.caller = UserAgent(rng=random_bytes(seed + 1), product="caller")
        self.callee = UserAgent(rng=random_bytes(seed + 2), product="callee", accepts_calls=True)
        self.agents = {CALLER: self.caller, CALLEE: self.callee}
        self.flow = Flow(transport, CALLER, CALLEE)
        self.events: list[tuple[UserAgent, Event]] = []
        self.on_event: Callable[[UserAgent, Event], None] = lambda agent, event: None
        self._queue: list[tuple[float, int, object]] = []
        self._count = 0
        self.wire: list[bytes] = []

    def at(self, at: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, do))

    def settle(self) -> None:
        """Hand on what the agents have to say, until they have no more."""
        busy = True
        while busy:
            busy = False
            for agent in self.agents.values():
                for event in agent.events():
                    busy = True
                    self.events.append((agent, event))
                    self.on_event(agent, event)
                for flow, data in agent.data_to_send():
                    busy = True
                    self._carry(flow, data)

    def _carry(self, flow: Flow, data: bytes) -> None:
        self.wire.append(data)
        copies = 0 if self.chance.random() < self.loss else 1
        copies += copies and self.chance.random() < self.doubled
        for _ in range(copies):
            at = self.now + 0.01 + self.chance.random() * self.jitter_s
            seen = Flow(flow.transport, flow.remote, flow.local)
            agent = self.agents.get(flow.remote)
            if agent is not None:
                self.at(at, lambda agent=agent, seen=seen: agent.receive(data, seen, self.now))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            self.settle()
            times = [agent.next_timer() for agent in self.agents.values()]
            times += [self._queue[0][0] if self._queue else None]
            at = min((each for each in times if each is not None), default=None)
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            if self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
            else:
                for agent in self.agents.values():
                    agent.handle_timer(self.now)
        self.now = until

    def empty(self) -> bool:
        """Nothing is left of any call."""
        return all(agent.calls == agent.transactions == agent.alarms == 0 for agent in self.agents.values())
