"""What contradicts itself in a template, and what a carrier says of senders: file, line, key and reason."""

from pathlib import Path

import msgspec
import pytest

from connector.config import read_instance
from connector.config.document import Document, read_document
from connector.config.template import TemplateFile
from connector.config.template_rules import template_problems
from connector.config.validate import file_problems

from .conftest import MakeFolder

WHOLE = """\
lane = "verification"
version = 3
valid_from = 2026-01-01
valid_until = 2027-01-01T00:00:00+01:00
purpose = "All that a template may have"
default_lang = "en"
syntax = "icu"

[values]
brand = "Acme"

[text]
en = "{brand}: {code}, {total} by {day} {at}, {n, plural, one{# day} other{# days}}, {who} {link} {g, select, female{her} other{their}}"

[params.code]
kind = "code"

[params.total]
kind = "amount"
currency = "cur"
display = "code"

[params.cur]
kind = "choice"
of = ["EUR", "USD"]

[params.day]
kind = "date"
style = "long"
calendar = "gregorian"

[params.at]
kind = "time"
digits = "native"

[params.n]
kind = "number"

[params.who]
kind = "name"
max_length = 20

[params.link]
kind = "url"
allow = ["https://t.acme.example/"]

[params.g]
kind = "choice"
of = ["female", "male"]

[senders]
default = "Acme"
US = "60312"

[[registrations]]
country = "IN"
carriers = ["north"]
ids = { pe_id = "1101", template_id = "1107" }
sender = "Acme"
pattern = { en = "{#var#}" }
max_variable = 30

[voice]
code = "code"

[voice.say]
en = ["{brand} asks {who}, for {n, plural, one{one day} other{{n} days}}:", { amount = "total" }, { date = "day" }, { number = "n" }, { pause = 0.5 }]
"""  # noqa: E501 one text, one line


def problems(tmp_path: Path, text: str) -> dict[str, tuple[int, str]]:
    """(line, what is said) by key."""
    path = tmp_path / "whole.toml"
    path.write_text(text, encoding="utf-8")
    document = read_document(path)
    assert isinstance(document, Document)
    found = file_problems(document, TemplateFile)
    if not found:
        found = [*template_problems(document, msgspec.convert(document.data, TemplateFile))]
    told: dict[str, tuple[int, str]] = {}
    for problem in found:
        before = told[problem.key][1] + "\n" if problem.key in told else ""
        told[problem.key] = (problem.line, before + problem.message)
    return told


def test_a_template_with_everything_is_right(tmp_path: Path, make_folder: MakeFolder) -> None:
    assert problems(tmp_path, WHOLE) == {}
    folder = make_folder()
    folder.write("templates/whole.toml", WHOLE)
    instance = read_instance(folder.path)
    assert instance.problems == ()
    assert instance.config is not None
    whole = next(template for template in instance.config.templates if template.name == "whole")
    assert (whole.valid_from, whole.valid_until) == ("2026-01-01", "2027-01-01T00:00:00+01:00")


