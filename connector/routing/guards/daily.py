"""What applications may spend in a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final

from .ask import Objection, Verdict
from .parts import Parts, merged, parts_of

if TYPE_CHECKING:
    from connector.config.guards import BudgetGuard

__all__ = ["DAY_S", "Account", "Budget"]

DAY_S: Final = 86_400.0
_SLICE_S: Final = 60.0
_SLICES: Final = 10
_MOST_ACCOUNTS: Final = 10_000


class Account:
    """One application's day of UTC.

    spent    on what has left
    ahead    asked for by jobs of the last ten minutes, less what has left in them: where it is more than 0,
             that has not left yet and is as good as spent
    since, until  it stays as it is between them; else `turn` first
    """

    __slots__ = ("ahead", "day", "recent", "since", "spent", "until")

    def __init__(self) -> None:
        self.day = -1
        self.spent = self.ahead = 0.0
        self.since = self.until = 0.0
        self.recent: list[list[float]] = []  # begin, asked for, spent; newest last

    def turn(self, now: float) -> None:
        """Go on to the minute, and the day, of `now`."""
        day = int(now // DAY_S)
        if day != self.day:
            self.day, self.spent = day, 0.0
        oldest = now - _SLICE_S * _SLICES
        self.recent = [each for each in self.recent[1 - _SLICES :] if oldest < each[0] <= now]
        self.recent.append([now, 0.0, 0.0])
        self.ahead = sum(asked - spent for _, asked, spent in self.recent)
        self.since, self.until = now, min(now + _SLICE_S, (day + 1) * DAY_S)

    def total(self) -> float:
        return self.spent + max(self.ahead, 0.0)

    def fits(self, price: float, limit: float, now: float) -> bool:
        if not self.since <= now < self.until:
            self.turn(now)
        ahead = self.ahead
        return self.spent + (ahead if ahead > 0.0 else 0.0) + price <= limit

    def ask(self, price: float, now: float) -> None:
        """A job may cost so much."""
        if not self.since <= now < self.until:
            self.turn(now)
        self.recent[-1][1] += price
        self.ahead += price

    def pay(self, price: float, now: float) -> None:
        """Something has left; below 0: it was turned away, and costs nothing."""
        if not self.since <= now < self.until:
            self.turn(now)
        self.recent[-1][2] += price
        self.ahead -= price
        self.spent = max(0.0, self.spent + price)  # it may have left yesterday


class Budget:
    """In the currency of the prices. `own`: of applications that have one.

    A job counts with its price when it is accepted, and with what it really cost when that is known. What
    neither leaves nor ends within ten minutes counts again when it leaves.
    """

    name = "budget"

    def __init__(self, rules: BudgetGuard, own: Mapping[str, float]) -> None:
        self.dry_run = rules.dry_run
        self._own = own
        self._per_day = rules.per_day
        self._accounts: dict[str, Account] = {}

    def limit(self, app: str) -> float:
        """Of a day, and a little more: sums of prices are not exact. inf: none."""
        limit = self._own.get(app, self._per_day)
        return inf if limit is None else limit * (1.0 + 1e-9)

    def account(self, app: str) -> Account:
        account = self._accounts.get(app)
        if account is None:
            account = self._accounts[app] = Account()
        return account

    def judge(self, account: Account, price: float, limit: float, now: float) -> Objection | None:
        if account.fits(price, limit, now):
            return None
        again_s = (account.day + 1) * DAY_S - now
        verdict = Verdict("this application has spent its budget of the day", "", round(again_s, 3))
        return Objection(self.name, self.dry_run, verdict)

    def dump(self, now: float) -> Parts:
        accounts, today = self._accounts, int(now // DAY_S)

        def part(apps: Sequence[str]) -> Any:
            return {
                app: [account.day, account.spent, account.recent]
                for app in apps
                if (account := accounts[app]).day >= today
            }

        return parts_of(accounts, _MOST_ACCOUNTS, part)

    def restore(self, parts: Any, now: float) -> None:
        for app, (day, spent, recent) in merged(parts, _MOST_ACCOUNTS).items():
            account = Account()
            account.day, account.spent = int(day), _finite(spent)
            account.recent = [[_finite(x) for x in (begin, asked, out)] for begin, asked, out in recent]
            account.turn(now)
            self._accounts[str(app)] = account

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        rows = []
        for app, account in sorted(self._accounts.items()):
            account.turn(now)
            limit = self._own.get(app, self._per_day)
            rows.append({"application": app, "spent": round(account.total(), 6), "limit": limit})
        yield "applications", rows


def _finite(value: Any) -> float:
    if not isfinite(amount := float(value)):
        raise ValueError("no amount")
    return amount
