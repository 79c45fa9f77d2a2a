"""What a number tells of itself: country, kind, network, and whether it can exist.

The numbering plans are those of the library phonenumbers, whose own functions cost 100 µs a number. Here a
plan becomes one regular expression for each calling code and length, made when the first such number comes;
the answers are the library's (a test compares them).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

from .networks import network_of
from .plan import Plan, load_plans, plan_of

__all__ = ["Destination", "Kind", "analyse", "prepare"]

Kind = Literal["mobile", "fixed", "fixed_or_mobile", "premium", "shared_cost", "satellite", "other"]


class Destination(NamedTuple):
    """Where a number leads.

    country  ISO 3166 code such as "DE"; that of the calling code where the number is not valid, "" where the
             code is no country's
    kind     "other" has all that is neither of the six before it, numbers that are not valid included; but
             what begins as a satellite system's number is one
    network  who was given the number's block; the subscriber may have moved since. "" where unknown
    valid    whether such a number can have been assigned
    """

    country: str
    kind: Kind
    network: str
    valid: bool

    @property
    def cell(self) -> tuple[str, str]:
        """(country, network): what the arrival model is kept by."""
        return self.country, self.network


UNKNOWN: Final = Destination("", "other", "", False)
_SATELLITE_UNKNOWN: Final = Destination("", "satellite", "", False)

# Set aside for fiction, so that no plan has them; the simulator's handsets answer to them.
_RESERVED_PREFIX: Final = "+447700900"
_RESERVED: Final = Destination("GB", "mobile", "", True)

# Global mobile satellite systems (ITU-T E.164 annex): Inmarsat, the shared code 881, EMSAT and Thuraya.
_SATELLITE: Final = ("+870", "+881", "+88213", "+88216")

_NETWORK_KINDS: Final = frozenset(["mobile", "fixed_or_mobile", "pager"])
_KINDS: Final[dict[str, Kind]] = {
    "mobile": "mobile", "fixed": "fixed", "fixed_or_mobile": "fixed_or_mobile", "premium": "premium",
    "shared_cost": "shared_cost",
}  # fmt: skip

_REMEMBERED: Final = 1_024
"""Numbers: that of a job is asked for by gate, guards, course and call, one soon after the other."""


def prepare() -> None:
    """Read the tables of all countries now: a tenth of a second that the first numbers would pay."""
    load_plans()
    network_of("0")


@lru_cache(_REMEMBERED)
def analyse(number: str) -> Destination:
    """Of an E.164 number with +. Never raises: what cannot be read is not valid."""
    if number.startswith(_RESERVED_PREFIX) and len(number) == 13:
        return _RESERVED
    plan = plan_of(number)
    if plan is None:
        return _unknown(number)
    national = plan.national(number[plan.offset :])
    if national is None:
        return _unknown(number)
    region, kind = plan.look_up(national)
    if kind in _NETWORK_KINDS:
        network = network_of(f"{plan.calling_code}{national}")
    else:
        network = ""
    known = plan.known.get((region, kind, network))
    return known if known is not None else _new(plan, number, region, kind, network)


def _unknown(number: str) -> Destination:
    """Satellite systems are what their codes say: what they bill does not depend on our plans."""
    return _SATELLITE_UNKNOWN if number.startswith(_SATELLITE) else UNKNOWN


def _new(plan: Plan[Destination], number: str, region: str, kind: str, network: str) -> Destination:
    ours: Kind = "satellite" if number.startswith(_SATELLITE) else _KINDS.get(kind, "other")
    destination = Destination(region, ours, network, bool(kind))
    # One object for all numbers alike; there are as many as networks, and jobs keep it. Of 882, which has
    # more than satellites, what the plan says does not tell them apart.
    if not number.startswith("+882"):
        plan.known[region, kind, network] = destination
    return destination
