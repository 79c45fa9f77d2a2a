"""The tables of the documentation that are made from the code.

`python tests/docs/tables.py` writes them into the documents, between `<!-- begin NAME -->` and
`<!-- end NAME -->`; a test compares.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from connector.carriers import bind_state
from connector.carriers.statuses import USUAL, StatusClass
from connector.config import CarrierFile, Parameter, TemplateFile, TrunkFile
from connector.config.schema import file_schema
from connector.config.wording import expected
from connector.errors import ERRORS
from connector.evidence.rows import COLUMNS
from connector.lifecycle import TABLE, Situation
from connector.metrics import (
    BindLive,
    CarrierLive,
    ClassLive,
GuardHits,
    Histogram,
    Live,
    Metrics,
    RouteLive,
    TrunkLive,
    VoiceLive,
)
from connector.metrics.collector import registry_of
from connector.voice import flow
from protocols.sip import call_state, transaction_tables
from protocols.smpp import state
from protocols.smpp.constants import status_name
from tests.catalogue import tables as catalogue
from tests.docs import call_tables, guard_tables
from tests.docs.facts import RULES, rows

REPOSITORY: Final = Path(__file__).parents[2]

REFUSALS: Final = {
    StatusClass.THROTTLED: "sends the same PDU first, and goes on slower for a while",
    StatusClass.TRANSIENT: "tries the other carriers, and this one again a second after all have refused",
    StatusClass.AMBIGUOUS: "as with transient, but this carrier only once more",
    StatusClass.PERMANENT_HERE: "tries the other carriers, this one no more",
    StatusClass.PERMANENT: "ends the job as rejected: no carrier can take it",
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
    rows = [
        (f"`{status_name(status)}` 0x{status:02X}", kind, REFUSALS[kind]) for status, kind in USUAL.items()
    ]
    other = StatusClass.PERMANENT_HERE
    return table(("status", "class", "the daemon"), [*rows, ("any other", other, REFUSALS[other])])


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
    metrics.content_refused["lexicon"] += 1
    carrier = metrics.carrier("")
    carrier.refused[1] += 1
    carrier.bind_changes["bound"] += 1
    bind = BindLive("", "bound", 0, 1)
    carriers = (CarrierLive("", (bind,), tokens=1.0, receipt_match_ratio=1.0),)
    metrics.trunk("").ended["heard"] += 1
    metrics.rtp_pacing = Histogram((1.0,))
    metrics.follow_ups["", "", ""] += 1
    metrics.job_class("")
    trunks = (TrunkLive("", "up", 0, 1, 1.0, 1.0),)
    metrics.live = lambda: Live(
        oldest_deadline_s=1.0, event_backlog={"": 0}, carriers=carriers, trunks=trunks, voice=VoiceLive(),
        lookups={"": 0}, guard_hits=(GuardHits("", "", 0),), evidence_published_at=0.0,
        route_health=(RouteLive("", arrival_ratio=1.0),), classes=(ClassLive(""),),
    )  # fmt: skip
    return metrics


def file_keys(file: type) -> str:
    """Every key of a TOML file, in the order of its schema."""
    schema = file_schema(file)
    return table(("key", "expected", "default", ""), _keys(schema["$defs"], schema["$ref"], ""))


def _keys(definitions: dict[str, Any], reference: str, path: str) -> Iterator[tuple[str, ...]]:
    kind = definitions[reference.rpartition("/")[2]]
    for key, child in kind["properties"].items():
        items = child.get("items", {})
        at = f"{path}{key}"
        if "$ref" in child and _is_section(definitions, child["$ref"]):
            yield from _keys(definitions, child["$ref"], f"{at}.")
        elif "$ref" in items and _is_section(definitions, items["$ref"]):
            yield from _keys(definitions, items["$ref"], f"{at}[].")
        else:
            needed = "required" if key in kind.get("required", ()) else ""
            default = f"`{json.dumps(child['default'])}`" if "default" in child else needed
            words = child.get("description", "")
            yield tuple(cell.replace("|", "\\|") for cell in (f"`{at}`", expected(child), default, words))


def _is_section(definitions: dict[str, Any], reference: str) -> bool:
    return reference.rpartition("/")[2] != "TextAlphabet"


def facts(section: str) -> str:
    return table(("rule", "tests"), rows(section))


def diagram(table: Mapping[Any, Mapping[Any, Any]], first: str, last: str) -> str:
    """A table state × input → state as a Mermaid diagram, one arrow for each pair of states."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    for source, row in table.items():
        arrows: dict[str, list[str]] = {}
        for cause, target in row.items():
            arrows.setdefault(target.value, []).append(cause.value)
        lines += [f"    {source} --> {target} : {', '.join(causes)}" for target, causes in arrows.items()]
    return "\n".join([*lines, f"    {last} --> [*]", "```\n"])


