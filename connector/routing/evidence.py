"""What flights show: receipts, silence and conversions, told to the arrival model and to the breakers.

What leaves by a route while its breaker is open says what an outage is like: it is not the model's to
remember, and what left shortly before is taken back from it.

Only a sample of the flights is looked at where there are many. Whether one is in it is decided when it
leaves: what becomes of it must not matter. Breakers judge first attempts and trials alone: the later attempts
of a job go to handsets that the first one may not have reached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import log
from typing import TYPE_CHECKING

from connector.routing.arrival import ArrivalModel, Curve
from connector.routing.breaker import Breakers, Kind
from connector.routing.conversion import LOOKS_S, Conversions
from connector.routing.errand import Errand, FailureKind, Flight

if TYPE_CHECKING:
    from connector.routing.arrival import Watch

__all__ = ["Evidence", "Track"]

_AGES_S = (2.0, 4.0, 7.0, 11.0, 17.0, 26.0, 40.0)
"""When a silent flight is looked at: silence is evidence long before the deadline."""
_NEVER_S = 600.0
_OUTAGE = 0.3  # part that still arrives as usual in the outage that a breaker looks for
_LATER = (3.0, 10.0)  # and how many times later the rest, each alike
_UNUSED = 0.2  # part of the usual conversions that is left when receipts are invented
_MOST = 2.0  # a single late receipt says no more than this
_LEAST_SILENCE = 0.03  # nobody is known to be better than this
_SURE = 20.0  # flights that must be known before what is unusual counts by half
_BACK_S = 15.0  # an outage is taken to have begun so long before it was noticed
_RATE = 200.0  # flights a second that are looked at
_BURST = 100.0


class Track:
    """A flight that is looked at.

    judged   by the breakers
    watch    the model's; None: it is not to learn from it
    curve    what was usual when it left
    held     what its silence has added to the sums
    unused   the same of its receipt without conversion
    told_at  when its receipt came
    """

    __slots__ = (
        "cell", "channel", "converted_at", "curve", "deadline_at", "held", "judged", "klass", "left_at",
        "over", "route", "told_at", "trial", "unused", "watch",
    )  # fmt: skip

    def __init__(
        self, flight: Flight, errand: Errand, left_at: float, watch: Watch | None, curve: Curve, *,
        judged: bool,
    ) -> None:  # fmt: skip
        self.route = flight.route
        self.channel = flight.channel
        self.cell = errand.cell
        self.klass = errand.klass
        self.left_at = left_at
        self.deadline_at = errand.deadline_at
        self.watch = watch
        self.curve = curve
        self.judged = judged
        self.trial = flight.trial
        self.held = 0.0
        self.unused = 0.0
        self.over = False
        self.told_at: float | None = None
        self.converted_at: float | None = None


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

    def __iter__(self) -> Iterator[Track]:
        for queue in self._queues:
            for _, track in queue:
                yield track


class Evidence:
    """Where all of it comes in."""

    def __init__(self, model: ArrivalModel, breakers: Breakers, now: float) -> None:
        self.model = model
        self.breakers = breakers
        self.conversions = Conversions()
        self._tokens = _BURST
        self._tokens_at = now
        self._silent = _Looks(_AGES_S)
        self._told = _Looks(LOOKS_S)

    def left(self, flight: Flight, errand: Errand, now: float, *, first: bool) -> Track | None:
        """The track of a flight that leaves now; None: it is not in the sample."""
        tokens = self._tokens + (now - self._tokens_at) * _RATE
        self._tokens_at = now
        if tokens < 1.0 and not flight.trial:
            self._tokens = tokens
            return None
        self._tokens = max(0.0, min(_BURST, tokens) - 1.0)
        route, channel, cell = flight.route, flight.channel, errand.cell
        curve = self.model.usual(route, channel, cell, now)
        watch = None
        if self.breakers.find(route, cell[0]) is None:
            watch = self.model.sent(route, channel, cell, now, first=first)
        elif first:
            flight.trial = True
        track = Track(flight, errand, now, watch, curve, judged=first or flight.trial)
        if track.judged:
            self._silent.add(track, now)
        return track

    def arrived(self, track: Track, at: float) -> None:
        """Its receipt says so, or the call was heard to its end."""
        if track.told_at is not None:
            return
        track.over = True
        track.told_at = at
        if track.watch is not None:
            self.model.arrived(track.watch, at)
        if track.judged:
            ratio = _receipt_ratio(track.curve, max(at - track.left_at, 0.01))
            # Of a trial the whole counts at once: its silence was no news to an open breaker.
            self._observe(track, Kind.RECEIPTS, ratio if track.trial else ratio - track.held, at)
            if at <= track.deadline_at:
                self._told.add(track, at)  # nobody uses a code that comes too late
            if track.converted_at is not None:
                self._observe(track, Kind.CONVERSIONS, log(_UNUSED), at)

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
        if track.judged and (kind is FailureKind.ROUTE or kind is FailureKind.REFUSED):
            self._observe(track, Kind.RECEIPTS, _failure_ratio(track.curve) - track.held, at)
            self._trial_failed(track)

    def converted(self, track: Track, at: float) -> None:
        """The code of this flight was used."""
        if track.converted_at is None:
            track.converted_at = at
            if track.watch is not None:
                self.model.conversion(track.watch, at, True)
            self.conversions.seen(track.klass, at)
            if track.judged and track.told_at is not None:
                self._observe(track, Kind.CONVERSIONS, log(_UNUSED) - track.unused, at)

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
        for look, since, track in self._silent.ripe(now):
            if not track.over:
                self._still_silent(track, look, now)
                self._silent.add(track, since, look + 1)
        for look, since, track in self._told.ripe(now):
            self._was_it_used(track, look, since, now)
            self._told.add(track, since, look + 1)

    def _still_silent(self, track: Track, look: int, now: float) -> None:
        total = _silence_ratio(track.curve, _AGES_S[look])
        ratio, track.held = total - track.held, total
        self._observe(track, Kind.RECEIPTS, ratio, now)
        if _AGES_S[look] == 11.0:
            self._trial_failed(track)

    def _was_it_used(self, track: Track, look: int, told_at: float, now: float) -> None:
        if not self.conversions.known(track.klass, now):
            return
        at = told_at + LOOKS_S[look]
        used = track.converted_at is not None and track.converted_at <= at
        if track.converted_at is None:
            if track.watch is not None:
                self.model.conversion(track.watch, at, None)
            share = self.conversions.expected(track.klass, track.route, look)
            total = log((1.0 - _UNUSED * share) / (1.0 - share))
            ratio, track.unused = total - track.unused, total
            self._observe(track, Kind.CONVERSIONS, ratio, now)
            if look == len(LOOKS_S) - 1:
                self._trial_failed(track)
        if self.breakers.find(track.route, track.cell[0]) is None:
            self.conversions.looked(track.klass, track.route, look, used)

    def _trial_failed(self, track: Track) -> None:
        if track.trial:
            self.breakers.trial_failed(track.route, track.cell[0])

    def _observe(self, track: Track, kind: Kind, ratio: float, at: float) -> None:
        version = self.breakers.version
        ratio *= track.curve.weight / (track.curve.weight + _SURE)
        closed = self.breakers.observe(track.route, track.cell[0], kind, ratio, at, trial=track.trial)
        if closed:
            self.model.recovered(track.route, track.channel, at)
        elif self.breakers.version != version:
            self._take_back(track.route, at - _BACK_S)

    def _take_back(self, route: str, since: float) -> None:
        """Its breaker has opened: what has not arrived yet left during the outage, as far as can be told."""
        for track in self._silent:
            if track.route != route or track.watch is None or track.over or track.left_at < since:
                continue
            if self.breakers.find(route, track.cell[0]) is not None:
                self.model.close(track.watch, track.left_at)
                track.watch = None


def _silence_ratio(curve: Curve, s: float) -> float:
    """Log P(nothing heard for s | outage) / P(nothing heard for s | as usual)."""
    later = sum(_told(curve, s / factor) for factor in _LATER) / len(_LATER)
    return log(1.0 + (1.0 - _OUTAGE) * (_told(curve, s) - later) / max(curve.silence(s), _LEAST_SILENCE))


def _failure_ratio(curve: Curve) -> float:
    """The same of a message that the route has given up."""
    told = min(_told(curve, _NEVER_S), 0.999)
    return min(_MOST, log(1.0 + (1.0 - _OUTAGE) * told / (1.0 - told)))


def _receipt_ratio(curve: Curve, s: float) -> float:
    """The same of a receipt after `s`, of the densities there."""
    usual = _density(curve, s)
    late = sum(_density(curve, s / factor) / factor for factor in _LATER) / len(_LATER)
    if usual <= 0.0:
        return _MOST if late > 0.0 else 0.0
    return min(_MOST, log(_OUTAGE + (1.0 - _OUTAGE) * late / usual))


def _density(curve: Curve, s: float) -> float:
    return (_told(curve, s * 1.25) - _told(curve, s * 0.8)) / (0.45 * s)


def _told(curve: Curve, s: float) -> float:
    """P(receipt within s)."""
    return curve.p(s) / (curve.trust + curve.unannounced)
