"""Any template with any values, through the real gate to a simulated handset: exactly the text, or nothing.

Templates, values and registrations are made up here, and so is what the handset must show: by the simplest
means, without what the gate is made of. The carriers are the shipped profiles, with handsets that read so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.cli.like import options_like
from connector.config import Carrier, load, load_carrier
from connector.errors import ConnectorError
from connector.jobs import content
from connector.model import LiveJob
from connector.simulator.handsets import Arrival, Handsets
from connector.simulator.options import SmscOptions
from connector.simulator.reading import Reading
from connector.templates.content import ContentGate
from protocols.rpc.errors import JobError
from protocols.rpc.job import parse_job
from protocols.smpp.pdu import SubmitSm, decode, encode
from tests.config.conftest import CONNECTOR, Folder
from tests.jobs.gates import NOW, gate_of

PROFILES = Path(__file__).parents[2] / "config/profiles"
INDIAN, GERMAN = "+919876543210", "+4915112345678"
TRICKY = "aZ 5'’‘\"{}#@€[]~^|\\_-–.,!?äßçñéøΔ\u00a0अ中😀"
GSM = "ab 5.é'’€–\u00a0"  # or what carriers replace by it
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Kind(NamedTuple):
    """A kind of variable: its table, and good values."""

    table: str
    good: st.SearchStrategy[Any]


_WORDS = st.text(TRICKY, min_size=1, max_size=24)
KINDS: dict[str, Kind] = {
    "digits": Kind('kind = "digits"\nmax_length = 8', st.from_regex("[0-9]{1,8}", fullmatch=True)),
    "code": Kind('kind = "code"', st.sampled_from(["482917", "482 917", "12-34", 4829])),
    "text": Kind("max_length = 24", _WORDS),
    "letters": Kind(
        'max_length = 24\ncharacters = ["letters", "space"]', st.sampled_from(["Ada B", "Ünal", "अदा"])
    ),
    "name": Kind('kind = "name"', st.sampled_from(["Ada", "O’Brien", "Jean-Luc", "अदा", "Zoë K. Ray"])),
    "number": Kind(
        'kind = "number"', st.integers(0, 99_999) | st.sampled_from([1, "2.5", "007", "1.50", "1.0", "10000"])
    ),
    "amount": Kind('kind = "amount"\ncurrency = "EUR"', st.sampled_from(["1234.56", "0.07", 5000, "9.9"])),
    "date": Kind('kind = "date"', st.dates().map(str).filter(lambda day: "1900" <= day < "2200")),
    "time": Kind('kind = "time"', st.times().map(lambda time: f"{time:%H:%M}")),
    "url": Kind('kind = "url"\nallow = ["https://t.acme.example/"]', st.sampled_from(["https://t.acme.example/a?b=1"])),
    "choice": Kind('kind = "choice"\nof = ["red", "blue"]', st.sampled_from(["red", "blue"])),
}  # fmt: skip
ANY = st.one_of(
    st.text(max_size=30), _WORDS, st.integers(-5, 10**16), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([
        "2026-02-30", "24:00", "https://t.acme.example.evil.example/", "1,5", "４８２９１７", "a\u202eb",
        "482917\n", " 482917", "e\u0301", "\u200bfree", "red ", "", "x" * 31,
    ]),
)  # fmt: skip


class Branches(NamedTuple):
    """Words that depend on a number, which stands before them, or on a choice, which is not shown."""

    name: str
    one: str
    other: str


class Variable(NamedTuple):
    name: str


class Case(NamedTuple):
    """A template of these pieces in this language and syntax, and a job with these values.

    kinds       of its variables, by name
    registered  fixed words in place of those of the pieces, by index; None: it is not registered
    """

    lang: str
    icu: bool
    pieces: tuple[str | Variable | Branches, ...]
    kinds: dict[str, str]
    values: dict[str, Any]
    registered: dict[int, str] | None
    to: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    icu = draw(st.booleans())
    # A plain text has no words to choose among.
    names = draw(st.lists(st.sampled_from(sorted(KINDS.keys() - (set() if icu else {"choice"}))), max_size=4))
    kinds = {f"v{index}": kind for index, kind in enumerate(names)}
    letters = draw(st.sampled_from([TRICKY, GSM]))
    words = st.text(letters, min_size=1, max_size=draw(st.sampled_from([6, 12, 90])))
    pieces: list[str | Variable | Branches] = [draw(words)]
    for name, kind in kinds.items():
        branches = icu and (kind == "choice" or (kind == "number" and draw(st.booleans())))
        pieces.append(Branches(name, draw(words), draw(words)) if branches else Variable(name))
        pieces.append(draw(words))
    values = {name: draw(KINDS[kind].good) for name, kind in kinds.items()}
    if kinds and draw(st.booleans()):
        values[draw(st.sampled_from(sorted(kinds)))] = draw(ANY)
    registered: dict[int, str] | None = None
    if draw(st.booleans()):
        registered = {}
        for at in draw(st.sets(st.sampled_from(range(0, len(pieces), 2)), max_size=1)):
            registered[at] = draw(st.sampled_from(MANGLED))(str(pieces[at]))
    to = draw(st.sampled_from([INDIAN, INDIAN, GERMAN]))
    return Case(draw(st.sampled_from(["en", "de"])), icu, tuple(pieces), kinds, values, registered, to)


MANGLED = (
    lambda words: words,
    lambda words: words.replace("'", "’"),
    lambda words: words.replace("’", "'"),
    lambda words: words.replace("\u00a0", " "),
    lambda words: words.replace(" ", "  "),
    lambda words: words[:-1] or words,
    lambda words: words + ".",
    lambda words: words.swapcase(),
    lambda words: words.replace("é", "e\u0301"),
)  # fmt: skip


# What the handset must show


def expected(case: Case) -> str | None:
    """None: a value is none of its kind, so that the job must be refused."""
    shown = []
    for piece in case.pieces:
        if isinstance(piece, str):
            shown.append(piece)
            continue
        text = written(case.kinds[piece.name], case.values[piece.name], case.lang)
        if text is None:
            return None
        if isinstance(piece, Variable):
            shown.append(text)
        elif case.kinds[piece.name] == "choice":
            shown.append(piece.one if text == "red" else piece.other)
        else:
            # "1.0" is shown as 1, and so its words are those of 1.
            one = Decimal(str(case.values[piece.name])) == 1
            shown += [text, piece.one if one else piece.other]
    return "".join(shown)


def written(kind: str, value: Any, lang: str) -> str | None:
    """A value as people write it; of those kinds that stand as they are, the value."""
    text = str(value)
    if isinstance(value, float) or not text:
        return None
    if kind in ("text", "letters", "name", "url"):
        return text
    form, write = WRITTEN[kind]
    return write(text, lang) if re.fullmatch(form, text, re.ASCII) else None


def _number(text: str, lang: str) -> str:
    number = Decimal(text)
    shown = f"{number:,f}".rstrip("0").rstrip(".") if "." in text else f"{number:,f}"
    return shown if lang == "en" else shown.translate(str.maketrans(",.", ".,"))


def _amount(text: str, lang: str) -> str:
    shown = f"{Decimal(text):,.2f}"
    return f"€{shown}" if lang == "en" else f"{shown.translate(str.maketrans(',.', '.,'))} €"


def _date(text: str, lang: str) -> str:
    year, month, day = map(int, text.split("-"))
    return f"{MONTHS[month - 1]} {day}, {year}" if lang == "en" else f"{day:02}.{month:02}.{year}"


def _time(text: str, lang: str) -> str:
    hour, minute = map(int, text.split(":"))
    return f"{(hour - 1) % 12 + 1}:{minute:02} {'AM' if hour < 12 else 'PM'}" if lang == "en" else text


def _as_given(text: str, lang: str) -> str:
    return text


WRITTEN = {
    "digits": (r"[0-9]{1,8}", _as_given),
    "code": (r"(?=.{1,10}$)[0-9]+([ -][0-9]+)*", _as_given),
    "choice": (r"red|blue", _as_given),
    "number": (r"[0-9]{1,15}(\.[0-9]{1,3})?", _number),
    "amount": (r"[0-9]{1,15}(\.[0-9]{1,2}0?)?", _amount),
    "date": (r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", _date),
    "time": (r"([01][0-9]|2[0-3]):[0-5][0-9]", _time),
}


# The template's file


def toml(case: Case) -> str:
    body = "".join(_in_text(piece, case) for piece in case.pieces)
    lines = ['lane = "verification"', 'purpose = "any"', f'default_lang = "{case.lang}"']
    lines += ['syntax = "icu"'] if case.icu else []
    lines += ["[text]", f"{case.lang} = {_quoted(body)}"]
    for name, kind in case.kinds.items():
        lines += [f"[params.{name}]", KINDS[kind].table]
    lines += ["[registered]", 'dlt_template_id = "1107"']
    if case.registered is not None:
        lines += ["[[registrations]]", 'country = "IN"', 'ids = { dlt_template_id = "1108" }']
        lines += ["[registrations.pattern]", f"{case.lang} = {_quoted(''.join(_filed(case)))}"]
    return "\n".join(lines) + "\n"


def _in_text(piece: str | Variable | Branches, case: Case) -> str:
    if isinstance(piece, str):
        return _literal(piece, case.icu, counted=False)
    if isinstance(piece, Variable):
        return f"{{{piece.name}}}"
    counted = case.kinds[piece.name] == "number"
    one, other = (_literal(words, case.icu, counted=counted) for words in (piece.one, piece.other))
    if counted:
        return f"{{{piece.name}, plural, one {{#{one}}} other {{#{other}}}}}"
    return f"{{{piece.name}, select, red {{{one}}} other {{{other}}}}}"


def _literal(words: str, icu: bool, *, counted: bool) -> str:
    if not icu:
        return words.replace("{", "{{").replace("}", "}}")
    # Within apostrophes two of them are one, so a run of what needs them is quoted as a whole.
    return re.sub("[{}#']+" if counted else "[{}']+", _apostrophes, words)


def _apostrophes(run: re.Match[str]) -> str:
    doubled = run[0].replace("'", "''")
    return doubled if set(run[0]) == {"'"} else f"'{doubled}'"


def _filed(case: Case) -> Iterator[str]:
    assert case.registered is not None
    for index, piece in enumerate(case.pieces):
        if isinstance(piece, str):
            yield case.registered.get(index, piece)
        elif isinstance(piece, Variable):
            yield "{#var#}"
        else:
            yield ("{#var#}" if case.kinds[piece.name] == "number" else "") + piece.other


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def is_as_filed(case: Case, text: str) -> bool:
    """Of what stands in the file as "{#var#}" only that is a variable: no words here have it."""
    pattern = "".join(".{1,30}" if part == "{#var#}" else re.escape(part) for part in _split(case))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def _split(case: Case) -> list[str]:
    return re.split(r"(\{#var#\})", "".join(_filed(case)))


# The way


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A lane of all shipped profiles, without its template."""
    folder = Folder(tmp_path_factory.mktemp("any") / "lane")
    folder.write("connector.toml", CONNECTOR)
    folder.write("secrets/any", "s3cret\n", 0o600)
    for profile in PROFILES.glob("*.toml"):
        text = profile.read_text().replace("SYSTEM_ID", profile.stem[:15])
        text = text.replace('password_credential = "secret_carrier"', 'password_file = "secrets/any"')
        folder.write(f"carriers/{profile.stem}.toml", text)
    with pytest.MonkeyPatch.context() as patch:
        # It is made of all lexicons; one is enough for all these lanes.
        patch.setattr(content, "ContentGate", cache(ContentGate))
        yield folder


