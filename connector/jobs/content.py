"""What the wording of a job may be: the content gate, where the lane wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector.config import Config, Template
from connector.config.document import read_document
from connector.config.problem import ConfigError, Problem
from connector.errors import ConnectorError
from connector.metrics import Metrics
from connector.templates import Rendered, Wording
from connector.templates.content import ContentGate, Finding

__all__ = ["ContentCheck", "require_templates", "template_problems"]

_JUDGED: Final = frozenset({"text", "name"})
"""Kinds of parameters that may hold any words; of the others the kind says what they hold."""

_STANDS_FOR: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""For what is not judged: the characters beside it keep their places."""

_WHY: Final = {
    "lexicon": "is marketing",
    "price": "offers a price",
    "opt_out": "is how advertisements end",
    "url": "is an address that no template permits",
    "hidden": "hides what it says",
}


class ContentCheck:
    """Of one configuration. In a lane that permits marketing it finds nothing."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        refuses = config.content.refuses(config.lane)
        self._gate = ContentGate(config.content.allow) if refuses else None
        self._metrics = metrics

    def template(self, wording: Wording, rendered: Rendered) -> None:
        """Judge the values of a template's variables, each for itself and in their text.

        The fixed text was judged when it was read. Raises ConnectorError.
        """
        gate, spans = self._gate, rendered.spans
        if gate is None or not _may_hold_words(wording):
            return
        kinds = {name: wording.params[name].kind for name, _, _ in spans}
        judged = [span for span in spans if kinds[span[0]] in _JUDGED]
        for name, start, end in judged:
            if found := gate.judge(rendered.text[start:end], wording.lang):
                self._refuse(found, f"params.{name}", (found.start, found.end))
        text = rendered.text
        for name, start, end in spans:
            if kinds[name] == "url":
                text = text[:start] + _STANDS_FOR * (end - start) + text[end:]
        while found := gate.judge(text, wording.lang):
            if any(start < found.end and found.start < end for _, start, end in judged):
                self._refuse(found, "template", (found.start, found.end))
            # No variable has a part in it: it is the template's, whose author has answered for it.
            text = _without(text, found)

    def text(self, text: str, lang: str | None) -> None:
        """Judge a free text. Raises ConnectorError."""
        if self._gate is not None and (found := self._gate.judge(text, lang)):
            self._refuse(found, "text", (found.start, found.end))

    def _refuse(self, found: Finding, field: str, position: tuple[int, int]) -> None:
        self._metrics.content_refused[found.rule] += 1
        raise _refusal(found, field, position)


def _may_hold_words(wording: Wording) -> bool:
    return any(parameter.kind in _JUDGED for parameter in wording.params.values())


def template_problems(config: Config) -> list[Problem]:
    """Templates of the lane whose fixed text it would not take from anybody."""
    if not config.content.refuses(config.lane):
        return []
    gate = ContentGate(config.content.allow)
    own = [template for template in config.templates if template.lane == config.lane]
    return [problem for template in own for problem in _problems(config, template, gate)]


def require_templates(config: Config) -> None:
    """Raises ConfigError with all `template_problems`."""
    if problems := template_problems(config):
        raise ConfigError(problems)


def _problems(config: Config, template: Template, gate: ContentGate) -> Iterator[Problem]:
    texts = template.text.items()
    findings = [(lang, found) for lang, text in texts for found in _findings(text, lang, gate)]
    if not findings:
        return
    path = Path(config.folder) / "templates" / f"{template.name}.toml"
    document = read_document(path)
    if isinstance(document, Problem):
        raise ConfigError([document])
    for lang, found in findings:
        where = f"characters {found.start + 1} to {found.end}"
        expected = "expected none in this lane, or the phrase in [content] allow"
        yield document.problem(("text", lang), f"{where}: {_what(found)}, {expected}")


def _findings(text: str, lang: str, gate: ContentGate) -> Iterator[Finding]:
    """All in a fixed text but addresses: who writes a template may put in his own."""
    while found := gate.judge(text, lang):
        if found.rule != "url":
            yield found
        text = _without(text, found)


def _without(text: str, found: Finding) -> str:
    end = max(found.end, found.start + 1)
    return text[: found.start] + _STANDS_FOR * (end - found.start) + text[end:]


def _what(found: Finding) -> str:
    return f'"{found.entry}" {_WHY[found.rule]}'


def _refusal(found: Finding, field: str, position: tuple[int, int]) -> ConnectorError:
    return ConnectorError(
        "content", f"{_what(found)}, which this lane does not send", field=field, position=position,
        hint="marketing goes by a lane of its own",
    )  # fmt: skip
