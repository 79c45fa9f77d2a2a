# Each target makes the virtual environment .venv when it is missing or older than what it is made from.

VENV   := .venv
PYTHON := $(VENV)/bin/python
STAMP  := $(VENV)/.made
ARGS   ?=
FUZZ_RUNS ?= 10000000

.PHONY: help demo test coverage lint bench fuzz lock clean

help:
	@echo 'make demo      the whole product on this machine, with simulated carriers and telephones'
	@echo 'make test      every test; ARGS="-k window" passes options to pytest'
	@echo 'make coverage  the same with branch coverage'
	@echo 'make lint      ruff, mypy, import contracts'
	@echo 'make bench     what a decision and what a job cost; ARGS="cycle --json" runs one benchmark as JSON'
	@echo 'make fuzz      ten million inputs for what reads octets of others; FUZZ_RUNS=100000 for fewer'
	@echo 'make lock      resolves requirements-ci.lock again'
	@echo 'make clean     removes what make and the tools made'

demo: $(STAMP)
	.ci/speech
	$(VENV)/bin/connector demo $(ARGS)

test: $(STAMP)
	-.ci/speech
	$(PYTHON) -m pytest -n 3 --dist loadfile -m 'not alone' $(ARGS)
	$(PYTHON) -m pytest -m alone $(ARGS) || [ $$? = 5 ]  # 5: ARGS leave none of these

coverage: $(STAMP)
	$(PYTHON) -m pytest --cov --cov-report=term $(ARGS)

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(STAMP)
	.ci/speech
	$(if $(ARGS),,$(PYTHON) -m benchmarks decision)
	$(if $(ARGS),,$(PYTHON) -m benchmarks gate)
	$(PYTHON) -m benchmarks $(ARGS)

fuzz: $(STAMP)
	$(PYTHON) -m pip install --quiet uv
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --group fuzz
	$(PYTHON) -m tests.fuzz --runs $(FUZZ_RUNS) $(ARGS)

lock: $(STAMP)
	$(PYTHON) -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-header --extra speed --extra parquet --extra pdf --group dev \
		--output-file requirements-ci.lock pyproject.toml

clean:
	rm -rf $(VENV) .cache build dist htmlcov .coverage .coverage.* .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find connector protocols tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMP): pyproject.toml requirements-ci.lock .ci/venv
	.ci/venv $(VENV)
	touch $@
