"""What happens to one submit: drawn from the options and a seed, message by message."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from typing import NamedTuple

from .options import SmscOptions

EARLY_LEAD_S = 0.05
"""How long a response is held back behind its early receipt, so that even another bind sees it first."""


class State(NamedTuple):
    """A final or intermediate state as receipts spell it: message_state (§5.2.28), `stat:`, `err:`."""

    code: int
    stat: bytes
    err: bytes = b"000"
    intermediate: bool = False

    @property
    def delivered(self) -> bool:
        return self.stat == b"DELIVRD"

    @property
    def passing(self) -> bool:
        """Whether another state is to come: ENROUTE, ACCEPTD."""
        return self.intermediate or self.code in (1, 6)


DELIVERED = State(2, b"DELIVRD")
UNDELIVERABLE = State(5, b"UNDELIV", b"001")


class Answer(enum.Enum):
    """What the ESME sees in answer to its submit."""

    RESPONSE = "response"
    TWICE = "twice"
    MISSING = "missing"
    GARBAGE = "garbage"
    CUT = "cut"
    SILENCE = "silence"


class Report(NamedTuple):
    """One receipt to come, `after_s` seconds after the submit."""

    after_s: float
    state: State


class Fate(NamedTuple):
    """The course of one submit.

    `status` other than 0 refuses it and nothing follows. `arrival_s` is when the handset has it (None:
    never). `receipt_first` sends the first receipt before the response.
    """

    status: int = 0
    answer: Answer = Answer.RESPONSE
    response_delay_s: float = 0.0
    arrival_s: float | None = 0.0
    reports: tuple[Report, ...] = (Report(0.0, DELIVERED),)
    receipt_first: bool = False
    other_bind: bool = False


_ANSWERS = (
    ("cut_share", Answer.CUT),
    ("silence_share", Answer.SILENCE),
    ("garbage_share", Answer.GARBAGE),
    ("response_missing", Answer.MISSING),
    ("response_duplicate", Answer.TWICE),
)
"""Shares that change the answer, the worst first: the first one drawn wins."""


class FateSchedule:
    """Draws the fate of the n-th submit.

    Each fault has a stream of its own, seeded by the seed and the fault's name, and draws once a message
    while it is on: the same options and seed give the same story, and turning on one fault leaves the
    others' decisions where they were.
    """

    def __init__(self, seed: int, options: SmscOptions) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}
        self.configure(options)

    def stream(self, name: str) -> random.Random:
        """The random stream of one fault; it goes on where it was when options change."""
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self._seed}/{name}")
        return self._streams[name]

    def configure(self, options: SmscOptions) -> None:
        """Draw from now on by `options`."""
        self._response_delay = options.response_delay.sampler(self.stream("response_delay"))
        self._receipt_delay = options.receipt_delay.sampler(self.stream("receipt_delay"))
        self._again = options.receipt_delay.sampler(self.stream("duplicate_delay"))
        self._answers = [(self._coin(options, name), answer) for name, answer in _ANSWERS]
        self._lost = self._coin(options, "message_lost")
        self._fake = self._coin(options, "receipt_fake")
        self._missing = self._coin(options, "receipt_missing")
        self._undelivered = self._coin(options, "receipt_undelivered")
        self._duplicate = self._coin(options, "receipt_duplicate")
        self._early = self._coin(options, "receipt_early")
        self._other_bind = self._coin(options, "receipt_other_bind")
        self._refused = self._coin(options, "refused_share")
        self._refused_status = options.refused_status
        shares = ["refused_share", *(name for name, _ in _ANSWERS)]
        shares += ["message_lost", "receipt_fake", "receipt_missing", "receipt_undelivered"]
        shares += ["receipt_duplicate", "receipt_early", "receipt_other_bind"]
        self._plain = not any(getattr(options, name) for name in shares)
        self._constant: Fate | None = None
        if self._plain and options.response_delay.constant and options.receipt_delay.constant:
            self._constant = self._delivered()

    def next(self) -> Fate:
        """The fate of the next submit."""
        if self._constant is not None:
            return self._constant
        if self._plain:
            return self._delivered()
        refused = self._refused()
        answers = [answer for coin, answer in self._answers if coin()]
        lost, fake = self._lost(), self._fake()
        missing, undelivered, duplicate = self._missing(), self._undelivered(), self._duplicate()
        early, other_bind = self._early(), self._other_bind()
        fate = self._delivered()
        if refused:
            return Fate(status=self._refused_status, response_delay_s=fate.response_delay_s, reports=())
        state = UNDELIVERABLE if undelivered and not fake else DELIVERED
        after_s = 0.0 if early else fate.reports[0].after_s
        reports: tuple[Report, ...] = () if lost or missing else (Report(after_s, state),)
        if duplicate and reports:
            reports += (Report(after_s + self._again(), state),)
        first = early and bool(reports)
        return Fate(
            answer=answers[0] if answers else Answer.RESPONSE,
            response_delay_s=max(fate.response_delay_s, EARLY_LEAD_S) if first else fate.response_delay_s,
            arrival_s=None if lost or fake or undelivered else after_s,
            reports=reports,
            receipt_first=first,
            other_bind=other_bind,
        )

    def _delivered(self) -> Fate:
        after_s = self._receipt_delay()
        return Fate(0, Answer.RESPONSE, self._response_delay(), after_s, (Report(after_s, DELIVERED),))

    def _coin(self, options: SmscOptions, name: str) -> Callable[[], bool]:
        share: float = getattr(options, name)
        if not share:
            return lambda: False
        draw = self.stream(name).random
        return lambda: draw() < share
