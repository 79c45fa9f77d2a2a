"""What flights show: receipts, silence and conversions, told to the arrival model and to the breakers.

What leaves by a route while its breaker is open says what an outage is like: it is not the model's to
remember.

Only a sample of the flights is looked at where there are many, and breakers judge a smaller one. Whether a
flight is in it is decided when it leaves: what becomes of it must not matter. Breakers judge first attempts
and trials alone: the later attempts of a job go to handsets that the first one may not have reached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connector.routing import verdict
from connector.routing.arrival import ArrivalModel, Curve
from connector.routing.breaker import Breakers, Kind, Question
from connector.routing.conversion import LOOKS_S, Conversions
from connector.routing.errand import Errand, FailureKind, Flight
from connector.routing.verdict import AGES_S, Forecasts

if TYPE_CHECKING:
    from connector.routing.arrival import Watch

__all__ = ["Evidence", "Track"]

_RATE = 200.0  # flights a second that are looked at
_BURST = 100.0
_JUDGED = 20.0  # flights a second of each route that its breaker judges, and as many at once
_SURE = 20.0  # flights that must be known before what is unusual counts by half
_REFUSED = 0.03  # part of the submits that is refused, before anything is known
_MOST_ROUTES = 4_000
_TRIED_S = 11.0  # a trial that was silent for so long has failed


class Track:
    """A flight that is looked at.

    first    nothing left for the job before
    judged   by the breakers
    watch    the model's; None: it is not to learn from it
    curve    what was usual when it left
    told_at  when its receipt came
    failed   by the route's fault
    over     nothing more is to come
    """

    __slots__ = (
        "cell", "channel", "converted_at", "curve", "deadline_at", "failed", "first", "judged", "klass",
        "left_at", "over", "route", "told_at", "trial", "watch",
    )  # fmt: skip

    def __init__(
        self, flight: Flight, errand: Errand, left_at: float, watch: Watch | None, curve: Curve, *,
        first: bool, judged: bool,
    ) -> None:  # fmt: skip
        self.route = flight.route
        self.channel = flight.channel
        self.cell = errand.cell
        self.klass = errand.klass
        self.left_at = left_at
        self.deadline_at = errand.deadline_at
        self.watch = watch
        self.curve = curve
        self.first = first
        self.judged = judged
        self.trial = flight.trial
        self.failed = False
        self.over = False
        self.told_at: float | None = None
        self.converted_at: float | None = None


class _Bucket:
    """`rate` a second, `burst` at once."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        taken = tokens >= 1.0
        self._tokens = tokens - 1.0 if taken else tokens
        return taken


class _Looks:
    """Tracks that wait for their next look, at fixed ages: first in, first out."""

    def __init__(self, ages_s: tuple[float, ...]) -> None:
        self._ages_s = ages_s
        self._queues: list[deque[tuple[float, Track]]] = [deque() for _ in ages_s]

    def add(self, track: Track, since: float, look: int = 0) -> None:
        """Look at `track` when the age of that number has passed since `since`."""
        if look < len(self._queues):
            self._queues[look].append((since, track))

    def ripe(self, now: float) -> Iterator[tuple[int, float, Track]]:
        """Number of the look, since when, and the track."""
        for look, (age_s, queue) in enumerate(zip(self._ages_s, self._queues, strict=True)):
            until = now - age_s
            while queue and queue[0][0] <= until:
                since, track = queue.popleft()
                yield look, since, track


