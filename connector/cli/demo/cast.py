"""What the demo sends, to whom, and what is expected of it."""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "AFTERWARDS",
    "AGENT",
    "ASKED_AGAIN",
    "BURST",
    "CALLS",
    "FOLLOWED",
    "LATE",
    "TELEPHONES",
    "TEMPLATES",
    "TWICE",
    "WRONG",
    "Message",
    "Mistake",
    "wordings",
]

TEMPLATES = Path(__file__).parent / "config" / "templates"
_LASTS_MINUTES = 5
_DIGITS = 6
_CALL, _PATIENT = "call", "patient"


class Message(NamedTuple):
    """One job and what must become of it.

    `to` is a number set aside for fiction (Ofcom): 01632 960xxx behaves as the carrier's options say,
    07700 900xxx plays a fixed story (`connector.simulator.stories`).
    """

    id: str
    lang: str
    to: str
    code: str
    template: str = "sign-in"
    deadline_s: float = 20.0
    expected: str = "delivered"
    several_parts: bool = False
    route: tuple[str, ...] | None = None  # carriers in the order of their attempts, where it is the point
    journey: str | None = None
    supersedes: str | None = None
    klass: str | None = None
    keys: str | None = None  # that the telephone presses, where it is called
    transferred: bool = False

    def job(self) -> dict[str, Any]:
        """The job as an application writes it."""
        job = {
            "id": self.id,
            "to": self.to,
            "template": self.template,
            "lang": self.lang,
            "params": {"code": self.code, "minutes": _LASTS_MINUTES},
            "deadline_s": self.deadline_s,
        }
        named = {"journey": self.journey, "supersedes": self.supersedes, "class": self.klass}
        return job | {key: value for key, value in named.items() if value is not None}

    @property
    def spoken(self) -> bool:
        """Whether a call says the code."""
        return self.journey == _CALL

    def text(self, texts: dict[str, dict[str, str]]) -> str:
        """What the handset must show, put together without the daemon's help."""
        if self.spoken:
            return f"a call that says {self.code}"
        body = texts[self.template][self.lang]
        return body.format(code=self.code, minutes=_LASTS_MINUTES)


class Mistake(NamedTuple):
    """A job that must be refused, with this code and for this field."""

    what: str
    job: dict[str, Any]
    code: str
    field: str


def wordings() -> dict[str, dict[str, str]]:
    """Template name → language → text, of the shipped configuration."""
    files = TEMPLATES.glob("*.toml")
    return {file.stem: tomllib.loads(file.read_text("utf-8"))["text"] for file in files}


def _message(lang: str, to: str, id: str | None = None, digits: int = _DIGITS, **rest: Any) -> Message:
    code = "".join(secrets.choice("0123456789") for _ in range(digits))
    return Message(id or f"code-{lang}", lang, to, code, **rest)


BURST = (
    # First in line, so that north has room. It plays this number's story, ESME_RSUBMITFAIL; south plays none.
    _message("fr", "+447700900042", "reroute-fr", deadline_s=15.0, route=("north", "south")),
    _message("en", "+441632960101"),
    _message("pt-BR", "+441632960102"),
    _message("zh-Hans", "+441632960103"),
    _message("hi", "+441632960104"),
    _message("ar", "+441632960105"),
    _message("und-Zsye", "+441632960106", "code-emoji"),
    _message("en", "+441632960107", "long-en", template="new-device", several_parts=True),
)
"""Sent at once."""

TWICE = BURST[1]
"""Submitted again: the application was not sure."""

LATE = _message("en", "+441632960108", "late-en", deadline_s=1.5, expected="expired")
"""Sent while no carrier can be reached."""

AFTERWARDS = _message("ja", "+441632960109")
"""Sent when the carriers are back."""

_SILENT = "+447700900003"
"""North takes what goes there and says nothing more; south knows nothing of that story."""
_FOLLOWED: dict[str, Any] = {
    "deadline_s": 8.0, "journey": _PATIENT, "supersedes": "sign-in", "klass": "urgent",
}  # fmt: skip

ASKED_AGAIN = _message("en", _SILENT, "older-en", expected="cancelled", route=("north",), **_FOLLOWED)
"""The person does not wait, and asks again: `FOLLOWED` takes its place."""

FOLLOWED = _message("en", _SILENT, "newer-en", route=("north", "south"), **_FOLLOWED)
"""Nothing is heard of it, so that it is sent once more by another carrier while there is time."""

_SPOKEN: dict[str, Any] = {"deadline_s": 50.0, "journey": _CALL, "route": ("west",)}

CALLS = (
    _message("en", "+441632960131", "call-en", keys="1", **_SPOKEN),
    _message("de", "+441632960132", "call-agent", 4, keys="10", transferred=True, **_SPOKEN),
)
"""Calls placed at once: the first telephone listens to the end; the second one is impatient, presses 1
before it is asked to, and wants the agent, too."""

AGENT = "+441632960139"
"""Where key 0 leads."""

_ANSWERS = {"ring_after": "fixed:0.2", "answer_after": "uniform:1,1.5"}

TELEPHONES: dict[str, dict[str, object]] = {
    CALLS[0].to: {**_ANSWERS, "press": "1@quiet:700"},
    CALLS[1].to: {**_ANSWERS, "press": "1@3,0@quiet:1200"},
    AGENT: {
        **_ANSWERS,
        "answer_after": 0.5,
        "says": "announcement",
        "says_after_s": 0.5,
        "hang_up_after_s": 5,
    },
}
"""How the simulated telephones behave (`connector.simulator.callee.options`)."""

WRONG = (
    Mistake(
        "a marketing template in the verification lane",
        {"id": "wrong-lane", "to": "+441632960110", "template": "spring-offer", "lang": "en"},
        "forbidden",
        "template",
    ),
    Mistake(
        "a prize in the name of a device",
        {
            "id": "wrong-words", "to": "+441632960112", "template": "device-warning", "lang": "en",
            "params": {"device": "your phone: claim your FR\N{CYRILLIC SMALL LETTER IE}E prize"},
        },
        "content",
        "params.device",
    ),
    Mistake(
        "a number without country code",
        {**_message("en", "01632960111").job(), "id": "wrong-number"},
        "invalid_job",
        "to",
    ),
)
