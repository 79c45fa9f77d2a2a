"""Fixed stories of the reserved numbers +447700900000 to +447700900999.

The range is set aside for fiction (Ofcom, numbers for use in TV and radio drama), so these numbers reach
nobody: whoever submits to one gets the same story every time, whatever faults are turned on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .fates import DELIVERED, EARLY_LEAD_S, UNDELIVERABLE, Answer, Fate, Report, State

PREFIX = "447700900"

ENROUTE = State(1, b"ENROUTE", intermediate=True)
EXPIRED = State(3, b"EXPIRED", b"027")
DELETED = State(4, b"DELETED", b"028")
ACCEPTED = State(6, b"ACCEPTD")
UNKNOWN = State(7, b"UNKNOWN", b"255")
REJECTED = State(8, b"REJECTD", b"375")
FAILED = State(5, b"FAILED", b"002")

SOON_S = 0.2
"""When the handset has a message whose story says nothing else."""


@dataclass(frozen=True, slots=True)
class Story:
    """`refusals` submits are refused with `refusal_status`, the next one meets `fate`; and so on."""

    title: str
    fate: Fate
    refusals: int = 0
    refusal_status: int = 0


def _told(*reports: tuple[float, State], arrival_s: float | None = SOON_S, **rest: Any) -> Fate:
    fate = Fate(arrival_s=arrival_s, reports=tuple(Report(after_s, state) for after_s, state in reports))
    return fate._replace(**rest)


_DELIVERED = _told((SOON_S, DELIVERED))

_SHORT: dict[int, Story] = {
    0: Story("delivered", _DELIVERED),
    1: Story("receipt before the response",
             _told((0.0, DELIVERED), arrival_s=0.0, receipt_first=True, response_delay_s=EARLY_LEAD_S)),
    2: Story("delivered, never a receipt", _told()),
    3: Story("accepted, never arrives, never a receipt", _told(arrival_s=None)),
    4: Story("the response never comes, the message and its receipt do",
             _told((SOON_S, DELIVERED), answer=Answer.MISSING)),
    5: Story("the response never comes, nothing else either", _told(arrival_s=None, answer=Answer.MISSING)),
    6: Story("undelivered receipt", _told((SOON_S, UNDELIVERABLE), arrival_s=None)),
    7: Story("expired receipt", _told((SOON_S, EXPIRED), arrival_s=None)),
    8: Story("rejected by the network after it was accepted", _told((SOON_S, REJECTED), arrival_s=None)),
    9: Story("receipt UNKNOWN, nothing more", _told((SOON_S, UNKNOWN))),
    10: Story("receipt ACCEPTD, nothing more", _told((SOON_S, ACCEPTED))),
    11: Story("receipt ACCEPTD, then DELIVRD", _told((0.1, ACCEPTED), (SOON_S, DELIVERED))),
    12: Story("intermediate ENROUTE, then DELIVRD", _told((0.1, ENROUTE), (SOON_S, DELIVERED))),
    13: Story("delivered receipt twice", _told((SOON_S, DELIVERED), (0.3, DELIVERED))),
    14: Story("DELIVRD, then UNDELIV: a final state never goes back",
              _told((SOON_S, DELIVERED), (0.3, UNDELIVERABLE))),
    15: Story("deleted receipt", _told((SOON_S, DELETED), arrival_s=None)),
    16: Story("receipt with the six-letter FAILED", _told((SOON_S, FAILED), arrival_s=None)),
    17: Story("receipt on another bind of the account", _told((SOON_S, DELIVERED), other_bind=True)),
    70: Story("the connection is cut instead of a response", _told((SOON_S, DELIVERED), answer=Answer.CUT)),
    71: Story("the connection falls silent", _told((SOON_S, DELIVERED), answer=Answer.SILENCE)),
    72: Story("garbage instead of a response", _told((SOON_S, DELIVERED), answer=Answer.GARBAGE)),
}  # fmt: skip

_REJECTED: dict[int, int] = {
    40: 0x0A,  # ESME_RINVSRCADR
    41: 0x0B,  # ESME_RINVDSTADR
    42: 0x45,  # ESME_RSUBMITFAIL
    43: 0x08,  # ESME_RSYSERR
    44: 0x61,  # ESME_RINVSCHED
    45: 0x62,  # ESME_RINVEXPIRY
    46: 0x64,  # ESME_RX_T_APPN
    47: 0x65,  # ESME_RX_P_APPN
    48: 0xC3,  # ESME_RMISSINGOPTPARAM
    49: 0xC4,  # ESME_RINVOPTPARAMVAL
    50: 0xFF,  # ESME_RUNKNOWNERR
    51: 0x42A,  # a vendor's own
}

STORIES: dict[bytes, Story] = {
    f"{PREFIX}{number:03}".encode(): story
    for number, story in {
        **{number: Story("delivered", _DELIVERED) for number in range(1000)},
        **_SHORT,
        **{20 + k: Story(f"throttled (0x58) {k} times, then delivered", _DELIVERED, k, 0x58)
           for k in range(1, 10)},
        **{30 + k: Story(f"message queue full (0x14) {k} times, then delivered", _DELIVERED, k, 0x14)
           for k in range(1, 10)},
        **{number: Story(f"rejected by status 0x{status:02X}", Fate(status=status, reports=()))
           for number, status in _REJECTED.items()},
        **{60 + n: Story(f"response {n} s late", _told((n + SOON_S, DELIVERED), response_delay_s=float(n)))
           for n in range(1, 10)},
        **{100 + n: Story(f"delivered {n} s late", _told((float(n), DELIVERED), arrival_s=float(n)))
           for n in range(1, 100)},
    }.items()
}  # fmt: skip
"""Number (international, no plus) to story; numbers without one of their own are delivered."""
