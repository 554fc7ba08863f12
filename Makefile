# `make` lists what it can do. Everything is installed into .venv; to choose the Python: make PYTHON=python3.12
PYTHON ?= python3
PORT ?= 8501
PYTEST_ARGS ?=
LOCK_ARGS ?=
BIN := .venv/bin
# Streamlit does not start for a user without a home folder.
export HOME ?= $(CURDIR)

.PHONY: help run test test-all bench bench-peers bench-equilibrium bench-sentences findings recordings lint style floors types scripts format lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp ## install what the app needs and open it on http://localhost:8501 (PORT=8502: there)
	$(BIN)/python -m pcviz serve --port $(PORT)

# Three parts: whatever needs no browser, panels in a browser, and last what must run alone. To look for the tests of a part
# takes long in all folders: tests/conftest.py sees to it that none of the last two is in another.
ALONE := tests/browser tests/engine
test: lint ## check style, layers and types, then run every test but the slow ones
	$(BIN)/python tests/browser/install.py
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not (slow or alone or browser)" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n auto -m "browser and not (slow or alone)" tests/browser $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m "alone and not slow" $(ALONE) $(PYTEST_ARGS)

test-all: lint ## the same with the slow tests
	$(BIN)/python tests/browser/install.py
	$(BIN)/python -m pytest -n auto -m "not (alone or browser)" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n auto -m "browser and not alone" tests/browser $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m alone $(ALONE) $(PYTEST_ARGS)

bench: .venv/run.stamp ## measure the speed of training and inference
	$(BIN)/python -m pcviz bench

bench-peers: .venv-peers/stamp ## measure pcviz beside other libraries (JPC=folder: a checkout of jpc too); writes docs/benchmarks.md
	.venv-peers/bin/python -m benchmarks.peers

bench-equilibrium: .venv/run.stamp ## measure which solver reaches the equilibrium first
	$(BIN)/python -m benchmarks.equilibrium

bench-sentences: .venv/run.stamp ## measure whether what the Inference page says is true
	$(BIN)/python -m benchmarks.sentences

findings: .venv/run.stamp ## measure every published claim again that fits into half an hour; writes docs/findings.md
	PCVIZ_DATABASE=sqlite:///$(shell mktemp -d)/pcviz.db $(BIN)/python -m benchmarks.findings

recordings: .venv/dev.stamp ## make anew what the Home page and README show of runs; needs Chromium
	$(BIN)/python -m recordings

lint: style floors types scripts ## check style, layers and types (make --jobs=2 lint: two at a time)

style: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

floors: .venv/dev.stamp
	$(BIN)/lint-imports

types: .venv/dev.stamp
	$(BIN)/mypy

scripts: node_modules/.stamp
	$(BIN)/node node_modules/typescript/bin/tsc
	$(BIN)/node node_modules/@biomejs/biome/bin/biome lint --error-on-warnings

format: .venv/dev.stamp ## apply the style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# For every Python and system at once, so that the files are the same wherever they are made.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --annotation-style line $(LOCK_ARGS)

# Node and npm come from PyPI. What they install needs no scripts of its own.
NPM = $(BIN)/npm --ignore-scripts --no-audit --no-fund --loglevel=error

lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock: .venv/dev.stamp ## pin what pyproject.toml and package.json ask for (LOCK_ARGS=--upgrade: newest releases)
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --output-file requirements-dev.txt --extra dev --constraint requirements.txt
	$(NPM) $(if $(filter --upgrade,$(LOCK_ARGS)),update,install) --package-lock-only --omit-lockfile-registry-resolved

clean: ## remove what the other targets made; runs in pcviz.db stay
	rm -rf .venv .venv-peers node_modules dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pcviz needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp

# An environment of its own: what the other libraries need is nothing that pcviz needs.
.venv-peers/stamp: requirements.txt benchmarks/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r benchmarks/peers/requirements.txt
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e . $(JPC)
	@touch $@

node_modules/.stamp: package.json package-lock.json | .venv/dev.stamp
	$(NPM) ci
	@touch $@
