"""Any bytes are a document or one problem with its line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import ConnectorFile
from connector.config.document import Document, read_document
from connector.config.problem import Problem
from connector.config.validate import file_problems

EXAMPLE = Path(__file__).parents[2] / "config/verification/connector.toml"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents") / "connector.toml"


def check(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    found = read_document(file)
    if isinstance(found, Problem):
        assert 1 <= found.line <= content.count(b"\n") + 1
        assert "\n" not in str(found)
        return
    assert found.data == tomllib.loads(content.decode().replace("\r\n", "\n"))
    for problem in file_problems(found, ConnectorFile):
        assert 1 <= problem.line <= content.count(b"\n") + 1
        assert "\n" not in str(problem)


@given(content=st.binary(max_size=60) | st.text("[]{}\"'=.,#\\\r\n ab1-", max_size=60).map(str.encode))
def test_any_bytes(file: Path, content: bytes) -> None:
    check(file, content)


@settings(max_examples=200)
@given(data=st.data())
def test_an_example_with_a_few_wrong_characters(file: Path, data: st.DataObject) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 4))
        text = text[:at] + data.draw(st.text("[]{}\"'=.,#\\\n ab1-é", max_size=3)) + text[at + cut :]
    check(file, text.encode())


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a = 1\nb =\n", 2),
        (b'a = 1\n\nb = """open\n', 3),
        (b"a = 1\na = 2\n", 2),
        (b"a = 1\r\nb = [1\r\n", 2),
    ],
)
def test_the_line_of_a_syntax_error(file: Path, content: bytes, line: int) -> None:
    file.write_bytes(content)
    found = read_document(file)
    assert isinstance(found, Problem)
    assert (found.code, found.key, found.line) == ("config_syntax", "(file)", line)


def test_windows_line_ends(file: Path) -> None:
    file.write_bytes(b'a = """x\r\ny"""\r\nb = 1\r\n')
    found = read_document(file)
    assert isinstance(found, Document)
    assert (found.data["a"], found.line(("b",))) == ("x\ny", 3)
