"""The line of every key, checked by documents whose numbers are the lines they stand on."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.config.lines import key_lines

Path = tuple[str | int, ...]


def numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """Every integer of a document with its path."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from numbers(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from numbers(child, (*path, index))
    elif isinstance(value, int):
        yield path, value


# @ becomes the line it stands on, % a name not used before.
STATEMENTS = [
    "% = @",
    '"% quoted [x] = #" = @',
    "'% literal' = @",
    r'"% \"escaped\\" = @',
    "  %.b . c = @   # a comment with = and [brackets]",
    "%.'dotted.key'.x = @",
    "% = [@, @,\n  @, # comment ]\n  [@, [\n@]],\n]",
    "% = {a = @, b = {c = @}, d.e = @, f = [\n@]}",
    "% = []\n% = {}",
    '% = "a # b = [c] \\" }"\n% = @',
    "% = '''\nx = 1\n[no.table]\n''y''''\n% = @",
    '% = """\\\n  x = 1\n\\"""\n""quoted"""""\n% = @',
    "% = [1979-05-27T07:32:00Z, 'x,]', true, 1.5e3]\n% = @",
    "",
    "# [comment]",
    "[%]\nx = @",
    '[ "%".sub . deep ]\nx = @',
    "[[%]]\nx = @",
    "[[%]]\nx = @\n[[%]]\n[%.inner]\ny = @",
]


def document(statements: list[str]) -> str:
    text = ""
    names = 0
    for statement in statements:
        while "%" in statement:
            statement = statement.replace("%", f"k{names}", 1)
            names += 1
        text += statement + "\n"
    lines = text.split("\n")
    return "\n".join(line.replace("@", str(number)) for number, line in enumerate(lines, 1))


@given(st.lists(st.sampled_from(STATEMENTS), max_size=12))
def test_every_number_stands_on_its_line(statements: list[str]) -> None:
    text = document(statements)
    # 1 also occurs as text inside strings, never as a bare number of another line.
    found = dict(numbers(tomllib.loads(text)))
    lines = key_lines(text)
    assert {path: lines.get(path) for path in found if not isinstance(found[path], bool)} == {
        path: line for path, line in found.items() if not isinstance(line, bool)
    }


def test_repeated_array_tables_and_their_children() -> None:
    text = document(["[[a]]\nx = @\n[[a.b]]\ny = @\n[[a.b]]\ny = @\n[[a]]\n[[a.b]]\ny = @\n[a.c]\nz = @"])
    found = dict(numbers(tomllib.loads(text)))
    assert found[("a", 1, "b", 0, "y")] == 9
    lines = key_lines(text)
    assert {path: lines[path] for path in found} == found
    assert (lines[("a",)], lines[("a", 0)], lines[("a", 1)], lines[("a", 1, "c")]) == (1, 1, 7, 10)


def test_tables_stand_where_their_header_is() -> None:
    assert key_lines("\n[a.b]\n\n[c]\n") == {("a",): 2, ("a", "b"): 2, ("c",): 4}
