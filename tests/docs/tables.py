"""The tables of the documentation that are made from the code.

`python tests/docs/tables.py` writes them into the documents, between `<!-- begin NAME -->` and
`<!-- end NAME -->`; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from connector.errors import ERRORS
from connector.lifecycle import TABLE, Situation
from connector.metrics import Metrics
from connector.metrics.collector import registry_of

REPOSITORY: Final = Path(__file__).parents[2]


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '\\|') for cell in line)} |\n" for line in lines)


def errors(where: str) -> str:
    return table(
        ("code", "what happened", "what to do"),
        ((f"`{code}`", entry.cause, entry.remedy) for code, entry in ERRORS.items() if where in entry.where),
    )


def lifecycle() -> str:
    return table(
        ("the attempt", *(situation.value for situation in Situation)),
        ((ending.value, *(row[situation].value for situation in Situation)) for ending, row in TABLE.items()),
    )


def metrics() -> str:
    """Every family, with a carrier and its labels; counters by the name that is scraped."""
    counted = Metrics()
    counted.carrier("NAME")
    families = [
        (family.name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
        for family in registry_of(counted).collect()
    ]
    return table(
        ("metric", "type", "what it tells"), ((f"`{name}`", type, help) for name, type, help in families)
    )


TABLES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "lifecycle": ("docs/architecture.md", lifecycle),
    "errors of requests": ("docs/socket.md", lambda: errors("socket")),
    "errors of connections": ("docs/socket.md", lambda: errors("connection")),
    "errors of files": ("docs/operations.md", lambda: errors("check")),
    "metrics": ("docs/operations.md", metrics),
}


def place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin {name} -->\n)(.*?)(?=<!-- end {name} -->)", re.DOTALL)


def main() -> None:
    for name, (file, make) in TABLES.items():
        path = REPOSITORY / file
        text, count = place(name).subn(lambda _: make(), path.read_text("utf-8"))
        if count != 1:
            raise SystemExit(f"{file} has {count} places for the table {name}, expected one")
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
