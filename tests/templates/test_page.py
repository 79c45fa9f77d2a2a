"""What docs/templates.md shows is what happens."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.config import Parameter, Registration, Template
from connector.config.carrier import SenderRules
from connector.config.document import plain
from connector.config.parameter import Kind
from connector.templates import Registry, mismatch, render
from tests.templates.wordings import written

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
BLOCKS = [plain(tomllib.loads(block)) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
LINK = {"allow": ("https://t.acme.example/",)}


def test_the_first_example() -> None:
    template = msgspec.convert({**BLOCKS[0], "name": "parcel"}, Template)
    made = Registry("notification", [template]).wording("parcel", "de", 0.0)
    text = render(made, {"n": 2, "day": "2026-11-23", "total": "1234.50"}).text
    assert f"*{text}*" in PAGE.replace("\n", " ")


@pytest.mark.parametrize(
    ("kind", "value", "english", "german", "arabic", "more"),
    [
        ("number", 1234, "1,234", "1.234", "1,234", {}),
        ("number", "2.50", "2.5", "2,5", "2.5", {}),
        ("amount", "1234.50", "€1,234.50", "1.234,50 €", "1,234.50 €", {"currency": "EUR"}),
        ("date", "2026-11-23", "Nov 23, 2026", "23.11.2026", "23/11/2026", {}),
        ("time", "14:30", "2:30 PM", "14:30", "2:30 م", {}),
        ("url", "https://t.acme.example/a1b2", *["https://t.acme.example/a1b2"] * 3, LINK),
        ("name", "Zoë O'Brien-Smith", *["Zoë O'Brien-Smith"] * 3, {}),
        ("code", "48-29-17", *["48-29-17"] * 3, {}),
    ],
)
def test_the_table_of_kinds(
    kind: Kind, value: Any, english: str, german: str, arabic: str, more: dict[str, Any]
) -> None:
    parameter = Parameter(kind=kind, **more)
    shown = [written(parameter, value, lang) for lang in ("en", "de", "ar")]
    assert shown == [english, german, arabic]
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |")]
    assert str(value) in row
    assert " · ".join(shown) in row or row.rstrip(" |").split("| ")[-1].startswith("the same")


def test_the_other_blocks_are_what_the_files_take() -> None:
    rules = msgspec.convert(BLOCKS[1]["sender_rules"], SenderRules)
    assert not rules.permits("Acme", "US")
    india, china = (msgspec.convert(entry, Registration) for entry in BLOCKS[2]["registrations"])
    assert mismatch(india, "hi", "482917 आपका Acme कोड है। किसी को न बताएं।") is None
    assert mismatch(china, "zh", "【Acme】您的验证码是 482917，请勿泄露。") is None
