"""Rules of templates that no schema can say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from .document import Document
from .journey_rules import country_problems
from .message import Branches, Message, Variable, filled, message, variables
from .parameter import IS_CURRENCY, MAX_LENGTHS, Parameter
from .problem import Path, Problem, did_you_mean
from .rules import not_a_sender, repeated, stem_problems
from .template import Registration, Spoken, TemplateFile, instant
from .voice_rules import spoken_problems

__all__ = ["template_lane_problems", "template_problems"]

_OPTIONS: Final = {
    "currency": ("amount",),
    "display": ("amount",),
    "style": ("date",),
    "calendar": ("date",),
    "digits": ("number", "amount", "date", "time"),
    "of": ("choice",),
    "allow": ("url",),
    "characters": ("text",),
    "max_length": tuple(MAX_LENGTHS),
}
"""The kinds that an option of a parameter counts for."""

# A host name in lower case as resolvers take it, so that what is compared is what is called.
_LINK: Final = re.compile(
    r"https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](:[0-9]{1,5})?/[!-~]*"
)

# Stand for values while ICU chooses the words; see connector/templates/words.py.
_MARKS: Final = re.compile("[\U000f0000-\U000ffffd]")


def template_problems(document: Document, file: TemplateFile) -> Iterator[Problem]:
    """What contradicts itself in a template: every text uses every parameter, and no other."""
    yield from stem_problems(document)
    if file.default_lang is not None and file.default_lang not in file.text:
        languages = ", ".join(file.text)
        yield document.problem(
            ("default_lang",), f'"{file.default_lang}" has no text, expected one of {languages}'
        )
    languages_seen = tuple(file.text)
    for index, first in repeated(tag.casefold() for tag in languages_seen):
        yield document.problem(
            ("text", languages_seen[index]),
            f"is the same language as {languages_seen[first]}, expected it once",
        )
    yield from _validity_problems(document, file)
    for name, parameter in file.params.items():
        yield from _parameter_problems(document, ("params", name), file, parameter)
    for name in file.values.keys() & file.params.keys():
        yield document.problem(("values", name), "is the name of a parameter too, expected another name")
    for tag, body in file.text.items():
        yield from _body_problems(document, ("text", tag), body, file)
    for index, registration in enumerate(file.registrations):
        yield from _registration_problems(document, ("registrations", index), file, registration)
    for country in file.senders:
        if country != "default":
            yield from country_problems(document, ("senders", country), country)
    yield from spoken_problems(document, file)
    yield from _said_problems(document, file)


def template_lane_problems(
    document: Document, file: TemplateFile, senders: tuple[str, ...]
) -> Iterator[Problem]:
    """Sender ids in a template that its lane does not have."""
    for country, sender in file.senders.items():
        if sender not in senders:
            yield document.problem(("senders", country), not_a_sender(sender, senders))
    for index, registration in enumerate(file.registrations):
        if registration.sender is not None and registration.sender not in senders:
            path: Path = ("registrations", index, "sender")
            yield document.problem(path, not_a_sender(registration.sender, senders))


def _validity_problems(document: Document, file: TemplateFile) -> Iterator[Problem]:
    instants: list[float] = []
    for key in ("valid_from", "valid_until"):
        value = getattr(file, key)
        if value is None:
            continue
        try:
            instants.append(instant(value))
        except ValueError as error:
            yield document.problem((key,), f"is no day of the calendar: {error}, expected such as 2026-01-01")
    if len(instants) == 2 and instants[0] >= instants[1]:
        yield document.problem(("valid_until",), "is not after valid_from, expected a later one")


def _parameter_problems(
    document: Document, path: Path, file: TemplateFile, parameter: Parameter
) -> Iterator[Problem]:
    kind = parameter.kind
    default = Parameter()
    for option, kinds in _OPTIONS.items():
        if getattr(parameter, option) != getattr(default, option) and kind not in kinds:
            article = "kind" if len(kinds) == 1 else "one of kind"
            yield document.problem(
                (*path, option),
                f'does not go with kind = "{kind}", expected {article} {" or ".join(kinds)} with it',
            )
    if parameter.max_length is None and kind in MAX_LENGTHS and MAX_LENGTHS[kind] is None:
        yield document.problem(
            (*path, "max_length"), "is missing, expected a number of characters from 1 to 1,000",
            "config_missing_key",
        )  # fmt: skip
    for option, wanted in (("currency", "amount"), ("of", "choice"), ("allow", "url")):
        if kind == wanted and not getattr(parameter, option):
            yield document.problem(
                (*path, option), f"is missing, an {wanted} needs it" if wanted == "amount" else
                f"is missing, a {wanted} needs it", "config_missing_key",
            )  # fmt: skip
    if kind == "amount" and parameter.currency and not IS_CURRENCY.match(parameter.currency):
        yield from _currency_problems(document, (*path, "currency"), file, parameter.currency)
    for index, first in repeated(parameter.of):
        yield document.problem((*path, "of", index), f"repeats entry {first}, expected each once")
    for index, link in enumerate(parameter.allow):
        if not _LINK.fullmatch(link):
            yield document.problem(
                (*path, "allow", index),
                'is no start of a link, expected such as "https://t.acme.example/": https, the host in lower '
                "case, a path",
            )


def _currency_problems(document: Document, path: Path, file: TemplateFile, name: str) -> Iterator[Problem]:
    holder = file.params.get(name)
    if holder is None:
        near = did_you_mean(name, file.params)
        yield document.problem(path, f"there is no [params.{name}], expected a declared parameter{near}")
    elif holder.kind not in ("text", "choice"):
        yield document.problem(path, f'"{name}" holds no currency, expected one of kind text or choice')
    else:
        for word in holder.of:
            if not IS_CURRENCY.match(word):
                yield document.problem(
                    ("params", name, "of"), f'"{word}" is no currency, expected such as "EUR"'
                )


def _body_problems(document: Document, path: Path, body: str, file: TemplateFile) -> Iterator[Problem]:
    try:
        read = filled(message(body, file.syntax), file.values)
    except ValueError as error:
        yield document.problem(path, str(error))
        return
    if file.syntax == "icu" and _MARKS.search(body):
        yield document.problem(path, "has a character of private use (U+F0000 to U+FFFFD), expected none")
    yield from _use_problems(document, path, read, file)
    used = {use.name for use in variables(read)}
    # What chooses the currency need not be shown; not every language has words for what a choice is between.
    used |= {parameter.currency for parameter in file.params.values() if parameter.currency}
    used |= {name for name, parameter in file.params.items() if parameter.kind == "choice"}
    for name in sorted(file.params.keys() - used):
        yield document.problem(path, f"does not use {{{name}}}, expected every parameter in every language")


def _use_problems(document: Document, path: Path, read: Message, file: TemplateFile) -> Iterator[Problem]:
    told: set[str] = set()
    for use in variables(read):
        parameter = file.params.get(use.name)
        if parameter is None:
            if use.name not in told:
                near = did_you_mean(use.name, file.params)
                yield document.problem(
                    path, f"{{{use.name}}} has no [params.{use.name}], expected a declared parameter{near}"
                )
            told.add(use.name)
        elif isinstance(use, Branches):
            yield from _branch_problems(document, path, use, parameter)
        elif parameter.kind == "choice":
            yield document.problem(
                path, f"{{{use.name}}} is a choice, which is never shown, expected select with it"
            )


def _branch_problems(
    document: Document, path: Path, branches: Branches, parameter: Parameter
) -> Iterator[Problem]:
    kind = "choice" if branches.how == "select" else "number"
    if parameter.kind != kind:
        yield document.problem(
            path, f'{branches.how} by "{branches.name}", which is of kind {parameter.kind}, expected {kind}'
        )
    elif kind == "choice":
        for selector in branches.of:
            if selector != "other" and selector not in parameter.of:
                near = did_you_mean(selector, parameter.of)
                yield document.problem(
                    path, f'"{selector}" is none of [params.{branches.name}] of, expected one of them{near}'
                )


def _registration_problems(
    document: Document, path: Path, file: TemplateFile, registration: Registration
) -> Iterator[Problem]:
    yield from country_problems(document, (*path, "country"), registration.country)
    for tag in registration.pattern:
        if tag not in file.text:
            yield document.problem(
                (*path, "pattern", tag), "has no text of the language, expected [text] to have it"
            )
    index = path[1]
    assert isinstance(index, int)
    for earlier, other in enumerate(file.registrations[:index]):
        shared = set(other.carriers) & set(registration.carriers)
        if other.country == registration.country and (shared or other.carriers == registration.carriers):
            yield document.problem(
                path, f"is for the same country and carrier as entry {earlier}, expected one for each"
            )


def _said_problems(document: Document, file: TemplateFile) -> Iterator[Problem]:
    """Variables among the words of a call. Without constants and ICU's syntax a brace is a brace there."""
    if file.voice is None or not (file.values or file.syntax == "icu"):
        return
    for tag, said in file.voice.say.items():
        for index, piece in enumerate(said):
            if isinstance(piece, Spoken):
                continue
            path: Path = ("voice", "say", tag, index)
            try:
                read = filled(message(piece, file.syntax), file.values)
            except ValueError as error:
                yield document.problem(path, str(error))
                continue
            yield from _use_problems(document, path, read, file)
            yield from _unsaid_problems(document, path, read, file.params)


def _unsaid_problems(
    document: Document, path: Path, read: Message, params: Mapping[str, Parameter]
) -> Iterator[Problem]:
    """Variables that are not words: a code would be read as one number."""
    fit: Collection[str] = ("number", "name", "text", "choice")
    for use in variables(read):
        parameter = params.get(use.name)
        if isinstance(use, Variable) and parameter is not None and parameter.kind not in fit:
            kind = "digits" if parameter.kind == "code" else parameter.kind
            yield document.problem(
                path, f'{{{use.name}}} is no word, expected a piece such as {{ {kind} = "{use.name}" }}'
            )
