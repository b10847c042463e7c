# Everything runs in a virtual environment of its own, which the first target makes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test prove test-cuda fuzz golden check format clean

help:
	@echo "make demo    the main job on bundled real data, into demo-run/"
	@echo "make test    the tests"
	@echo "make prove   the property tests over ten times as many random programs"
	@echo "make test-cuda  CUDA against the CPU; skipped with a message where there is no GPU"
	@echo "make fuzz    200,000 mutated specifications: no traceback, no hang"
	@echo "make golden  write the files that tests compare with anew; look at the difference"
	@echo "make check   format, lint, types and tests: what a reviewer would check"
	@echo "make format  rewrite the code in its canonical form"
	@echo "make clean   remove the environment and what was built"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/fusewright demo --out demo-run

test: $(READY)
	$(BIN)/pytest -n auto

prove: $(READY)
	HYPOTHESIS_PROFILE=prove $(BIN)/pytest -n auto tests/test_laws.py

test-cuda: $(READY)
	$(BIN)/pytest -rs tests/test_cuda.py

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz

golden: $(READY)
	$(BIN)/python -m fusewright.compiler.grammar
	$(BIN)/python -m tests.test_diagnostics
	$(BIN)/python -m tests.test_reference

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/pytest -n auto

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist demo-run .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
