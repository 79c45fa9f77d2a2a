"""The list of numbers that asked to be left alone."""

import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import ConfigError
from connector.jobs.opt_out import OptOut, read_opt_out

NUMBER = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "opt-out.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "+4915112345678\n+12125550100\n",
        "+4915112345678\r\n+12125550100\r\n",
        "+4915112345678\n+12125550100",
        "# asked by letter\n\n  +4915112345678\t# on 3 May\n+12125550100 #\n#\n",
        "\ufeff+4915112345678\n+12125550100\n",
        "+12125550100\n+4915112345678\n+12125550100\n",
    ],
)
def test_a_list(tmp_path: Path, text: str) -> None:
    numbers = read_opt_out(written(tmp_path, text))
    assert len(numbers) == 2
    assert "+4915112345678" in numbers
    assert "+12125550100" in numbers
    assert "+4915112345679" not in numbers
    assert "+491511234567" not in numbers


@pytest.mark.parametrize("text", ["", "\n", "# nobody yet\n"])
def test_an_empty_list(tmp_path: Path, text: str) -> None:
    assert len(read_opt_out(written(tmp_path, text))) == 0


@pytest.mark.parametrize(
    "line",
    ["4915112345678", "+0151123456", "+491", "+4915112345678901", "+49 151 12345678", "+49151_12345678",
     "+49151x", "++4915112345678", "+4915112345678 +12125550100", "\u0661\u0662", "+" + "1" * 2000],
)  # fmt: skip
def test_a_line_that_is_none_is_told_without_the_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, f"# list\n+12125550100\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        read_opt_out(path)
    (problem,) = raised.value.problems
    assert (problem.code, problem.file, problem.line) == ("config_wrong_value", str(path), 3)
    assert str(problem).startswith(f"{path}:3: (file): is no number, expected ")
    assert "151" not in problem.message


def test_every_fault_has_its_line_but_not_without_end(tmp_path: Path) -> None:
    path = written(tmp_path, "+12125550100\nx\n" * 30_000)
    with pytest.raises(ConfigError) as raised:
        read_opt_out(path)
    assert [problem.line for problem in raised.value.problems] == list(range(2, 42, 2))


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, what: str) -> None:
    path = tmp_path if what == "folder" else tmp_path / "opt-out.txt"
    with pytest.raises(ConfigError, match="cannot be read") as raised:
        read_opt_out(path)
    assert raised.value.problems[0].code == "config_unreadable"


def test_lines_at_the_seams_of_reading(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    known = {f"+{rng.randrange(10**6, 10**15)}" for _ in range(60_000)}
    known = {number for number in known if number[1] != "0"}
    numbers = read_opt_out(written(tmp_path, "\n".join(known)))
    assert len(numbers) == len(known)
    assert all(number in numbers for number in known)
    others = (f"+{rng.randrange(10**6, 10**15)}" for _ in range(20_000))
    assert all((number in numbers) == (number in known) for number in others)


@given(st.sets(NUMBER), st.sets(NUMBER))
def test_a_set(members: set[str], others: set[str]) -> None:
    numbers = OptOut(tuple(map(int, members)))
    assert len(numbers) == len(members)
    for number in members | others:
        assert (number in numbers) == (number in members)


def test_memory(tmp_path: Path) -> None:
    count = 200_000
    path = written(tmp_path, "".join(f"+49151{index:08d}\n" for index in range(count)))
    tracemalloc.start()
    numbers = read_opt_out(path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(numbers) == count
    assert kept < 12 * count
    assert peak < 32 * count
