"""Whatever a file says: it is told what is wrong with it, or every job gets a text or a reason."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import Template, TemplateFile
from connector.config.document import Document, plain
from connector.config.template_rules import template_problems
from connector.templates import Registry, TemplateError, render, speak, uncovered

CATALOGUE = Path(__file__).parents[2] / "config" / "catalogue"
FILES = [plain(tomllib.loads(path.read_text("utf-8"))) for path in sorted(CATALOGUE.glob("*.toml"))]

KINDS = ["digits", "code", "text", "name", "number", "amount", "date", "time", "url", "choice"]
KEYS: dict[str, list[Any]] = {
    "kind": KINDS, "max_length": [1, 5, 1000], "currency": ["EUR", "currency", "code"], "display": ["code"],
    "style": ["long"], "calendar": ["gregorian"], "digits": ["native"], "of": [["a", "b"], ["EUR"]],
    "allow": [["https://t.acme.example/"]], "characters": [["letters", "space"]],
}  # fmt: skip
BODIES = st.one_of(
    st.sampled_from([
        "{code}", "{n, plural, other{#}}", "{gender, select, other{x}}", "{brand}", "x", "'", "{", "{{x}}",
        "# '{'",
        "{minutes, plural, =1{a} few{b {code}} other{{minutes, selectordinal, other{# #}}}}",
    ]),
    st.text("{}'#, acodeplurnthk", max_size=30),
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=8), st.integers(-5, 10**16), st.floats(),
    st.sampled_from(["482917", "Ada", "12.50", "2026-11-23", "14:30", "https://t.acme.example/a", "EUR"]),
)  # fmt: skip


def changed(data: st.DataObject) -> dict[str, Any]:
    """A template of the catalogue in which one to three things are another."""
    made = copy.deepcopy(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 3))):
        lang = data.draw(st.sampled_from(sorted(made["text"])))
        match data.draw(st.integers(0, 5)):
            case 0:
                made["text"][lang] = data.draw(BODIES)
            case 1 | 2:
                parameter = made["params"].setdefault(
                    data.draw(st.sampled_from([*made["params"], "more"])), {}
                )
                key = data.draw(st.sampled_from(sorted(KEYS)))
                parameter[key] = data.draw(st.sampled_from(KEYS[key]))
            case 3:
                made["syntax"] = data.draw(st.sampled_from(["plain", "icu"]))
            case 4:
                made["values"] = data.draw(
                    st.dictionaries(st.sampled_from(["brand", "code", "a"]), BODIES.filter(bool))
                )
            case 5:
                say = made.setdefault("voice", {}).setdefault("say", {})
                piece = data.draw(
                    BODIES.filter(bool) | st.sampled_from([{"number": "n"}, {"amount": "amount"}])
                )
                say[lang] = [piece]
    return made


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_file_has_problems_or_every_job_an_answer(data: st.DataObject) -> None:
    made = changed(data)
    try:
        file = msgspec.convert(made, TemplateFile)
    except msgspec.ValidationError:
        return
    if any(template_problems(Document("made.toml", made, {}), file)):
        return
    template = Template(**msgspec.structs.asdict(file), name="made")
    registry = Registry(template.lane, [template])
    for lang in template.text:
        wording = registry.wording("made", lang, 1.8e9)
        params = {name: data.draw(VALUES) for name in template.params}
        list(uncovered(template, lang))
        try:
            said = render(wording, params)
            if template.voice is not None:
                speak(wording, params)
        except TemplateError as error:
            assert error.field is not None
            assert error.field.startswith("params.")
        else:
            assert all(0 <= start <= end <= len(said.text) for _, start, end in said.spans)
