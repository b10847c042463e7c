# Everything runs in a virtual environment of its own, which the first target makes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
FRONT := .venv-front
BACKBONES := .venv-backbones
READY := $(VENV)/.ready
MINUTES ?= 3
MOMENTS ?= 100
SEED ?= 0
PROCESSES ?= 1
INSTALL := pip install --quiet --disable-pip-version-check
NPM := $(VENV)/npm/.ready
WEB := build/web
SCRIPTS := $(wildcard compiler/targets/page/*.js)
TSC := $(BIN)/node $(VENV)/npm/node_modules/typescript/bin/tsc \
	--noEmit --checkJs --strict --target es2022 --lib es2022,dom

.DEFAULT_GOAL := help
.PHONY: help demo test test-front test-backbones prove test-cuda siege kills golden gallery release site vscode check lint types mypy pyright scripts format clean

help:
	@echo "make demo    the main job on bundled real data, into demo-run/"
	@echo "make test    the tests"
	@echo "make test-front  the tests that need no torch, on another Python: PYTHON=python3.13 make test-front"
	@echo "make test-backbones  backbones of torchvision and timm, in an environment of several GB"
	@echo "make prove   the property tests over ten times as many random programs, and every change of a checkpoint"
	@echo "make test-cuda  CUDA against the CPU; skipped with a message where there is no GPU"
	@echo "make siege   files, messages and faults without end: MINUTES=3, SEED=0"
	@echo "make kills   kill every search, training and what writes at MOMENTS=100; it resumes to the same bytes"
	@echo "make golden  write the files that tests compare with anew; look at the difference"
	@echo "make gallery  draw docs/gallery.md and its pictures anew"
	@echo "make release  wheel and sdist into dist/, built twice and tried with every Python at hand; DEMO=--demo"
	@echo "make site    the documentation and the playground, into build/site/"
	@echo "make vscode  the extension for Visual Studio Code, into dist/"
	@echo "make check   lint and tests: what a reviewer would check"
	@echo "make lint    format, lint, types and contracts of imports"
	@echo "make format  rewrite the code in its canonical form"
	@echo "make clean   remove the environment and what was built"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(INSTALL) 'pip>=25.1'  # the first that knows groups of dependencies
	$(BIN)/$(INSTALL) -c constraints.txt torch
	$(BIN)/$(INSTALL) -c constraints.txt -e '.[torch,formats,raw,transformers,joint]' --group dev
	@touch $(READY)

# axe-core and tsc, which check pages. Node and npm come from PyPI, so that none need be installed.
$(NPM): $(READY) tests/package.json tests/package-lock.json
	@mkdir -p $(@D) && cp tests/package.json tests/package-lock.json $(@D)
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix $(@D) --silent --ignore-scripts --fetch-retries=1 \
		&& touch $@ || echo "npm could not install axe-core and typescript: tests of pages are skipped, and make lint fails" >&2

demo: $(READY)
	$(BIN)/fusewright demo --out demo-run

test: $(READY) $(NPM)
	$(BIN)/pytest -n auto

# Made anew each time, since another Python may be asked for.
test-front:
	$(PYTHON) -m venv --clear $(FRONT)
	$(FRONT)/bin/$(INSTALL) 'pip>=25.1'
	$(FRONT)/bin/$(INSTALL) -e '.[formats]' --group test
	! $(FRONT)/bin/python -c 'import torch' 2>/dev/null
	$(FRONT)/bin/pytest -n auto

# Several GB: the only versions of torch and torchvision that are known to install together.
$(BACKBONES)/.ready: pyproject.toml
	$(PYTHON) -m venv $(BACKBONES)
	$(BACKBONES)/bin/$(INSTALL) 'pip>=25.1'
	$(BACKBONES)/bin/$(INSTALL) torch==2.14.1 torchvision==0.29.1
	$(BACKBONES)/bin/$(INSTALL) -e '.[torch,formats,raw,transformers,timm,torchvision,joint]' --group test
	@touch $@

test-backbones: $(BACKBONES)/.ready
	$(BACKBONES)/bin/pytest -rsP tests/runtime/backbones tests/runtime/joint

prove: $(READY)
	HYPOTHESIS_PROFILE=prove $(BIN)/pytest -n auto tests/laws/test_laws.py tests/laws/test_populations.py \
		tests/runtime/search/test_checkpoints.py

test-cuda: $(READY)
	$(BIN)/pytest -rs tests/runtime/test_cuda.py

siege: $(READY)
	$(BIN)/python -m tests.siege --minutes $(MINUTES) --seed $(SEED) --processes $(PROCESSES)

kills: $(READY)
	$(BIN)/python -m tests.siege --kills $(MOMENTS) --seed $(SEED) --processes $(PROCESSES)

golden: $(READY) $(NPM)
	$(BIN)/python -m fusewright.compiler.syntax.grammar
	$(BIN)/python -m tests.compiler.diagnostics.test_diagnostics
	$(BIN)/python -m tests.compiler.passes.test_fixtures
	$(BIN)/python -m tests.grammars.test_reference
	$(BIN)/python -m tests.house.test_architecture
	$(BIN)/python -m tests.siege.seen
	$(BIN)/python -m tests.compiler.targets.test_page

gallery: $(READY)
	$(BIN)/python -m tests.support.gallery
	$(BIN)/python -m tests.support.systems

site: $(READY) $(WEB)/.ready
	$(BIN)/python -m website.bundle $(WEB)/sources.zip
	cp -r website/playground/. $(WEB)
	PATH="$(abspath $(BIN)):$$PATH" node $(WEB)/build.mjs $(WEB)/sources.zip examples build/playground
	PATH="$(abspath $(BIN)):$$PATH" node $(WEB)/node_modules/typescript/bin/tsc --project $(WEB)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# What the playground is made of, from npm, as its lock file says.
$(WEB)/.ready: $(READY) website/playground/package.json website/playground/package-lock.json
	@mkdir -p $(WEB) && cp website/playground/package.json website/playground/package-lock.json $(WEB)
	PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix $(WEB) --silent --ignore-scripts --fetch-retries=1
	@touch $@

# Node comes from PyPI; what packages the extension from npm, as its lock file says.
vscode: $(READY)
	mkdir -p build/vscode dist && cp -r grammars/vscode/. build/vscode && cp grammars/fuse.tmLanguage.json build
	cd build/vscode && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --ignore-scripts --fetch-retries=1
	cd build/vscode && PATH="$(abspath $(BIN)):$$PATH" npm run --silent package -- --out $(abspath dist)

release: $(READY)
	$(BIN)/python -m release.build --out dist
	$(BIN)/python -m release.trial dist $(DEMO)

check: lint test

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory types

types: $(READY) $(NPM)
	@$(MAKE) --no-print-directory --jobs 3 --output-sync mypy pyright scripts

mypy pyright:
	$(BIN)/$@

scripts:
	$(TSC) $(SCRIPTS)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(FRONT) $(BACKBONES) build dist demo-run .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
