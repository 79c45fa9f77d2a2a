"""What came of the play, and whether it is what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.cli.demo import cast

if TYPE_CHECKING:
    from connector.cli.demo.cast import Mistake
    from connector.cli.demo.filing import Filed
    from connector.cli.demo.hearing import Calls
    from connector.cli.demo.track import Track
    from connector.client import RpcError

__all__ = ["Check", "Refusal", "Result"]


class Refusal(NamedTuple):
    """A job that had to be refused, and the error that came; None when it was accepted."""

    mistake: Mistake
    error: RpcError | None

    @property
    def as_expected(self) -> bool:
        error, mistake = self.error, self.mistake
        return error is not None and (error.code, error.field) == (mistake.code, mistake.field)

    def as_json(self) -> dict[str, Any]:
        error = self.error
        return {
            "what": self.mistake.what,
            "reason": None if error is None else str(error),
            "code": None if error is None else error.code,
            "field": None if error is None else error.field,
        }


class Check(NamedTuple):
    """A promise, and whether it was kept."""

    what: str
    ok: bool


class Result:
    """Filled in by the play."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.refusals: list[Refusal] = []
        self.duplicate = False
        self.calls: Calls | None = None
        self.filed: Filed | None = None
        self._strays = 0
        self._stopped_cleanly = False

    def received_by(self, carriers: Iterable[list[dict[str, Any]]]) -> None:
        """What the handsets of all carriers have, and whether anybody has what was not meant for them."""
        by_number: dict[str, list[str]] = {}
        for received in carriers:
            for message in received:
                by_number.setdefault(message["to"], []).append(message["text"])
        for track in self.tracks:
            texts = by_number.get(track.message.to, [])
            track.received = [text for text in texts if text == track.text]
            by_number[track.message.to] = [text for text in texts if text != track.text]
        self._strays = sum(len(texts) for texts in by_number.values())

    def stopped(self, code: int | None) -> None:
        """The daemon's exit code."""
        self._stopped_cleanly = code == 0

    @property
    def checks(self) -> list[Check]:
        return list(self._checks())

    @property
    def ok(self) -> bool:
        return bool(self.tracks) and all(check.ok for check in self._checks())

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "schema": 1,
            "ok": self.ok,
            "jobs": [track.as_json() for track in self.tracks],
            "voice": None if self.calls is None else self.calls.as_json(),
            "refused": [refusal.as_json() for refusal in self.refusals],
            "evidence": None if self.filed is None else self.filed.as_json(),
            "checks": [check._asdict() for check in self._checks()],
        }

    @property
    def _heard(self) -> bool:
        calls = self.calls
        spoken = [track for track in self.tracks if track.message.spoken]
        return calls is not None and calls.wav is not None and all(track.received_right for track in spoken)

    @property
    def _followed(self) -> bool:
        wanted = [track for track in self.tracks if track.message is cast.FOLLOWED]
        return bool(wanted) and all(track.wrong is None for track in wanted)

    @property
    def _transferred(self) -> bool:
        return self.calls is not None and self.calls.transfer.agent_heard

    def _checks(self) -> Iterator[Check]:
        tracks = self.tracks
        carriers = {name for track in tracks for name in track.carriers}
        yield Check("every job ended as it had to", all(track.wrong is None for track in tracks))
        yield Check(
            "every handset has exactly the text that was meant for it, once",
            all(track.received_right for track in tracks) and not self._strays,
        )
        yield Check("each telephone heard its code, by ear of the matched filter", self._heard)
        yield Check("key 0 brought the agent, whose words were heard", self._transferred)
        yield Check("what had to be refused was refused", all(each.as_expected for each in self.refusals))
        yield Check("a job submitted twice was sent once", self.duplicate)
        yield Check("a silent carrier's code came by another one, in time", self._followed)
        yield Check(f"carriers used: {', '.join(sorted(carriers))}", len(carriers) > 1)
        filed = self.filed
        yield Check(
            "the evidence is whole, and there is a certificate to file",
            filed is not None and filed.verified and filed.certificate is not None,
        )
        yield Check("the daemon drained and stopped", self._stopped_cleanly)