CASES = [
    ("version = 3", "version = 0", 2, "version", "expected a whole number from 1"),
    ("valid_from = 2026-01-01", 'valid_from = "2026-02-30"', 3, "valid_from", "is no day of the calendar"),
    ("valid_from = 2026-01-01", "valid_from = 2026-01-01T00:00:00", 3, "valid_from", "expected a day"),
    ("valid_from = 2026-01-01", "valid_from = 12:00:00", 3, "valid_from", "expected a day such as"),
    ("valid_from = 2026-01-01", "valid_from = 2027-01-01", 4, "valid_until", "is not after valid_from"),
    ('syntax = "icu"', 'syntax = "fluent"', 7, "syntax", "expected one of"),
    ('brand = "Acme"', 'brand = "Acme"\nwho = "x"', 11, "values.who", "is the name of a parameter too"),
    ('brand = "Acme"', 'Brand = "Acme"', 10, "values.Brand", "this key is not allowed here"),
    ("# days}}", "# days}", 13, "text.en", "at character 77: is no branch"),
    ("{n, plural,", "{n, number,", 13, "text.en", '"number" is not allowed'),
    ("{n, plural,", "{g, plural,", 13, "text.en", 'plural by "g", which is of kind choice, expected number'),
    ("{g, select,", "{n, select,", 13, "text.en", 'select by "n", which is of kind number, expected choice'),
    ("female{her}", "femail{her}", 13, "text.en", '"femail" is none of [params.g] of'),
    ("{who} {link}", "{g} {who} {link}", 13, "text.en", "{g} is a choice, which is never shown"),
    (", {who} ", ", {wo} ", 13, "text.en", "expected every parameter in every language"),
    ("{day} {at}", "{day} \U000f0000{at}", 13, "text.en", "has a character of private use"),
    ('currency = "cur"', "", 18, "params.total.currency", "is missing, an amount needs it"),
    ('currency = "cur"', 'currency = "cru"', 20, "params.total.currency", 'did you mean "cur"?'),
    ('currency = "cur"', 'currency = "who"', 20, "params.total.currency", '"who" holds no currency'),
    ('of = ["EUR", "USD"]', 'of = ["EUR", "usd"]', 25, "params.cur.of", '"usd" is no currency'),
    ('of = ["EUR", "USD"]', 'of = ["EUR", "EUR"]', 25, "params.cur.of[1]", "repeats entry 0"),
    ('of = ["EUR", "USD"]', "", 23, "params.cur.of", "is missing, a choice needs it"),
    ('style = "long"', 'style = "full"', 29, "params.day.style", "expected one of"),
    ('kind = "time"', 'kind = "time"\nstyle = "long"', 34, "params.at.style", "does not go with kind"),
    ('kind = "number"', 'kind = "number"\nmax_length = 3', 38, "params.n.max_length",
     'does not go with kind = "number"'),
    ('kind = "number"', 'kind = "text"', 36, "params.n.max_length", "is missing, expected a number of"),
    ('kind = "number"', 'kind = "nummer"', 37, "params.n.kind", 'did you mean "number"?'),
    ('allow = ["https://t.acme.example/"]', "", 43, "params.link.allow", "is missing, a url needs it"),
    ('"https://t.acme.example/"', '"http://t.acme.example/"', 45, "params.link.allow[0]", "is no start"),
    ('"https://t.acme.example/"', '"https://t.acme.example"', 45, "params.link.allow[0]", "is no start"),
    ('"https://t.acme.example/"', '"https://u@t.acme.example/"', 45, "params.link.allow[0]", "is no start"),
    ('"https://t.acme.example/"', '"https://T.acme.example/"', 45, "params.link.allow[0]", "is no start"),
    ('"https://t.acme.example/"', '"https://localhost/"', 45, "params.link.allow[0]", "is no start"),
    ('US = "60312"', 'UK = "60312"', 53, "senders.UK", '"UK" is no country that numbers belong to'),
    ('US = "60312"', 'us = "60312"', 53, "senders.us", "this key is not allowed here"),
    ('country = "IN"', 'country = "XX"', 56, "registrations[0].country", '"XX" is no country'),
    ("pattern = { en", "pattern = { hi", 60, "registrations[0].pattern.hi", "has no text of the language"),
    ("[voice]\n", '[[registrations]]\ncountry = "IN"\ncarriers = ["south", "north"]\n[voice]\n', 63,
     "registrations[1]", "is for the same country and carrier as entry 0"),
    ("{ amount = \"total\" }", '{ amount = "total", currency = "EUR" }', 67, "voice.say.en[1].currency",
     "is that of [params.total] already"),
    ("{ number = \"n\" }", '{ number = "who" }', 67, "voice.say.en[3].number", "is of kind name"),
    ("{ number = \"n\" }", '{ number = "m" }', 67, "voice.say.en[3].number", "there is no [params.m]"),
    ("asks {who}", "asks {code}", 67, "voice.say.en[0]", 'expected a piece such as { digits = "code" }'),
    ("asks {who}", "asks {whom}", 67, "voice.say.en[0]", 'did you mean "who"?'),
    ("asks {who}", "asks {who", 67, "voice.say.en[0]", "at character"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "says"), CASES)
def test_what_contradicts_itself(tmp_path: Path, old: str, new: str, line: int, key: str, says: str) -> None:
    assert WHOLE.count(old) >= 1
    found = problems(tmp_path, WHOLE.replace(old, new, 1))
    assert key in found, found
    assert found[key][0] == line
    assert says in found[key][1]


def test_braces_among_spoken_words_are_braces_in_files_of_before(tmp_path: Path) -> None:
    plain = 'lane = "l"\npurpose = "p"\n[text]\nen = "x"\n[voice.say]\nen = ["a {b} c", "{"]\n'
    assert problems(tmp_path, plain) == {}
    assert "voice.say.en[0]" in problems(tmp_path, plain.replace("[text]", '[values]\nbrand = "A"\n[text]'))


LANE_CASES = [
    ("templates/login-code.toml", "[text]", '[senders]\nDE = "Acne"\n[text]', "senders.DE",
     '"Acne" is not in [jobs] senders'),
    ("templates/login-code.toml", "[text]", '[[registrations]]\ncountry = "IN"\nsender = "Acne"\n[text]',
     "registrations[0].sender", 'did you mean "Acme"?'),
    ("carriers/north.toml", "[binds]", '[sender_rules]\nno_brands_in = ["UK"]\n[binds]',
     "sender_rules.no_brands_in[0]", 'did you mean "GB"?'),
    ("carriers/north.toml", "[binds]", '[sender_rules]\nbrands = false\ninstead = "Acme"\n[binds]',
     "sender_rules.instead", "is a brand itself"),
    ("carriers/north.toml", "[binds]", '[sender_rules]\nbrands = false\ninstead = "60399"\n[binds]',
     "sender_rules.instead", '"60399" is not in [jobs] senders'),
    ("carriers/north.toml", "[binds]", '[sender_rules]\ninstead = "60312"\n[binds]',
     "sender_rules.instead", "is never used"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "key", "says"), LANE_CASES)
def test_senders_are_the_lanes(
    make_folder: MakeFolder, file: str, old: str, new: str, key: str, says: str
) -> None:
    folder = make_folder()
    folder.edit(file, old, new)
    found = {problem.key: problem.message for problem in read_instance(folder.path).problems}
    assert list(found) == [key]
    assert says in found[key]


def test_a_template_of_another_lane_may_have_that_lanes_senders(make_folder: MakeFolder) -> None:
    folder = make_folder()
    folder.edit("templates/login-code.toml", "[text]", '[senders]\nDE = "Other"\n[text]')
    folder.edit("templates/login-code.toml", '"verification"', '"marketing"')
    assert read_instance(folder.path).problems == ()
