# Everything works from a bare checkout: make run, make test.
PYTHON ?= python3
PORT ?= $(or $(FIELDWARD_PORT),8000)
DATA ?= $(or $(FIELDWARD_DATA_DIR),.data)
WORKERS ?= $(or $(FIELDWARD_WORKERS),1)

BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: run test test-slow lint lock install bench workbench

# exec: signals reach the service itself, and not a shell in front of it.
run: install
	@$(BIN)/python workbench/make.py --optional
	@FIELDWARD_PORT="$(PORT)" FIELDWARD_DATA_DIR="$(DATA)" FIELDWARD_WORKERS="$(WORKERS)" exec $(BIN)/fieldward serve

# Two processes, each with its own MongoDB; a file stays in one of them. JOBS=0: one process, as for a debugger.
JOBS ?= 2
test: install
	@exec $(BIN)/python -m pytest -m "not slow" --numprocesses=$(JOBS) --dist=loadfile $(ARGS)

test-slow: install
	@exec $(BIN)/python -m pytest -m slow $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fieldward schema --check

# GraphiQL and what belongs to it; needs Node.js or a package index, once.
workbench: install
	@exec $(BIN)/python workbench/make.py

# Beside other servers; those that need Node.js are left out where there is none. ARGS="--quick" takes minutes less.
bench: install bench/.installed bench/peers/node/node_modules/.installed
	@exec $(BIN)/python -m bench $(ARGS)

bench/.installed: bench/requirements.lock $(INSTALLED)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement bench/requirements.lock
	@touch $@

bench/peers/node/node_modules/.installed: bench/peers/node/package-lock.json
	@if command -v npm >/dev/null; then \
		cd bench/peers/node && npm ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/.installed; \
	fi

lock: install
	$(BIN)/pip-compile --quiet --upgrade --extra dev --no-emit-index-url --no-emit-find-links --strip-extras \
		--output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --extra dev --extra bench --constraint requirements.lock --no-emit-index-url \
		--no-emit-find-links --strip-extras --output-file bench/requirements.lock pyproject.toml

install: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	@chosen=; for candidate in $(PYTHON) python3.13 python3.12 python3.11; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "Fieldward needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1 | head -n 1). Set PYTHON=..." >&2; \
		exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Making .venv with $$chosen"; $$chosen -m venv --clear .venv || exit 1; \
	fi
	@echo "Installing what requirements.lock names"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m compileall -q auth graph models
	@touch $@
