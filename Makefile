# novukit: what a developer runs. It needs Python 3.11 or newer and make, and keeps to the folder .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test check dev bench soak format clean

BIN := .venv/bin
STAMP := .venv/.installed
CONSTRAINTS ?= constraints.txt
MINUTES ?= 5
PLUGINS := $(wildcard plugins/*/pyproject.toml)
# The first Python that novukit is tested on, else any newer one. Or say: make PYTHON=/path/to/python
PYTHON ?= $(shell for fits in '(3, 11) <= v < (3, 14)' 'v >= (3, 11)'; do \
	for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c "import sys; v = sys.version_info; sys.exit(not ($$fits))" >/dev/null 2>&1 && { command -v $$p; exit; }; \
	done; done)

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

demo: $(STAMP) ## run the examples and show what was sent
	@$(BIN)/python -m examples.demo

test: $(STAMP) ## run all tests; narrow them with ARGS="-k digest"
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: $(STAMP) ## format, lint, types, import contracts, docs, tests: all that must be green
	@echo "— format"; $(BIN)/ruff format --quiet --check .
	@echo "— lint"; $(BIN)/ruff check --quiet .
	@echo "— types"; $(BIN)/pyright
	@echo "— types of the authoring doors, by mypy"; $(BIN)/mypy tests/typing/accepts.py
	@echo "— imports"; $(BIN)/lint-imports --no-cache
	@echo "— docs"; $(BIN)/python -m docs.generate --check
	@echo "— tests"; $(BIN)/python -m pytest -n auto $(ARGS)

dev: $(STAMP) ## start the server and the worker of this folder's novukit.toml
	@$(BIN)/novukit dev

bench: $(STAMP) ## measure novukit beside its peers; a few minutes with ARGS=--short
	@$(BIN)/python -m bench $(ARGS)

soak: $(STAMP) ## break it on purpose, for long: NOVUKIT_CHAOS_SECONDS=900 MINUTES=20 say how long
	@echo "— chaos"; $(BIN)/python -m tests.chaos
	@echo "— chaos, with planted faults: each must be found"; $(BIN)/python -m tests.chaos --seconds 15 --mutant all
	@echo "— chaos that lets novukit live: what grows?"; $(BIN)/python -m tests.chaos --mild --samples build/soak.csv
	@echo "— simulation"; $(BIN)/python -m tests.simulation --minutes $(MINUTES)
	@echo "— crash matrix"; NOVUKIT_TRIALS=20 $(BIN)/python -m pytest -n auto tests/crash

format: $(STAMP) ## format, sort imports, fix what can be fixed, write the generated docs
	@$(BIN)/ruff check --quiet --fix-only . && $(BIN)/ruff format . && $(BIN)/python -m docs.generate

clean: ## take away .venv and caches; databases stay
	@rm -rf .venv bench/peers/.venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt $(PLUGINS)
	@test -n "$(PYTHON)" || { echo "novukit needs Python 3.11 or newer. Have it elsewhere? make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv with $$($(PYTHON) --version) …"; $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; }
	@echo "Installing novukit and its tools into .venv (once, about a minute) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint $(CONSTRAINTS) \
		--editable '.[test]' $(PLUGINS:%/pyproject.toml=--editable %)
	@touch $(STAMP)
