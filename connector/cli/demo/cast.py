"""What the demo sends, to whom, and what is expected of it."""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["AFTERWARDS", "BURST", "LATE", "TEMPLATES", "TWICE", "WRONG", "Message", "Mistake", "wordings"]

TEMPLATES = Path(__file__).parent / "config" / "templates"
_LASTS_MINUTES = 5
_DIGITS = 6


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

    def job(self) -> dict[str, Any]:
        """The job as an application writes it."""
        return {
            "id": self.id,
            "to": self.to,
            "template": self.template,
            "lang": self.lang,
            "params": {"code": self.code, "minutes": _LASTS_MINUTES},
            "deadline_s": self.deadline_s,
        }

    def text(self, texts: dict[str, dict[str, str]]) -> str:
        """What the handset must show, put together without the daemon's help."""
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


def _message(lang: str, to: str, id: str | None = None, **rest: Any) -> Message:
    code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
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

WRONG = (
    Mistake(
        "a marketing template in the verification lane",
        {"id": "wrong-lane", "to": "+441632960110", "template": "spring-offer", "lang": "en"},
        "forbidden",
        "template",
    ),
    Mistake(
        "a number without country code",
        {**_message("en", "01632960111").job(), "id": "wrong-number"},
        "invalid_job",
        "to",
    ),
)
