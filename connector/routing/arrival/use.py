"""What follows a receipt: a code that arrived is used, one that was only said to have arrived is not.

A flight with a receipt is looked at 6, 12 and 25 s after it. P(used by each look | it arrived) is learned
over all routes; a route whose receipted first flights are used much more rarely sends invented receipts.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from connector.routing.arrival.unannounced import Unannounced
from connector.routing.arrival.watch import Watch

__all__ = ["LOOKS_S", "TELL", "Reference", "Use"]

LOOKS_S: Final = (6.0, 12.0, 25.0)
_MEMORIES: Final = (30.0, 2000.0)
"""In flights: what is happening, and what used to be."""
_LONGER: Final = 24.0
_LN2: Final = 0.6931471805599453
_INVENTED: Final = (*(i / 20 for i in range(20)), 0.99)
_HONEST: Final = 0.97  # believed beforehand of a route
_PRIOR: Final = tuple(log(_HONEST if i == 0 else (1.0 - _HONEST) / 20.0) for i in range(21))
_LATE: Final = 0.01  # uses a second after the last look, of the unused
_PRIOR_MEAN: Final = (1.0 - _HONEST) / 20.0 * sum(_INVENTED)
_FEW: Final = 5.0
TELL: Final = 0.9
"""Below this trust the doubt is put into words."""


class Tally:
    """Flights by what the looks showed: used before look 1, 2, 3 or after; not used by look 1, 2, 3."""

    __slots__ = ("at", "clock", "half_life_s", "memory", "unused", "used")

    def __init__(self, memory: float, half_life_s: float, now: float) -> None:
        self.memory = memory
        self.half_life_s = half_life_s
        self.at = now
        self.clock = 0.0
        self.used = [0.0, 0.0, 0.0, 0.0]
        self.unused = [0.0, 0.0, 0.0]

    def pass_to(self, now: float) -> None:
        """Time fades the flights too."""
        if now - self.at > 1.0:
            self._fade((now - self.at) * _LN2 / self.half_life_s * self.memory)
            self.at = now

    def enter(self) -> None:
        """One more flight; those before it fade."""
        self._fade(1.0)

    def _fade(self, steps: float) -> None:
        self.clock += steps
        factor = exp(-steps / self.memory)
        self.used = [a * factor for a in self.used]
        self.unused = [a * factor for a in self.unused]

    def weight(self, mark: float) -> float:
        """What a flight that entered at `mark` still weighs."""
        return exp((mark - self.clock) / self.memory)

    def total(self) -> float:
        return sum(self.used) + sum(self.unused)


class Use:
    """One route's receipted first flights and what became of them."""

    __slots__ = ("tallies", "trust", "unannounced", "version")

    def __init__(self, half_life_s: float, now: float) -> None:
        self.tallies = (
            Tally(_MEMORIES[0], half_life_s, now),
            Tally(_MEMORIES[1], half_life_s * _LONGER, now),
        )
        self.unannounced = Unannounced(now)
        self.trust = 1.0
        self.version = 0

    def look(self, watch: Watch, used: bool | None, usual: bool) -> None:
        """A look passed (None), the code was used, or it is known that it will not be (False).

        `usual`: what used to be may be learned from it.
        """
        entered = watch.mark >= 0.0
        if not entered:
            watch.mark = self.tallies[0].clock + 1.0
            watch.usual = usual
        before = watch.looks
        if used is None:
            watch.looks = min(before + 1, 3)
        elif used is False:
            watch.looks = 3
        for tally in self.tallies if watch.usual else self.tallies[:1]:
            if not entered:
                tally.enter()
            weight = tally.weight(watch.mark) if tally is self.tallies[0] else 1.0
            if entered and before:
                tally.unused[before - 1] = max(tally.unused[before - 1] - weight, 0.0)
            if used:
                tally.used[before] += weight
            elif watch.looks:
                tally.unused[watch.looks - 1] += weight

    def forget(self) -> None:
        """The route is as usual again, as was found out elsewhere."""
        self.tallies[0].used = [0.0] * 4
        self.tallies[0].unused = [0.0] * 3

    def judge(self, reference: Reference, now: float) -> None:
        """Renew the trust: the mean of the posterior of the share of invented receipts."""
        for tally in self.tallies:
            tally.pass_to(now)
        tally = self.tallies[0]
        used = sum(tally.used)
        logs = []
        for invented, prior in zip(_INVENTED, _PRIOR, strict=True):
            total = prior + used * log(1.0 - invented)
            for unused, by_then in zip(tally.unused, reference.by_look, strict=True):
                total += unused * log(max(invented + (1.0 - invented) * (1.0 - by_then), 1e-9))
            logs.append(total)
        top = max(logs)
        weights = [exp(value - top) for value in logs]
        mean = sum(w * share for w, share in zip(weights, _INVENTED, strict=True)) / sum(weights)
        # What is only believed beforehand is no doubt.
        trust = min((1.0 - mean) / (1.0 - _PRIOR_MEAN), 1.0)
        if abs(trust - self.trust) > 1e-4:
            self.trust = trust
            self.version += 1

    def doubt(self, reference: Reference) -> str:
        """Why the receipts are doubted, in words; "" when they are not."""
        if self.trust >= TELL:
            return ""
        tally = self.tallies[0]
        total = tally.total()
        return (
            f"of {total:.0f} receipts only {sum(tally.used):.0f} were followed by use; "
            f"elsewhere {reference.by_look[-1] * 100.0:.0f} %"
        )


class Reference:
    """P(used by each look | arrived), over all routes."""

    __slots__ = ("by_look", "lost")

    def __init__(self) -> None:
        self.lost = False
        """Every route is doubted: then not the receipts are wrong, but use is not told any more."""
        self.by_look = [0.0, 0.0, 0.0]

    def learn(self, uses: list[Use]) -> None:
        """Anew from all routes."""
        known = [use for use in uses if use.tallies[0].total() > _FEW]
        self.lost = len(known) > 0 and all(use.trust < TELL for use in known)
        used = [0.0, 0.0, 0.0, 0.0]
        unused = [0.0, 0.0, 0.0]
        for use in uses:
            tally = use.tallies[1]
            for k in range(4):
                used[k] += tally.used[k]
            for k in range(3):
                unused[k] += tally.unused[k]
        left = 1.0
        for k in range(3):
            entered = sum(used[k:]) + sum(unused[k:])
            left *= 1.0 - used[k] / (entered + 3.0)
            self.by_look[k] = 1.0 - left

    def by(self, s: float) -> float:
        """P(used within `s` of arriving), straight lines between the looks."""
        before_s, before = 0.0, 0.0
        for look_s, by_then in zip(LOOKS_S, self.by_look, strict=True):
            if s < look_s:
                return before + (by_then - before) * max(s - before_s, 0.0) / (look_s - before_s)
            before_s, before = look_s, by_then
        return before

    def rate(self, s: float) -> float:
        """Uses a second, `s` after arriving."""
        before_s, before = 0.0, 0.0
        for look_s, by_then in zip(LOOKS_S, self.by_look, strict=True):
            if s < look_s:
                return (by_then - before) / (look_s - before_s)
            before_s, before = look_s, by_then
        return (1.0 - before) * _LATE
