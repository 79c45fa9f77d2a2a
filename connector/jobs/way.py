"""The way of a job: which channel its journey takes, and what a call is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from connector.config import Config, Journey, ScriptSettings
from connector.errors import ConnectorError
from connector.model import Voice
from connector.templates import Wording, speak
from protocols.rpc.job import ParamValue

__all__ = ["Way", "Ways"]

_USUAL_SCRIPT = ScriptSettings()
_RINGING_S = 60.0


class Way(NamedTuple):
    """What is the same of all jobs of one journey.

    written  there are texts
    script   that its calls follow, empty for the built-in one; None: there are no calls
    follow   of model.LiveJob
    """

    name: str
    journey: Journey
    written: bool
    script: str | None
    follow: int


class Ways:
    """What jobs may ask for, by one configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ways = {name: _way(name, journey) for name, journey in config.journeys.items()}
        self._trunks = [trunk for trunk in config.trunks if trunk.enabled]
        sms = any(carrier.enabled for carrier in config.carriers)
        self._default = config.jobs.journey or ("sms" if sms else "voice")
        self.caller_ids = tuple(
            dict.fromkeys(number for trunk in self._trunks for number in trunk.calls.caller_ids)
        )
        # A call may begin at the last moment before the deadline.
        self.longest_call_s = max(
            (trunk.calls.ring_s + trunk.calls.max_s + _RINGING_S for trunk in self._trunks), default=0.0
        )
        self._languages = {tag.casefold(): tag for tag in config.voice.languages}

    def of(self, journey: str | None) -> Way:
        """That of the journey of this name. Raises ConnectorError when there is none."""
        name = journey or self._default
        found = self._ways.get(name)
        if found is None:
            near = get_close_matches(name, self._ways, n=1)
            raise ConnectorError(
                "invalid_job",
                f"expected: one of {', '.join(sorted(self._ways))}",
                field="journey",
                hint=f"did you mean {near[0]!r}?" if near else None,
            )
        return found

    def voice(self, params: Mapping[str, ParamValue], script_name: str | None, wording: Wording) -> Voice:
        """What a call would say. Raises ConnectorError naming what is missing for it."""
        code, message = speak(wording, params)
        script = self._config.scripts[script_name] if script_name else _USUAL_SCRIPT
        if script.kind == "code" and not code:
            raise _unspeakable(wording, "no `code` in its [voice] table, which a script of kind code says")
        if script.kind != "code" and not message:
            raise _unspeakable(
                wording, f"no `say` in its [voice] table, which a script of kind {script.kind} says"
            )
        return Voice(script_name or "", self._language(wording.lang), code, message)

    def require_trunk(self, recipient: str, sender: str, names: Collection[str]) -> None:
        """Some trunk of `names` must take the number and have the caller id."""
        takers = [
            trunk for trunk in self._trunks if trunk.name in names and trunk.destination.takes(recipient)
        ]
        if not takers:
            raise ConnectorError("invalid_job", "no trunk of this lane takes this number", field="to")
        if sender and not any(sender in trunk.calls.caller_ids for trunk in takers):
            raise ConnectorError(
                "invalid_job", "no trunk that takes this number has this caller id", field="sender"
            )

    def _language(self, lang: str) -> str:
        """That of the prompts (RFC 4647 §3.4)."""
        subtags = lang.casefold().split("-")
        while subtags:
            if (found := self._languages.get("-".join(subtags))) is not None:
                return found
            subtags.pop()
        known = ", ".join(self._config.voice.languages)
        raise ConnectorError(
            "invalid_job", f'no calls in "{lang}": [voice] languages has {known}', field="lang"
        )


def _way(name: str, journey: Journey) -> Way:
    steps = journey.steps
    scripts = [step.script or "" for step in steps if step.channel == "voice"]
    single = len(steps) == 1 and steps[0].attempts == 1
    return Way(
        name,
        journey,
        written=any(step.channel == "sms" for step in steps),
        script=scripts[0] if scripts else None,
        follow=2 if "delivered" not in journey.stop else 0 if single else 1,
    )


def _unspeakable(wording: Wording, lacks: str) -> ConnectorError:
    return ConnectorError("invalid_job", f'the template "{wording.template}" has {lacks}', field="template")