def transaction(name: str) -> str:
    """A table of a transaction as a diagram, and its cells."""
    kind = transaction_tables.TABLES[name]
    arrows = {source: {cause: target for cause, (target, _) in row.items()} for source, row in kind.items()}
    cells = [
        (f"`{source}`", cause.value, f"`{target}`", ", ".join(actions) or "nothing")
        for source, row in kind.items()
        for cause, (target, actions) in row.items()
    ]
    return f"{diagram(arrows, 'START', 'TERMINATED')}\n{table(('state', 'input', 'next', 'does'), cells)}"


TABLES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "lifecycle": ("docs/architecture.md", lifecycle),
    "layers": ("docs/architecture.md", layers),
    "states of a bind": ("docs/binds.md", lambda: diagram(bind_state.TABLE, "down", "down")),
    "states of a session": ("docs/smpp-session.md", lambda: diagram(state.TABLE, "OPEN", "CLOSED")),
    **{
        f"script {name}": ("docs/call-scripts.md", partial(diagram, script, "ringing", "ended"))
        for name, script in (
            ("code with a gate", flow.GATED_CODE),
            ("code", flow.CODE),
            ("risk", flow.RISK),
            ("message with a gate", flow.GATED_MESSAGE),
        )
    },
    "phrases": ("docs/call-scripts.md", lambda: table(("state", "says"), call_tables.phrases())),
    "anywhere": (
        "docs/call-scripts.md",
        lambda: table(
            ("in any state", '`machine = "hang_up"`', '`machine = "greet"`'), call_tables.anywhere()
        ),
    ),
    "repeats": ("docs/call-scripts.md", call_tables.repeats),
    "results of calls": (
        "docs/call-scripts.md",
        lambda: table(("result", "when", "reason in events"), call_tables.results()),
    ),
    "ends of calls": (
        "docs/call-scripts.md",
        lambda: table(
            ("class", "SIP status", "Q.850 cause", "reason in events", "then", "at last", "remedy"),
            call_tables.ends(),
        ),
    ),
    "states of an outgoing call": (
        "docs/sip.md",
        lambda: diagram(call_state.OUTGOING, "CALLING", "ENDED"),
    ),
    "states of an incoming call": (
        "docs/sip.md",
        lambda: diagram(call_state.INCOMING, "INVITED", "ENDED"),
    ),
    **{name: ("docs/sip.md", partial(transaction, name)) for name in transaction_tables.TABLES},
    "template keys": ("docs/templates.md", partial(file_keys, TemplateFile)),
    "parameter keys": ("docs/templates.md", partial(file_keys, Parameter)),
    "carrier keys": ("docs/carriers.md", partial(file_keys, CarrierFile)),
    "trunk keys": ("docs/voice.md", partial(file_keys, TrunkFile)),
    "catalogue": (
        "docs/catalogue.md",
        lambda: table(("template", "lane", "says", "takes", "in a call"), catalogue.templates()),
    ),
    "catalogue languages": (
        "docs/catalogue.md",
        lambda: table(("tag", "language", "alphabet", "voice"), catalogue.languages()),
    ),
    "catalogue parts": (
        "docs/catalogue.md",
        lambda: table(("template", *catalogue.LANGUAGES), catalogue.parts()),
    ),
    "evidence columns": (
        "docs/evidence.md",
        lambda: table(("column", "holds"), ((f"`{each.name}`", each.about) for each in COLUMNS)),
    ),
    "attacks": (
        "docs/guards.md",
        lambda: table(
            ("attack", "stopped by", "jobs", "before the first refusal", "let through in all"),
            guard_tables.attacks(),
        ),
    ),
    "toll fraud": (
        "docs/guards.md",
        lambda: table(
            ("attack", "stopped by", "calls", "most at once", "minutes on the line"), guard_tables.calls()
        ),
    ),
    "normal days": (
        "docs/guards.md",
        lambda: table(("day", "jobs of people", "of them refused", "share"), guard_tables.days()),
    ),
    "dear ranges": (
        "docs/guards.md",
        lambda: table(("group", "numbers that begin with"), guard_tables.ranges()),
    ),
    "errors of requests": ("docs/socket.md", lambda: errors("socket")),
    "errors of connections": ("docs/socket.md", lambda: errors("connection")),
    "errors of files": ("docs/operations.md", lambda: errors("check")),
    "refusals": ("docs/operations.md", refusals),
    "metrics": ("docs/operations.md", metrics),
    **{f"rules of {section}": ("docs/facts.md", partial(facts, section)) for section in RULES},
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
