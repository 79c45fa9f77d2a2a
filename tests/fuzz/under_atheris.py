"""`python -m tests.fuzz.under_atheris NAME OPTION...`: one harness, by libFuzzer's options."""

import sys

import atheris

from tests.fuzz.corpus import harness

if __name__ == "__main__":
    _, name, *options = sys.argv
    with atheris.instrument_imports(include=["protocols", "connector"]):
        one_input = harness(name)
    atheris.Setup([name, *options], one_input)
    atheris.Fuzz()  # ends the process
