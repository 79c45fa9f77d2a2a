"""The tables of the documentation that are made from the code.

`python tests/docs/tables.py` writes them into the documents, between `<!-- begin NAME -->` and
`<!-- end NAME -->`; a test compares.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from connector.carriers.statuses import Verdict, classify
from connector.errors import ERRORS
from connector.lifecycle import TABLE, Situation
from connector.metrics import BindLive, CarrierLive, Live, Metrics
from connector.metrics.collector import registry_of
from protocols.smpp.constants import Status, status_name

REPOSITORY: Final = Path(__file__).parents[2]

REFUSALS: Final = {
    Verdict.HERE_LATER: "pauses for 0.1 s, sends the same PDU first, and goes on slower for a while",
    Verdict.NOT_NOW: "tries the other carriers, and this one again a second after all have refused",
    Verdict.OTHER_ROUTE: "tries the other carriers, this one no more",
    Verdict.NOWHERE: "ends the job as rejected: no carrier can take it",
}


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = tuple(headings)
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def errors(where: str) -> str:
    return table(
        ("code", "what happened", "what to do"),
        ((f"`{code}`", entry.cause, entry.remedy) for code, entry in ERRORS.items() if where in entry.where),
    )


def refusals() -> str:
    named = [int(status) for name, status in vars(Status).items() if name.startswith("ESME_")]
    rows = [
        (f"`{status_name(status)}` 0x{status:02X}", REFUSALS[classify(status)])
        for status in sorted(named)
        if classify(status) is not Verdict.OTHER_ROUTE and status
    ]
    return table(("status", "the daemon"), [*rows, ("any other", REFUSALS[Verdict.OTHER_ROUTE])])


def lifecycle() -> str:
    return table(
        ("the attempt", *(situation.value for situation in Situation)),
        ((ending.value, *(row[situation].value for situation in Situation)) for ending, row in TABLE.items()),
    )


def layers() -> str:
    """The layers of the daemon that exist, top first, as `make lint` enforces them."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (contract,) = [contract for contract in contracts if contract["name"] == "layers of the daemon"]
    lines = []
    for layer in contract["layers"]:
        names = re.findall(r"connector\.(\w+)", layer)
        lines.append(", ".join(name for name in names if find_spec(f"connector.{name}")))
    return "".join(f"    {line}\n" for line in lines)


def metrics() -> str:
    """Every family with its labels; counters by the name that is scraped."""
    families = [
        (
            f"`{family.name}{'_total' if family.type == 'counter' else ''}`",
            family.type,
            " ".join(f"`{label}`" for label in family.samples[0].labels if label != "le"),
            family.documentation,
        )
        for family in registry_of(_everything()).collect()
    ]
    return table(("metric", "type", "labels", "what it tells"), families)


def _everything() -> Metrics:
    metrics = Metrics()
    carrier = metrics.carrier("")
    carrier.refused[1] += 1
    carrier.bind_changes["bound"] += 1
    bind = BindLive("", "bound", 0, 1)
    carriers = (CarrierLive("", (bind,), tokens=1.0),)
    metrics.live = lambda: Live(oldest_deadline_s=1.0, event_backlog={"": 0}, carriers=carriers)
    return metrics


TABLES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "lifecycle": ("docs/architecture.md", lifecycle),
    "layers": ("docs/architecture.md", layers),
    "errors of requests": ("docs/socket.md", lambda: errors("socket")),
    "errors of connections": ("docs/socket.md", lambda: errors("connection")),
    "errors of files": ("docs/operations.md", lambda: errors("check")),
    "refusals": ("docs/operations.md", refusals),
    "metrics": ("docs/operations.md", metrics),
}


def place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin {name} -->\n)(.*?)(?=<!-- end {name} -->)", re.DOTALL)


def main() -> None:
    for name, (file, make) in TABLES.items():
        path = REPOSITORY / file
        made = make().replace("\\", r"\\")
        text, count = place(name).subn(made, path.read_text("utf-8"))
        if count != 1:
            raise SystemExit(f"{file} has {count} places for the table {name}, expected one")
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
