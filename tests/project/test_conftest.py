"""The rules of tests/conftest.py, tried on small test files in a pytest of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

SKIPS = {
    "mark": "@pytest.mark.skip(reason='no tshark here')\ndef test_it():\n    pass\n",
    "call": "def test_it():\n    pytest.skip('no tshark here')\n",
    "fixture": (
        "@pytest.fixture\ndef peer():\n    pytest.skip('no tshark here')\n\ndef test_it(peer):\n    pass\n"
    ),
    "module": "pytest.skip('no tshark here', allow_module_level=True)\n",
    "missing package": "pytest.importorskip('no_tshark', reason='no tshark here')\n",
}


def run(folder: Path, body: str, *arguments: str, ci: bool = False) -> tuple[int, str]:
    (folder / "test_small.py").write_text("import pytest\n" + body)
    environ = {**os.environ, "CI": "true" if ci else "", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "tests.conftest"]
    done = subprocess.run(
        [*command, *arguments, str(folder)],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("body", SKIPS.values(), ids=SKIPS)
def test_a_skip_is_an_error_in_ci_only(tmp_path: Path, body: str) -> None:
    code, _ = run(tmp_path, body)
    assert code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    code, output = run(tmp_path, body, ci=True)
    assert code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert "nothing may be skipped in CI: " in output
    assert "no tshark here" in output


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    code, output = run(tmp_path, "@pytest.mark.xfail\ndef test_it():\n    assert 0\n", ci=True)
    assert code == pytest.ExitCode.OK, output


def test_the_printed_seed_repeats_the_run(tmp_path: Path) -> None:
    body = """
from hypothesis import given, strategies as st

def test_ours(random):
    print("ours", random.random())

@given(st.integers())
def test_theirs(n):
    print("theirs", n)
"""

    def drawn(*arguments: str) -> tuple[str, list[str]]:
        code, output = run(tmp_path, body, "-s", *arguments)
        assert code == pytest.ExitCode.OK, output
        seed = re.search(r"^seed: (\d+)", output, re.MULTILINE)
        assert seed is not None
        return seed[1], re.findall(r"(?:ours|theirs) \S+", output)

    seed, first = drawn()
    assert len(first) > 50
    assert drawn("--seed", seed) == (seed, first)
    other, second = drawn()
    assert other != seed
    assert second != first