class Evidence:
    """Where all of it comes in."""

    def __init__(self, model: ArrivalModel, breakers: Breakers, now: float) -> None:
        self.model = model
        self.breakers = breakers
        self.conversions = Conversions()
        self.forecasts = Forecasts()
        self._sample = _Bucket(_RATE, _BURST, now)
        self._judged: dict[str, _Bucket] = {}
        self._left = _Looks(AGES_S)
        self._told = _Looks(LOOKS_S)

    def left(self, flight: Flight, errand: Errand, now: float, *, first: bool) -> Track | None:
        """The track of a flight that leaves now; None: it is not in the sample."""
        if not self._sample.take(now) and not flight.trial:
            return None
        route, channel, cell = flight.route, flight.channel, errand.cell
        curve = self.model.usual(route, channel, cell, now)
        watch = None
        if self.breakers.find(route, cell[0]) is None:
            watch = self.model.sent(route, channel, cell, now, first=first)
        elif first:
            flight.trial = True
        judged = flight.trial or (first and self._is_judged(route, now))
        track = Track(flight, errand, now, watch, curve, first=first, judged=judged)
        if judged:
            self._left.add(track, now)
        return track

    def _is_judged(self, route: str, now: float) -> bool:
        bucket = self._judged.get(route)
        if bucket is None:
            if len(self._judged) >= _MOST_ROUTES:
                self._judged.clear()
            bucket = self._judged[route] = _Bucket(_JUDGED, _JUDGED, now)
        return bucket.take(now)

    def arrived(self, track: Track, at: float) -> None:
        """Its receipt says so, or the call was heard to its end."""
        if track.told_at is not None:
            return
        track.over = True
        track.told_at = at
        if track.watch is not None:
            self.model.arrived(track.watch, at)
        if track.trial:
            ratio = verdict.receipt(track.curve, max(at - track.left_at, 0.01))
            self._tried_out(track, Kind.RECEIPTS, ratio, at)
            if track.converted_at is not None:
                self._tried_out(track, Kind.CONVERSIONS, verdict.unused(0.5)[0], at)
        if track.first and at <= track.deadline_at:
            self._told.add(track, at)  # nobody uses a code that comes too late

    def failed(self, track: Track, at: float, kind: FailureKind) -> None:
        """It will not arrive."""
        if track.over:
            return
        track.over = True
        if track.watch is not None:
            if kind is FailureKind.THROTTLED or kind is FailureKind.REFUSED:  # nothing was taken
                self.model.close(track.watch, track.left_at)
            elif kind is FailureKind.UNANSWERED:
                self.model.close(track.watch, at)
            else:
                self.model.failed(track.watch, at, kind is FailureKind.HANDSET)
        if not track.judged:
            return
        if kind is FailureKind.REFUSED:
            track.judged = False
            self._refusal(track, True, at)
        elif kind is FailureKind.ROUTE:
            track.failed = True
            if track.trial:
                self._trial_failed(track, Kind.RECEIPTS, at)

    def converted(self, track: Track, at: float, *, alone: bool) -> None:
        """The code of this flight was used; `alone`: it cannot be another flight's."""
        if track.converted_at is not None:
            return
        track.converted_at = at
        if track.watch is not None:
            self.model.conversion(track.watch, at, True)
        self.conversions.seen(track.klass, at)
        if track.trial and track.told_at is not None:
            if alone:  # else it may be the code of the follow-up: an invented receipt would close the breaker
                self._tried_out(track, Kind.CONVERSIONS, verdict.unused(0.5)[0], at)
        elif not alone and track.told_at is None:
            track.judged = False

    def unused(self, track: Track, at: float) -> None:
        """The application says that the code was not used."""
        if track.converted_at is None and track.watch is not None:
            self.model.conversion(track.watch, at, False)

    def closed(self, tracks: Sequence[Track], now: float) -> None:
        """Nobody looks at these flights of one errand any more, but for conversions."""
        self.model.over([track.watch for track in tracks if track.watch is not None], now)
        for track in tracks:
            track.over = True

    def tick(self, now: float) -> None:
        """Look at what has reached an age; a few times a second."""
        for look, since, track in self._left.ripe(now):
            if self._was_it_told(track, look, now):
                self._left.add(track, since, look + 1)
        for look, since, track in self._told.ripe(now):
            self._was_it_used(track, look, since, now)
            self._told.add(track, since, look + 1)

    def _was_it_told(self, track: Track, look: int, now: float) -> bool:
        """Its verdict at this age. False: it is not asked again."""
        if not track.judged:
            return False
        age_s = AGES_S[look]
        at = track.left_at + age_s
        if not look:
            self._refusal(track, False, now)
        told = track.told_at is not None and track.told_at <= at
        used = track.converted_at is not None and track.converted_at <= at
        if track.trial:
            if age_s == _TRIED_S and not told and not track.failed:
                self._trial_failed(track, Kind.RECEIPTS, now)
        elif at > track.deadline_at or (track.over and not (told or used or track.failed)):
            # Some that are silent are not looked at any more: those that are told say nothing by themselves.
            return False
        else:
            expected = 1.0 - verdict.told(track.curve, age_s)
            self._say(track, (Kind.RECEIPTS, look), expected, not (told or used), now)
        return True

    def _refusal(self, track: Track, refused: bool, now: float) -> None:
        if not track.trial:
            self._say(track, (Kind.REFUSALS, 0), _REFUSED, refused, now)
        elif refused:
            self._trial_failed(track, Kind.REFUSALS, now)
        else:
            self._tried_out(track, Kind.REFUSALS, verdict.refusal(_REFUSED)[0], now)

    def _was_it_used(self, track: Track, look: int, told_at: float, now: float) -> None:
        if not self.conversions.known(track.klass, now):
            return
        at = told_at + LOOKS_S[look]
        used = track.converted_at is not None and track.converted_at <= at
        if track.converted_at is None and track.watch is not None:
            self.model.conversion(track.watch, at, None)
        if track.judged and not track.trial:
            share = self.conversions.expected(track.klass, track.route, look)
            self._say(track, (Kind.CONVERSIONS, look), 1.0 - share, not used, now)
            if self.breakers.find(track.route, track.cell[0]) is None:
                self.conversions.looked(track.klass, track.route, look, used)
        elif track.trial and not used and look == len(LOOKS_S) - 1:
            self._trial_failed(track, Kind.CONVERSIONS, now)

    def _say(self, track: Track, question: Question, expected: float, bad: bool, now: float) -> None:
        """The verdict of a flight about one question: each says it once."""
        kind, look = question
        route, country = track.route, track.cell[0]
        if self.breakers.find(route, country) is not None:
            return
        usual, sure = self.forecasts.corrected(route, question, expected)
        suspected = self.breakers.suspects(route, question)
        self.forecasts.turned_out(route, question, expected, bad=bad, suspected=suspected)
        if kind is Kind.RECEIPTS:
            ratios = verdict.late_or_not(track.curve, AGES_S[look], usual)
            sure *= track.curve.weight / (track.curve.weight + _SURE)
        else:
            ratios = verdict.refusal(usual) if kind is Kind.REFUSALS else verdict.unused(usual)
        if ratios is not None:
            self.breakers.observe(route, country, question, sure * ratios[bad], track.left_at, now)
            if self.breakers.confined(route, country):
                self.model.confined(route, track.channel, country)

    def _trial_failed(self, track: Track, kind: Kind, now: float) -> None:
        self._tried_out(track, kind, verdict.MOST, now)
        self.breakers.trial_failed(track.route, track.cell[0])

    def _tried_out(self, track: Track, kind: Kind, ratio: float, at: float) -> None:
        if self.breakers.tried_out(track.route, track.cell[0], kind, ratio, at):
            self.model.recovered(track.route, track.channel, at)
