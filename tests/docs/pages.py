"""The pages of the documentation, and what can be read from them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
README: Final = REPOSITORY / "README.md"
PAGES: Final = (README, REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md")))


def read(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """(file, anchor or "") of every link that stays within the repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield (page.parent / file if file else page), anchor


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(text: str) -> Iterator[str]:
    """Every line of code: indented, fenced, or between backticks; continued lines are joined."""
    text = text.replace("\\\n", " ")
    for fenced in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from fenced.splitlines()
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in text.splitlines():
        if line.startswith("    "):
            yield line.strip()
        else:
            yield from re.findall(r"`([^`]+)`", line)


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The arguments of every call of `program` in the code of a page."""
    for line in code(text):
        found = re.match(rf"(?:\$ )?{program} (?=[a-z-])(.*)", line)
        if found:
            yield shlex.split(found[1].rstrip("& "), comments=True)


def session(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it printed) of every line that starts with `$`, in the order of the page."""
    for block in re.findall(r"(?:^    .*\n|^\n)+", text, re.MULTILINE):
        lines = [line[4:].rstrip() for line in block.replace("\\\n", " ").splitlines()]
        for part in re.split(r"^\$ ", "\n".join(lines), flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip()
