"""Guards that look at the destination alone: they remember nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .ask import Ask, Objection, Verdict
from .ranges import ALL, RANGES, Prefixed

if TYPE_CHECKING:
    from connector.config.guards import GuardRules

__all__ = ["Destinations"]

_COUNTRY: Final = Verdict("the number's country is not one that this application may send to")
_BLOCKED: Final = Verdict("numbers that begin so are blocked in this lane")
_KINDS: Final = {
    "premium": Verdict("premium-rate numbers get nothing in this lane"),
    "shared_cost": Verdict("shared-cost numbers get nothing in this lane"),
    "satellite": Verdict("satellite telephones get nothing in this lane"),
    "other": Verdict("numbers of this kind get nothing in this lane"),
}


class Destinations:
    """The guards countries, prefixes, kinds and high_cost. `own`: the countries of applications that name
    theirs.
    """

    names = ("countries", "prefixes", "kinds", "high_cost")

    def __init__(self, rules: GuardRules, own: Mapping[str, frozenset[str]]) -> None:
        self._rules = rules
        self._own = own
        self._allowed = frozenset(rules.countries.allowed)
        blocked = dict.fromkeys(rules.prefixes.blocked, False)
        permitted = dict.fromkeys(rules.prefixes.permitted, True)
        # True: permitted whatever other guards say.
        self._prefixes: Prefixed[bool] = Prefixed({**blocked, **permitted})
        self._messages = frozenset(rules.high_cost.messages)
        self._calls = frozenset(rules.high_cost.calls)
        prefixes = {**blocked, **permitted, **{range.prefix: True for range in ALL}}
        self.longest = max(map(len, prefixes))
        """Of all prefixes: numbers that differ after it only are alike."""

    def judge(self, ask: Ask) -> tuple[Objection, ...]:
        """All objections to a job, in the order of the guards."""
        rules = self._rules
        found: list[Objection] = []
        allowed = self._own.get(ask.app, self._allowed)
        if allowed and ask.destination.country not in allowed:
            found.append(Objection("countries", rules.countries.dry_run, _COUNTRY))
        known = self._prefixes.find(ask.number)
        if known is False:
            found.append(Objection("prefixes", rules.prefixes.dry_run, _BLOCKED))
        kind = ask.destination.kind
        if kind in rules.kinds.blocked and not known:
            found.append(Objection("kinds", rules.kinds.dry_run, _KINDS[kind]))
        # What may go as a message where it may not go as a call goes: `call` is for the rest.
        if "voice" not in ask.channels:
            groups = self._messages
        else:
            groups = self._messages & self._calls if "sms" in ask.channels else self._calls
        dear = self._dear(ask.number, groups)
        return (*found, dear) if dear is not None else tuple(found)

    def call(self, number: str) -> Objection | None:
        """To a call, whatever else its job may use."""
        return self._dear(number, self._calls)

    def _dear(self, number: str, groups: frozenset[str]) -> Objection | None:
        found = RANGES.find(number)
        if found is None or found.group not in groups or self._prefixes.find(number):
            return None
        verdict = Verdict(f"the number is in a dear range: {found.reason}")
        return Objection("high_cost", self._rules.high_cost.dry_run, verdict)
