# Everything a newcomer needs: `make demo` to see it, `make test` to check it.
# Each target sets up first, and that takes seconds once it has been done.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test chromium dovecot peers lock clean

VENV := .venv
# Touched when the environment is complete; older than the lock, it is made anew.
STAMP := $(VENV)/.holdfast-is-set-up

help:
	@echo "make demo    the nine days, replayed   (options: make demo ARGS='--no-serve')"
	@echo "make test    every check               (ARGS goes to pytest; -n 0: one process)"
	@echo "make setup   only build $(VENV), with the program $(VENV)/bin/holdfast"
	@echo "make peers   what \`holdfast bench\` measures beside (needs a C++ compiler)"
	@echo "make lock    choose the versions of all packages anew (needs uv)"
	@echo "make clean   delete $(VENV) and caches; never your data"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml scripts/set_up.sh
	@scripts/set_up.sh $(VENV)
	@touch $@

demo: $(STAMP)
	@$(VENV)/bin/holdfast demo $(ARGS)

chromium:
	@scripts/ensure_chromium.sh

dovecot:
	@scripts/ensure_dovecot.sh

peers: $(STAMP)
	@scripts/ensure_peers.sh $(VENV)

test: $(STAMP) chromium dovecot peers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest -n 2 --no-loadscope-reorder $(ARGS)

lock: $(STAMP)
	@scripts/lock.sh $(VENV)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