@cache
def reading(name: str) -> Reading:
    """As the handsets of that carrier read."""
    return Reading(SmscOptions().changed(options_like(load_carrier(PROFILES / f"{name}.toml"))))


def shown(carrier: Carrier, job: LiveJob) -> tuple[str, str]:
    """(what the handset shows, the text with what was said to be replaced). Raises Unsendable."""
    pdus, substituted = SubmitEncoder(carrier, 20, Random(1)).encode(job, NOW)
    handset = Handsets(1, reading(carrier.name))
    for sequence, pdu in enumerate(pdus, 1):
        submit = decode(encode(pdu, sequence=sequence)).pdu
        assert isinstance(submit, SubmitSm)
        handset.arrive(Arrival(submit, b"id"))
    (received,) = handset
    text = job.content.text
    for original, replacement, times in substituted:
        assert text.count(original) == times, "what is said to be replaced is what was there"
        text = text.replace(original, replacement)
    return received.text, text


FATES: Counter[str] = Counter()
_FIELD = re.compile(r"template|text|params(\.v[0-9])?|lang")


@settings(max_examples=300)
@given(cases())
def test_the_handset_shows_exactly_the_text_or_nothing(lane: Folder, case: Case) -> None:
    lane.write("templates/any.toml", toml(case))
    config = load(lane.path)
    job = {"id": "j", "to": case.to, "template": "any", "lang": case.lang, "params": case.values}
    wanted = expected(case)
    try:
        admitted = gate_of(config).admit(1, config.applications[0], parse_job(job))
    except (ConnectorError, JobError) as error:
        assert _FIELD.fullmatch(error.field or ""), error
        assert not any(str(value) in str(error) for value in case.values.values() if len(str(value)) >= 6)
        FATES["refused"] += 1
        return
    assert wanted is not None, "a value that is none of its kind was taken"
    live = admitted.job
    assert live.content.text == wanted
    filed = case.registered is not None and case.to == INDIAN
    assert not filed or is_as_filed(case, wanted), "another text than the registered one was taken"
    arrived = 0
    for carrier in config.carriers:
        try:
            text, told = shown(carrier, live)
        except Unsendable:
            continue
        assert text == told
        assert not filed or text == wanted, "the text that was registered is never replaced"
        arrived += 1
    assert arrived, "it was taken, and nobody can carry it"
    FATES["as filed" if filed else "accepted"] += 1


def test_there_were_enough_of_each() -> None:
    print(dict(FATES))
    # In a process of its own this test has seen none of them.
    assert not FATES or min(FATES[fate] for fate in ("refused", "accepted", "as filed")) >= 3, FATES
