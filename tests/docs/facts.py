"""The rules of rules.toml, and the tests that name them by `@pytest.mark.rule`."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

REPOSITORY: Final = Path(__file__).parents[2]
RULES: Final[dict[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("rules.toml").read_text("utf-8")
)
"""Section, the rule's name within it, and what it says."""


class Naming(NamedTuple):
    """`rule` is "section.name"; `test` stands in `file`, a path from the repository's root."""

    rule: str
    file: str
    test: str


@cache
def namings() -> tuple[Naming, ...]:
    """Every rule that a test names, by file and by its place there."""
    paths = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    return tuple(naming for path in paths for naming in _in_file(path))


def _in_file(path: Path) -> Iterator[Naming]:
    text = path.read_text("utf-8")
    if "mark.rule(" not in text:
        return
    file = path.relative_to(REPOSITORY).as_posix()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.rule":
                    for argument in decorator.args:
                        yield Naming(ast.literal_eval(argument), file, node.name)


def rows(section: str) -> Iterator[tuple[str, str]]:
    """(rule, its tests) in the order of the list; each test once, its file named before it."""
    tests: dict[str, list[str]] = defaultdict(list)
    for naming in namings():
        tests[naming.rule].append(f"`{naming.file}::{naming.test}`")
    for name, says in RULES[section].items():
        yield says, " ".join(tests[f"{section}.{name}"])
